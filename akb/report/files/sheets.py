"""A sheet that takes a whole list at once: the bytes of xlsxwriter's own, cell by cell, in a third
of the time.

xlsxwriter checks every cell that it is given, keeps it as an object and looks at its kind again
when it writes it. The lists are large (320,000 cells for 66,768 policies) and hold five kinds of
values, so that this is most of the report's time. Styles, shared texts, everything around the rows
and the zip stay the library's; a test holds both ways against each other, so that another version
of it cannot change the one without the other."""

from __future__ import annotations

import math
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from akb.report.files.tables import neutral
from akb.report.formats import shown as worded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxwriter.format import Format

_LONG = 16_383
"""Texts up to this length fit in a cell whatever their characters; the library cuts off what does
not.
"""

_BLOCK = 16
"""Rows for which a sheet tells together which columns they use."""

Cell = tuple[int, "Format", str]
"""Column, format, and the end of the element: kind and value."""


class ListSheet(Worksheet):  # type: ignore[misc]
    """A worksheet whose rows below the headings may be given all at once."""

    def __init__(self) -> None:
        super().__init__()
        self.dim_rowmax: Any  # of the library: the last line that holds anything
        self._lines: list[list[Cell]] = []

    def write_lines(
        self, rows: Iterable[Sequence[Any]], numbers: Sequence[Format], text: Format, day: Format
    ) -> None:
        """Write rows from the second line on, each cell as what it is.

        Parameters
        ----------
        rows
            As wide as the headings, which stand on the first line already; nothing else may stand
            below those.
        numbers
            The format of a number, per column.
        text, day
            The formats of a text and of a date.
        """
        for line, row in enumerate(rows, start=1):
            cells = list(self._cells(line, row, numbers, text, day))
            self._lines.append(cells)
            if cells:
                self._check_dimensions(line, cells[-1][0])

    def _cells(
        self, line: int, row: Sequence[Any], numbers: Sequence[Format], text: Format, day: Format
    ) -> Iterator[Cell]:
        """Yield what is written of a row: text is neutralised, nothing is left empty, nothing
        becomes a formula.
        """
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                yield place, text, self._words(line, place, cell, text)
            elif cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
                continue
            elif isinstance(cell, bool):
                yield place, text, self._words(line, place, worded(cell), text)
            elif isinstance(cell, int | float):
                yield place, numbers[place], f"><v>{round(cell, 6):.16G}</v></c>"
            elif isinstance(cell, date):
                yield place, day, f"><v>{self._serial(cell):.16G}</v></c>"
            else:
                yield place, text, self._words(line, place, str(cell), text)

    def _serial(self, day: date) -> float:
        """Return the number that stands for a day."""
        serial: float = self._convert_date_time(datetime(day.year, day.month, day.day))
        return serial

    def _words(self, line: int, place: int, words: str, text: Format) -> str:
        """Return a text's number among the texts of the workbook, as the end of its element."""
        words = neutral(words)
        if len(words) <= _LONG:
            index: int = self.str_table._get_shared_string_index(words)
        else:
            self._write_string(line, place, words, text)
            index = self.table.pop(line)[place].string
        return f' t="s"><v>{index}</v></c>'

    def _write_rows(self) -> None:
        """Write the headings as the library does, and the lines below them."""
        lowest = self.dim_rowmax
        self.dim_rowmax = 0
        super()._write_rows()
        self.dim_rowmax = lowest
        for first in range(0, len(self._lines) + 1, _BLOCK):
            self._write_block(first, self._lines[max(first - 1, 0) : first - 1 + _BLOCK])

    def _write_block(self, first: int, lines: Sequence[list[Cell]]) -> None:
        """Write the lines of a block of `_BLOCK` rows, of which the headings are the first."""
        used = [place for cells in lines if cells for place in (cells[0][0], cells[-1][0])]
        span = (
            f"{min(used, default=0) + 1}:{max(used, default=0) + 1}" if first else self.row_spans[0]
        )
        styles: dict[int, int] = {}
        for number, cells in enumerate(lines, start=max(first, 1) + 1):
            if not cells:
                continue
            parts = [f'<row r="{number}" spans="{span}">']
            for place, style, end in cells:
                known = styles.get(id(style))
                if known is None:  # numbered as they are met, as the library does
                    known = styles[id(style)] = style._get_xf_index()
                parts.append(f'<c r="{_letters(place)}{number}" s="{known}"{end}')
            parts.append("</row>")
            self.fh.write("".join(parts))


@cache
def _letters(place: int) -> str:
    """Return the name of a column."""
    return str(xl_col_to_name(place))
