"""What the export does not have: everything degrades, nothing crashes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.catalogue.entries import entries, templates
from akb.report.plain import plain
from akb.value import run_value
from akb.value.predictions import METHODS

PLANNED = ("best_contact", "contact_value")
"""What the plan says of every customer: no prediction, so no entry of the catalogue."""
POOR = {
    "no commission": {"commission": "none"},
    "no ends": {"ended": False},
    "no reasons": {"reasons": False},
    "30 customers, one branch": {"n": 30, "branches": ("auto",)},
    "30 customers, nothing": {"n": 30, "branches": ("auto",), "ended": False, "commission": "none", "advisers": 0},
    "one customer": {"n": 1},
    "short history": {"months": 6},
}


@pytest.mark.parametrize("gate", ["pass", "none"])
@pytest.mark.parametrize("how", POOR.values(), ids=POOR.keys())
def test_a_poor_export_still_runs(how: dict[str, object], gate: str) -> None:
    made = f.portfolio(**{"n": 80, **how})
    result = run_value(made, f.models(made, gate=gate), f.SETTINGS)
    assert result.scores["customer"].to_list() == f.present(made)["customer"].unique().sort().to_list()
    json.dumps(plain(result.figures))
    for prediction in result.predictions:
        assert prediction.why
        column = result.scores[prediction.key]
        assert (prediction.status == "unavailable") == (column.null_count() == column.len())
        if column.dtype.is_float():
            assert not column.is_nan().any()


def test_every_entry_of_this_room_has_a_method_and_a_column() -> None:
    named = {entry.method for entry in templates() if entry.room == "value"}
    assert named == set(METHODS)
    made = f.portfolio(60)
    result = run_value(made, f.models(made), f.SETTINGS)
    branches = [(key, key) for key in f.SETTINGS.taxonomy() if key in f.BRANCHES]
    keys = [entry.key for entry in entries(branches) if entry.room == "value"]
    assert [prediction.key for prediction in result.predictions] == keys
    assert set(result.scores.columns) == {"customer", *keys, *PLANNED}
    assert result.scores["customer"].dtype == pl.UInt32
    euros = [entry.key for entry in entries(branches) if entry.room == "value" and entry.kind == "euro"]
    assert all(result.scores[key].dtype == pl.Float32 for key in euros)


def test_without_commission_euros_are_unavailable_with_a_sentence() -> None:
    made = f.portfolio(80, commission="none")
    result = run_value(made, f.models(made), f.SETTINGS)
    told = {prediction.key: prediction for prediction in result.predictions}
    for key in ("commission_12m", "clv", "value_at_stake", "top_defend", "cross_sell_commission_12m"):
        assert told[key].status == "unavailable"
        assert "provisie" in told[key].why.sentence()
    assert told["handling_cost_12m"].status == "derived"
    assert told["next_best_policy"].status == "derived"
    assert result.case is None
    listed = result.lists["top_defend"]
    assert listed.height == round(f.present(made)["customer"].n_unique() / 10) >= 7  # the tenth most likely to leave
    assert listed["churn_preventable_12m"].is_sorted(descending=True)
    for column in ("value_at_stake", "expected_saving", "commission", "relation", "policy"):
        assert listed[column].null_count() == listed.height
    assert result.lists["next_best_policy"]["probability"].is_sorted(descending=True)
    assert result.figures.concentration is None


def test_without_ends_there_is_no_list_of_leavers() -> None:
    made = f.portfolio(80, ended=False)
    result = run_value(made, f.models(made), f.SETTINGS)
    assert result.lists["top_defend"].is_empty()
    assert result.lists["top_defend"].columns[:3] == ["customer", "rank", "churn_12m"]
    assert result.case is not None  # policies can be sold to those of whom nobody knows when they leave
    given = {row.key: row.given for row in result.case.cohort.lines}
    assert given == {"relation": False, "policy": False, "purchase": True, "exploration": True}
    assert sum(abs(row.base) for row in result.case.cohort.lines if not row.given) == 0
    assert result.figures.waterfall is not None
    assert result.lists["next_best_policy"].height > 0


def test_a_customer_unknown_to_the_models_follows_the_portfolio() -> None:
    made = f.portfolio(80)
    run = f.models(made)
    gone = int(run.scores["customer"][3])
    partial = replace(
        run,
        survival=run.survival.filter(pl.col("customer") != gone),
        scores=run.scores.filter(pl.col("customer") != gone),
    )
    result = run_value(made, partial, f.SETTINGS)
    mine = result.components.filter(pl.col("customer") == gone)["preventable"][0]
    known = run.survival.filter((pl.col("customer") != gone) & (pl.col("month") == 12))["preventable"].mean()
    assert np.isclose(mine, known)


def test_unknown_commission_counts_as_zero() -> None:
    made = f.portfolio(80)
    customer = int(f.present(made)["customer"].min())
    cents = pl.when(pl.col("customer") != customer).then(pl.col("commission_cents"))
    result = run_value(
        replace(made, policies=made.policies.with_columns(commission_cents=cents)), f.models(made), f.SETTINGS
    )
    row = result.scores.filter(pl.col("customer") == customer).row(0, named=True)
    assert row["commission_12m"] == 0
    assert row["clv_current"] < 0
