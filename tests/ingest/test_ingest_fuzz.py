"""Any bytes: a refusal in a sentence or a table whose rows add up (``fuzz/`` has the same oracle and a longer run)."""

from __future__ import annotations

import csv
import io
from datetime import date

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from akb.config import Ingest, Settings
from akb.ingest import read_portfolio
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.answers import read_answers
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import identifiers, rules
from akb.ingest.columns.matching import recognised
from akb.ingest.files.csvfile import open_csv
from akb.ingest.types import Sources
from fuzz.oracle import TODAY, check_export, check_reader, check_values

HEAD = "Relatienummer;Polisnummer;Branche;Ingangsdatum;Premie"
SIGNS = st.sampled_from(list(';,\t|"\r\n \x00\ufeff€é£½0123456789-/.abcPXen'))
INGESTS = st.builds(
    Ingest,
    separator=st.sampled_from([None, ";", ",", "|", "\t", " ", "~", "\\"]),
    encoding=st.sampled_from([None, "utf-8", "cp1252", "utf-16", "utf-7", "unicode_escape", "ascii", "cp850"]),
)
BYTES = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda text: f"{HEAD}\n{text}".encode("utf-8", "replace"), st.text(SIGNS, max_size=200)),
    st.builds(lambda text, kind: text.encode(kind, "replace"), st.text(SIGNS, max_size=200),
              st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig"])),
)  # fmt: skip


@settings(max_examples=250)
@given(BYTES, INGESTS)
@example(b"\xff", Ingest(encoding="utf-16"))
@example(b"a;b\n\\ud800;2\n", Ingest(encoding="unicode_escape"))
@example(b"\x00\x00", Ingest())
@example(b'"', Ingest(separator="\\"))
@example(f'{HEAD}\n1;2;3;4;5\nx"y;1\n1;2;3;4;5\n'.encode(), Ingest())  # a stray quote and too few fields
@example(f'{HEAD}\n1;2;"3\n3";4;5\n1;2;3;4;5\n'.encode(), Ingest())
def test_no_bytes_break_the_reader(raw: bytes, ingest: Ingest) -> None:
    check_reader(raw, ingest)


@settings(max_examples=40)
@given(BYTES)
def test_no_bytes_break_an_export(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "export.csv"
    path.write_bytes(raw)
    check_export(path, Settings())


CELLS = st.text(st.sampled_from(list('ab1é€;,|\t" ')), max_size=6)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@settings(max_examples=120)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12),
    st.sampled_from(";,|\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_csv_module_writes_is_read_back(
    rows: list[tuple[str, str, str]], separator: str, encoding: str, end: str
) -> None:
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    written = [(f"K{n}", *row) for n, row in enumerate(rows)]  # no row is blank
    writer.writerows([("Relatienummer", "Polisnummer", "Branche", "Ingangsdatum"), *written])
    raw = target.getvalue().encode(encoding)
    assume(encoding != "cp1252" or raw.isascii() or not _is_utf8(raw))  # é€€ of Windows is one character of UTF-8
    table = open_csv(raw, "export.csv", "", Ingest(), lambda headings: recognised(headings, {}))
    frame = table.load(range(4)).select("0", "1", "2", "3")
    assert table.ragged.is_empty()
    assert [tuple(cell or "" for cell in row) for row in frame.iter_rows()] == written


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=20), st.text("0123456789-/.,€() eE+", max_size=14)), max_size=8),
    st.sampled_from([None, ",", "."]),
    st.sampled_from([None, "%d-%m-%Y", "%y%m%d", "%d%b%Y"]),
)
def test_no_cells_break_the_value_parsers(cells: list[str | None], decimal: str | None, form: str | None) -> None:
    check_values(pl.Series(cells, dtype=pl.String), decimal, form)


@settings(max_examples=60)
@given(st.lists(st.dates(date(1931, 1, 1), date(2029, 12, 31)), min_size=1, max_size=12), st.data())
def test_dates_come_back_whatever_form_each_cell_has(days: list[date], data: st.DataObject) -> None:
    forms = st.sampled_from(["%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d-%m-%y", "%Y-%m-%d %H:%M:%S"])
    texts = [day.strftime(data.draw(forms)) for day in days]
    assert read_dates(pl.Series([*texts, "31-12-2020"])).values.to_list()[:-1] == days


@settings(max_examples=60)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=12), st.data())
def test_amounts_come_back_whatever_signs_surround_them(values: list[int], data: st.DataObject) -> None:
    def written(cents: int) -> str:
        euros = f"{abs(cents) // 100:,}".replace(",", data.draw(st.sampled_from(["", "."])))
        body = f"{euros},{abs(cents) % 100:02d}"
        minus = [f"-{body}", f"{body}-", f"({body})", f"€ -{body}"]
        return data.draw(st.sampled_from(minus if cents < 0 else [body, f"€ {body}", f"+{body}", f"{body} EUR"]))

    read = read_amounts(pl.Series([written(value) for value in values]))
    assert (read.cents.to_list(), read.unreadable) == (values, 0)


@settings(max_examples=60)
@given(st.sampled_from(sorted(rules().values["boolean"])), st.data())
def test_codes_come_back_in_any_case_and_spacing(meaning: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(rules().values["boolean"][meaning]))
    text = data.draw(st.sampled_from([word, word.upper(), f" {word} ", f"{word}.", word.capitalize()]))
    read = read_answers(pl.Series([text]))
    assert (read.values.to_list(), read.unknown) == ([meaning], {})


@settings(max_examples=60)
@given(st.text("0123456789ABCXYZ", min_size=1, max_size=12), st.data())
def test_numbers_join_however_they_are_spaced(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(number)))
    spaced = number[:place] + data.draw(st.sampled_from([" ", ".", "\u00a0", ""])) + number[place:]
    keys = [identifiers(pl.Series([text, "A.1"]))[1].to_list()[0] for text in (number, spaced.lower())]
    assert keys[0] == keys[1] == number


@settings(max_examples=8)
@given(st.lists(st.text(st.sampled_from("0123456789ABab -.é"), max_size=8), min_size=1, max_size=12))
def test_of_a_postcode_four_digits_stay_or_nothing(tmp_path_factory: pytest.TempPathFactory, codes: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "postcodes.csv"
    given_codes = [*codes, "4811 AB", "4811ab", "4811", "0123 AB"]
    rows = [f"{n:03d};P{n};Auto;01-01-2020;{code}" for n, code in enumerate(given_codes)]
    path.write_text("\n".join(["Relatienummer;Polisnummer;Branche;Ingangsdatum;Postcode", *rows]), "utf-8")
    found = read_portfolio(Sources([path], bytes(32), today=TODAY), Settings()).customers["postcode4"].to_list()
    assert found[-4:] == ["4811", "4811", "4811", None]
    assert all(
        found is None or (code.strip()[:4] == found and found[0] != "0")
        for code, found in zip(given_codes, found, strict=True)
    )
