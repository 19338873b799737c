"""Contracts that run on: an end date on every running policy is the day on which its contract is
renewed, not its end.

Back offices keep a contract's expiry beside the day of cancellation, and some exports give both in
one column. Then hardly any policy is without an end date, and those ahead lie on the day and month
of the start or the renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.findings import Finding
from akb.ingest.as_of.movements import last_dense_day
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import known, rule
from akb.ingest.columns.boxes import read_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.config import Settings
    from akb.ingest.columns.notes import Table

# years after the last usual start; a single premium or a life may end so late, not all on one day
_FAR_YEARS = 10
_NEAR = 3  # days: month ends


def without_expiries(tables: Sequence[Table], settings: Settings, today: date) -> list[Finding]:
    """Empty the end dates that are expiries of contracts; changes the cells and returns AKB-D065
    per table.

    They have no reason and no status that says ended, lie behind the last day on which policies
    usually start, and on the anniversary of their start or renewal. Both must hold for most of the
    policies that seem to run."""
    found = []
    for table in tables:
        if table.headings.role == "policies" and "end" in table.headings.at:
            found += _without_never(table, settings, today)
        if table.headings.role == "policies" and _mostly_filled(known(table.texts("end"))):
            expiry = _expiries(table, settings, today)
            count = 0 if expiry is None else int(expiry.sum())
            if count:
                kept = pl.when(~expiry).then(pl.col("end")).alias("end")  # type: ignore[operator]
                table.cells = table.cells.with_columns(kept)
                params = {
                    "column": (table.headings.heading("end") or "")[:40],
                    "file": table.raw.name,
                }
                found.append(
                    Finding("AKB-D065", "issue", count, count / table.cells.height, params)
                )
    return found


def _without_never(table: Table, settings: Settings, today: date) -> list[Finding]:
    """Empty the one far day on most policies that seem to run (01-01-2099): it says that there is
    no end.
    """
    form = settings.ingest.date_format
    start = read_dates(table.texts("start"), date_format=form)
    end = read_dates(table.texts("end"), date_format=form, order=start.order).values
    last = last_dense_day(start.values.drop_nulls(), today)
    if last is None:
        return []
    ahead = end.drop_nulls().filter(end.drop_nulls() > last)
    if ahead.len() < rule("expiry", "minimum"):
        return []
    day, rows = ahead.value_counts().sort("count", ahead.name, descending=True).row(0)
    if rows < rule("expiry", "share") * ahead.len() or day.year < last.year + _FAR_YEARS:
        return []
    frame = table.cells.with_columns(_never=(end == day).fill_null(value=False))
    table.cells = frame.with_columns(end=pl.when(~pl.col("_never")).then("end")).drop("_never")
    params = {
        "column": (table.headings.heading("end") or "")[:40],
        "file": table.raw.name,
        "day": day,
    }
    return [Finding("AKB-D133", "tip", rows, rows / table.cells.height, params)]


def _mostly_filled(ends: pl.Series) -> bool:
    return ends.len() > 0 and ends.null_count() < rule("expiry", "open_share") * ends.len()


def _expiries(table: Table, settings: Settings, today: date) -> pl.Series | None:
    """Return which rows hold the expiry of a contract as their end; None where ends are ends."""
    form = settings.ingest.date_format
    start = read_dates(table.texts("start"), date_format=form)
    end, renewal = (
        read_dates(table.texts(name), date_format=form, order=start.order).values
        for name in ("end", "renewal")
    )
    last = last_dense_day(start.values.drop_nulls(), today)
    if last is None:
        return None
    rows = pl.DataFrame(
        {
            "start": start.values,
            "end": end,
            "renewal": renewal,
            "reason": known(table.texts("reason")),
            "status": read_status(table.texts("status"), settings).values,
        }
    )
    counted = rows.select(
        runs=pl.col("end").is_null() | (pl.col("end") > last),
        ahead=(pl.col("end") > last).fill_null(value=False),
        expiry=(
            (pl.col("end") > last)
            & pl.col("reason").is_null()
            & (pl.col("status").fill_null("") != "ended")
            & (_anniversary("start") | _anniversary("renewal"))
        ).fill_null(value=False),
    )
    runs, ahead, expiry = (int(counted[name].sum()) for name in ("runs", "ahead", "expiry"))
    usual = (
        ahead >= (1 - rule("expiry", "open_share")) * runs
        and expiry >= rule("expiry", "share") * ahead
    )
    return counted["expiry"] if usual and expiry >= rule("expiry", "minimum") else None


def _anniversary(of: str) -> pl.Expr:
    """Whether the end lies on the day and month of a date, in any later year."""
    day = (pl.col("end").dt.ordinal_day() - pl.col(of).dt.ordinal_day()).abs()
    near = (day <= _NEAR) | (day >= 365 - _NEAR)
    return (near & (pl.col("end") > pl.col(of))).fill_null(value=False)
