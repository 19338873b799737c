"""The chain from customer to total, redone with plain arithmetic from the files that a run leaves behind."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

CENT = 0.0101  # two cents of a row may lie one apart, so that the rows add up to their line


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "actions" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _euro(cell: str) -> float:
    return float(cell.replace(".", "").replace(",", ".")) if cell else 0.0


def _scores(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["customer"]: row for row in pl.read_parquet(folder / "scores.parquet").iter_rows(named=True)}


def test_every_listed_customer_can_be_worked_out_again_to_the_cent(finished: Path) -> None:
    summary, scores = json.loads((finished / "summary.json").read_text("utf-8")), _scores(finished)
    case = summary["business_case"]
    value = {row["key"]: row["value"] for row in case["assumptions"]}
    call = value["cost.rate_office"] * value["contact.minutes"] / 60
    lines = {line["key"]: line["base"] for part in case["parts"].values() for line in part}

    kept = calls = 0
    for row in _rows(finished, "top_defend"):
        p, churn = (scores[row["klant"]][key] for key in ("churn_preventable_12m", "churn_12m"))
        margin = _euro(row["provisie per jaar (euro)"]) - _euro(row["bedieningskosten per jaar (euro)"])
        yearly = _euro(row["naar verwachting behouden per jaar (euro)"])
        assert yearly == pytest.approx(value["retention.rescue"] * p * margin, abs=CENT)
        stays = 1 - churn
        if row["bellen"] == "ja":  # that earns itself back in time
            assert value["retention.rescue"] * p * margin * (0.5 + stays + stays**2) > call - 0.001
        saving = value["retention.rescue"] * p * _euro(row["waarde op het spel (euro)"]) - call
        assert _euro(row["verwachte opbrengst (euro)"]) == pytest.approx(saving, abs=CENT)
        if row["bellen"] == "ja":
            kept, calls = kept + round(100 * yearly), calls + 1
    assert kept == lines["retention"]

    sold = own = talks = 0
    for row in _rows(finished, "next_best_policy"):
        if row["bellen"] != "ja":
            continue
        stays = 1 - scores[row["klant"]]["churn_12m"]
        expected = _euro(row["kans × provisie (euro)"])
        served = expected / _euro(row["provisie per jaar van deze polis (euro)"]) * case["facts"]["policy_cost"] / 100
        extra = _euro(row["naar verwachting erbij per jaar (euro)"])
        assert extra == pytest.approx(value["cross_sell.uplift"] * stays * (expected - served), abs=CENT)
        sold += round(100 * extra)
        own, talks = own + (row["eigen gesprek nodig"] == "ja"), talks + (row["eigen gesprek nodig"] == "nee")
    assert sold == lines["cross_sell"]

    minutes = value["contact.minutes"] * (calls + own) + value["contact.offer_minutes"] * talks
    assert lines["hours"] == round(100 * value["cost.rate_office"] * minutes / 60)
    assert lines["licence"] == 100 * case["facts"]["customers_count"]
    assert case["base"]["net"] == kept + sold - lines["hours"] - lines["licence"]
    stays = case["facts"]["stay_share"]
    years = 3 * 0.5 + 2 * stays + stays**2
    spent = 3 * (lines["hours"] + lines["licence"]) + 250_000
    assert case["base"]["three_years"]["net"] == pytest.approx(years * (kept + sold) - spent, abs=2)


def test_the_calls_of_the_ledger_are_the_calls_that_people_make(finished: Path) -> None:
    facts = json.loads((finished / "summary.json").read_text("utf-8"))["business_case"]["facts"]
    todo = [row for row in _rows(finished, "next_best_action") if row["controlegroep, niet bellen"] == "nee"]
    listed = {row["klant"] for row in _rows(finished, "top_defend") if row["bellen"] == "ja"}
    own = {row["klant"] for row in _rows(finished, "next_best_policy") if row["eigen gesprek nodig"] == "ja"}
    for action, marked, count in (("Behouden", listed, "retention"), ("Uitbreiden", own, "offer")):
        asked = [row for row in todo if row["actie"] == action]
        assert {row["klant"] for row in asked} == marked
        assert len(asked) == facts[f"contacts_{count}_count"]
        assert all(row["wie doet het"] for row in asked)
