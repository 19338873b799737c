"""What the workbooks share: formats, names of sheets, a guide.

Text is written as text and neutralised, so that nothing can be read as a formula; the day of the
file is the as-of date, so that the same run gives the same bytes."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from akb.report.files.tables import neutral

if TYPE_CHECKING:
    import io
    from collections.abc import Sequence

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

    from akb.report.context import Context

_INK, _LINE, _HEAD = "#1B2430", "#D8DDE4", "#EEF1F5"


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


class Styles:
    """The formats of a workbook; made once, for every format is written to the file."""

    def __init__(self, book: Workbook) -> None:
        plain = {"font_name": "Calibri", "font_size": 11, "font_color": _INK, "valign": "top"}
        self.text: Format = book.add_format(plain)
        self.wrap: Format = book.add_format({**plain, "text_wrap": True})
        self.title: Format = book.add_format({**plain, "font_size": 16, "bold": True})
        self.head: Format = book.add_format(
            {
                **plain,
                "bold": True,
                "text_wrap": True,
                "bg_color": _HEAD,
                "bottom": 1,
                "bottom_color": _LINE,
            }
        )
        self.rank: Format = book.add_format({**plain, "num_format": "0"})
        self.day: Format = book.add_format({**plain, "num_format": "dd-mm-yyyy", "align": "left"})
        self.input: Format = book.add_format(
            {**plain, "border": 1, "border_color": _LINE, "locked": False}
        )


def sheet_name(name: str) -> str:
    """Return a name that a sheet may have: at most 31 characters, none of ``[]:*?/\\``, no
    apostrophe at its ends.
    """
    return "".join("-" if sign in "[]:*?/\\" else sign for sign in name).strip("'")[:31] or "-"


def write_guide(
    book: Workbook,
    styles: Styles,
    name: str,
    title: str,
    sentences: Sequence[str],
    *,
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
