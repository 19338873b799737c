"""What a cell or a heading may be before anything is made of it: signs that can be seen, and not without end."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.core.printable import LONGEST, UNSEEN, printable
from akb.ingest.cells import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES_ROWS = frozenset({"customer", "policy", "main_relation", "household", "package", "number"})
"""Columns in which two texts are two things, however long they are alike."""
_SENTENCES = frozenset({"subject"})
_LONGEST_SENTENCE = 1000


def bounded(cells: pl.DataFrame) -> pl.DataFrame:
    """Return cells without signs that nobody sees, and none longer than a text that is shown.

    What names a customer or a policy keeps apart what is apart: a hash stands for the end that is cut off.
    """
    texts = [column for column in cells if column.dtype == pl.String or isinstance(column.dtype, pl.Categorical)]
    return cells.with_columns(_bounded(column) for column in texts)


def bounded_headings(headings: Sequence[str | None]) -> list[str]:
    """Return headings as they may be looked at and shown."""
    return [printable(heading or "") for heading in headings]


def check_lines(raw: bytes, name: str) -> None:
    """Refuse a file with a line that no table has: it would be held several times over while it is cut into fields.

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
            raise AkbError(f"{name}, line {line}: a line of more than {longest / 1e6:.0f} MB", "This is no table.")
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
            raise AkbError(f"{name}, line {number}: a line of {len(line):,} signs", "This is no table.")


def _bounded(column: pl.Series) -> pl.Series:
    """Return a column as it may be; itself where nothing is to be done, as in nearly every file."""
    longest = _LONGEST_SENTENCE if column.name in _SENTENCES else LONGEST
    distinct = column.unique().drop_nulls().cast(pl.String) if column.dtype != pl.String else column.drop_nulls()
    odd = distinct.filter((distinct.str.len_bytes() > longest) | distinct.str.contains(UNSEEN)).unique()
    if odd.is_empty():
        return column
    seen = odd.str.replace_all(UNSEEN, "")
    return column.cast(pl.String).replace(odd, _cut(seen, longest, hashed=column.name in _NAMES_ROWS))


def _cut(texts: pl.Series, longest: int, *, hashed: bool) -> pl.Series:
    """Return texts of at most `longest` signs."""
    if hashed:
        short = [text if len(text) <= longest else f"{text[: longest - 17]}…{_hash_of(text)}" for text in texts]
        return pl.Series(texts.name, short, dtype=pl.String)
    return (
        texts.to_frame("t")
        .select(
            pl.when(pl.col("t").str.len_chars() <= longest)
            .then(pl.col("t"))
            .otherwise(pl.col("t").str.slice(0, longest - 1) + "…")
            .alias(texts.name)
        )
        .to_series()
    )


def _hash_of(text: str) -> str:
    return blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
