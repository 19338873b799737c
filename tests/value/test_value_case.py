"""The case of a run: what its parts stand on, what predictions add, and who explores."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.models.evidence.grading import gate
from akb.models.types import Calibration, Evidence
from akb.value import run_value
from akb.value.case.case import business_case, case_basis, levels, without_predictions
from akb.value.in_force import InForce
from akb.value.lifetime.flows import present_value_of
from akb.value.targeting.eligibility import eligibility
from akb.value.targeting.planning.exploration import candidates, explorers
from akb.value.targeting.planning.planner import NONE
from akb.value.valuation import valuation

SCARCE = {"capacity__hours_per_year_inside": 0.5, "capacity__hours_per_year_adviser": 0.5}


@cache
def book(n: int = 400):
    made = f.earning(f.portfolio(n), 3)
    return made, f.with_lapses(f.models(made))


@cache
def valued_of(**assumptions: float):
    return valuation(*book(), f.settings(**assumptions), say=lambda _: None)


@cache
def case_of(**assumptions: float):
    case = business_case(valued_of(**assumptions))
    assert case is not None
    return case


def line(case, key: str) -> dict:
    return next(row for row in case.cohort.lines if row.key == key)


def test_months_have_the_worth_of_their_line() -> None:
    """Discounted, the months of every line are what the plan says that it brings: to a cent, purchases to a percent."""
    valued = valued_of()
    basis = case_basis(valued)
    for key, close in (("relation", 1e-9), ("policy", 1e-9), ("purchase", 0.01)):
        worth = present_value_of(valued.in_force, basis.cohort.flows[key])
        assert worth == pytest.approx(basis.cohort.line(key), rel=close, abs=1), key
        assert basis.cohort.line(key) > 0


def test_later_years_count_repeats_and_sell_nothing_twice() -> None:
    basis = case_basis(valued_of())
    assert basis.later[0].benefit < basis.cohort.benefit
    assert basis.later[0].benefit < basis.later[1].benefit * 1.001  # the year after, fewer are repeats


def test_what_failed_its_gate_is_no_line_of_the_case() -> None:
    made, run = book()
    lines = {"relation": ("churn",), "policy": ("lapse_", "policy_lapse"), "purchase": ("next_policy",)}
    for key, keys in lines.items():
        failed = valuation(made, f.with_gate(run, "fail", *keys), f.SETTINGS, say=lambda _: None)
        case = business_case(failed)
        assert case is not None
        for other in lines:
            assert line(case, other).given is (other != key)
            assert (line(case, other).base == 0) is (other == key), (key, other)
    nothing = f.with_gate(run, "fail", "")
    assert business_case(valuation(made, nothing, f.SETTINGS, say=lambda _: None)) is None


def test_no_proven_level_means_no_case_and_a_sentence() -> None:
    made = f.portfolio(200)
    for asked in ("fail", "none"):
        result = run_value(made, f.models(made, gate=asked), f.SETTINGS)
        assert result.case is None
        assert "businesscase" in result.figures.case_missing
        assert result.lists["top_defend"].height > 0
        assert "AKB-V004" in {finding.code for finding in result.findings}


def test_a_calibration_broken_on_purpose_brings_no_euro() -> None:
    """Twice as many left as predicted: the gate fails, and no effect can bring that line back."""
    made, run = book()
    broken = Evidence(calibration=Calibration(2.0, (1.8, 2.2)))
    assert gate(broken) == "fail"
    worse = replace(run, predictions=tuple(
        replace(one, evidence=broken, gate=gate(broken)) if one.key.startswith("churn") else one
        for one in run.predictions
    ))  # fmt: skip
    for effect in (0.15, 1.0):
        valued = valuation(made, worse, f.settings(contacts__call__effect_relation=effect), say=lambda _: None)
        case = business_case(valued)
        assert case is not None
        assert line(case, "relation").base == line(case, "relation").high == 0


def test_a_provisional_gate_widens_its_own_line_only() -> None:
    made, run = book()
    plain = valued_of()
    assert levels(plain, plain.plan)["purchase"].low == 1.0
    for keys, key in ((("churn",), "relation"), (("next_policy",), "purchase"), (("lapse_",), "policy")):
        wide = f.with_gate(run, "provisional", *keys, ci=(0.6, 1.5))
        valued = valuation(made, wide, f.SETTINGS, say=lambda _: None)
        found, before = levels(valued, valued.plan), levels(plain, plain.plan)
        assert found[key].low == pytest.approx(0.6 * before[key].low)
        assert found[key].high == pytest.approx(1.5 * before[key].high)
        assert [name for name in found if found[name] != before[name]] == [key]


def test_without_reasons_the_assumed_share_widens_the_range() -> None:
    made = f.earning(f.portfolio(300, reasons=False))
    valued = valuation(made, f.models(made), f.SETTINGS, say=lambda _: None)
    found = levels(valued, valued.plan)["relation"]
    entry = f.SETTINGS.assumed()["retention.preventable_share"]
    assert found.low == pytest.approx(entry.low / entry.value)
    assert found.high == pytest.approx(entry.high / entry.value)


def test_natural_ends_are_never_kept() -> None:
    made, run = book()
    natural = run.survival.with_columns(natural=1 - pl.col("alive"), insurer=pl.lit(0.0), preventable=pl.lit(0.0))
    case = business_case(valuation(made, replace(run, survival=natural), f.SETTINGS, say=lambda _: None))
    assert case is not None
    assert line(case, "relation").base == 0


@pytest.mark.parametrize("hours", [{}, SCARCE], ids=["plenty", "scarce"])
def test_predictions_that_are_right_beat_averages(hours: dict[str, float]) -> None:
    """Judged by themselves the predictions are right, so no plan on averages can bring more."""
    valued = valued_of(**hours)
    assert valued.plan is not None
    without = without_predictions(valued, valued.plan)
    assert without <= valued.plan.net + 1e-6
    case = case_of(**hours)
    told = case.without_predictions
    assert told.net == round(without)
    assert told.difference == pytest.approx(valued.plan.net - without, abs=2)
    assert told.difference > 0


def test_exploration_is_drawn_among_those_left_out_and_counted_beside() -> None:
    valued = valued_of(**SCARCE)
    plan = valued.plan
    assert plan is not None
    rows, option = candidates(plan)
    assert len(rows) > 30
    assert (plan.option[rows] == NONE).all()
    assert not valued.eligibility.control[rows].any()
    worth = plan.menu.lines("high").total[rows, option] - plan.menu.cost[rows, option]
    assert (worth > 0).all()
    assert all(plan.menu.options[place].pool != "automatic" for place in option.tolist())
    drawn, _ = explorers(valued.in_force, plan, 20)
    more, _ = explorers(valued.in_force, plan, 30)
    assert len(drawn) == 20
    assert set(drawn) < set(more) <= set(rows)
    fewer = plan.without(np.flatnonzero(plan.planned)[:0])
    assert set(explorers(valued.in_force, fewer, 20)[0]) == set(drawn)
    case = case_of(**SCARCE)
    assert line(case, "exploration").customers == min(round(valued.in_force.value("experiment.contacts")), len(rows))
    assert case.cohort.benefit == sum(line(case, key).base for key in ("relation", "policy", "purchase"))
    assert explorers(valued.in_force, plan, 0)[0].size == 0


def test_who_is_explored_does_not_depend_on_whom_else_the_book_holds() -> None:
    valued = valued_of(**SCARCE)
    plan = valued.plan
    assert plan is not None
    order = valued.in_force.customers["pseudonym"]
    rows, option = candidates(plan)
    first = {order[int(row)] for row in explorers(valued.in_force, plan, 10)[0]}
    away = int(np.setdiff1d(rows, explorers(valued.in_force, plan, 10)[0])[0])
    drawn = explorers(valued.in_force, plan.without(np.array([away])), 10)[0]
    assert {order[int(row)] for row in drawn} == first
    assert len(option) == len(rows)


def test_a_book_in_which_nobody_may_be_contacted_costs_its_price() -> None:
    made, run = book()
    nobody = replace(made, customers=made.customers.with_columns(no_marketing=pl.lit(value=True)))
    case = business_case(valuation(nobody, run, f.SETTINGS, say=lambda _: None))
    assert case is not None
    assert case.cohort.net.base == -case.cohort.price
    assert case.advice.key == "stop"
    assert case.basis["count"] == 0


def test_without_a_multiple_there_is_no_price() -> None:
    assert case_of().multiple is None
    told = case_of(portfolio__multiple=2.5).multiple
    assert told.base == pytest.approx(2.5 * told.recurring, abs=2)
    assert told.low < told.base < told.high


def test_facts_nest_as_their_names_say() -> None:
    facts = case_of().facts
    assert facts["commission_reached_12m"] <= facts["commission_lost_preventable_12m"] + 1
    assert facts["commission_lost_preventable_12m"] < facts["commission_lost_open_12m"]
    assert facts["commission_lost_open_12m"] <= facts["commission_lost_12m"] < facts["turnover"]
    both = facts["commission_lost_relations_12m"] + facts["commission_lost_policies_12m"]
    assert facts["commission_lost_12m"] == pytest.approx(both)
    assert facts["commission_kept_12m"] < facts["commission_reached_12m"]
    assert facts["leavers_preventable_count"] < facts["leavers_expected_count"]
    assert facts["customers_callable_count"] < facts["customers_count"]
    assert facts["customers_planned_count"] <= facts["customers_count"]


def test_the_control_group_is_the_same_whoever_leaves_and_spares_who_leaves_anyway() -> None:
    made, run = book()
    asked = f.settings(experiment__control_share=0.3)
    base = InForce(made, run, asked)
    before = dict(zip(base.customers["customer"], eligibility(base).control.tolist(), strict=True))
    assert 0.15 * base.n < sum(before.values()) < 0.45 * base.n
    gone = int(base.customers["customer"][7])
    left = InForce(replace(made, policies=made.policies.filter(pl.col("customer") != gone)), run, asked)
    after = dict(zip(left.customers["customer"], eligibility(left).control.tolist(), strict=True))
    assert set(before) - set(after) == {gone}
    assert after == {who: flag for who, flag in before.items() if who != gone}
    drawn = [who for who, flag in before.items() if flag][:20]
    end = pl.when(pl.col("customer").is_in(drawn) & pl.col("end_date").is_null()).then(f.X + pl.duration(days=40))
    policies = made.policies.with_columns(end_date=end.otherwise(pl.col("end_date")).cast(pl.Date))
    leaving = InForce(replace(made, policies=policies), run, asked)
    now = dict(zip(leaving.customers["customer"], eligibility(leaving).control.tolist(), strict=True))
    assert not any(now[who] for who in drawn)
    assert {who: flag for who, flag in now.items() if who not in drawn} == {
        who: flag for who, flag in before.items() if who not in drawn
    }
