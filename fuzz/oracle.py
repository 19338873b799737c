"""What must hold of any bytes that are given to akb as a CSV: used by the fuzzer and by the tests."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from akb.config import Ingest, Settings
from akb.core.errors import AkbError
from akb.ingest import read_portfolio
from akb.ingest.cells.amounts import LARGEST, read_amounts
from akb.ingest.cells.dates import FIRST, LAST, read_dates
from akb.ingest.cells.texts import distinct_of, identifiers, known, rules
from akb.ingest.cells.words import read_words
from akb.ingest.columns.matching import recognised
from akb.ingest.files.csvfile import _SEPARATORS, open_csv
from akb.ingest.files.raw_table import RawTable
from akb.ingest.types import Sources

TODAY = date(2026, 1, 31)
BLANK = ' \t\r"\u00a0'


def check_reader(raw: bytes, ingest: Ingest) -> tuple[RawTable, pl.DataFrame] | None:
    """Read a CSV of arbitrary bytes: a refusal in a sentence (None), or a table in which every row is accounted for."""
    try:
        table = open_csv(raw, "export.csv", "", ingest, lambda headings: recognised(headings, {}))
    except AkbError as error:
        assert error.message, "a refusal has a sentence"
        return None
    width = len(table.headings)
    frame = table.load(range(width))
    assert frame.height + table.ragged.height == table.read, "read = used + rejected"
    assert set(frame.columns) == {"line", *map(str, range(width))}
    texts = [name for name in frame.columns if name != "line"]
    assert all(frame[name].dtype == pl.String or isinstance(frame[name].dtype, pl.Categorical) for name in texts)
    frame = frame.with_columns(pl.col(texts).cast(pl.String))  # a column that repeats is codes with a dictionary
    used, aside = frame["line"].to_list(), table.ragged["line"].to_list()
    assert used == sorted(set(used)), "lines ascend"
    assert aside == sorted(set(aside)), "lines ascend"
    assert not set(used) & set(aside), "a row is used or put aside"
    assert all(line > table.header_line for line in (*used, *aside))
    some = table.load([width - 1, 0]) if width > 1 else table.load([0])
    assert some["0"].cast(pl.String).equals(frame["0"]), "a column is the same, whichever others are read"
    assert some["line"].to_list() == used
    if ingest.encoding in (None, "utf-8") and _is_plain(raw):
        _check_lines(raw.decode("utf-8"), table, frame)
    return table, frame


def _is_plain(raw: bytes) -> bool:
    """Whether lines are what they seem: UTF-8 without BOM, lines that end in a line feed."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\n" in raw and not any(sign in raw for sign in (b"\0", b"\xef\xbb\xbf", b"\xff\xfe"))


def _check_lines(text: str, table: RawTable, frame: pl.DataFrame) -> None:
    """Compare with the lines themselves: no row lost, no cell changed."""
    separator = next((sign for sign, name in _SEPARATORS.items() if name == table.dialect["separator"]), None)
    separator = separator or table.dialect["separator"]
    lines = text.split("\n")
    there = {n for n, line in enumerate(lines, 1) if n > table.header_line and line.strip(separator + BLANK)}
    rows = {*frame["line"], *table.ragged["line"]}
    if '"' in text:  # a field in quotes may go on over the next lines
        begun = {line for line in (*rows, table.header_line) if '"' in lines[line - 1]}
        lost = {line for line in there - rows if not begun & set(range(line - 20, line))}
        assert not lost, "a line that is not blank is a row, or the rest of one"
        return
    assert there == rows, "every line that is not blank is a row"
    for row in frame.iter_rows(named=True):
        fields = lines[row["line"] - 1].removesuffix("\r").split(separator)[: len(table.headings)]
        assert [row[str(n)] or "" for n in range(len(table.headings))] == fields, "cells are as in the file"


def check_values(cells: pl.Series, decimal: Any = None, date_format: str | None = None) -> None:
    """Run the value parsers over a column of any text: each cell is read, empty, or counted as unreadable."""
    dates = read_dates(cells, date_format=date_format)
    assert dates.values.len() == dates.bad.len() == cells.len()
    assert not (dates.values.is_not_null() & dates.bad).any(), "a date is not bad"
    assert dates.values.drop_nulls().is_between(FIRST, LAST).all()
    amounts = read_amounts(cells, decimal=decimal)
    assert amounts.cents.len() == cells.len()
    assert (amounts.cents.drop_nulls().abs() <= LARGEST).all()
    assert amounts.unreadable == int((known(cells).is_not_null() & amounts.cents.is_null()).sum())
    for name in ("boolean", "direction", "channel", "status", "kind"):
        meanings = read_words(cells, name)
        assert set(distinct_of(meanings.values)) <= set(rules().values[name])
        odd = int((known(cells).is_not_null() & meanings.values.is_null()).sum())
        assert odd == sum(meanings.unknown.values()), "every word without a meaning is counted"
    written, key = identifiers(cells)
    assert written.len() == key.len() == cells.len()


def check_export(path: Path, settings: Settings) -> None:
    """Read a file as an export, whole: a refusal in a sentence, or a portfolio whose rows reconcile."""
    try:
        portfolio = read_portfolio(Sources([path], bytes(32), today=TODAY), settings)
    except AkbError as error:
        assert error.message, "a refusal has a sentence"
        return
    rows = portfolio.rows
    assert rows.read == rows.used + rows.rejected, "read = used + rejected"
    assert rows.rejected == portfolio.rejects.height, "every rejected row is listed"
    assert portfolio.as_of <= TODAY
    assert portfolio.policies.height > 0
    ended = portfolio.policies.filter(pl.col("end_date") < pl.col("start_date"))
    assert ended.is_empty(), "a policy ends after it starts"
    assert portfolio.policies["start_date"].max() < TODAY + timedelta(days=366 * 200)  # type: ignore[operator]
