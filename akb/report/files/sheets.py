"""A sheet that takes a whole table at once: the bytes of xlsxwriter's own, cell by cell, in a tenth
of the time.

xlsxwriter checks every cell that it is given, keeps it as an object and looks at its kind again
when it writes it. The lists are large (320,000 cells for 66,768 policies) and hold five kinds of
values, so that this is most of the report's time. Here a column becomes XML as a column. Styles,
shared texts, everything around the rows and the zip stay the library's; a test holds both ways
against each other, so that another version of it cannot change the one without the other."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from akb.report.files.tables import in_words, neutralised
from akb.report.formats import shown as worded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxwriter.format import Format

_LONG = 16_383
"""Texts up to this length fit in a cell whatever their characters; the library cuts off what does
not.
"""

_BLOCK = 16
"""Rows for which a sheet tells together which columns they use."""

_AT_ONCE = 8_192
"""Rows that become one text; whole blocks."""


class ListSheet(Worksheet):  # type: ignore[misc]
    """A worksheet whose rows below the headings may be given all at once."""

    def __init__(self) -> None:
        super().__init__()
        self.dim_rowmax: Any  # of the library: the last line that holds anything
        self._ends = pl.DataFrame()  # per cell the end of its element: kind and value
        self._styles: list[Format] = []

    def write_table(
        self, table: pl.DataFrame, numbers: Sequence[Format], text: Format, day: Format
    ) -> None:
        """Write a table from the second line on, each column as what it is: text is neutralised,
        nothing is left empty, nothing becomes a formula.

        Parameters
        ----------
        table
            As wide as the headings, which stand on the first line already; nothing else may stand
            below those.
        numbers
            The format of a number, per column.
        text, day
            The formats of a text and of a date.
        """
        texts, others = {}, {}
        for column, number in zip(table, numbers, strict=True):
            if column.dtype.is_numeric():
                others[column.name] = self._numbers(column)
                self._styles.append(number)
            elif column.dtype == pl.Date:
                others[column.name] = in_words(column, self._serial)
                self._styles.append(day)
            else:
                is_text = column.dtype == pl.String
                texts[column.name] = column if is_text else in_words(column, worded)
                self._styles.append(text)
        ends = {**others, **self._shared(pl.DataFrame(texts), text)}
        self._ends = pl.DataFrame({name: ends[name] for name in table.columns})
        used = self._ends.select(pl.all().is_not_null())
        lines = used.select(pl.any_horizontal(pl.all())).to_series().arg_true()
        if len(lines):
            widest = max(place for place, column in enumerate(used) if column.any())
            self._check_dimensions(int(lines[-1]) + 1, widest)

    @staticmethod
    def _numbers(column: pl.Series) -> pl.Series:
        """Return numbers as the ends of their elements."""

        def end(number: Any) -> str:
            return f"><v>{round(number, 6):.16G}</v></c>"

        if column.dtype.is_integer():
            return in_words(column, end)
        finite = (
            None if number is None or not math.isfinite(number) else end(number)
            for number in column
        )
        return pl.Series(column.name, list(finite), dtype=pl.String)

    def _serial(self, day: Any) -> str:
        """Return the number that stands for a day, as the end of its element."""
        serial: float = self._convert_date_time(datetime(day.year, day.month, day.day))
        return f"><v>{serial:.16G}</v></c>"

    def _shared(self, texts: pl.DataFrame, style: Format) -> dict[str, pl.Series]:
        """Return texts by their numbers among those of the workbook, as the ends of their elements;
        numbers are given row by row.
        """
        if not texts.width:
            return {}
        neutral = texts.select(neutralised(pl.all()))
        stacked = neutral.select(pl.concat_list(pl.all())).to_series().explode().drop_nulls()
        different = stacked.unique(maintain_order=True)
        ends = [f' t="s"><v>{self._number(words, style)}</v></c>' for words in different]
        self.str_table.count += stacked.len() - different.len()
        numbered = pl.Series(ends, dtype=pl.String)
        return {
            column.name: column.replace_strict(different, numbered, return_dtype=pl.String)
            for column in neutral
        }

    def _number(self, words: str, style: Format) -> int:
        """Return the number of a text among the texts of the workbook."""
        if len(words) <= _LONG:
            return int(self.str_table._get_shared_string_index(words))
        self._write_string(1, 0, words, style)
        return int(self.table.pop(1)[0].string)

    def _write_rows(self) -> None:
        """Write the headings as the library does, and the lines below them."""
        lowest = self.dim_rowmax
        self.dim_rowmax = 0
        super()._write_rows()
        self.dim_rowmax = lowest
        self._number_styles()
        for first in range(0, self._ends.height + 1, _AT_ONCE):
            # the headings are the first row of the first block
            begin = max(first - 1, 0)
            self._write_lines(self._ends[begin : first - 1 + _AT_ONCE], begin + 1)

    def _number_styles(self) -> None:
        """Number the formats as they are met, row by row, as the library does."""
        met = [
            (column.is_not_null().arg_max(), place)
            for place, column in enumerate(self._ends)
            if column.null_count() < column.len()
        ]
        for _, place in sorted(met):
            self._styles[place]._get_xf_index()

    def _write_lines(self, ends: pl.DataFrame, first: int) -> None:
        """Write lines, of which the first stands below so many others."""
        line = pl.int_range(first, first + pl.len())
        number = (line + 1).cast(pl.String)
        places = [
            pl.when(pl.col(name).is_not_null()).then(place)
            for place, name in enumerate(ends.columns, start=1)
        ]
        cells = [
            pl.when(pl.col(column.name).is_not_null()).then(
                pl.format(
                    f'<c r="{xl_col_to_name(place)}{{}}" s="{style._get_xf_index()}"{{}}',
                    number,
                    column.name,
                )
            )
            for place, (column, style) in enumerate(zip(ends, self._styles, strict=True))
            if column.null_count() < column.len()
        ]
        if not cells:
            return
        block = line // _BLOCK
        low, high = pl.min_horizontal(places), pl.max_horizontal(places)
        rows = (
            ends.select(
                block=block,
                low=low.min().over(block),
                high=high.max().over(block),
                number=pl.when(low.is_not_null()).then(number),
                cells=pl.concat_str(cells, ignore_nulls=True),
            )
            .filter(pl.col("number").is_not_null())
            .select(
                pl.format(
                    '<row r="{}" spans="{}">{}</row>',
                    "number",
                    pl.when(pl.col("block") == 0)
                    .then(pl.lit(self.row_spans[0]))
                    .otherwise(pl.format("{}:{}", "low", "high")),
                    "cells",
                )
            )
        )
        self.fh.write("".join(rows.to_series()))
