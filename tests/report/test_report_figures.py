"""What the report says, checked against the tables it was made from; and what it must not say."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from akb.core.wording.text import configs_dir
from akb.report import assemble
from akb.report.chapters.case import facts as case
from akb.report.chapters.levels import LEVEL_EVENTS
from akb.report.chapters.portfolio import facts as portfolio
from akb.report.context import Context
from akb.report.page.figures import figures
from akb.report.plain import plain
from akb.report.words import Words
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

CONTRACT = [
    "schema", "as_of", "rows", "customers", "policies", "findings", "predictions", "value", "business_case",
]  # fmt: skip


def test_summary_begins_with_the_contract(summary: dict[str, Any]) -> None:
    assert list(summary)[: len(CONTRACT)] == CONTRACT
    assert summary["schema"] == "akb.summary/2"
    assert summary["rows"]["read"] == summary["rows"]["used"] + summary["rows"]["rejected"]
    case = {
        "cohort",
        "cash",
        "running_year",
        "options",
        "without_predictions",
        "plan",
        "advice",
        "sensitivity",
        "claims",
    }
    assert case | {"payback_month", "deepest", "assumptions"} <= set(summary["business_case"])
    first = summary["predictions"][0]
    assert {"key", "status", "why", "auc", "auc_ci", "calibration", "gate", "grade", "winner", "pooled_weight"} <= set(
        first
    )
    assert all(entry["why"] for entry in summary["predictions"] if entry["status"] == "unavailable")


def test_counts_agree_with_the_tables(full: RunBundle, summary: dict[str, Any]) -> None:
    who = fixtures.in_force(full.portfolio)
    assert summary["customers"]["in_force"] == who.size
    assert sum(row["customers"] for row in summary["portfolio"]["kinds"]) == who.size
    assert sum(row["policies"] for row in summary["portfolio"]["branches"]) == summary["policies"]["in_force"]
    assert (
        sum(row["commission_cents"] for row in summary["portfolio"]["kinds"])
        == summary["portfolio"]["commission_cents"]
    )


def test_who_only_signed_is_no_former_customer(full: RunBundle) -> None:
    """Not in force on the day itself, but never gone: the first policy is still to begin."""
    before = portfolio.facts(Context(full))
    policies, day = full.portfolio.policies, full.portfolio.as_of
    one = policies.filter(~pl.col("customer").is_in(fixtures.in_force(full.portfolio)))["customer"][0]
    mine = pl.col("customer") == one
    begun = policies.with_columns(
        start_date=pl.when(mine).then(day + timedelta(days=10)).otherwise("start_date"),
        end_date=pl.when(mine).then(None).otherwise("end_date"),
    )
    after = portfolio.facts(Context(replace(full, portfolio=replace(full.portfolio, policies=begun))))
    assert after.customers == before.customers
    assert after.former_customers == before.former_customers - 1


def test_expected_leavers_are_the_sum_of_the_chances_as_the_last_test_corrected_it(
    full: RunBundle, summary: dict[str, Any]
) -> None:
    assert full.models is not None
    for row in summary["risk"]["horizons"]:
        total = float(full.models.scores[f"churn_{row['months']}m"].cast(pl.Float64).sum())
        assert row["modelled"] == pytest.approx(total, rel=1e-6)
        known = full.predictions[f"churn_{row['months']}m"].shown.events >= LEVEL_EVENTS
        assert row["correction"] == (1.03 if known else None)
        assert row["expected"] == pytest.approx(total * (1.03 if known else 1.0), rel=1e-6)
        assert (row["low"] is None) == (not known)
        assert not known or row["low"] <= row["expected"] <= row["high"]
    assert any(row["correction"] for row in summary["risk"]["horizons"])
    bands = summary["risk"]["bands"]
    shown = sum(row["expected"] for row in bands if not row["suppressed"])
    assert shown <= summary["risk"]["horizons"][-1]["expected"] + 1e-6


def test_a_band_takes_its_lower_bound() -> None:
    book = fixtures.portfolio(200, seed=3)
    run = fixtures.models(book)
    scores = run.scores.with_columns(churn_12m=pl.lit(0.05, dtype=pl.Float64))
    rows = assemble.build(fixtures.bundle(book, replace(run, scores=scores), None))["risk"]["bands"]
    assert [row["customers"] for row in rows] == [0, scores.height, 0, 0, 0]


def test_the_year_of_contacts_adds_up(full: RunBundle, summary: dict[str, Any]) -> None:
    """As the waterfall shows it: the lines that are given, less contacts and price, are the net; exploration is not."""
    case = summary["business_case"]
    cohort = case["cohort"]
    lines = [row["base"] for row in cohort["lines"] if row["key"] != "exploration"]
    assert sum(lines) == cohort["benefit"]
    assert cohort["net"]["base"] == cohort["benefit"] - cohort["contacts"] - cohort["price"]
    assert all(row["net"] == row["benefit"] - row["contacts"] - row["price"] for row in case["cash"])
    plot = figures(assemble.build(full), Words())["ledger"].plot
    bars = next(trace for trace in plot["data"] if trace["type"] == "bar")
    assert sum(bars["x"][:-1]) == pytest.approx(bars["x"][-1]) == pytest.approx(cohort["net"]["base"] / 100)


def test_no_case_names_what_is_missing() -> None:
    told = case.facts(Context(fixtures.poor()["no_money"]))
    assert told == case.CaseFacts(available=False, missing=("commission_case",))


def test_suppression_hides_small_rows_and_what_could_be_subtracted(full: RunBundle) -> None:
    rows = [{"name": n, "customers": c, "sum": 10 * c} for n, c in (("a", 4), ("b", 50), ("c", 6), ("d", 0))]
    kept = Context(full).suppressed(rows, keep=("name",), parts=True)
    assert [row["suppressed"] for row in kept] == [True, False, True, False]
    assert kept[0] == {"name": "a", "customers": None, "sum": None, "suppressed": True}
    assert [row["suppressed"] for row in Context(full).suppressed(rows, keep=("name",))] == [True, False, False, False]


def test_few_leavers_are_nowhere(full: RunBundle) -> None:
    """Three leavers in a year: no rate, no count, no band may show them."""
    book = fixtures.portfolio(300, seed=8)
    open_ = book.policies.with_columns(
        pl.when(pl.col("customer") < 3).then(pl.date(2025, 6, 1)).otherwise(None).alias("end_date"),
        start_date=pl.date(2010, 1, 1), cause=pl.when(pl.col("customer") < 3).then(pl.lit("preventable")),
    )  # fmt: skip
    told = assemble.build(fixtures.bundle(replace(book, policies=open_), None, None))["leaving"]
    assert told["last_year"]["left"] is None
    assert told["years"][0]["customer_churn"] is None
    assert all(row["rate"] in (None, 0.0) for row in (*told["by_tenure"], *told["by_held"]))


def test_who_left_through_another_intermediary_is_counted_and_told_from_five_on() -> None:
    book = fixtures.portfolio(300, seed=8)

    def left(count: int) -> dict[str, object]:
        gone = pl.col("customer") < count
        told = book.policies.with_columns(
            pl.when(gone).then(pl.date(2025, 6, 1)).otherwise(None).alias("end_date"),
            start_date=pl.date(2010, 1, 1), cause=pl.when(gone).then(pl.lit("preventable")),
            reason=pl.when(gone).then(pl.lit("overgang_tussenpersoon")),
        )  # fmt: skip
        return assemble.build(fixtures.bundle(replace(book, policies=told), None, None))["leaving"]["intermediary"]

    assert left(4) is None
    assert (left(12)["customers"], left(12)["share"]) == (12, 1.0)


def test_announced_leavers_have_only_ending_policies() -> None:
    book = fixtures.portfolio(300, seed=8)
    end = pl.when(pl.col("customer") < 20).then(pl.date(2026, 2, 1)).otherwise(None)
    told = book.policies.with_columns(
        end_date=end, start_date=pl.date(2015, 1, 1), cause=pl.when(pl.col("customer") < 20).then(pl.lit("preventable"))
    )
    second = told.filter(pl.col("customer") < 5).with_columns(
        end_date=pl.lit(None, dtype=pl.Date), policy=pl.col("policy") + 90_000
    )
    assert assemble.build(fixtures.bundle(replace(book, policies=told), None, None))["risk"]["announced"] == 20
    both = replace(book, policies=pl.concat([told, second]))
    assert assemble.build(fixtures.bundle(both, None, None))["risk"]["announced"] == 15


def test_plain_refuses_what_json_cannot_hold() -> None:
    assert plain({"a": float("nan"), "b": (np.float64(0.1), fixtures.X)}) == {"a": None, "b": [0.1, "2025-12-31"]}
    with pytest.raises(TypeError, match="no plain form"):
        plain(object())


def test_texts_of_the_report_do_not_overwrite_each_other() -> None:
    seen: dict[str, str] = {}
    for path in sorted((configs_dir() / "text" / "nl").glob("report*.toml")):
        for name in _leaves(tomllib.loads(path.read_text("utf-8"))):
            assert name not in seen, f"{name} stands in {seen.get(name)} and {path.name}"
            seen[name] = path.name


def _leaves(table: dict[str, Any], path: str = "") -> list[str]:
    """The dotted names of all texts: files may share a table, never a text."""
    names = []
    for key, value in table.items():
        names += _leaves(value, f"{path}{key}.") if isinstance(value, dict) else [f"{path}{key}"]
    return names


def test_reasons_are_positive_worded_and_known(full: RunBundle, summary: dict[str, Any]) -> None:
    rows = summary["risk"]["defend"]["rows"]
    assert len(rows) == 10
    assert all(len(row["reasons"]) <= 3 for row in rows)
    assert any(row["reasons"] for row in rows)
    assert not any("tenure" in reason for row in rows for reason in row["reasons"])  # it lowers the chance
    assert 10 not in [row["rank"] for row in rows]  # the control group is not contacted
