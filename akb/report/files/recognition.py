"""The blinded recognition test: ``actions/recognition.xlsx`` for advisers, its key in ``private/``
for who runs it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from akb.report.files.lists import shown_customers
from akb.report.files.tables import dutch_cell, dutch_csv, neutral
from akb.report.files.workbook import Styles, new_workbook, write_guide
from akb.store.folders import RECOGNITION_KEY

if TYPE_CHECKING:
    from xlsxwriter import Workbook

    from akb.report.context import Context

WORKBOOK = "actions/recognition.xlsx"
_ANSWERS = ("yes", "no", "unknown")


def recognition_files(context: Context) -> dict[str, bytes]:
    """Return the test and its key; without anybody to judge, the guide and headings only.

    The workbook shows nothing but the customer: no rank, no score, nothing that tells the list from
    the draw. Sheets are numbered, adviser by adviser."""
    value = context.bundle.value
    test = value.recognition if value else None
    if test is None:
        test = pl.DataFrame(
            schema={
                "adviser": pl.String,
                "number": pl.Int64,
                "customer": pl.UInt32,
                "listed": pl.Boolean,
            }
        )
    test = test.sort("adviser", "number")
    names = dict(zip(test["customer"], shown_customers(context, test), strict=True))
    return {WORKBOOK: _workbook(context, test, names), RECOGNITION_KEY: _key(context, test, names)}


def _workbook(context: Context, test: pl.DataFrame, names: dict[int, str]) -> bytes:
    target = io.BytesIO()
    title = context.words.plain("recognition.title")
    book = new_workbook(target, context, title)
    styles = Styles(book)
    spoken = context.words
    guide = [
        spoken.plain(f"recognition.guide_{part}")
        for part in ("why", "how", "blind", "read", "limits")
    ]
    write_guide(book, styles, spoken.plain("book.guide"), title, guide, rows=[])
    for place, (_, rows) in enumerate(test.group_by("adviser", maintain_order=True), start=1):
        _cards(context, book, styles, place, rows, names=names)
    book.close()
    return target.getvalue()


def _cards(
    context: Context,
    book: Workbook,
    styles: Styles,
    place: int,
    rows: pl.DataFrame,
    *,
    names: dict[int, str],
) -> None:
    spoken = context.words
    sheet = book.add_worksheet(spoken.plain("recognition.sheet", number=place))
    adviser = rows["adviser"][0]
    if adviser in context.shared["adviser"]:
        sheet.write_string(0, 0, neutral(str(adviser)), styles.title)
    heads = ("number", "customer", "answer", "note")
    for column, (head, width) in enumerate(zip(heads, (8, 24, 26, 70), strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(1, column, spoken.plain(f"recognition.head_{head}"), styles.head)
    for line, row in enumerate(rows.iter_rows(named=True), start=2):
        sheet.write_number(line, 0, row["number"], styles.rank)
        sheet.write_string(line, 1, neutral(names[row["customer"]]), styles.text)
        sheet.write_blank(line, 2, None, styles.input)
        sheet.write_blank(line, 3, None, styles.input)
    answers = [spoken.plain(f"recognition.answer_{answer}") for answer in _ANSWERS]
    sheet.data_validation(2, 2, 1 + rows.height, 2, {"validate": "list", "source": answers})
    sheet.freeze_panes(2, 0)


def _key(context: Context, test: pl.DataFrame, names: dict[int, str]) -> bytes:
    spoken = context.words
    order = {
        adviser: place
        for place, adviser in enumerate(test["adviser"].unique().sort().to_list(), start=1)
    }
    heads = [
        spoken.name("list_column", "customer"),
        *(spoken.plain(f"recognition.key_{k}") for k in ("sheet", "number", "listed")),
    ]
    rows = (
        [dutch_cell(names[customer]), str(order[adviser]), str(number), dutch_cell(listed)]
        for adviser, number, customer, listed in test.select(
            "adviser", "number", "customer", "listed"
        ).iter_rows()
    )
    return dutch_csv(heads, rows)
