"""``actions/actions.xlsx``: every list on a sheet of its own, with filters, bands and a guide.

Text is written as text and neutralised, so that nothing in a list can be read as a formula; the day of the file is the
as-of date, so that the same lists give the same bytes.
"""

from __future__ import annotations

import io
import math
from datetime import datetime
from typing import TYPE_CHECKING

from akb.report.chapters.listed import withheld
from akb.report.chapters.portfolio.facts import commission_mark
from akb.report.lists import EUROS, POINTS, is_chance
from akb.report.sheets import ListSheet
from akb.report.tables import neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

    from akb.report.context import Context
    from akb.report.lists import ListTable

CUT_ON_COMMISSION = ("top_defend", "next_best_policy", "next_best_action", "bleeders", "feeders")
HIGH_CHURN, SOME_CHURN, SOME_CHANCE = 0.20, 0.10, 0.25  # from here a cell is coloured
_WIDTHS = {
    "customer": 22, "branches": 38, "reasons": 60, "gap": 66, "action": 16, "branch": 26, "adviser": 18, "moment": 26,
    "best_contact": 44, "runner_up": 44,
}  # fmt: skip
_WIDTH = 14
_INK, _LINE, _HEAD = "#1B2430", "#D8DDE4", "#EEF1F5"
_BANDS = {"high": "#F3C9A9", "middle": "#FBE8D8", "good": "#CFE6D6", "grey": "#9AA3AF"}


def new_workbook(target: io.BytesIO, context: Context, title: str) -> Workbook:
    """Return a workbook whose bytes depend on nothing but its content."""
    from xlsxwriter import Workbook

    book = Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "dd-mm-yyyy",
        },
    )
    day = context.as_of
    book.set_properties({"created": datetime(day.year, day.month, day.day), "title": title})
    return book


def lists_workbook(context: Context, tables: Sequence[ListTable]) -> bytes:
    """Return the lists as a workbook: a guide, then one sheet per list."""
    target = io.BytesIO()
    book = new_workbook(target, context, context.words.plain("book.title"))
    styles = Styles(book)
    spoken = context.words
    guide = [spoken.plain(f"book.guide_{part}", as_of=context.as_of) for part in ("what", "control", "rules", "bands")]
    control = context.bundle.settings.assumed()["experiment.control_share"].value
    guide.append(spoken.plain("book.guide_draw", share=control * 100))
    sheets = [(sheet_name(spoken.name("sheet", table.name)), table) for table in tables]
    rows = [(name, str(len(table.rows)), _meaning(context, table.name)) for name, table in sheets]
    write_guide(book, styles, spoken.plain("book.guide"), spoken.plain("book.title"), guide, rows)
    for name, table in sheets:
        _sheet(book.add_worksheet(name, ListSheet), table, styles)
    book.close()
    return target.getvalue()


class Styles:
    """The formats of a workbook; made once, for every format is written to the file."""

    def __init__(self, book: Workbook) -> None:
        plain = {"font_name": "Calibri", "font_size": 11, "font_color": _INK, "valign": "top"}
        self.text: Format = book.add_format(plain)
        self.wrap: Format = book.add_format({**plain, "text_wrap": True})
        self.title: Format = book.add_format({**plain, "font_size": 16, "bold": True})
        self.head: Format = book.add_format(
            {**plain, "bold": True, "text_wrap": True, "bg_color": _HEAD, "bottom": 1, "bottom_color": _LINE}
        )
        self.number: Format = book.add_format({**plain, "num_format": "#,##0"})
        self.rank: Format = book.add_format({**plain, "num_format": "0"})
        self.euro: Format = book.add_format({**plain, "num_format": "[$€-413] #,##0.00;[Red]-[$€-413] #,##0.00"})
        self.chance: Format = book.add_format({**plain, "num_format": "0.0%"})
        self.points: Format = book.add_format({**plain, "num_format": "0.0"})
        self.day: Format = book.add_format({**plain, "num_format": "dd-mm-yyyy", "align": "left"})
        self.input: Format = book.add_format({**plain, "border": 1, "border_color": _LINE, "locked": False})
        self.bands: dict[str, Format] = {
            name: book.add_format({"font_color": colour} if name == "grey" else {"bg_color": colour})
            for name, colour in _BANDS.items()
        }

    def of(self, column: str) -> Format:
        """Return the format of a column of a list."""
        if is_chance(column):
            return self.chance
        if column in EUROS:
            return self.euro
        if column in POINTS:
            return self.points
        return self.rank if column.startswith("rank") else self.number


