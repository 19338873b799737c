"""The laws of the case: more effect, hours or customers and less cost never lower it; parts add up; nothing is nothing.

On books in which every relation and policy is worth keeping: losing a customer who costs money is no loss.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.config import Settings
from akb.value.case.case import business_case, case_basis, case_of
from akb.value.in_force import InForce
from akb.value.targeting.eligibility import eligibility
from akb.value.targeting.planning.benefits import Planning, options
from akb.value.targeting.planning.plan import ContactPlan, contact_plan
from akb.value.targeting.planning.planner import NONE
from akb.value.valuation import Valuation, valuation

KEYS = ("mail", "inbound", "inbound_else_call", "call", "review")
EFFECTS = ("effect_relation", "effect_policy", "effect_purchase")
COSTS = ("minutes", "cost", "follow_up_minutes", "sale_minutes")
SEEDS = (1, 2)
CENT = 0.01


@cache
def book(seed: int):
    made = f.earning(f.portfolio(120, seed=seed), factor=6)
    return made, f.with_lapses(f.models(made, seed=seed + 10))


def asked(seed: int) -> dict[str, float]:
    """Random assumptions within what the register calls possible; hours that bind more often than not."""
    rng = np.random.default_rng(seed)
    register = f.SETTINGS.assumed()
    found = {
        name: float(rng.triangular(entry.low, entry.value, entry.high))
        for name, entry in register.items()
        if name.startswith("contacts.") and entry.low < entry.value < entry.high and ".effect_" not in name
    }
    found |= {
        name: float(rng.uniform(0.0, entry.high))
        for name, entry in register.items()
        if ".effect_" in name and entry.high > 0
    }
    found["capacity.hours_per_year_inside"] = float(rng.choice([0.1, 0.5, 2.0, 60.0]))
    found["capacity.hours_per_year_adviser"] = float(rng.choice([0.1, 0.5, 2.0, 40.0]))
    found["planning.secondary_share"] = float(rng.uniform(0.25, 1))
    found["experiment.control_share"] = float(rng.choice([0.0, 0.1, 0.3]))
    return found


def settings_of(assumptions: dict[str, float]) -> Settings:
    return f.settings(**{name.replace(".", "__"): value for name, value in assumptions.items()})


@cache
def valued_of(seed: int) -> Valuation:
    made, run = book(seed)
    return valuation(made, run, settings_of(asked(seed)), say=lambda _: None)


def planned(valued: Valuation, settings: Settings) -> Valuation:
    """The same customers under other assumptions about contacts."""
    in_force = InForce(valued.in_force.portfolio, valued.in_force.models, settings)
    eligible = eligibility(in_force)
    assert valued.prospects is not None
    could = replace(valued.prospects, eligible=~eligible.barred, control=eligible.control, wakeable=~eligible.resting)
    plan = contact_plan(could, Planning.of(settings), eligible.minutes, whole=False)
    return replace(valued, in_force=in_force, eligibility=eligible, prospects=could, plan=plan)


def net(valued: Valuation, assumptions: dict[str, float]) -> float:
    """Base net of the cohort, cents, not rounded."""
    changed = planned(valued, settings_of(assumptions))
    assert changed.plan is not None
    price = 100 * changed.in_force.value("price.per_customer") * changed.in_force.n
    return changed.plan.net - price


@pytest.mark.parametrize("seed", SEEDS)
def test_these_books_are_worth_keeping_and_hours_matter(seed: int) -> None:
    valued = valued_of(seed)
    assert valued.value is not None
    assert valued.policies is not None
    assert (valued.value.stake >= 0).all()
    assert (valued.policies["stake_cents"] >= 0).all()
    assert valued.plan is not None
    assert valued.plan.planned.sum() > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_more_effect_never_lowers_the_case(seed: int) -> None:
    valued, before = valued_of(seed), asked(seed)
    base = net(valued, before)
    register = f.SETTINGS.assumed()
    moved = 0
    for key in KEYS:
        for effect in EFFECTS:
            name = f"contacts.{key}.{effect}"
            if register[name].high == 0:
                continue
            after = net(valued, {**before, name: min(1.0, 1.3 * before[name] + 0.01)})
            assert after >= base - CENT, name
            moved += after > base + 1
    assert moved > 3


@pytest.mark.parametrize("seed", SEEDS)
def test_less_cost_never_lowers_the_case(seed: int) -> None:
    valued, before = valued_of(seed), asked(seed)
    base = net(valued, before)
    register = settings_of(before).assumed()
    names = [name for name in (f"contacts.{key}.{cost}" for key in KEYS for cost in COSTS) if register[name].value > 0]
    moved = 0
    for name in (*names, "cost.rate_office", "cost.rate_adviser", "price.per_customer"):
        after = net(valued, {**before, name: 0.3 * register[name].value})
        assert after >= base - CENT, name
        moved += after > base + 1
    assert moved > 6


def test_a_sale_takes_no_hours_from_those_who_are_worth_more() -> None:
    """Hours so scarce that an hour is worth far more than a sale: selling more must not crowd anybody out."""
    rng = np.random.default_rng(1)
    could = f.prospects(
        80, relation=rng.gamma(2, 50_000, 80), chance=rng.uniform(0.05, 0.3, (80, 2)), worth=np.full((80, 2), 4800.0)
    )
    hours = {"inside": 200.0, "adviser": 200.0}

    def brings(**assumptions: float) -> float:
        return contact_plan(could, Planning.of(f.settings(**assumptions)), hours, whole=False).net

    nets = [brings(contacts__call__effect_purchase=effect) for effect in (0.0, 0.02, 0.08)]
    assert nets == sorted(nets)
    quick = [brings(contacts__call__sale_minutes=minutes) for minutes in (90.0, 45.0, 20.0)]
    assert quick == sorted(quick)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_hours_and_a_smaller_control_group_never_lower_the_case(seed: int) -> None:
    valued, before = valued_of(seed), asked(seed)
    for name, values in (
        ("capacity.hours_per_year_inside", (0.0, 0.2, 2.0, 1000.0)),
        ("capacity.hours_per_year_adviser", (0.0, 0.2, 2.0, 1000.0)),
        ("experiment.control_share", (1.0, 0.3, 0.0)),
    ):
        nets = [net(valued, {**before, name: value}) for value in values]
        assert all(after >= one - CENT for one, after in pairwise(nets)), name
        assert nets[-1] > nets[0], name


def test_who_no_longer_objects_and_cheaper_people_never_lower_the_case() -> None:
    """The whole way from the export: rates are in what it costs to serve as well."""
    made, run = book(1)
    willing = replace(made, customers=made.customers.with_columns(no_marketing=pl.lit(value=False)))
    cheap = {**asked(1), "cost.rate_office": 40.0, "cost.rate_adviser": 60.0}

    def base(portfolio, assumptions) -> int:
        case = business_case(valuation(portfolio, run, settings_of(assumptions), say=lambda _: None))
        assert case is not None
        net: int = case.cohort.net.base
        return net

    before = base(made, asked(1))
    assert base(willing, asked(1)) > before
    assert base(made, cheap) > before


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_and_customers_add_up_to_the_cent(seed: int) -> None:
    valued = valued_of(seed)
    case = business_case(valued)
    assert case is not None
    plan = valued.plan
    assert isinstance(plan, ContactPlan)
    cohort = case.cohort
    lines = {row.key: row for row in cohort.lines}
    assert cohort.benefit == sum(lines[key].base for key in ("relation", "policy", "purchase"))
    assert cohort.net.base == cohort.benefit - cohort.contacts - cohort.price
    assert cohort.net.base == pytest.approx(plan.net - cohort.price, abs=2)  # four roundings
    assert cohort.price == 100 * valued.in_force.n
    table = plan.menu.base
    for key in ("relation", "policy", "purchase"):
        customers = (plan.best.share * getattr(table, key)).sum(axis=1)
        assert lines[key].base == pytest.approx(customers.sum(), abs=1)
        assert lines[key].low <= lines[key].base <= lines[key].high
    contacts = case.plan.contacts
    assert sum(row.benefit for row in contacts) == pytest.approx(cohort.benefit, abs=len(contacts) + 2)
    assert sum(row.cost for row in contacts) == pytest.approx(cohort.contacts, abs=len(contacts) + 1)
    for row in case.cash:
        assert row.net == row.benefit - row.contacts - row.price
    assert cohort.net.low <= cohort.net.base <= cohort.net.high
    for option in case.options:
        assert option.net.low <= option.net.base <= option.net.high


def test_without_any_effect_nobody_is_contacted_and_only_the_price_is_left() -> None:
    made, run = book(2)
    nothing = {**asked(2), **{f"contacts.{key}.{effect}": 0.0 for key in KEYS for effect in EFFECTS}}
    valued = valuation(made, run, settings_of(nothing), say=lambda _: None)
    case = business_case(valued)
    assert case is not None
    assert valued.plan is not None
    assert (valued.plan.option == NONE).all()
    assert case.plan.contacts == ()
    assert case.cohort.benefit == case.cohort.contacts == 0
    assert case.cohort.net.base == -case.cohort.price == -100 * valued.in_force.n
    assert case.advice.key != "start"


def test_low_and_high_do_not_plan_anew() -> None:
    """The contacts of the base plan at other effects: a wider range changes both ends and nothing else."""
    valued = valued_of(1)
    case = business_case(valued)
    assert case is not None
    basis = case_basis(valued)
    doubled = {
        name: entry.model_copy(update={"high": 2 * entry.high}) if name == "price.per_customer" else entry
        for name, entry in basis.register.items()
    }
    wide = case_of(replace(basis, register=doubled), valued)
    assert wide.plan.contacts == case.plan.contacts
    assert wide.cohort.net.base == case.cohort.net.base
    assert wide.cohort.net.low < case.cohort.net.low


def test_a_contact_by_an_adviser_costs_what_the_adviser_costs() -> None:
    planning = Planning.of(f.SETTINGS)
    pools = {(each.key, each.pool) for each in options(planning.ladder)}
    assert ("call", "adviser") in pools
    assert ("review", "inside") not in pools
    valued = valued_of(1)
    plan = valued.plan
    assert plan is not None
    at = {(each.key, each.pool): place for place, each in enumerate(plan.menu.options)}
    inside, adviser = at[("call", "inside")], at[("call", "adviser")]
    contact = plan.planning.ladder["call"]
    rates = plan.planning.rates
    more = contact.minutes * (rates["adviser"] - rates["inside"])
    assert np.allclose(plan.menu.cost[:, adviser] - plan.menu.cost[:, inside], more)
