"""The chapter on what lies ahead: its figures say what the value room found, and what is missing is asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from akb.report import assemble
from akb.report.page.figure import Maker
from akb.report.page.figures import figures, headings
from akb.report.words import Words
from tests.report import fixtures

AGE = {"key": "30–44", "lower": 30, "upper": 45, "customers": 100, "share": 0.2}


def _row(year: int, customers: float, low: float, high: float) -> dict[str, Any]:
    return {
        "year": year, "date": f"{year}-12-31", "customers": customers, "low": low, "high": high,
        "commission": 90_000_00, "commission_low": 80_000_00, "commission_high": 95_000_00, "age": 53.1,
        "per_adviser": customers / 2, "customers_list": customers + 4, "commission_list": 90_500_00, "age_list": 53.0,
        "per_adviser_list": customers / 2 + 2,
    }  # fmt: skip


def _list(key: str, left: float | None, cents: int | None) -> dict[str, Any]:
    share = None if left is None else left / 100
    ends = {"low": None, "high": None} if share is None else {"low": share - 0.02, "high": share + 0.02}
    euros = {"cents_low": cents and cents - 5000, "cents_high": cents and cents + 5000}
    return {"key": key, "left": left, "left_share": share, **ends, "cents": cents, **euros}


if TYPE_CHECKING:
    from akb.report.model import ReportModel

OUTLOOK: dict[str, Any] = {
    "bridge": {
        "from": "2024-12-31", "to": "2025-12-31", "then": 100_000_00, "now": 96_000_00, "dated_share": 1.0,
        "steps": [
            {"key": "indexation", "customers": 300, "policies": 700, "cents": 3_000_00},
            {"key": "leavers", "customers": 30, "policies": 60, "cents": -7_000_00},
        ],
    },
    "projection": {
        "rows": [
            _row(2025, 700, 700, 700),
            *(_row(2025 + k, 700 - 20 * k, 690 - 25 * k, 699 - 10 * k) for k in range(1, 6)),
        ],
        "inflow": {"mean": 40.4, "low": 30, "high": 50, "years": 3, "factor": 1.0},
        "newcomer_commission": 12_000, "newcomer_age": 36.0, "extra_cents": 1900,
        "first_year": None, "level": [0.9, 1.2], "kept": 1.5,
        "kept_cents": 50_000, "advisers": 2, "advisers_needed": 1.7, "norm": 2000.0, "advisers_at_norm": 0.3,
        "list_ages": [AGE | {"listed": None, "listed_share": None}],
    },
    "concentration": {
        "top_share": 0.2, "commission_share": 0.56, "after_cost_share": 1.1,
        "curve": [[k / 20, (k / 20) ** 0.5] for k in range(1, 21)],
        "curve_after_cost": [[k / 20, 1.2 - 0.01 * k] for k in range(1, 21)],
    },
    "contact_policy": {
        "rows": [
            {"key": "business", "customers": 60, "years": 1.0, "talks": 60.0, "hours": 60.0, "seen": 0.5},
            {"key": "private_other", "customers": 600, "years": None, "talks": 0.0, "hours": 0.0, "seen": None},
        ],
        "hours": 60.0, "available": 40.0, "advisers": 2, "advisers_counted": True, "load": 1.5,
        "customers_per_adviser": 350.0,
    },
    "backtest": {
        "from": "2024-10-31", "to": "2025-10-31", "customers": 700, "left": 31, "unknown": 6, "cents": 300_000,
        "contacts": 100, "split": True, "amounts": "last_known",
        "lists": [_list("top_defend", 12, 120_000), _list("commission", None, None), _list("random", 4.4, 43_000)],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def told() -> ReportModel:
    full = fixtures.full()
    assert full.value is not None
    value = fixtures.with_figures(full.value, **OUTLOOK)
    return assemble.build(replace(full, value=value))


def test_every_figure_says_its_finding(told: ReportModel) -> None:
    made = figures(told, Words())
    assert re.search(r"ging €\xa01\.200 provisie .*: 40\xa0% van alles", fixtures.unkeyed(made["backtest"].title))
    above = str(headings(Maker(told.with_keys(), Words()))["backtest"])
    assert re.search(r"lijst van vorig jaar vertrokken 12 .* willekeurige 4$", fixtures.unkeyed(above))
    assert fixtures.unkeyed(made["bridge"].title).startswith("De provisie daalde")
    assert fixtures.unkeyed(made["ahead"].title) == "Zonder actie gaat u van 700 naar 600 klanten in 2030"
    assert "110" in fixtures.unkeyed(made["concentration"].title)
    assert "maar 40" in fixtures.unkeyed(made["contact_policy"].title)


def test_without_hours_the_contact_policy_still_has_a_figure(told: ReportModel) -> None:
    nobody = {**told["outlook"]["contact_policy"], "available": 0.0, "load": None}
    made = figures(fixtures.changed(told, "outlook", contact_policy=nobody), Words())
    assert "maar 0" in fixtures.unkeyed(made["contact_policy"].title)


def test_the_bridge_in_the_figure_ends_at_today(told: ReportModel) -> None:
    bars = figures(told, Words())["bridge"].plot["data"][0]
    steps = list(zip(bars["base"], bars["x"], strict=True))
    assert steps == [(0.0, 100_000.0), (100_000.0, 3_000.0), (103_000.0, -7_000.0), (0.0, 96_000.0)]


def test_a_range_around_today_is_no_growth_and_no_decline(told: ReportModel) -> None:
    rows = told["outlook"]["projection"]["rows"]
    wide = {**told["outlook"]["projection"], "rows": [*rows[:-1], {**rows[-1], "high": 720}]}
    made = figures(fixtures.changed(told, "outlook", projection=wide), Words())
    assert fixtures.unkeyed(made["ahead"].title).endswith("nu zijn het er 700")


def test_the_page_tells_it_and_hides_the_few(told: ReportModel) -> None:
    page = fixtures.text_of(told)
    for key in ("backtest", "bridge", "ahead", "concentration", "contact_policy"):
        assert f'data-test="figure-{key}"' in page
    assert "minder dan 5 vertrekkers" in page
    assert "laatst bekende" in page
    assert "Bandbreedte provisie" in page


def test_a_list_of_hardly_anybody_has_no_table_of_ages(told: ReportModel) -> None:
    """A table of nothing but hidden counts and zeros says nothing; one with a count stands."""
    few, lead = Words().plain("outlook.ages_few"), Words().plain("outlook.ages_lead")
    page = fixtures.text_of(told)
    assert few in page
    assert lead not in page
    ages = [
        {"key": "30–44", "lower": 30, "upper": 45, "customers": 100, "share": 0.2, "listed": 9, "listed_share": 0.9}
    ]
    ahead = {**told["outlook"]["projection"], "list_ages": ages}
    page = fixtures.text_of(fixtures.changed(told, "outlook", projection=ahead))
    assert few not in page
    assert lead in page


def test_the_list_by_commission_is_hidden_in_words(told: ReportModel) -> None:
    row = next(row for row in figures(told, Words())["backtest"].rows if row[0] == "Lijst op provisie")
    assert row == ("Lijst op provisie", "niet getoond", "–", "–", "–", "–")


def test_what_is_missing_is_asked_for() -> None:
    page = fixtures.text_of(assemble.build(fixtures.full()))
    assert 'data-test="missing-bridge"' in page
    assert 'data-test="missing-projection_gate"' in page
    poor = fixtures.text_of(assemble.build(fixtures.poor()["no_ended"])) if "no_ended" in fixtures.poor() else None
    assert poor is None or 'data-test="missing-projection"' in poor
