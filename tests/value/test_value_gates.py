"""A prediction that failed its gate brings no euro: whatever it says, every euro stays the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.lifetime.ends import staying_ends
from akb.value.lifetime.lost import lost_commission
from akb.value.lifetime.survival import YEAR, branch_rows, counted_lapse, relations

if TYPE_CHECKING:
    from akb.models.types import Gate, ModelRun

OFFICE = f.portfolio(200)
MADE = f.models(OFFICE)


def told(key: str, gate: Gate, run: ModelRun = MADE) -> ModelRun:
    """`run` with one more prediction."""
    return replace(run, predictions=(*run.predictions, replace(run.predictions[0], key=key, gate=gate)))


def nonsense(run: ModelRun) -> ModelRun:
    """`run` with other chances to lapse for cars."""
    lapse = pl.when(pl.col("branch") == "auto").then(0.999).otherwise(pl.col("probability"))
    return replace(run, branch_lapse=run.branch_lapse.with_columns(probability=lapse))


def euros(run: ModelRun) -> dict[str, Any]:
    made = run_value(OFFICE, run, f.SETTINGS)
    assert made.case is not None
    names = ("lost_commission", "projection", "concentration")
    return {
        "scores": made.scores.to_dicts(), "case": made.case, "defend": made.lists["top_defend"].to_dicts(),
        **{name: getattr(made.figures, name) for name in names},
    }  # fmt: skip


def test_the_lapse_of_a_branch_that_failed_changes_no_euro() -> None:
    assert euros(told("lapse_auto_12m", "fail")) == euros(told("lapse_auto_12m", "fail", nonsense(MADE)))


def test_such_a_branch_follows_what_was_counted_in_it() -> None:
    """Policies of who held two or more and stayed, over three closed years, mixed with 50 of the portfolio's."""
    base = InForce(OFFICE, told("lapse_auto_12m", "fail"), f.SETTINGS)
    ends = staying_ends(base).filter(pl.col("year") < 3)
    cars = ends.filter(pl.col("branch") == "auto").select(pl.col("held", "lapsed").sum()).row(0)
    held, lapsed = ends.select(pl.col("held", "lapsed").sum()).row(0)
    assert cars[0] > 50 > cars[1] > 0
    rate = (cars[1] + 50 * lapsed / held) / (cars[0] + 50)
    assert counted_lapse(base, 0.3) == {"auto": pytest.approx(rate)}
    assert counted_lapse(InForce(OFFICE, MADE, f.SETTINGS), 0.3) == {}
    paths = relations(base, YEAR)
    assert paths is not None
    rows = branch_rows(base, paths, 0.3).filter(pl.col("branch") == "auto")
    alone = base.policies_per_customer[rows["row"].to_numpy()] == 1
    assert 0 < alone.sum() < rows.height
    assert np.allclose(rows["kept"], np.where(alone, 1.0, 1.0 - rate))  # the only policy goes with its relation


@pytest.mark.parametrize(("own", "whole", "counted"), [
    ("pass", "pass", False), ("none", "pass", True), ("fail", "fail", True), ("none", "fail", False),
])  # fmt: skip
def test_base_rates_speak_where_the_gate_of_all_lapses_is_open(own: Gate, whole: Gate, counted: bool) -> None:
    run = told("policy_lapse_any_12m", whole, told("lapse_auto_12m", own))
    assert ("auto" in counted_lapse(InForce(OFFICE, run, f.SETTINGS), 0.3)) is counted


@pytest.mark.parametrize("gate", ["pass", "provisional"])
def test_the_lapse_of_a_branch_that_stands_does(gate: Gate) -> None:
    before, after = (euros(told("lapse_auto_12m", gate, run)) for run in (MADE, nonsense(MADE)))
    for name in ("scores", "case", "lost_commission", "projection"):
        assert before[name] != after[name], name


@pytest.mark.parametrize("cause", ["natural", "insurer"])
def test_a_cause_that_failed_has_no_euro_of_its_own(cause: str) -> None:
    def parts(run: ModelRun) -> dict[str, int]:
        base = InForce(OFFICE, run, f.SETTINGS)
        paths = relations(base, YEAR)
        assert paths is not None
        return lost_commission(base, paths, branch_rows(base, paths, 0.0)).parts

    stands = parts(told(f"churn_{cause}_12m", "provisional"))
    failed = parts(told(f"churn_{cause}_12m", "fail"))
    assert set(stands) == {"natural", "insurer", "preventable", "single", "announced"}
    assert set(failed) == {"other", "preventable", "single", "announced"}
    assert failed["other"] == stands["natural"] + stands["insurer"]
    assert sum(failed.values()) == sum(stands.values())


@pytest.mark.parametrize("gate", ["fail", "none"])
def test_lifetime_value_on_an_unproven_level_ranks_and_names_no_euro(gate: Gate) -> None:
    proven, made = (run_value(OFFICE, f.models(OFFICE, gate=given), f.SETTINGS) for given in ("provisional", gate))
    listed, known = made.lists["top_defend"], proven.lists["top_defend"]
    assert listed.height > 0
    assert known["value_at_stake"].null_count() == 0
    for name in ("value_at_stake", "clv", "expected_saving", "relation", "policy"):
        assert listed[name].null_count() + listed[name].is_nan().sum() == listed.height, name
    assert known["clv"].is_not_nan().all()
    segments = made.figures.segments
    for rows in (segments.classes.rows, segments.growth, segments.position):
        assert rows
        assert all(row.clv is None for row in rows)
    assert made.figures.pair is None
    assert made.classes["class_value"].null_count() == 0
