"""Dates that a program damaged, put right before they are read: swapped halves, and the century of
two digits.

Opened in an American Excel, ``05-04-2020`` becomes the fourth of May, and ``25-04-2020``, which
cannot be one, stays text. So where no text of a column has a day of 12 or less, and no real date
one of more, day and month of the real dates changed places. An Excel with other settings does the
same to a file with the month in front."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.core.findings import Finding
from akb.ingest.cells.dates import LAST, read_dates, split_dates
from akb.ingest.cells.texts import distinct_texts, known, packed, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.columns.notes import Table

DATES = (
    "start", "end", "changed", "renewal", "expiry", "version_date", "birth_date", "header_day",
    "reported", "occurred",
    "year_start", "date", "from", "deceased",
)  # fmt: skip
_LAST_DAY = 12  # of a date whose halves may change places
_LONG_MONTH = 31


def mend_dates(tables: Sequence[Table], settings: Settings, today: date) -> list[Finding]:
    """Put damaged dates right; changes the cells and returns AKB-D056 and AKB-D057 per table.

    A client's own form of dates is what it is: with ``date_format`` nothing is changed.
    """
    if settings.ingest.date_format:
        return []
    findings = [finding for table in tables for finding in _unswapped(table)]
    policies = [table for table in tables if table.headings.role == "policies"]
    return findings + [finding for table in policies for finding in _in_their_century(table, today)]


def _unswapped(table: Table) -> list[Finding]:
    """Give the real dates of a table back their day and month where they changed places."""
    columns = {name: _halves(table.texts(name)) for name in DATES if name in table.cells.columns}
    if not any(_proves_swap(halves) for halves in columns.values()):
        return []
    swapped = [name for name, halves in columns.items() if _may_be_swapped(halves)]
    rows = sum(_swap(table, name) for name in swapped)
    names = ", ".join((table.headings.heading(name) or name)[:40] for name in swapped)
    return [Finding("AKB-D056", "tip", rows, None, {"columns": names, "file": table.raw.name})]


def _halves(texts: pl.Series) -> pl.DataFrame:
    """Return the distinct dates of a column: of texts ``first`` and ``second``, of real dates ``m``
    and ``d``.
    """
    cells = distinct_texts(texts)
    parts = split_dates(cells).filter(
        ~pl.col("empty") & (pl.col("y").is_not_null() | pl.col("serial").is_not_null())
    )
    serial = pl.lit(date(1899, 12, 30)) + pl.duration(days=pl.col("serial"))
    return parts.select(
        "first", "second", m=pl.coalesce("m", serial.dt.month().cast(pl.Int32)),
        d=pl.coalesce("d", serial.dt.day().cast(pl.Int32)),
    )  # fmt: skip


def _may_be_swapped(halves: pl.DataFrame) -> bool:
    """Say whether nothing in a column speaks against swapped halves: days up to 12 only, and not
    all the same one.
    """
    real = halves.filter(pl.col("d").is_not_null())
    text = halves.filter(pl.col("first").is_not_null())
    plain = (text["first"] > _LAST_DAY) != (text["second"] > _LAST_DAY)
    several = real["d"].n_unique() >= min(rule("dates", "swap_days"), real.height)
    return (
        real.height > 0 and bool((real["d"] <= _LAST_DAY).all()) and several and bool(plain.all())
    )


def _proves_swap(halves: pl.DataFrame) -> bool:
    """Say whether chance cannot have kept all texts above the 12th and all real dates up to it."""
    if not _may_be_swapped(halves):
        return False
    real, text = halves["d"].count(), halves["first"].count()
    in_front = (
        (halves["first"].drop_nulls() > _LAST_DAY).all(),
        (halves["second"].drop_nulls() > _LAST_DAY).all(),
    )
    least = int(rule("dates", "swap_cells"))
    chance = real * math.log(_LAST_DAY / _LONG_MONTH) + text * math.log(1 - _LAST_DAY / _LONG_MONTH)
    enough = (
        real >= least and text >= least and halves["d"].n_unique() >= rule("dates", "swap_days")
    )
    return enough and any(in_front) and chance <= math.log(rule("dates", "swap_chance"))


def _swap(table: Table, name: str) -> int:
    """Swap day and month of the real dates of a column; return how many rows changed."""
    texts = table.texts(name)
    cells = distinct_texts(texts)
    parts = split_dates(cells)
    read = read_dates(cells.texts).values
    real = parts["first"].is_null() & read.is_not_null()
    frame = pl.DataFrame({"day": read, "real": real}).with_columns(
        instead=pl.format(
            "{}-{}-{}",
            pl.col("day").dt.year().cast(pl.String).str.zfill(4),
            pl.col("day").dt.day().cast(pl.String).str.zfill(2),
            pl.col("day").dt.month().cast(pl.String).str.zfill(2),
        )
    )
    other = pl.col("real") & (pl.col("day").dt.month() != pl.col("day").dt.day())
    instead = frame.select(pl.when(other).then("instead")).to_series()
    return _rewrite(table, name, cells.spread(instead))


def _in_their_century(table: Table, today: date) -> list[Finding]:
    """Give ends with two digits of a year the century in which they lie after their start, and
    starts the last one.
    """
    start = read_dates(table.texts("start"))
    rows = 0
    if start.short.any():
        ahead = today.replace(year=today.year + int(rule("dates", "ahead_years")), day=1)
        late = start.short & (start.values > ahead).fill_null(value=False)
        rows += _rewrite(table, "start", _moved(start.values, late, -100))
        start = read_dates(table.texts("start"))
    for name in ("end", "expiry"):
        if name not in table.cells.columns:
            continue
        end = read_dates(table.texts(name), order=start.order)
        if end.short.any():
            endless = known(table.texts(name)).str.contains(r"(?i)^31[-/. ]?(?:12|dec)[-/. ]?99$")
            early = (
                end.short
                & (end.values < start.values).fill_null(value=False)
                & ~endless.fill_null(value=False)
            )
            rows += _rewrite(table, name, _moved(end.values, early, 100))
    return (
        [Finding("AKB-D057", "tip", rows, rows / table.cells.height, {"file": table.raw.name})]
        if rows
        else []
    )


def _moved(days: pl.Series, where: pl.Series, years: int) -> pl.Series:
    """Return the days a century further as text where `where` holds, null elsewhere."""
    frame = pl.DataFrame({"day": days, "where": where}).with_columns(
        day=pl.col("day").dt.offset_by(f"{years}y")
    )
    inside = pl.col("where") & (pl.col("day") <= LAST)
    return frame.select(pl.when(inside).then(pl.col("day").dt.to_string("%Y-%m-%d"))).to_series()


def _rewrite(table: Table, name: str, instead: pl.Series) -> int:
    """Put other texts in a column where there are any; return how many rows changed."""
    changed = instead.len() - instead.null_count()
    if changed:
        texts = pl.DataFrame({"old": table.texts(name).cast(pl.String), "new": instead})
        column = texts.select(pl.coalesce("new", "old").alias(name))
        table.cells = table.cells.with_columns(packed(column)[name])
    return changed
