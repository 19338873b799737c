"""Cells that say nothing by the client's own words, and columns of which most cells cannot be
read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.phrases import Listed, Phrase
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import distinct_texts, known, plain, rule
from akb.ingest.columns.matching import needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

DAYS = frozenset(
    {"start", "end", "changed", "renewal", "expiry", "version_date"}
    | {"birth_date", "header_day", "reported", "occurred", "date"}
)
EUROS = frozenset(
    {
        "premium",
        "premium_gross",
        "premium_term",
        "premium_term_gross",
        "commission",
        "commission_term",
        "amount",
    }
)
_LEFT_OUT = (DAYS | EUROS) - {
    "start",
    "end",
    "birth_date",
    "date",
}  # of a birth date a year alone is enough


def without_words(cells: pl.DataFrame, words: Sequence[str]) -> pl.DataFrame:
    """Empty the cells that say one of the words, whatever its case, accents and punctuation."""
    if not words:
        return cells
    texts, keys = {word.strip() for word in words}, {plain(word) for word in words} - {""}
    emptied = []
    for column in cells:
        if column.name == "line":
            continue
        distinct = column.unique().drop_nulls().cast(pl.String)
        gone = [text for text in distinct if text.strip() in texts or plain(text) in keys]
        if gone:
            text = column.cast(pl.String)
            emptied.append(text.set(text.is_in(gone), None))
    return cells.with_columns(emptied)


def legible(column: str, cells: pl.Series, settings: Settings) -> float | None:
    """Return the share of filled cells that are the date or amount that they should be; None for
    other columns.
    """
    if not cells.len():
        return None
    if column in DAYS:
        return (
            1
            - float(read_dates(cells, date_format=settings.ingest.date_format).bad.sum())
            / cells.len()
        )
    if column in EUROS:
        return 1 - read_amounts(cells, decimal=settings.ingest.decimal).unreadable / cells.len()
    return None


def leave_out_unreadable(tables: Sequence[Table], settings: Settings, notes: Notes) -> None:
    """Leave out optional columns of which most cells cannot be read, and name them (AKB-D092)."""
    found: list[Phrase] = []
    for table in tables:
        for column in sorted(_LEFT_OUT & set(table.headings.at)):
            if any(group == [column] for group in needed(table.headings)):
                continue
            cells = _filled(table.texts(column))
            share = (
                legible(column, cells, settings)
                if cells.len() >= rule("losses", "minimum")
                else None
            )
            if share is not None and 1 - share > rule("losses", "share"):
                heading = (table.headings.heading(column) or column)[:40]
                found.append(
                    Phrase("columns.listed.column", {"column": heading, "what": 1 - share})
                )
                _leave_out(table, column)
    if found:
        notes.find("AKB-D092", "issue", len(found), columns=Listed(tuple(found[:10])))


def _filled(texts: pl.Series) -> pl.Series:
    """Return the cells that say something; codes stay codes, which are read faster."""
    if isinstance(texts.dtype, pl.Categorical):
        return texts.filter(distinct_texts(texts).place.is_not_null())
    return known(texts).drop_nulls()


def _leave_out(table: Table, column: str) -> None:
    headings = table.headings
    table.headings = replace(
        headings,
        at={name: place for name, place in headings.at.items() if name != column},
        named={
            heading: None if name == column else name for heading, name in headings.named.items()
        },
    )
    table.cells = table.cells.drop(column)
