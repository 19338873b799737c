"""CSV as people and programs read it: neutralised for Excel in the lists, plain and exact in the
data files.
"""

from __future__ import annotations

import csv
import io
import math
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.report.formats import shown as worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: a leading ``= + - @`` or tab gets an
    apostrophe in front.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def neutralised(text: pl.Expr) -> pl.Expr:
    """Return `neutral` of a column of texts."""
    formula = text.str.contains(f"^[{''.join(_FORMULA).replace('-', '')}-]")
    return pl.when(~formula).then(text).otherwise(pl.lit("'") + text)


def in_words(values: pl.Series, word: Callable[[object], object]) -> pl.Series:
    """Return a column with every value in words: each different one is worded once.

    Nothing stays nothing.
    """
    different = values.drop_nulls().unique()
    if different.is_empty():
        return values.cast(pl.String)
    words = [word(value) for value in different]
    shown = pl.Series([None if each is None else str(each) for each in words], dtype=pl.String)
    return values.replace_strict(different, shown, return_dtype=pl.String)


def rows_in_words(rows: pl.DataFrame, word: Callable[..., str]) -> pl.Series:
    """Return what every row is in words, made of its values: each different row is worded once."""
    different = rows.unique()
    words = [word(*row) for row in different.iter_rows()]
    worded = different.with_columns(in_words=pl.Series(words, dtype=pl.String))
    return rows.join(worded, on=rows.columns, how="left", nulls_equal=True, maintain_order="left")[
        "in_words"
    ]


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


def dutch_column(values: pl.Series, decimals: int = 2) -> pl.Series:
    """Return `dutch_cell` of a column; null for nothing."""
    kind = values.dtype
    if kind.is_float():
        return _decimals(values, decimals)
    if kind.is_integer():
        return values.cast(pl.String)
    if kind == pl.String:
        shown = pl.when(pl.col(values.name) != "").then(neutralised(pl.col(values.name)))
        return values.to_frame().select(shown.alias(values.name)).to_series()
    return in_words(values, dutch_cell)


def _decimals(values: pl.Series, decimals: int) -> pl.Series:
    """Return numbers with so many decimals, as ``f"{value:.2f}"`` rounds them.

    Of Polars only the writer of CSV rounds by a number's exact value; a product with a hundred is
    rounded already.
    """
    column = pl.when(pl.col(values.name).is_finite()).then(pl.col(values.name))
    written = (
        values.to_frame()
        .select(column)
        .write_csv(
            include_header=False, separator=";", float_precision=decimals, decimal_comma=True
        )
    )
    nothing, line = f"0,{'0' * decimals}", pl.col("line")
    shown = pl.when(line == f"-{nothing}").then(pl.lit(nothing)).when(line != "").then(line)
    lines = pl.Series("line", [written.removesuffix("\n")]).str.split("\n").explode()
    return lines.to_frame().select(shown.alias(values.name)).to_series().head(values.len())


def dutch_table(
    heads: Sequence[str], table: pl.DataFrame, decimals: Mapping[str, int] | None = None
) -> bytes:
    """Return `dutch_csv` of a table of values.

    Parameters
    ----------
    decimals
        Column -> how many decimals its numbers get, where that is not two.
    """
    digits = decimals or {}
    cells = [dutch_column(table[name], digits.get(name, 2)) for name in table.columns]
    target = io.BytesIO(dutch_csv(heads, ()))
    target.seek(0, io.SEEK_END)
    pl.DataFrame(cells).write_csv(
        target, include_header=False, separator=";", line_terminator="\r\n"
    )
    return target.getvalue()
