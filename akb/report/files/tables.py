"""CSV as people and programs read it: neutralised for Excel in the lists, plain and exact in the
data files.
"""

from __future__ import annotations

import csv
import io
import math
from datetime import date
from typing import TYPE_CHECKING

from akb.report.formats import shown as worded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: a leading ``= + - @`` or tab gets an
    apostrophe in front.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def dutch_cell(value: object, decimals: int = 2) -> str:
    """Return a value for Dutch Excel: decimal comma, no thousands separator, dd-mm-yyyy, empty for
    nothing.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return worded(value)
    if isinstance(value, float):
        shown = f"{value:.{decimals}f}"
        return (shown.removeprefix("-") if float(shown) == 0 else shown).replace(".", ",")
    if isinstance(value, date):
        return value.strftime("%d-%m-%Y")
    return str(value) if isinstance(value, int) else neutral(str(value))


def dutch_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a list for Dutch Excel: ``;``, UTF-8 with BOM, CRLF. Cells are formatted already."""
    target = io.BytesIO()
    text = io.TextIOWrapper(target, encoding="utf-8", newline="")
    text.write(BOM)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    text.flush()
    return target.getvalue()
