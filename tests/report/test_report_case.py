"""The chapter on the business case: advice, lines that are not given, why nobody is contacted, and small counts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from akb.report import assemble
from akb.report.page.figures import figures
from akb.report.words import Words
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle
    from akb.report.model import ReportModel

REASONS = {"no-contacts", "no-hours", "nobody-to-call"}


def facts(full: RunBundle, **changes: Any) -> ReportModel:
    """The report model with parts of the case replaced."""
    assert full.value is not None
    case = fixtures.business_case(**changes)
    return assemble.build(replace(full, value=replace(full.value, case=case)))


def chapter(told: ReportModel) -> str:
    page = fixtures.text_of(told).replace("\u00a0", " ").replace("\u2060", "")
    attention = page[page.index('<section id="attention"') : page.index('<section id="product"')]
    return page[page.index('<section id="case"') : page.index('<section id="live"')] + attention


def marks(text: str) -> set[str]:
    return set(re.findall('data-test="([a-z-]+)"', text))


def plan(**changes: Any) -> dict[str, Any]:
    return {**vars(fixtures.business_case().plan), **changes}


@pytest.mark.parametrize("key", ["start", "pilot", "stop"])
def test_the_advice_is_said_in_the_chapter_and_in_the_summary(full: RunBundle, key: str) -> None:
    words = Words()
    advice = {**vars(fixtures.business_case().advice), "key": key}
    told = facts(full, advice=advice)
    text = chapter(told)
    assert [name for name in ("start", "pilot", "stop") if f"advice-{name}" in marks(text)] == [key]
    assert words.plain(f"case.because_{key}") in text
    assert "In 71 van de 100" in text
    first = words.plain(f"summary.case_{key}", result="|").split("|")[0]
    assert first in fixtures.text_of(told)


def test_an_advice_not_to_start_claims_no_trial_that_there_is_not(full: RunBundle) -> None:
    advice = {
        **vars(fixtures.business_case().advice),
        "key": "stop",
        "next": "nothing",
        "trial": None,
        "information": None,
    }
    told = facts(full, advice=advice)
    text = chapter(told)
    assert "no-trial" in marks(text)
    assert "trial" not in marks(text)
    assert Words().plain("case.because_stop") not in text
    assert "een proef kost meer" not in fixtures.text_of(told)


def test_the_number_that_turns_it_is_told_in_its_own_unit(full: RunBundle) -> None:
    assert "Wij rekenen met 15 %; bij 4 % blijft er niets over." in chapter(facts(full))
    loss = {**vars(fixtures.business_case().cohort), "net": {"low": -900_000, "base": -50_000, "high": 700_000}}
    turning = {"key": "contacts.call.minutes", "at": 15.0, "value": 12.0}
    told = facts(full, cohort=loss, advice={**vars(fixtures.business_case().advice), "turning": turning})
    assert "Wij rekenen met 15 minuten; bij 12 minuten kost het niets meer." in chapter(told)
    without = {**vars(fixtures.business_case().advice), "turning": None}
    assert Words().plain("case.turning_none") in chapter(facts(full, advice=without))


def test_a_line_whose_gate_is_closed_is_said_to_be_not_given(full: RunBundle) -> None:
    cohort = fixtures.business_case().cohort
    assert not any(mark.startswith("not-given") for mark in marks(chapter(facts(full))))
    closed = replace(cohort.lines[2], given=False, low=0, base=0, high=0)
    told = facts(full, cohort=replace(cohort, lines=(*cohort.lines[:2], closed, *cohort.lines[3:])))
    assert [mark for mark in marks(chapter(told)) if mark.startswith("not-given")] == ["not-given-purchase"]
    names = [row[0] for row in figures(told, Words())["ledger"].rows]
    assert Words().plain("ledger.purchase") not in names


@pytest.mark.parametrize(
    ("callable_count", "hours", "reason"),
    [(90.0, 41.0, "no-contacts"), (90.0, 0.0, "no-hours"), (0.0, 0.0, "nobody-to-call")],
)
def test_the_page_says_why_nobody_is_contacted(
    full: RunBundle, callable_count: float, hours: float, reason: str
) -> None:
    pools = {pool: {"used": 0.0, "available": hours} for pool in ("inside", "adviser")}
    case = fixtures.business_case()
    told = facts(
        full,
        plan=plan(contacts=[], hours=pools),
        facts={**case.facts, "customers_callable_count": callable_count, "customers_planned_count": 0.0},
    )
    text = chapter(told)
    assert marks(text) & REASONS == {reason}
    assert Words().plain("case.ladder") not in text
    assert marks(chapter(facts(full))) & REASONS == set()


def test_counts_of_too_few_customers_are_nowhere(full: RunBundle) -> None:
    case = fixtures.business_case()
    told = facts(full, facts={**case.facts, "customers_planned_count": 3.0, "customers_callable_count": 4.0})
    shown = told["case"]["facts"]
    assert (shown["customers_planned_count"], shown["customers_callable_count"]) == (None, None)
    assert shown["customers_count"] == case.facts["customers_count"]
    rows = told["case"]["plan"]["contacts"]  # the smallest of the others joins, so that no total gives it away
    assert [(row["key"], row["customers"]) for row in rows] == [("mail", 220), ("_other", 120)]
    text = chapter(told)
    assert "benadert in 12 maanden minder dan 5 klanten" in text
    assert "andere contacten, samen" in text


def test_an_hour_has_a_price_or_is_not_what_limits(full: RunBundle) -> None:
    text = chapter(facts(full))
    assert "Een extra uur van de binnendienst levert naar schatting € 31 op" in text
    assert "Uren van een adviseur zijn niet de grens" in text


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ({"net": 310_000, "difference": 230_000, "price": 60_000}, "verdienen zich dus naar schatting terug"),
        ({"net": 310_000, "difference": 30_000, "price": 60_000}, "meer dan zij toevoegen"),
        ({"net": 310_000, "difference": -30_000, "price": 60_000}, "niets aan toe"),
    ],
)
def test_what_predictions_add_stands_against_their_price(full: RunBundle, without: dict[str, int], words: str) -> None:
    assert words in chapter(facts(full, without_predictions=without))


def test_care_stands_apart_with_its_hours_and_cost(full: RunBundle) -> None:
    assert full.value is not None
    assert "outside" not in marks(chapter(facts(full)))
    care = {"care": {"customers": 40.0, "minutes": 600.0, "cost": 55_000.0}}
    told = assemble.build(replace(full, value=fixtures.with_figures(full.value, care=care)))
    assert "Zorgcontact met 40 klanten: 10 uur, € 550." in chapter(told)


def test_assumptions_that_no_value_turns_are_counted_not_listed(full: RunBundle) -> None:
    told = facts(full)
    text = chapter(told)
    table = text[text.index(Words().plain("case.break_even")) :]
    table = table[: table.index("</table>")]
    assert table.count("<tr>") == 2  # head and the one that turns
    assert "Bij 1 van de 2 aannames" in table
