"""A file is read a block of lines at a time, and repeating texts are codes: neither changes what is read."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akb.config import load_settings
from akb.ingest import read_portfolio
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.answers import read_answers
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import compact, identifiers, known
from akb.ingest.files import csvfile
from akb.ingest.types import Sources
from tests.broken.generate import Case, cases
from tests.examples import examples

TODAY = date(2026, 6, 30)
ODD = (
    "line break in a field",
    "stray quotes",
    "quote never closed",
    "some rows short",
    "some rows long",
    "blank lines between",
    "commas and quotes",
    "cp1252",
    "old Mac line ends",
    "utf-16 with mark",
    "an e-mail address as insurer",
    "title rows above",
    "heading with a line break",
)
CASES = {case.name: case for case in cases()}


def read(case: Case, folder):
    paths = [folder / name for name in case.files]
    return read_portfolio(Sources(paths, bytes(32), today=TODAY), load_settings())


def same(one, other) -> None:
    for field in fields(one):
        mine, its = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, pl.DataFrame):
            assert mine.equals(its) and mine.schema == its.schema, field.name
        else:
            assert mine == its, field.name


@pytest.mark.parametrize("name", ODD)
def test_blocks_of_any_size_hold_the_same_rows(name, tmp_path, monkeypatch):
    case = CASES[name]
    case.write(tmp_path)
    whole = read(case, tmp_path)
    for size in (1, 400):
        monkeypatch.setattr(csvfile, "_BLOCK", size)
        same(read(case, tmp_path), whole)


CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "-", "onbekend", "n.v.t.", "12-03-2020", "03/25/2021", "1.234,56", "1.234", "-5", "J", "nee",
         "0012.0", '="0012"', "a b", "A.B", "31-12-9999", "é", "x" * 30]
    ),
)  # fmt: skip


@given(st.lists(CELLS, max_size=30), st.integers(0, 5))
@settings(max_examples=examples(30), deadline=None)
def test_codes_are_read_as_the_text_they_stand_for(texts, cut):
    plain = pl.Series("t", texts, dtype=pl.String)
    codes = compact(plain)[cut:]  # a dictionary may know more than its column still says
    plain = plain[cut:]
    assert known(codes).equals(known(plain), null_equal=True)
    for one, other in zip(identifiers(codes), identifiers(plain), strict=True):
        assert one.equals(other, null_equal=True)
    assert read_answers(codes).values.equals(read_answers(plain).values, null_equal=True)
    assert read_answers(codes).unknown == read_answers(plain).unknown
    for reader, column in ((read_dates, "values"), (read_amounts, "cents")):
        one, other = reader(codes), reader(plain)
        assert getattr(one, column).equals(getattr(other, column), null_equal=True)
        for field in fields(one):
            if not isinstance(getattr(one, field.name), pl.Series):
                assert getattr(one, field.name) == getattr(other, field.name), field.name


def test_columns_that_repeat_are_codes_and_others_text(tmp_path):
    path = tmp_path / "polissen.csv"
    rows = "".join(f"R{n // 4};P{n};Auto;01-01-2020\n" for n in range(100))
    path.write_text("Relatienummer;Polisnummer;Branche;Ingangsdatum\n" + rows)
    raw = csvfile.open_csv(path.read_bytes(), path.name, "", load_settings().ingest, len)
    table = raw.load([0, 1, 2])
    assert [isinstance(dtype, pl.Categorical) for dtype in table.dtypes] == [True, False, True, False]
    assert table["2"].cast(pl.String).to_list() == ["Auto"] * 100
    assert table["line"].to_list() == list(range(2, 102))


def test_an_identifier_in_the_last_block_is_kept_out(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfile, "_BLOCK", 500)
    rows = [f"R{n // 3};P{n};Auto;Kroonlinde;01-01-2020;ADV{n % 4}" for n in range(400)]
    rows[-1] = rows[-1].replace("Kroonlinde", "jan@voorbeeld.nl")
    path = tmp_path / "polissen.csv"
    path.write_text("Relatienummer;Polisnummer;Branche;Maatschappij;Ingangsdatum;Adviseur\n" + "\n".join(rows))
    portfolio = read_portfolio(Sources([path], bytes(32), today=TODAY), load_settings())
    assert portfolio.rows.used == 400
    assert "jan@voorbeeld.nl" not in portfolio.policies["insurer"].to_list()
    assert any(finding.code == "AKB-P002" for finding in portfolio.findings)
