"""The chain from customer to total, redone with plain arithmetic from the files that a run leaves behind."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pytest

from akb.config import load_settings

CENT = 0.0151  # lines and their sum are rounded each by itself


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "actions" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _euro(cell: str) -> float:
    return float(cell.replace(".", "").replace(",", ".")) if cell else 0.0


def _scores(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["customer"]: row for row in pl.read_parquet(folder / "scores.parquet").iter_rows(named=True)}


def _case(folder: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))["business_case"]
    return case


def _cost(value: dict[str, float], key: str) -> float:
    """Euros of one contact of a type that the office begins: its minutes, out of pocket, and the chance of more."""
    contact = load_settings().ladder()[key]
    rate = {"automatic": 0.0, "inside": value["cost.rate_office"], "adviser": value["cost.rate_adviser"]}
    own, later = (value[f"contacts.{key}.{name}"] for name in ("minutes", "follow_up_minutes"))
    follow = value[f"contacts.{key}.follow_up"] * later * rate["adviser"]
    return value[f"contacts.{key}.cost"] + (own * rate[contact.pool] + follow) / 60


def test_every_listed_customer_can_be_worked_out_again_to_the_cent(finished: Path) -> None:
    case, scores = _case(finished), _scores(finished)
    value = {row["key"]: row["value"] for row in case["assumptions"]}
    offered = {row["klant"]: row for row in _rows(finished, "next_best_policy")}
    direct = {key for key, contact in load_settings().ladder().items() if contact.reach == "all"}
    seen = set()
    for row in _rows(finished, "top_defend"):
        own = scores[row["klant"]]
        key = own["best_contact"]
        if row["contact gepland"] != "ja" or key not in direct:
            continue
        seen.add(key)
        relation, policy = _euro(row["behoud klant (euro)"]), _euro(row["behoud losse polissen (euro)"])
        whole = value[f"contacts.{key}.effect_relation"] * own["churn_preventable_12m"] * own["value_at_stake"]
        assert relation == pytest.approx(whole, abs=0.02 + 1e-5 * abs(whole))  # scores are float32
        if key == "mail":  # it sells nothing, so its lines are all of it
            assert own["contact_value"] == pytest.approx(relation + policy - _cost(value, key), abs=CENT)
            assert own["top_defend"] >= own["contact_value"] - CENT
        elif row["klant"] in offered and offered[row["klant"]]["contact gepland"] == "ja":
            extra = _euro(offered[row["klant"]]["naar schatting erbij over de looptijd (euro)"])
            assert own["contact_value"] == pytest.approx(relation + policy + extra - _cost(value, key), abs=CENT)
    assert seen


def test_the_contacts_of_the_case_are_those_that_people_make(finished: Path) -> None:
    case, scores = _case(finished), _scores(finished)
    todo = [row for row in _rows(finished, "next_best_action") if row["controlegroep, geen contact"] == "nee"]
    asked = [row for row in todo if row["actie"] in ("Behouden", "Uitbreiden")]
    planned = {row["klant"] for row in asked}
    assert planned == {name for name, own in scores.items() if own["best_contact"] not in (None, "none")}
    for row in asked:
        assert _euro(row["verwachte opbrengst (euro)"]) == pytest.approx(
            scores[row["klant"]]["contact_value"], abs=CENT
        )
        assert row["soort contact"]
    cohort = case["cohort"]
    best = (cohort["benefit"] - cohort["contacts"]) / 100
    whole = sum(scores[name]["contact_value"] for name in planned)
    assert whole <= best + 0.01 * len(planned)
    assert whole >= (1 - case["plan"]["gap"]) * best - 0.01 * len(planned) - 1
    assert abs(sum(row["customers"] for row in case["plan"]["contacts"]) - len(planned)) <= 5
    lines = {row["key"]: row["base"] for row in cohort["lines"]}
    assert cohort["benefit"] == lines["relation"] + lines["policy"] + lines["purchase"]
    assert cohort["price"] == round(100 * case["facts"]["customers_count"])
    assert cohort["net"]["base"] == cohort["benefit"] - cohort["contacts"] - cohort["price"]


def test_who_is_to_be_kept_first_stands_on_top_defend(finished: Path) -> None:
    todo = [row for row in _rows(finished, "next_best_action") if row["controlegroep, geen contact"] == "nee"]
    listed = {row["klant"] for row in _rows(finished, "top_defend") if row["contact gepland"] == "ja"}
    assert {row["klant"] for row in todo if row["actie"] == "Behouden"} == listed
    people = [row for row in todo if row["niveau"]]
    assert people
    assert all(row["wie doet het"] for row in people)


def test_sheets_and_lists_hold_whom_the_summary_counts(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text("utf-8"))
    told = summary["actions"]
    book = fastexcel.read_excel(finished / "actions" / "actions.xlsx")
    guide, *sheets, aside = [
        (name, book.load_sheet(name, header_row=0, dtypes="string").to_polars()) for name in book.sheet_names
    ]
    # each customer stands on one sheet: those of an action, on one sheet of an adviser or of those who are not called
    actions = {"Behouden": "defend", "Uitbreiden": "cross_sell", "Zorgcontact": "care", "Bedanken": "thank"}
    rows = [row for _, sheet in sheets for row in sheet.iter_rows(named=True)]
    assert len({row["klant"] for row in rows}) == len(rows)
    counted = {row["key"]: row["customers"] for row in told["by_action"] if row["customers"] != 0}
    counted.pop("leave_alone", None)
    found = Counter(actions[row["wat te doen"].split(":")[0]] for row in rows)
    withheld = {key for key, count in counted.items() if count is None}
    assert {key: None if key in withheld else count for key, count in found.items()} == counted
    # a count of few, and another with it so that nobody finds it by subtracting
    assert not withheld or min(found[key] for key in withheld) < summary["suppress_below"]
    listed = {row["key"]: row for row in told["lists"]}
    assert len(rows) == listed["next_best_action"]["customers"] - listed["next_best_action"]["control"]
    names = dict(guide[1].select(pl.nth(0), pl.nth(1)).drop_nulls().iter_rows())
    assert names == {name: str(sheet.height) for name, sheet in (*sheets, aside)}
    # of whom nobody calls, the consultant sees why
    why = Counter((row["lijst"], row["waarom niet benaderen"]) for row in aside[1].iter_rows(named=True))
    assert why["Te doen", "meetgroep"] == told["alone"]["control"] > 0
    announced = why["Al opgezegd", "al opgezegd"]
    assert told["alone"].get("announced") == _unless_few(announced, summary)
    # and every list has the rows that the summary says
    for key, row in listed.items():
        path = finished / "actions" / f"{key}.csv"
        assert row["customers"] == _unless_few(len(_rows(finished, key)) if path.is_file() else 0, summary), key


def _unless_few(count: int, summary: dict[str, Any]) -> int | None:
    """Return a count as the summary says it: counts of few are nobody's."""
    return None if 0 < count < summary["suppress_below"] else count
