"""What came back is no claim: recoveries, salvage and corrections in a list of claims.

A row is one if its amount is below zero where claims are above it, or if it is called one. Where nearly all amounts are
below zero the sign is the bookkeeper's, and the few above it came back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.amounts import read_amounts
from akb.ingest.bases import ENOUGH
from akb.ingest.cells import plain, rules, told
from akb.ingest.notes import texts_of

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.notes import Notes, Table

RECOVERY = "recovery"
_TURNED = 0.9  # so many of the amounts below zero: the sign means something else


def without_recoveries(table: Table, rows: pl.DataFrame, settings: Settings, notes: Notes) -> pl.DataFrame:
    """Return the rows of claims without what came back, which is rejected and reported (AKB-D126).

    A row that counts its claims itself is left as it is.
    """
    if "number" in table.headings.at:
        return rows
    cents = claim_cents(rows, settings)
    back = pl.DataFrame({"cents": cents, "called": _called(rows)}).select(
        ((pl.col("cents") < 0) | pl.col("called")).fill_null(value=False)
    )
    which = back.to_series()
    count = int(which.sum())
    if not count:
        return rows
    notes.reject(table, rows.filter(which), "amount" if "amount" in table.headings.at else "kind", RECOVERY)
    euros = int(cents.filter(which).abs().sum() or 0) // 100
    notes.find("AKB-D126", "tip", count, count / rows.height, file=table.raw.name, euros=euros)
    return rows.filter(~which)


def claim_cents(rows: pl.DataFrame, settings: Settings) -> pl.Series:
    """Return what each claim cost, whatever sign the bookkeeper gives it."""
    cents = read_amounts(texts_of(rows, "amount"), decimal=settings.ingest.decimal).cents
    filled = int((cents != 0).sum())
    below = int((cents < 0).sum())
    return -cents if filled >= ENOUGH and below >= _TURNED * filled else cents


def _called(rows: pl.DataFrame) -> pl.Series:
    """Say which rows are called a recovery."""
    cells = told(texts_of(rows, "kind"))
    words = set(rules().values["claim"]["recovery"])
    return cells.spread(
        pl.Series([not words.isdisjoint(plain(text).split()) for text in cells.texts], dtype=pl.Boolean)
    )
