"""What came back is no claim: recoveries, salvage and corrections in a list of claims.

A row is one if its amount is below zero where claims are above it, or if it is called one. Where
nearly all amounts are below zero the sign is the bookkeeper's, and the few above it came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.texts import distinct_texts, plain, rules
from akb.ingest.columns.notes import texts_of
from akb.ingest.money_conventions.thresholds import ENOUGH
from akb.ingest.money_conventions.writing import say_forms

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

RECOVERY = "recovery"
_TURNED = 0.9  # so many of the amounts below zero: the sign means something else


def without_recoveries(
    table: Table, rows: pl.DataFrame, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Return the rows of claims with ``_cents`` (what each cost), without what came back.

    That is rejected and reported (AKB-D126). A row that counts its claims itself is left as it is.
    """
    amounts = read_amounts(texts_of(rows, "amount"), decimal=settings.ingest.decimal)
    notes.count_unreadable("amount", amounts.unreadable)
    say_forms(amounts, "amount", table, notes)
    if "number" in table.headings.at:
        return rows.with_columns(_cents=amounts.cents)
    rows = rows.with_columns(_cents=_with_usual_sign(amounts.cents), _called=_called(rows))
    which = rows.select(
        ((pl.col("_cents") < 0) | pl.col("_called")).fill_null(value=False)
    ).to_series()
    count = int(which.sum())
    if count:
        back = rows.filter(which)
        notes.reject(table, back, "amount" if "amount" in table.headings.at else "kind", RECOVERY)
        euros = int(back["_cents"].abs().sum() or 0) // 100
        notes.find("AKB-D126", "tip", count, count / rows.height, file=table.raw.name, euros=euros)
    return rows.filter(~which).drop("_called")


def _with_usual_sign(cents: pl.Series) -> pl.Series:
    """Return the amounts with the sign turned where nearly all are below zero."""
    filled, below = int((cents != 0).sum()), int((cents < 0).sum())
    return -cents if filled >= ENOUGH and below >= _TURNED * filled else cents


def _called(rows: pl.DataFrame) -> pl.Series:
    """Say which rows are called a recovery."""
    cells = distinct_texts(texts_of(rows, "kind"))
    words = set(rules().values["claim"]["recovery"])
    return cells.spread(
        pl.Series(
            [not words.isdisjoint(plain(text).split()) for text in cells.texts], dtype=pl.Boolean
        )
    )
