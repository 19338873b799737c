"""A list written at once leaves the bytes that xlsxwriter leaves cell by cell."""

from __future__ import annotations

import io
import math
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from akb.report.files.sheets import ListSheet
from akb.report.files.tables import neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADS = ("klant", "kans", "sinds", "waarom", "ja")
LONG = "e\u0301\U0001f600" * 16_000
KINDS = {
    pl.String: st.text(max_size=6)
    | st.sampled_from(["=1+1", "-", "@x", " spatie ", "regel\neinde", "<b>&\"'", "\x01"]),
    pl.Float64: st.floats(),
    pl.Int64: st.integers(-(10**12), 10**12),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    pl.Null: st.none(),
}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """A table of any kinds of columns, in which any cell may be empty."""
    kinds = draw(st.lists(st.sampled_from(list(KINDS)), min_size=len(HEADS), max_size=len(HEADS)))
    cells = [st.none() | KINDS[kind] for kind in kinds]
    rows = draw(st.lists(st.tuples(*cells), max_size=40))
    return pl.DataFrame(rows, schema=dict(zip(HEADS, kinds, strict=True)), orient="row")


def book(sheets: Sequence[pl.DataFrame], *, at_once: bool) -> bytes:
    """Two ways to the same workbook; formats are first met in the rows, so that their numbers are part of it."""
    target = io.BytesIO()
    made = Workbook(target, {"in_memory": True, "strings_to_numbers": False})
    made.set_properties({"created": datetime(2026, 1, 1)})
    text, day, bold = (made.add_format(look) for look in ({"italic": True}, {"num_format": "dd-mm-yyyy"}, {"bold": 1}))
    numbers = [made.add_format({"num_format": "0." + "0" * (place + 1)}) for place in range(len(HEADS))]
    for table in sheets:
        sheet = made.add_worksheet(None, ListSheet if at_once else None)
        for place, head in enumerate(HEADS):
            sheet.write_string(0, place, head, bold)
        if at_once:
            sheet.write_table(table, numbers, text, day)
        else:
            for line, row in enumerate(table.iter_rows(), start=1):
                for place, cell in enumerate(row):
                    write_cell(sheet, line, place, cell, numbers[place], text, day)
        sheet.set_row(0, 40)
        sheet.autofilter(0, 0, max(table.height, 1), len(HEADS) - 1)
    made.close()
    return target.getvalue()


def write_cell(sheet: Any, line: int, place: int, cell: Any, number: Any, text: Any, day: Any) -> None:
    """What a cell should become, through what the library offers everybody."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return
    if isinstance(cell, bool):
        sheet.write_string(line, place, "ja" if cell else "nee", text)
    elif isinstance(cell, int | float):
        sheet.write_number(line, place, round(cell, 6), number)
    elif isinstance(cell, date):
        sheet.write_datetime(line, place, datetime(cell.year, cell.month, cell.day), day)
    else:
        sheet.write_string(line, place, neutral(str(cell)), text)


@settings(max_examples=40, deadline=None)
@given(st.lists(tables(), min_size=1, max_size=3))
def test_the_bytes_are_the_librarys_own(sheets: list[pl.DataFrame]) -> None:
    assert book(sheets, at_once=True) == book(sheets, at_once=False)


@pytest.mark.parametrize("height", [0, 1, 14, 15, 16, 17, 31, 32, 33, 8_190, 8_191, 8_192, 8_193])
def test_blocks_of_sixteen_lines_tell_the_columns_that_they_use(height: int) -> None:
    rows: list[tuple[Any, ...]] = [
        (None, None, number, "x", None) if number % 5 else (None,) * 5 for number in range(height)
    ]
    rows[15:16] = [(None, 0.5, None, None, True)] * (height > 15)
    kinds = (pl.Null, pl.Float64, pl.Int64, pl.String, pl.Boolean)
    table = pl.DataFrame(rows, schema=dict(zip(HEADS, kinds, strict=True)), orient="row")
    assert book([table, table], at_once=True) == book([table, table], at_once=False)


@pytest.mark.filterwarnings("ignore:.*32767")
def test_a_text_that_does_not_fit_is_cut_off() -> None:
    rows = [(LONG, 1, None, "a", LONG), ("b", None, None, LONG[:16_384], None)]
    kinds = (pl.String, pl.Int64, pl.Null, pl.String, pl.String)
    table = pl.DataFrame(rows, schema=dict(zip(HEADS, kinds, strict=True)), orient="row")
    assert book([table], at_once=True) == book([table], at_once=False)
