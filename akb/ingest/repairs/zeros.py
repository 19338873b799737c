"""Numbers that lost their leading zeros: one file went through a spreadsheet, the other did not.

A relation 0001005 in the policies is the 1005 of the contacts. Where two files write the digits of
a number differently, they are one, in the longest way of writing; two ways in one file are two
numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.findings import Finding
from akb.ingest.cells.texts import distinct_with, identifiers, packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.columns.notes import Table

_NUMBERS = ("customer", "policy")


def restore_zeros(tables: Sequence[Table]) -> list[Finding]:
    """Give numbers the zeros that they have in another file; changes the cells and returns AKB-D063
    per column.
    """
    found: list[Finding] = []
    if len(tables) < 2:
        return found
    for column in _NUMBERS:
        written = {place: _written(table, column) for place, table in enumerate(tables)}
        ways = _ways(
            pl.concat(frame.with_columns(table=pl.lit(place)) for place, frame in written.items())
        )
        if ways.is_empty():
            continue
        for place, table in enumerate(tables):
            mended = written[place].join(ways, on="bare").filter(pl.col("key") != pl.col("whole"))
            if mended.is_empty():
                continue
            texts = table.cells[column].cast(pl.String)
            rows = int(texts.is_in(mended["text"].implode()).sum())
            instead = texts.replace(mended["text"], mended["whole"]).alias(column)
            table.cells = table.cells.with_columns(packed(instead.to_frame())[column])
            heading = (table.headings.heading(column) or "")[:40]
            params = {"file": table.raw.name, "column": heading}
            found.append(Finding("AKB-D063", "tip", rows, rows / table.cells.height, params))
    return found


def _written(table: Table, column: str) -> pl.DataFrame:
    """Return the distinct numbers of a table: text as it stands, key to join on, and the key
    without zeros.
    """
    distinct = distinct_with(table.texts(column), "^[^A-Za-z]*$")  # the others keep their letters
    _, key = identifiers(distinct, table.to_the_letter.get(column, frozenset()))
    frame = pl.DataFrame(
        {"text": distinct, "key": key}, schema={"text": pl.String, "key": pl.String}
    )
    return frame.filter(pl.col("key").str.contains(r"^\d+$")).with_columns(
        bare=pl.col("key").str.strip_chars_start("0")
    )


def _ways(written: pl.DataFrame) -> pl.DataFrame:
    """Return bare -> whole, of the numbers that are written in several ways, but in one way within
    each file.
    """
    once = written.select("bare", "key").unique()
    twice = once.filter(pl.col("bare").is_duplicated())["bare"]
    if twice.is_empty():
        return pl.DataFrame(schema={"bare": pl.String, "whole": pl.String})
    ways = written.filter(pl.col("bare").is_in(twice.implode()))
    ways = ways.select("table", "bare", "key").unique()
    within = ways.group_by("bare", "table").len().filter(pl.col("len") > 1)["bare"]
    several = ways.group_by("bare").agg(
        ways=pl.col("key").n_unique(),
        whole=pl.col("key").sort_by(pl.col("key").str.len_chars(), "key").last(),
    )
    return several.filter(
        pl.col("ways") > 1, ~pl.col("bare").is_in(within.implode()), pl.col("bare") != ""
    ).select("bare", "whole")
