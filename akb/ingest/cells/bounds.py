"""What a cell or a heading may be before anything is made of it: signs that can be seen, and not
without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.core.wording.printable import LONGEST, UNSEEN, printable
from akb.ingest.cells.texts import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES_ROWS = frozenset({"customer", "policy", "main_relation", "household", "package", "number"})
"""Columns in which two texts are two things, however long they are alike."""
_SENTENCES = frozenset({"subject"})
_LONGEST_SENTENCE = 1000


def bounded(cells: pl.DataFrame) -> pl.DataFrame:
    """Return cells without signs that nobody sees, and none longer than a text that is shown.

    What names a customer or a policy keeps its end and its length, so that what is apart stays
    apart."""
    odd = _odd(cells)
    return cells.with_columns(_bounded(cells[name]) for name in odd) if odd else cells


def _odd(cells: pl.DataFrame) -> list[str]:
    """Return the columns about which something is to be done: seldom, so that it is asked first,
    of all columns at once.

    A text that is too long is not looked at: a megabyte in each of a million rows takes hours.
    """
    texts = {
        name: pl.col(name) if dtype == pl.String else pl.col(name).unique().cast(pl.String)
        for name, dtype in cells.schema.items()
        if dtype == pl.String or isinstance(dtype, pl.Categorical)
    }
    if not texts:
        return []
    lengths = cells.select(text.str.len_bytes().max().alias(name) for name, text in texts.items())
    long = {
        name
        for name, length in lengths.row(0, named=True).items()
        if length is not None and length > _longest(name)
    }
    short = [text.str.contains(UNSEEN).any() for name, text in texts.items() if name not in long]
    unseen = cells.select(short).row(0, named=True) if short else {}
    return [name for name in texts if name in long or unseen.get(name)]


def _longest(name: str) -> int:
    return _LONGEST_SENTENCE if name in _SENTENCES else LONGEST


def bounded_headings(headings: Sequence[str | None]) -> list[str]:
    """Return headings as they may be looked at and shown."""
    return [printable(heading or "") for heading in headings]


def check_lines(raw: bytes, name: str) -> None:
    """Refuse a file with a line that no table has: it would be held several times over while it is
    cut into fields.

    Raises
    ------
    AkbError
        If so many bytes follow each other without the end of a line.
    """
    at, longest = 0, int(rule("files", "line_bytes"))
    while len(raw) - at > longest:
        end = max(raw.rfind(sign, at, at + longest) for sign in (b"\n", b"\r"))
        if end < 0:
            line = raw.count(b"\n", 0, at) + 1
            raise AkbError(
                f"{name}, line {line}: a line of more than {longest / 1e6:.0f} MB",
                "This is no table.",
            )
        at = end + 1


def check_preview(lines: Sequence[str], name: str) -> None:
    """Refuse a file whose first lines are longer than headings and titles can be.

    Raises
    ------
    AkbError
        If one of them is.
    """
    longest = int(rule("files", "heading_line"))
    for number, line in enumerate(lines, start=1):
        if len(line) > longest:
            raise AkbError(
                f"{name}, line {number}: a line of {len(line):,} signs", "This is no table."
            )


def _bounded(column: pl.Series) -> pl.Series:
    """Return a column as it may be."""
    longest = _longest(column.name)
    texts = column if column.dtype == pl.String else column.unique().drop_nulls().cast(pl.String)
    if (
        texts.str.len_bytes() > longest
    ).any():  # first, for a text may be long and stand on every row
        texts = column = _cut(column.cast(pl.String), longest, whole=column.name in _NAMES_ROWS)
    odd = texts.filter(texts.str.contains(UNSEEN)).unique()
    return (
        column
        if odd.is_empty()
        else column.cast(pl.String).replace(odd, odd.str.replace_all(UNSEEN, ""))
    )


def _cut(texts: pl.Series, longest: int, *, whole: bool) -> pl.Series:
    """Return texts of at most `longest` signs; `whole`: with the end and the length of what was cut
    off.
    """
    cell = pl.col(texts.name)
    if whole:
        short = (
            cell.str.head(longest - 40)
            + "…"
            + cell.str.tail(20)
            + " "
            + cell.str.len_bytes().cast(pl.String)
        )
    else:
        short = cell.str.head(longest - 1) + "…"
    is_long = (cell.str.len_bytes() > longest) & (cell.str.len_chars() > longest)
    return (
        texts.to_frame()
        .select(pl.when(is_long).then(short).otherwise(cell).alias(texts.name))
        .to_series()
    )
