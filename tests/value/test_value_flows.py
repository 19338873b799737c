"""Cash flows by month: their present value is that of the stakes, to the cent."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import value_fixtures as f

from akb.value.in_force import InForce
from akb.value.lifetime.clv import discount_factors, lifetime
from akb.value.lifetime.flows import (
    margin_months,
    policy_flow,
    present_value_of,
    purchase_flow,
    purchase_years,
    relation_flow,
)
from akb.value.lifetime.policies import policy_stakes
from akb.value.lifetime.purchases import offers
from akb.value.lifetime.streams import streams
from akb.value.lifetime.survival import YEAR, Relations, branch_rows, relations
from akb.value.revenue.cost import service_cost

CASES = [
    {"value__timing": 0.0},
    {"value__timing": 0.5, "value__horizon_years": 5},
    {"value__timing": 1.0, "value__discount": 0.0, "value__indexation": 0.0},
    {"value__timing": 0.5, "value__discount": 0.08, "value__indexation": 0.04},
]


class Office:
    """A book of a few hundred customers with what its flows are made of."""

    def __init__(self, **assumptions: float) -> None:
        made = f.portfolio(200)
        self.base = InForce(made, f.models(made), f.settings(**assumptions))
        self.months = YEAR * round(self.base.value("value.horizon_years"))
        survival = relations(self.base, self.months)
        assert survival is not None
        self.survival, self.cost = survival, service_cost(self.base)
        self.rows = branch_rows(self.base, survival, 0.0)
        self.offers = offers(self.base, self.cost, 0.9)
        self.streams = streams(self.base, self.rows, self.cost, self.months, self.base.value("value.timing"))
        self.value = lifetime(self.base, survival, self.streams, self.offers)
        self.weights = np.random.default_rng(5).random(self.base.n)


@pytest.mark.parametrize("case", CASES)
def test_kept_relations_have_the_present_value_of_their_stakes(case: dict[str, float]) -> None:
    office = Office(**case)
    margin = list(margin_months(office.base, office.streams, office.offers))
    flow = relation_flow(office.base, office.survival, margin, office.value, office.weights)
    assert len(flow) == office.months
    at_stake = float(office.weights @ office.value.stake)
    assert abs(at_stake) > 100_000
    assert present_value_of(office.base, flow) == pytest.approx(at_stake, abs=0.01)
    one = np.zeros(office.base.n)
    one[7] = 1.0
    alone = relation_flow(office.base, office.survival, margin, office.value, one)
    assert present_value_of(office.base, alone) == pytest.approx(office.value.stake[7], abs=0.01)


@pytest.mark.parametrize("case", CASES)
def test_rounding_moves_no_month_by_more_than_a_cent_per_customer(case: dict[str, float]) -> None:
    office = Office(**case)
    margin = np.stack(list(margin_months(office.base, office.streams, office.offers)), axis=1)
    p, timing = office.survival.preventable, office.base.value("value.timing")
    alive, leaving = office.survival.alive_at(timing, office.months), np.zeros((office.base.n, office.months))
    leaving[:, :YEAR] = office.survival.leaving_at(timing)
    index = discount_factors(office.months, 0.0, office.base.value("value.indexation"), timing)
    by_customer = margin * ((alive - leaving) / (1 - p)[:, None] - leaving / p[:, None]) * index
    flow = relation_flow(office.base, office.survival, margin.T, office.value, np.ones(office.base.n))
    assert flow[1:] == pytest.approx(by_customer.sum(axis=0)[1:])
    assert flow[0] == pytest.approx(by_customer.sum(axis=0)[0], abs=1.1 * office.base.n)


def test_a_relation_that_cannot_or_will_leave_brings_nothing() -> None:
    office = Office()
    n = office.base.n
    margin = list(margin_months(office.base, office.streams, office.offers))
    for chance in (0.0, 1.0):
        p = np.full(n, chance)
        sure = replace(office.survival, preventable=p)
        assert not relation_flow(office.base, sure, margin, office.value, np.ones(n)).any()


@pytest.mark.parametrize("case", CASES)
def test_kept_policies_have_the_present_value_of_their_stakes(case: dict[str, float]) -> None:
    office = Office(**case)
    shares = dict.fromkeys(f.BRANCHES, (0.2, 0.5, 0.8))
    stakes = policy_stakes(office.base, office.survival, office.rows, office.cost, shares)
    weights = np.random.default_rng(6).random(stakes.height)
    flow = policy_flow(office.base, office.survival, stakes, weights)
    at_stake = float(weights @ stakes["stake_cents"].to_numpy())
    assert abs(at_stake) > 100_000
    assert present_value_of(office.base, flow) == pytest.approx(at_stake, abs=0.01)
    assert len(flow) == office.months


def lasting(base: InForce, yearly: float, months: int) -> Relations:
    alive = np.tile(yearly ** (np.arange(months + 1) / YEAR), (base.n, 1))
    leaving = alive[:, : YEAR + 1] - alive[:, [YEAR]]
    return Relations(np.arange(months + 1), alive, months, leaving, leaving[:, 0].copy(), split=True)


def test_years_of_a_gained_policy_by_hand() -> None:
    """Relations .9, policies .8 a year; bought after half a year by who is there then; 30 % a year bought it anyway."""
    office = Office(value__discount=0.05, value__indexation=0.02, value__timing=0.5, value__horizon_years=3)
    survival = lasting(office.base, 0.9, 36)
    chance = np.full((office.base.n, 2), 0.3)
    chance[:, 1] = 0.0
    years = purchase_years(office.base, survival, 0.8, chance)
    moments = [(month + 0.5) / 12 for month in range(36)]

    def by_hand(bought: float) -> float:
        return sum(
            (1.02 / 1.05) ** t * (0.9 * 0.8) ** (t - 0.5) * (1 - bought) ** max(t - 1, 0) / 12
            for t in moments if t > 0.5
        )  # fmt: skip

    assert years[:, 0] == pytest.approx(by_hand(0.3))
    assert years[:, 1] == pytest.approx(by_hand(0.0))
    assert years[0, 0] == pytest.approx(1.329, abs=0.001)
    own = np.array([0.8, 0.9])  # a survival per branch
    assert purchase_years(office.base, survival, own, chance)[:, 0] == pytest.approx(years[:, 0])
    assert (purchase_years(office.base, survival, own, chance)[:, 1] > years[:, 1]).all()


def test_where_nothing_is_offered_nothing_is_gained() -> None:
    office = Office()
    chance = np.full((office.base.n, 2), 0.3)
    chance[3, 1] = np.nan
    years = purchase_years(office.base, office.survival, 0.9, chance)
    assert years[3, 1] == 0
    assert years[3, 0] > 0
    weights = np.zeros_like(chance)
    weights[3, 1] = 1.0
    assert not purchase_flow(office.base, office.survival, 0.9, chance, weights).any()


def test_a_purchase_that_comes_anyway_is_only_brought_forward() -> None:
    office = Office(value__discount=0.0, value__indexation=0.0, value__timing=0.5)
    survival = lasting(office.base, 1.0, office.months)
    sure = np.ones((office.base.n, 1))
    assert purchase_years(office.base, survival, 1.0, sure) == pytest.approx(0.5)  # until it would have come


@pytest.mark.parametrize("case", CASES)
def test_gained_policies_have_the_present_value_of_their_years(case: dict[str, float]) -> None:
    office = Office(**case)
    rng = np.random.default_rng(7)
    chance, weights = rng.random((office.base.n, 3)) * 0.4, rng.random((office.base.n, 3)) * 5000
    years = purchase_years(office.base, office.survival, 0.85, chance)
    flow = purchase_flow(office.base, office.survival, 0.85, chance, weights)
    assert not flow[: YEAR // 2].any()
    assert present_value_of(office.base, flow) == pytest.approx(float((weights * years).sum()), abs=0.01)


def test_no_array_of_customers_by_months_is_made() -> None:
    """A million customers by ten years of months would be a gigabyte an array: months are worked out one at a time."""
    office = Office(value__horizon_years=50)
    tracemalloc.start()
    lifetime(office.base, office.survival, office.streams, office.offers)
    margin = margin_months(office.base, office.streams, office.offers)
    relation_flow(office.base, office.survival, margin, office.value, office.weights)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < office.base.n * office.months * 8 / 2  # half of one array of customers by months
