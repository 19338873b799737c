"""Relations that ended long ago: nobody needs them, so by default they are left out and counted.

That moves the start of the record. Before X minus so many years only those who stayed are left, as
in any export of survivors, so the recorded history begins on that day at the earliest: from then on
everybody who was there is in it, because who was in force on a later day ended later."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.as_of.run import IngestRun
    from akb.ingest.columns.notes import Notes, Table

REASON = "ended_long_ago"


def long_ended(
    rows: pl.DataFrame, relations: pl.DataFrame, clock: Clock, settings: Settings
) -> tuple[pl.Series, date]:
    """Return the keys of the relations whose customer had its last end before X minus the years
    kept, and that day.

    Parameters
    ----------
    rows
        Policy rows as of X: key, end_date.
    relations
        key, unit: a household ends with its last relation.
    clock
        X.
    settings
        ``time.keep_ended_years``.
    """
    day = add_months(clock.as_of, -12 * settings.time.keep_ended_years)
    units = rows.select("key", "end_date").join(relations.select("key", "unit"), on="key")
    ended = units.group_by("unit").agg(
        open=pl.col("end_date").null_count() > 0, last=pl.col("end_date").max()
    )
    gone = ended.filter(~pl.col("open"), pl.col("last") <= day)["unit"]
    return relations.filter(pl.col("unit").is_in(gone.implode()))["key"], day


def leave_out(
    tables: Sequence[Table],
    rows: pl.DataFrame,
    relations: pl.DataFrame,
    run: IngestRun,
) -> tuple[pl.DataFrame, pl.DataFrame, date | None]:
    """Leave out the relations that ended long ago; every row of theirs in every file is rejected.

    Returns
    -------
    The policy rows and relations that stay, and the day before which the record holds only those
    who stayed; None where nobody was left out. With ``keep_ended_years = 0`` everybody stays."""
    clock, settings, notes = run.clock, run.settings, run.notes
    if not settings.time.keep_ended_years:
        return rows, relations, None
    keys, day = long_ended(rows, relations, clock, settings)
    if keys.is_empty():
        return rows, relations, None
    of_them = pl.col("key").is_in(keys.implode())
    named = pl.concat([keys, _members(rows, of_them)])  # of a contract its members stand in files
    numbers = rows.filter(of_them)["number"].unique()
    numbers = numbers.filter(~numbers.is_in(rows.filter(~of_them)["number"].implode()))
    for table in tables:
        _reject(table, named, numbers, notes)
    notes.find(
        "AKB-D073",
        "tip",
        keys.len(),
        keys.len() / relations.height,
        years=settings.time.keep_ended_years,
        day=day,
    )
    return rows.filter(~of_them), relations.filter(~of_them), day


def _members(rows: pl.DataFrame, of_them: pl.Expr) -> pl.Series:
    """Return the keys of members who were in these contracts and nowhere else."""
    if "member" not in rows.columns:
        return pl.Series("key", [], dtype=pl.String)
    stay = rows.filter(~of_them).select(pl.concat_list("key", "member").explode())["key"]
    gone = rows.filter(of_them)["member"].drop_nulls().unique().alias("key")
    return gone.filter(~gone.is_in(stay.drop_nulls().unique().implode()))


def _reject(table: Table, keys: pl.Series, numbers: pl.Series, notes: Notes) -> None:
    """Put the rows of these relations aside that were not rejected before; what is left is the
    table.
    """
    _, key = table.identifiers("customer")
    _, number = table.identifiers("policy")
    theirs = key.is_in(keys.implode()) | (key.is_null() & number.is_in(numbers.implode()))
    theirs = theirs.fill_null(value=False)
    column = next(
        (name for name in ("end", "customer", "policy") if name in table.headings.at), None
    )
    before = notes.all_rejects().filter(pl.col("file") == table.raw.name)["line"]
    cells = table.cells.filter(theirs)
    notes.reject(table, cells.filter(~pl.col("line").is_in(before.implode())), column, REASON)
    table.cells = table.cells.filter(~theirs)
