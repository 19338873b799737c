"""The basis and its engine: exact where the run stands, close elsewhere, and nothing about fewer than five people."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from akb.config import Member
from akb.models.grading import gate
from akb.models.types import Calibration, Evidence
from akb.value import case_alone, run_value
from akb.value.case.basis import CHANGEABLE
from akb.value.case.binning import bin_edges, cascade
from akb.value.case.case import case_from, ranges
from akb.value.case.ledger import payback_month, year_factors
from akb.value.case.plan import plan
from akb.value.case.results import work_out
from akb.value.case.sensitivity import band, net_at, triangular
from akb.value.targeting.decision import client_classes
from akb.value.targeting.service import levels
from akb.value.targeting.staffing import Assignment, assign
from akb.value.targeting.team import ADVISER, Worker
from akb.value.valuation import valuation

CHEAP = {"contact__minutes": 2.0, "contact__offer_minutes": 1.0}
CASES = {
    "free hours": CHEAP,
    "few hours": {**CHEAP, "capacity__hours_per_year": 1.5},
    "more hours": {**CHEAP, "capacity__hours_per_year": 3.5},
    "calls cost a quarter": {"contact__minutes": 15.0, "retention__rescue": 0.5, "cross_sell__uplift": 1.0},
    "nobody stays": {**CHEAP, "retention__rescue": 0.0},
    "no effect on sales": {**CHEAP, "cross_sell__uplift": 0.0},
    "a call costs nothing": {"contact__minutes": 0.0, "contact__offer_minutes": 0.0},
    "everybody in the control group": {**CHEAP, "experiment__control_share": 1.0},
}


@cache
def _made():
    made = f.portfolio(700)
    return made, f.models(made)


@cache
def _run(name: str):
    made, run = _made()
    return run_value(made, run, f.settings(**CASES[name]))


def _register(**assumptions: float):
    return f.settings(**assumptions).assumed()


@pytest.mark.parametrize("name", CASES)
def test_the_engine_says_what_the_lists_say(name: str) -> None:
    result = _run(name)
    case = result.case
    called = result.lists["top_defend"].filter("contact")
    offers = result.lists["next_best_policy"].filter("contact")
    lines = {line.key: line.base for line in case.benefits}
    assert lines["retention"] == called["yearly_cents"].sum()
    assert lines["cross_sell"] == offers["extra_cents"].sum()
    assert case.facts["contacts_retention_count"] == called.height
    assert case.facts["contacts_offer_count"] == offers["own_call"].sum()
    assert case.facts["offers_in_talks_count"] == offers.height - offers["own_call"].sum()


def test_the_cases_are_what_they_say() -> None:
    counts = {name: _run(name).case.facts for name in CASES}
    free = counts["free hours"]
    for kind in ("retention", "offer"):
        assert 5 <= counts["few hours"][f"contacts_{kind}_count"] < free[f"contacts_{kind}_count"]
    assert 5 <= counts["more hours"]["contacts_offer_count"] < free["contacts_offer_count"]
    assert counts["everybody in the control group"]["contacts_used_count"] == 0


@pytest.mark.parametrize("name", CASES)
def test_no_bin_holds_fewer_than_five(name: str) -> None:
    basis = _run(name).case.basis
    for table in (basis["retention"], basis["own_calls"]):
        assert len(table["calls"]) <= 400
        assert all(count >= 5 for count in table["calls"])
        assert all(upper >= lower for upper, lower in zip(table["upper"], table["lower"], strict=True))


def test_through_json_nothing_is_lost() -> None:
    case = _run("free hours").case
    register = _register(**CHEAP)
    again = case_from(json.loads(json.dumps(case.basis)), register)
    assert again == case


@pytest.mark.parametrize(
    "changed",
    [
        {"retention__rescue": 0.10},
        {"retention__rescue": 0.35},
        {"contact__minutes": 6.0},
        {"cross_sell__uplift": 0.6},
        {"capacity__hours_per_year": 3.0},
        {"price__per_customer": 2.0},
    ],
)
def test_other_assumptions_come_close_to_a_new_run(changed: dict[str, float]) -> None:
    made, run = _made()
    there = run_value(made, run, f.settings(**{**CHEAP, **changed})).case
    here = case_from(_run("free hours").case.basis, _register(**{**CHEAP, **changed}))
    for one, other in zip((*here.benefits, *here.costs), (*there.benefits, *there.costs), strict=True):
        assert one.base == pytest.approx(other.base, rel=0.03, abs=500)
    assert here.facts["contacts_used_count"] == pytest.approx(there.facts["contacts_used_count"], rel=0.02, abs=2)


@settings(max_examples=12, deadline=None)
@given(
    changed=st.fixed_dictionaries(
        {},
        optional={
            "retention__rescue": st.sampled_from([0.0, 0.1, 0.35, 0.9]),
            "cross_sell__uplift": st.sampled_from([0.0, 0.1, 0.6]),
            "contact__minutes": st.sampled_from([0.0, 2.0, 15.0]),
            "contact__offer_minutes": st.sampled_from([0.0, 6.0]),
            "capacity__hours_per_year": st.sampled_from([0.5, 1.5, 4.0]),
            "cost__rate_office": st.just(90.0),
            "value__payback_years": st.sampled_from([1.0, 5.0]),
            "experiment__control_share": st.just(0.4),
        },
    )
)
def test_the_case_alone_is_that_of_a_whole_run(changed: dict[str, float]) -> None:
    made, run = _made()
    chosen = f.settings(**{**CHEAP, **changed})
    assert case_alone(made, run, chosen) == run_value(made, run, chosen).case


def test_where_the_hours_of_one_level_are_short_the_best_calls_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made, run = _made()
    team = {f"A{n}": Member(level="inside" if n else "adviser", hours=2.0 if n else 0.5) for n in range(4)}
    told = {**CHEAP, "contact__offer_minutes": 0.0, "retention__rescue": 0.5, "cross_sell__uplift": 0.9}
    rounds: list[int] = []

    def assigned(tasks: pl.DataFrame, workers: tuple[Worker, ...]) -> Assignment:
        rounds.append(tasks.height)
        return assign(tasks, workers)

    monkeypatch.setattr("akb.value.targeting.decision.assign", assigned)
    work = valuation(made, run, f.settings(**told).model_copy(update={"team": team}), say=lambda _: None)
    calls, desk, level = work.decision.calls, work.desk, np.array(levels(client_classes(work.base, work.value)))
    best = np.where(desk.barred | desk.control, 0.0, np.maximum(calls.keep, calls.sell) - calls.cost).clip(0)
    minutes = np.array([np.full(len(best), 2.0), np.where(level == ADVISER, 2.0, 0.0)])
    possible = linprog(-best, A_ub=minutes, b_ub=[desk.minutes_available, 30.0], bounds=(0, 1))
    called = calls.to_keep | calls.to_sell
    assert 2 * (called & (level == ADVISER)).sum() == 30  # half an hour, all of it
    assert best[called].sum() > -0.99 * possible.fun
    assert len(rounds) <= 4


def test_service_cost_moves_with_its_rates() -> None:
    made, run = _made()
    changed = {**CHEAP, "cost__rate_adviser": 100.0, "cost__fixed": 30.0}
    here = case_from(_run("free hours").case.basis, _register(**changed))
    there = run_value(made, run, f.settings(**changed))
    listed = there.lists["top_defend"]["customer"].to_list()
    assert set(listed) ^ set(_run("free hours").lists["top_defend"]["customer"].to_list())  # the value at stake moved
    assert here.benefits[0].base == pytest.approx(there.case.benefits[0].base, rel=0.05)
    assert here.benefits[0].base < _run("free hours").case.benefits[0].base


@settings(max_examples=25, deadline=None)
@given(
    rescue=st.floats(0, 1),
    uplift=st.floats(0, 1),
    minutes=st.floats(0, 120),
    hours=st.floats(0, 500),
    control=st.floats(0, 1),
)
def test_a_plan_is_possible(rescue: float, uplift: float, minutes: float, hours: float, control: float) -> None:
    basis = _run("free hours").case.basis
    register = _register(
        retention__rescue=rescue, cross_sell__uplift=uplift, contact__minutes=minutes,
        capacity__hours_per_year=hours, experiment__control_share=control,
    )  # fmt: skip
    values = {name: entry.value for name, entry in register.items()}
    made = plan(basis, values)
    assert 0 <= made.calls <= basis["customers"]
    spent = minutes * made.calls + values["contact.offer_minutes"] * made.talks
    assert spent <= 60 * hours * basis["advisers"] + values["contact.offer_minutes"] * made.talks + minutes + 1e-6
    told = work_out(basis, ranges(register))
    assert told["net"][0] <= told["net"][1] <= told["net"][2]
    assert told["year1"]["net"][1] <= told["net"][1] + 1


def test_bins_keep_the_cut_and_their_size() -> None:
    worth = np.sort(np.random.default_rng(1).gamma(1, 100, 103))[::-1]
    bound = float(worth[40] + 2 * worth[41]) / 3
    starts, upper, lower = bin_edges(worth, 41, bound, 20, 5)
    assert 41 in starts
    assert lower[starts.index(41) - 1] == upper[starts.index(41)] == bound
    sizes = np.diff([*starts, 103])
    assert sizes.min() >= 5
    assert len(starts) <= 21
    assert np.all(np.diff(upper) <= 0)


def test_cents_of_a_list_add_up() -> None:
    milli = np.random.default_rng(2).integers(-400_000, 9_000_000, 500)
    parts = cascade(0.2137, milli)
    assert parts.sum() == round(0.2137 * int(milli.sum()) / 1000)
    assert np.abs(parts - 0.2137 * milli / 1000).max() < 1.01


def test_payback_by_hand() -> None:
    # 1.200 a year, half of it in the first year, everybody stays: after m months 1.200 (m/12)^2 / 2.
    assert payback_month({"a": 1200.0}, 0.0, 150.0, 1.0, {}) == 6
    assert payback_month({"a": 1200.0}, 600.0, 0.0, 1.0, {}) == 12
    assert payback_month({"a": 1200.0}, 1200.0, 0.0, 1.0, {}) == 24  # year 1: 600 - 1.200; year 2: 1.800 - 1.200
    assert payback_month({"a": 1200.0}, 1200.0, 0.0, 0.0, {}) is None
    assert sum(year_factors(0.5, 1.0)) == 4.5


def test_npv_is_the_three_years_without_a_rate() -> None:
    basis = _run("free hours").case.basis
    flat = case_from(basis, _register(**CHEAP, case__discount=0.0))
    assert flat.npv[1] == pytest.approx(flat.three_years["net"][1], abs=2)
    assert case_from(basis, _register(**CHEAP)).npv[1] < flat.npv[1]


def test_the_band_holds_the_case_and_is_no_wider_than_its_ends() -> None:
    case = _run("free hours").case
    assert case.net[0] < case.band["net"][0] < case.band["net"][1] < case.band["net"][2] < case.net[2]
    assert case.band["draws"] == 1000
    assert 0 <= case.band["below_zero"] <= 1
    values = triangular(np.linspace(0.0005, 0.9995, 2001), 1.0, 2.0, 5.0)
    assert values.min() >= 1
    assert values.max() <= 5
    assert values.mean() == pytest.approx(8 / 3, abs=0.01)


def test_the_tornado_is_one_thing_at_a_time() -> None:
    case = _run("free hours").case
    three = ranges(_register(**CHEAP))
    rows = {row["key"]: row for row in case.tornado}
    assert rows["retention.rescue"]["low"] < case.net[1] < rows["retention.rescue"]["high"]
    assert "price.per_customer" not in rows  # it has no range
    swings = [abs(row["high"] - row["low"]) for row in case.tornado]
    assert swings == sorted(swings, reverse=True)
    assert net_at(case.basis, three, "retention.rescue", three["retention.rescue"][1]) == case.net[1]


def test_at_its_turning_point_nothing_is_left() -> None:
    case = _run("free hours").case
    three = ranges(_register(**CHEAP))
    found = {row["key"]: row["value"] for row in case.break_even}
    assert found["cross_sell.uplift"] is None or 0 <= found["cross_sell.uplift"] <= 1
    assert found["retention.rescue"] is not None
    for key, value in found.items():
        if value is not None and not key.startswith(("capacity", "experiment")):
            assert abs(net_at(case.basis, three, key, value)) <= 2


def test_claims_say_what_they_take() -> None:
    case = _run("few hours").case
    low, _, high = case.claims
    assert low["promised"] == round(0.10 * case.basis["churn_commission"])
    assert high["rescue"] == pytest.approx(3.6 * low["rescue"])
    reached = case.facts["commission_at_risk_listed"]
    assert low["rescue"] == pytest.approx(low["promised"] / reached, rel=1e-4)
    assert high["calls"] is None  # not even if everybody is called
    easy = case_from(case.basis, _register(**CHEAP, retention__rescue=0.9, capacity__hours_per_year=1.5)).claims[0]
    assert easy["calls"] > 0
    assert easy["hours"] == pytest.approx(easy["calls"] * 2 / 60)


def test_without_a_multiple_there_is_no_price() -> None:
    case = _run("free hours").case
    assert case.multiple is None
    priced = case_from(case.basis, _register(**CHEAP, portfolio__multiple=2.5)).multiple
    assert priced["base"] == pytest.approx(2.5 * priced["recurring"], abs=2)
    assert priced["low"] < priced["base"] < priced["high"]


def test_everything_that_can_change_is_an_assumption() -> None:
    assert set(CHANGEABLE) <= set(f.SETTINGS.assumed())


def test_a_case_of_four_customers_is_none() -> None:
    made = f.portfolio(5)
    result = run_value(made, f.models(made), f.settings(**CHEAP))
    assert result.case.facts["contacts_used_count"] == 0
    assert result.case.benefits[0].base == 0


def test_a_calibration_broken_on_purpose_brings_no_euro() -> None:
    """Twice as many left as predicted: the gate fails, and no assumption can bring that line back."""
    made, run = _made()
    broken = Evidence(calibration=Calibration(2.0, (1.8, 2.2)))
    assert gate(broken) == "fail"
    predictions = tuple(
        replace(one, evidence=broken, gate=gate(broken)) if one.key.startswith("churn") else one
        for one in run.predictions
    )
    case = run_value(made, replace(run, predictions=predictions), f.settings(**CHEAP)).case
    whole = _run("free hours").case
    assert case.basis["retention"] is None
    assert {line.key for line in whole.benefits} - {line.key for line in case.benefits} == {"retention"}
    for rescue in (0.2, 1.0):
        told = case_from(case.basis, _register(**CHEAP, retention__rescue=rescue))
        assert [line.key for line in told.benefits] == ["cross_sell"]
        assert told.facts["contacts_retention_count"] == told.facts["commission_saved_gross"] == 0
        assert told.claims == ()
        assert told.net == case.net


def test_a_provisional_interval_widens_the_band_too() -> None:
    made, run = _made()
    wide = run_value(made, f.with_gate(run, "provisional", "churn", ci=(0.5, 1.9)), f.settings(**CHEAP)).case
    plain = _run("free hours").case
    assert wide.net[0] < plain.net[0] < plain.net[1] == wide.net[1] < plain.net[2] < wide.net[2]
    known = {name: (mid, mid, mid) for name, (_, mid, _) in ranges(_register(**CHEAP)).items()}
    for basis, moves in ((plain.basis, False), (wide.basis, True)):  # nothing but the level can move
        drawn = band(basis, known)["net"]
        assert (drawn[0] < drawn[1] < drawn[2]) is moves