def sheet_name(name: str) -> str:
    """Return a name that a sheet may have: at most 31 characters, none of ``[]:*?/\\``, no apostrophe at its ends."""
    return "".join("-" if sign in "[]:*?/\\" else sign for sign in name).strip("'")[:31] or "-"


def _meaning(context: Context, name: str) -> str:
    """Return what stands on a list; why it is empty where its order is unproven; that it was cut on an assumption."""
    words = context.words
    reason = withheld(context).get(name)
    if reason:
        return words.plain("book.withheld", why=reason)
    by_commission = name in CUT_ON_COMMISSION and context.has_commission and commission_mark(context) == "assumed"
    return words.name("sheet_text", name) + (f" {words.plain('book.assumed_commission')}" if by_commission else "")


def write_guide(
    book: Workbook,
    styles: Styles,
    name: str,
    title: str,
    sentences: Sequence[str],
    rows: Sequence[tuple[str, ...]],
) -> None:
    """Write the first sheet: title, how to read the workbook, and what stands where."""
    sheet = book.add_worksheet(sheet_name(name))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 30, styles.wrap)
    sheet.set_column(1, 1, 10, styles.text)
    sheet.set_column(2, 2, 90, styles.wrap)
    sheet.write_string(0, 0, title, styles.title)
    line = 2
    for sentence in sentences:
        sheet.merge_range(line, 0, line, 2, neutral(sentence), styles.wrap)
        sheet.set_row(line, 15 * math.ceil(len(sentence) / 115) + 4)
        line += 1
    for row in rows:
        line += 1
        for place, cell in enumerate(row):
            sheet.write_string(line, place, neutral(cell), styles.wrap)


def _sheet(sheet: ListSheet, table: ListTable, styles: Styles) -> None:
    last = max(len(table.rows), 1)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, _WIDTHS.get(column, _WIDTH))
        sheet.write_string(0, place, neutral(table.heads[place]), styles.head)
    sheet.write_lines(table.rows, [styles.of(column) for column in table.columns], styles.text, styles.day)
    sheet.freeze_panes(1, 1)
    widths = [_WIDTHS.get(column, _WIDTH) for column in table.columns]
    lines = max(math.ceil(len(head) / width) for head, width in zip(table.heads, widths, strict=True))
    sheet.set_row(0, 15 * max(2, lines + 1) + 2)  # words wrap earlier than letters
    sheet.autofilter(0, 0, last, len(table.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    _shade(sheet, table, styles, last)


def _shade(sheet: ListSheet, table: ListTable, styles: Styles, last: int) -> None:
    """Colour the bands: leaving in orange, taking a policy in green, a loss in red, the control group in grey."""
    from xlsxwriter.utility import xl_col_to_name

    def where(place: int, criteria: str, value: float, band: str) -> None:
        rule = {"type": "cell", "criteria": criteria, "value": value, "format": styles.bands[band]}
        sheet.conditional_format(1, place, last, place, rule)

    if "control" in table.columns:
        letter = xl_col_to_name(table.columns.index("control"), col_abs=True)
        rule = {"type": "formula", "criteria": f'=${letter.lstrip("$")}2="ja"', "format": styles.bands["grey"]}
        sheet.conditional_format(1, 0, last, len(table.columns) - 1, rule)
    for place, column in enumerate(table.columns):
        if column == "churn_12m":
            where(place, ">=", HIGH_CHURN, "high")
            where(place, ">=", SOME_CHURN, "middle")
        elif column == "probability":
            where(place, ">=", SOME_CHANCE, "good")
        elif column == "margin":
            where(place, "<", 0, "middle")
