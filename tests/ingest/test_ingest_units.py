"""Euros or cents: the usual premium of the branches says it, with the rows that showed it."""

from __future__ import annotations

import pytest
from ingest_exports import codes, euro, finding, office, read, write

USUAL = {"Aansprakelijkheid particulier": 50, "Inboedel": 130, "Woonhuis": 300, "Personenauto": 600}


def book(premium=euro, commission=euro, *, height: int = 100, headings=("Premie per jaar", "Provisie per jaar")):
    """An office whose premiums are about what their branch costs; `height` in percent."""
    rows = []
    for n, row in enumerate(office(120)):
        cents = USUAL.get(row["Branche"], 85) * (70 + n * 11 % 61) * height // 100 + n % 100
        rest = {name: cell for name, cell in row.items() if not name.endswith("per jaar")}
        rows.append(rest | {headings[0]: premium(cents), headings[1]: commission(cents // 5)})
    return rows


def totals(found):
    return found.policies["premium_cents"].sum(), found.policies["commission_cents"].sum()


@pytest.mark.parametrize(("premium", "commission"), [(str, str), (str, euro), (euro, str)])
def test_cents_in_either_column_are_the_same_money(premium, commission, tmp_path):
    truth = read(write(tmp_path, book()))
    found = read(write(tmp_path, book(premium, commission)))
    assert totals(found) == totals(truth)
    told = [f for f in found.findings if f.code == "AKB-D115"]
    assert len(told) == [premium, commission].count(str)
    assert all(f.count > 100 for f in told)
    assert "AKB-D115" not in codes(truth)


@pytest.mark.parametrize("height", [40, 100, 250])
def test_whole_euros_are_no_cents_however_cheap_or_dear_the_book(height, tmp_path):
    rows = book(lambda c: str(c // 100), lambda c: str(c // 100), height=height)
    found = read(write(tmp_path, rows))
    assert "AKB-D115" not in codes(found)
    assert totals(found)[0] == sum(int(row["Premie per jaar"]) * 100 for row in rows)


@pytest.mark.parametrize("height", [40, 250])
def test_a_cheap_or_dear_book_in_cents_is_in_cents(height, tmp_path):
    found = read(write(tmp_path, book(str, str, height=height)))
    assert totals(found) == totals(read(write(tmp_path, book(height=height))))


def test_one_amount_with_decimals_and_the_column_is_in_euros(tmp_path):
    rows = book(str, str)
    rows[0]["Premie per jaar"] = "123,45"
    found = read(write(tmp_path, rows))
    told = finding(found, "AKB-D116")
    assert told.severity == "issue"
    assert "keer zo hoog" in told.sentence()


def test_cents_per_instalment(tmp_path):
    headings = ("Premie per termijn", "Provisie per termijn")
    part = [row | {"Termijn": "1"} for row in book(lambda c: str(c // 12), lambda c: str(c // 12), headings=headings)]
    found = read(write(tmp_path, part))
    truth = read(write(tmp_path, [row | {"Termijn": "1"} for row in book()]))
    assert totals(found)[0] == pytest.approx(totals(truth)[0], rel=0.01)


@pytest.mark.parametrize(("height", "fires"), [(8, True), (20, False), (100, False), (500, False), (1200, True)])
def test_a_level_that_is_far_off_is_an_issue_with_its_rows(height, fires, tmp_path):
    found = read(write(tmp_path, book(height=height)))
    assert ("AKB-D116" in codes(found)) == fires
    if fires:
        assert finding(found, "AKB-D116").count == len(book())


@pytest.mark.parametrize("form", ["-{}", "{}-", "({})"])
def test_a_bookkeepers_minus_before_all_premiums_is_no_premium_below_zero(form, tmp_path):
    truth = book()
    rows = [row | {"Premie per jaar": form.format(row["Premie per jaar"])} for row in truth]
    rows[0] = rows[0] | {"Premie per jaar": "12,00"}
    found = read(write(tmp_path, rows))
    one = round(100 * float(truth[0]["Premie per jaar"].replace(",", ".")))
    assert totals(found)[0] == totals(read(write(tmp_path, truth)))[0] - one - 1200
    assert finding(found, "AKB-D128").count == len(rows) - 1


def test_too_few_rows_say_nothing_of_the_level(tmp_path):
    assert "AKB-D116" not in codes(read(write(tmp_path, book(height=1200)[:40])))
