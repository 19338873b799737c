"""Payment terms in words and numbers, and what the whole column says of a bare number."""

from __future__ import annotations

import pytest
from ingest_exports import assert_reconciles, codes, euro, finding, office, read, write

from akb.config import Settings
from akb.ingest.money_conventions.term_words import months_in

SAID = {
    1: ("12x per jaar", "12 keer per jaar", "12 maal p/j", "12/jaar", "12 per year", "Maandbetaling", "per maand", "M",
        "maandelijks vooraf", "1 maand(en)", "per: 1 maand", "12 termijnen", "12 maandelijkse termijnen", "monthly"),
    2: ("tweemaandelijks", "per 2 maanden", "6x per jaar", "bimonthly"),
    3: ("4x per jaar", "per: 3 maand(en)", "Kwartaalbetaling", "K", "Q", "every 3 months", "1x per 3 maanden", "4 p/j",
        "eens per kwartaal", "vier keer per jaar", "quarterly", "3 mnd", "maanden: 3", "1/4", "M3"),
    6: ("2x p/jr", "Halfjaarbetaling", "twice a year", "per half jaar", "6-maandelijks", "semi-annual"),
    12: ("1x per jaar", "1x/jr", "Jaarbetaling", "jaarlijks", "12 maanden", "per 12 maanden", "2 halve jaren"),
    0: ("koopsom", "Eenmalig", "0", "99", "single premium"),
    None: ("per 2 jaar", "vierwekelijks", "4 weken", "vooruit", "7 maanden", "5x per jaar"),
}  # fmt: skip
TIMES = {"1": "12", "3": "4", "6": "2", "12": "1"}


@pytest.mark.parametrize(("months", "text"), [(months, text) for months, texts in SAID.items() for text in texts])
def test_words(months, text):
    assert months_in(text) == months


def book(terms=("1", "3", "6", "12"), *, silent: bool = False):
    """An office that is paid in instalments: the premium of a year is what its branch costs, more or less."""
    usual = {"Aansprakelijkheid particulier": 50, "Inboedel": 130, "Woonhuis": 300, "Personenauto": 600}
    rows = []
    for n, row in enumerate(office(250)):
        term = terms[n * 7 // 3 % len(terms)]
        premium = round(usual.get(row["Branche"], 85) * (80 + n * 7 % 41)) * 12 // 12
        rest = {name: cell for name, cell in row.items() if not name.endswith("per jaar")}
        heading = "Premie" if silent else "Premie per termijn"
        rows.append((premium, rest | {"Termijn": term, heading: euro(premium * int(term) // 12)}))
    return rows


def yearly(found, rows):
    """Off by how much at most, in cents, beside the true premiums."""
    truth = sorted(premium for premium, _ in rows)
    return max(abs(a - b) for a, b in zip(sorted(found.policies["premium_cents"]), truth, strict=True))


def said(rows, words):
    return [row | {"Termijn": words.get(row["Termijn"], row["Termijn"])} for _, row in rows]


@pytest.mark.parametrize(
    "words",
    [
        {"1": "12x per jaar", "3": "4x per jaar", "6": "2x per jaar", "12": "1x per jaar"},
        {"1": "per: 1 maand(en)", "3": "per: 3 maand(en)", "6": "per: 6 maand(en)", "12": "per: 12 maand(en)"},
        {"1": "Maandbetaling", "3": "Kwartaalbetaling", "6": "Halfjaarbetaling", "12": "Jaarbetaling"},
        TIMES,
        {"1": "12.0", "3": "4.0", "6": "2.0", "12": "1.0"},
        {},
    ],
)
def test_a_premium_per_instalment_is_the_same_in_a_year_in_all_words(words, tmp_path):
    rows = book()
    found = read(write(tmp_path, said(rows, words)))
    assert yearly(found, rows) <= 12
    assert set(found.policies["payment_months"]) == {1, 3, 6, 12}
    assert ("AKB-D110" in codes(found)) == (words.get("1") in {"12", "12.0"})
    assert_reconciles(found)


def test_only_the_premiums_can_tell_1_and_12(tmp_path):
    rows = book(("1", "12"))
    times = read(write(tmp_path, said(rows, TIMES)))
    assert yearly(times, rows) <= 12
    assert "dezelfde branche" in finding(times, "AKB-D110").sentence()
    months = read(write(tmp_path, said(rows, {})))
    assert yearly(months, rows) <= 12
    assert codes(months).isdisjoint({"AKB-D110", "AKB-D111"})


def test_the_heading_and_the_setting_win(tmp_path):
    rows = book(("1", "12"))
    named = [row | {"Aantal termijnen per jaar": row.pop("Termijn")} for row in said(rows, TIMES)]
    found = read(write(tmp_path, named))
    assert yearly(found, rows) <= 12
    assert "dat zegt de kop" in finding(found, "AKB-D110").sentence()
    rows = book()
    found = read(write(tmp_path, said(rows, {})), settings=Settings(ingest={"term_unit": "times"}))
    assert yearly(found, rows) > 12


def test_a_slip_of_the_pen_among_months_changes_nothing(tmp_path):
    rows = book()
    slip = said(rows, {})
    slip[0]["Termijn"] = "4"
    found = read(write(tmp_path, slip))
    assert codes(found).isdisjoint({"AKB-D110", "AKB-D111"})
    assert found.policies["payment_months"].null_count() == 1


def test_numbers_of_both_kinds_are_an_issue_with_both_counts(tmp_path):
    rows = book(("1", "12"), silent=True)
    mixed = [row | {"Premie": "10,00", "Termijn": ("2", "3", "4", "6")[n % 4]} for n, (_, row) in enumerate(rows)]
    found = finding(read(write(tmp_path, mixed)), "AKB-D111")
    assert found.severity == "issue"
    assert abs(found.params["times"] - found.params["months"]) <= 2


def test_a_silent_premium_of_which_all_pay_by_month_is_settled_by_what_branches_cost(tmp_path):
    rows = book(("1",), silent=True)
    found = read(write(tmp_path, [row for _, row in rows]))
    assert yearly(found, rows) <= 12
    assert found.sources[0].dialect["premium_per"] == "instalment"
    without = [{name: cell for name, cell in row.items() if name != "Termijn"} for _, row in rows]
    found = read(write(tmp_path, without))
    assert yearly(found, rows) <= 12
    assert found.sources[0].dialect["premium_per"] == "month"


def test_a_silent_premium_that_fits_neither_is_an_issue(tmp_path):
    rows = [row | {"Premie": "1,00"} for _, row in book(("1",), silent=True)]
    found = [f for f in read(write(tmp_path, rows)).findings if f.code == "AKB-D081"]
    assert any(f.severity == "issue" for f in found)
