"""Where the order of leaving is not proven the report says so, and ranks nobody by it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from akb.models.types import Evidence
from akb.report.assemble import build
from akb.report.bundle import RunBundle
from akb.report.chapters.attention.facts import _workers
from akb.report.write import report_files
from akb.value.types import LevelHours
from tests.core.test_core_proof import ORDER
from tests.report import fixtures as f

WHY = "De volgorde was op latere gegevens niet van toeval te onderscheiden."


def with_churn(bundle: RunBundle, **changes: Any) -> RunBundle:
    """The bundle with other evidence of churn, and lists as the value room makes them then."""
    models, value = bundle.models, bundle.value
    assert models is not None
    assert value is not None
    made = tuple(
        replace(each, evidence=replace(each.evidence, **changes) if each.evidence else None)
        if each.key.startswith("churn")
        else each
        for each in models.predictions
    )
    lists = {**value.lists, "top_defend": value.lists["top_defend"].clear()}
    actions = {"euros": False, "by_action": [], "lists": [], "control_share": 0.1, "own": None, "alone": {},
               "service": {"rows": [], "hours": 0.0, "hours_available": 0.0},
               "work": {"hours": [], "needed": [], "short": []},
               "recognition": {"advisers": 0, "customers": 0}, "withheld": {"top_defend": WHY}}  # fmt: skip
    value = replace(f.with_figures(value, actions=actions), lists=lists)
    return replace(bundle, models=replace(models, predictions=made), value=value)


@pytest.fixture(scope="module")
def chance() -> RunBundle:
    return with_churn(f.full(), auc=0.52, auc_ci=(0.48, 0.56))


def test_an_unproven_order_is_told_and_ranks_nobody(chance: RunBundle) -> None:
    risk = build(chance)["risk"]
    assert risk["order"] == "unproven"
    assert "0,48–0,56" in risk["order_words"]
    assert risk["proof"] is None
    assert risk["defend"] is None
    assert risk["withheld"] == WHY


def test_the_page_has_no_sentence_of_order_then(chance: RunBundle) -> None:
    page = report_files(chance)[0]["report.html"].decode()
    words = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|style).*?</\1>", " ", page))
    assert not ORDER.search(words)
    assert 'data-test="defend-withheld"' in page
    assert "hoogste kans vertrokken" not in words  # the proof of an order that proved nothing
    assert "Begin bovenaan" not in words


def test_the_list_exists_with_headings(chance: RunBundle) -> None:
    lines = report_files(chance)[0]["actions/top_defend.csv"].decode("utf-8-sig").splitlines()
    assert len(lines) == 1
    assert "klant" in lines[0].lower()


def test_a_proven_order_is_told_with_its_proof() -> None:
    risk = build(f.full())["risk"]
    assert risk["order"] == "proven"
    assert risk["proof"]["months"] == 12


def test_borrowed_proof_names_its_own_horizon() -> None:
    bundle = f.full()
    assert bundle.models is not None
    made = tuple(
        replace(each, evidence_months=3, gate="none") if each.key == "churn_12m" else each
        for each in bundle.models.predictions
    )
    model = build(replace(bundle, models=replace(bundle.models, predictions=made)))
    assert model["risk"]["proof"]["months"] == 3
    assert "3 maanden" in model["risk"]["order_words"]
    assert model["risk"]["horizons"][-1]["low"] is None  # a level over three months says nothing of twelve
    row = next(row for row in model["evidence"]["predictions"] if row["key"] == "churn_12m")
    assert (row["horizon_months"], row["tested_months"]) == (12, 3)
    assert model["evidence"]["calibration"]["months"] == 3


def test_causes_and_bands_add_up_to_the_corrected_leavers() -> None:
    risk = build(f.full())["risk"]
    year = risk["horizons"][-1]
    assert year["correction"] == 1.03
    assert sum(row["expected"] for row in risk["causes"]) == pytest.approx(year["expected"], rel=1e-5)


def test_assumed_commission_is_said_where_it_is_first_told() -> None:
    bundle = f.full()
    derived = bundle.portfolio.policies.with_columns(commission_source=pl.lit("derived"))
    files = report_files(replace(bundle, portfolio=replace(bundle.portfolio, policies=derived)))[0]
    page = files["report.html"].decode()
    first = page[page.index('data-test="summary"') :].split("</li>")[0]
    assert "aanname" in first
    assert 'data-test="defend-assumed"' in page
    counted = bundle.portfolio.policies.with_columns(commission_source=pl.lit("given"))
    files = report_files(replace(bundle, portfolio=replace(bundle.portfolio, policies=counted)))[0]
    given = files["report.html"].decode()
    assert "aanname" not in given[given.index('data-test="summary"') :].split("</li>")[0]
    assert 'data-test="defend-assumed"' not in given


def test_a_colleague_who_was_only_assumed_has_a_row_where_there_is_work() -> None:
    def row(name: str | None, used: float) -> LevelHours:
        return LevelHours(name, "inside", 600.0, used)

    names = [each["name"] for each in _workers([row("#1", 60.0), row("#2", 0.0), row("Jansen", 0.0), row(None, 0.0)])]
    assert names == ["#1", "Jansen", None]


def test_evidence_without_an_interval_is_no_proof() -> None:
    assert replace(f.full().models.predictions[0], evidence=Evidence(auc=0.9)).order == "untested"  # type: ignore[union-attr]
