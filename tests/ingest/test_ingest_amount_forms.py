"""Amounts as accounts, spreadsheets and programs write them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_exports import codes, finding, office, read, write

from akb.config import Settings
from akb.ingest.cells.amounts import read_amounts


def cents(*texts):
    return read_amounts(pl.Series(texts, dtype=pl.String)).cents.to_list()


FORMS = (
    "1.234,56", "1234.56", "1234,56", "€ 1.234,56", "€\u00a01.234,56", "1\u202f234,56", "1\u2009234,56", "1'234.56",
    "1’234.56", "1‘234.56", "1.234,56 EUR", "EUR1,234.56", "1.234,56 CR", "1.234,56 C", "Cr. 1.234,56",
    "1.234,56 debet", "+1.234,56", "1.234,56 bij", "1234.5600", "1234.560", "1234,560", "1234.5600000000002",
    "1.23456E+03", "1,23456E+03", "1,23456e3", "12.3456E2", "123456E-2", "GBP 1.234,56", "£1,234.56", "fl. 1.234,56",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_it_is_the_same_amount(text):
    assert cents(text) == [123456]


def test_the_sign_of_a_column_decides_nothing_about_scientific_notation():
    assert cents("1,5E+04", "1.234,56")[0] == cents("1.5E+04", "1,234.56")[0] == cents("1,5E+04")[0] == 1_500_000
    assert cents("1E-02", "-2,5E+02", "2,5E+02-") == [1, -25_000, -25_000]


@given(st.integers(min_value=-(10**9), max_value=10**9), st.integers(min_value=6, max_value=14), st.sampled_from(".,"))
def test_scientific_notation_reads_back(number, digits, sign):
    written = f"{number / 100:.{digits}E}"
    read_back = cents(written.replace(".", sign))[0]
    assert abs(read_back - float(written) * 100) <= 1


def test_what_scientific_notation_lost_is_counted():
    told = read_amounts(pl.Series(["1,5E+04", "1,2346E+03", "2E+00", "12,50"]))
    assert (told.rounded, told.coarse) == (3, 1)


def test_debit_and_credit_are_signs_only_beside_each_other():
    assert cents("10,00 D", "20,00 D") == cents("10,00 C", "20,00 C") == [1000, 2000]
    assert cents("10,00 D", "20,00 D", "5,00 C") == [1000, 2000, -500]
    assert cents("10,00 CR", "20,00 CR", "5,00 DB") == [1000, 2000, -500]
    assert cents("10,00 bij", "3,00 bij", "5,00 af") == [1000, 300, -500]
    assert read_amounts(pl.Series(["10,00 D", "20,00 D", "5,00 C"])).turned == 1


def test_rows_and_not_distinct_amounts_say_which_is_the_direction():
    told = read_amounts(pl.Series(["10,00 D"] * 5 + ["1,00 C", "2,00 C"]))
    assert told.cents.to_list() == [1000] * 5 + [-100, -200]


@pytest.mark.parametrize("text", ["honderd", "E12", "12E", "C", "1e308", "inf", "1,5E+99", "D-12-C", "12 34,5,6x"])
def test_nonsense_is_none(text):
    told = read_amounts(pl.Series([text]))
    assert told.cents.to_list() == [None]
    assert told.unreadable == 1


def test_pounds_are_no_euros(tmp_path):
    rows = [row | {"Premie per jaar": f"£{row['Premie per jaar'].replace(',', '.')}"} for row in office(60)]
    found = read(write(tmp_path, rows))
    told = finding(found, "AKB-D112")
    assert told.severity == "issue"
    assert told.count == len(rows)
    assert "GBP" in told.sentence()


def test_coarse_numbers_are_an_issue_and_fine_ones_a_tip(tmp_path):
    rows = office(60)

    def told(form):
        changed = [
            row | {"Premie per jaar": form.format(float(row["Premie per jaar"].replace(",", "."))).replace(".", ",")}
            for row in rows
        ]
        return finding(read(write(tmp_path, changed)), "AKB-D113").severity

    assert told("{:.1E}") == "issue"
    assert told("{:.6E}") == "tip"


def test_whole_euros_stay_euros_where_cents_are_asked_for_too(tmp_path):
    rows = [row | {"Premie per jaar": "12050", "Provisie per jaar": "2410"} for row in office(60)]
    asked = read(write(tmp_path, rows), settings=Settings(ingest={"amounts_in": "cents"}))
    euros = read(write(tmp_path, rows), settings=Settings(ingest={"amounts_in": "euros"}))
    assert set(asked.policies["premium_cents"]) == {12050}
    assert set(euros.policies["premium_cents"]) == {1205000}
    assert "AKB-D115" not in codes(asked) | codes(euros)
