"""When euros come in, what can be bought, and what a cohort is summed from: worked out by hand on small bases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from case_fixtures import REGISTER, basis_of, cohort, sums

from akb.value.case.basis import YEAR, Cohort, Span, benefit, contacts, net, spread_over_year
from akb.value.case.cash import cash, cumulative, deepest, inflow, monthly, payback_month, running_year
from akb.value.case.options import gained, options
from akb.value.types import RunningYear, Three


@pytest.mark.parametrize("flow", [np.array([1200.0]), np.ones(36), np.random.default_rng(1).gamma(1, 9, 120)])
def test_spreading_contacts_over_the_year_loses_no_cent(flow: np.ndarray) -> None:
    spread = spread_over_year(flow)
    assert len(spread) == len(flow) + YEAR
    assert spread.sum() == pytest.approx(flow.sum())
    late = (np.arange(len(spread)) @ spread) / spread.sum() - (np.arange(len(flow)) @ flow) / flow.sum()
    assert late == pytest.approx(6.0)  # half a year on average


def test_a_steady_stream_brings_half_of_its_year_in_the_first_year() -> None:
    """The half-year rule, on every line alike."""
    steady = spread_over_year(np.full(60, 100.0))
    assert steady[:YEAR].sum() == pytest.approx(0.5 * 1200)
    assert steady[YEAR : 2 * YEAR].sum() == pytest.approx(1200)
    lines = cohort(3600.0, policy=3600.0, purchase=3600.0)
    assert monthly(lines)[:YEAR].sum() == pytest.approx(3 * 600)


def test_cash_is_every_years_own_cohort() -> None:
    first, second, third = cohort(36_000.0), cohort(18_000.0, cost=500.0), cohort(7200.0, cost=300.0)
    basis = basis_of(first, (second, third), price__per_customer=2.0)
    assert [basis.year(place) for place in range(5)] == [first, second, third, second, third]
    rows = cash(basis)
    # 12,000 a year of the first cohort: half of it in its own year; of the second 6,000, of the third 2,400.
    assert [row.benefit for row in rows[:3]] == pytest.approx([6000, 12_000 + 3000, 12_000 + 6000 + 1200])
    assert [row.contacts for row in rows] == [1000, 500, 300, 500, 300]
    assert all(row.price == 20_000 for row in rows)
    assert rows[0].cents() == RunningYear(benefit=6000, contacts=1000, price=20_000, net=-15_000)
    whole = inflow(basis, 1200)
    assert whole[:60].sum() == pytest.approx(sum(row.benefit for row in rows))


def test_a_running_year_is_the_sum_of_what_is_left_of_all_cohorts() -> None:
    rng = np.random.default_rng(2)
    steady = Cohort((sums(0.0),), {line: rng.gamma(1, 50, 48) for line in ("relation", "policy", "purchase")})
    basis = basis_of(steady)
    far = inflow(basis, 50 * YEAR)[-YEAR:].sum()
    assert running_year(basis).benefit == pytest.approx(far)
    assert running_year(basis).benefit == pytest.approx(sum(flow.sum() for flow in steady.flows.values()))
    weaker = replace(steady, flows={line: flow / 2 for line, flow in steady.flows.items()})
    by_turns = basis_of(steady, (steady, weaker))
    two = inflow(by_turns, 50 * YEAR)[-2 * YEAR :].sum() / 2  # cohorts take turns, so do the years
    assert running_year(by_turns).benefit == pytest.approx(two)


def test_payback_is_the_month_from_which_all_is_back_for_good() -> None:
    months, yearly = 60, 120_000.0
    made = cohort(5 * yearly, months, cost=0.0)

    def month(eda: float) -> int | None:
        return payback_month(basis_of(made, price__eda=eda, price__per_customer=0.0))

    curve = cumulative(basis_of(made, price__eda=0.0, price__per_customer=0.0))
    assert (np.diff(curve) > 0).all()
    for place in (0, 6, 30, 58):
        euros = curve[place] / 100
        assert month(euros - 0.01) == place + 1  # just back in that month
        assert month(euros + 0.01) == place + 2  # just not
    assert month(curve[-1] / 100 + 0.01) is None
    assert month(0.0) == 1
    basis = basis_of(made, price__eda=500.0, price__per_customer=0.0)
    assert deepest(basis) == -50_000  # the analysis is paid on the first day
    dear = basis_of(made, price__eda=500.0, price__per_customer=6000.0)
    assert deepest(dear) == pytest.approx(cumulative(dear).min())
    assert deepest(dear) < -50_000


def test_the_options_by_hand() -> None:
    first, second, third = cohort(900_000.0), cohort(500_000.0, cost=900.0), cohort(400_000.0, cost=800.0)
    basis = basis_of(first, (second, third), lists__ageing=0.6, price__self_hours=10.0)
    rows = {row.key: row.net.base for row in options(basis)}
    analysis, rate = 100 * REGISTER["price.eda"].value, 100 * REGISTER["cost.rate_office"].value
    assert rows["once"] == pytest.approx(0.6 * 900_000 - 1000 - analysis)
    assert rows["self"] == pytest.approx(1_800_000 - 2700 - 3 * 10 * rate - analysis)
    assert rows["service"] == pytest.approx(1_800_000 - 2700 - 3 * 100 * 100 - analysis)
    assert gained(basis, first).base == 899_000


def test_low_sets_low_effects_against_high_costs() -> None:
    basis = basis_of(cohort(30_000.0, policy=12_000.0))
    basis = replace(basis, levels={**basis.levels, "relation": Span(0.5, 1.0, 1.4)})
    call = basis.ladder["call"].relation
    relation = benefit(basis.cohort, basis, "relation")
    assert relation.base == 30_000
    assert relation.low == pytest.approx(1.4 * 30_000 * call.low / call.base)  # a loss is worse where more leave
    assert relation.high == pytest.approx(1.4 * 30_000 * call.high / call.base)
    spent = contacts(basis.cohort, basis)
    minutes, rate = REGISTER["contacts.call.minutes"], REGISTER["cost.rate_office"]
    more = 100 * (minutes.high * rate.high - minutes.value * rate.value) * 100 / 60
    more += 100 * 100 * (REGISTER["contacts.call.cost"].high - REGISTER["contacts.call.cost"].value)
    assert spent.low == pytest.approx(1000 + more)
    assert spent.base == 1000
    assert spent.high == 0  # never below nothing
    span, price = net(basis.cohort, basis), basis.price()
    assert span.base == 42_000 - 1000 - price.base
    assert span.low <= span.base <= span.high
    assert Span(3.4, 3.6, 3.3).cents() == Three(low=3, base=4, high=4)
