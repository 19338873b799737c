"""Several deliveries of one book: of which day is each row, and which policies are gone from the
next delivery.

The third road to an end date: a policy that stands in one delivery and not in the next has ended in
between; its end is the first delivery without it."""

from __future__ import annotations

import itertools
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import identifiers, rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

_DAY_FIRST = re.compile(r"(?<!\d)(\d{2})[-_.](\d{2})[-_.](20\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(20\d{2})[-_.]?(\d{2})(?:[-_.]?(\d{2}))?(?!\d)")


@dataclass(frozen=True)
class Snapshots:
    """Days of the deliveries.

    Parameters
    ----------
    days
        All distinct days, ascending; empty unless there are two or more.
    of_table
        Name of a policies table -> day per row; empty unless there are two or more days.
    """

    days: tuple[date, ...] = ()
    of_table: tuple[tuple[str, pl.Series], ...] = ()

    def rows(self, table: Table) -> pl.Series:
        """Return the day of each row of a table; null where there are no deliveries to tell
        apart.
        """
        found = dict(self.of_table).get(table.raw.name)
        return (
            found
            if found is not None
            else pl.repeat(None, table.cells.height, dtype=pl.Date, eager=True)
        )

    def known_at(self, as_of: date) -> tuple[date, ...]:
        """Return the deliveries made by `as_of`; all of them if none was."""
        return tuple(day for day in self.days if day <= as_of) or self.days


def find_snapshots(tables: Sequence[Table], settings: Settings) -> Snapshots:
    """Return the days of the deliveries: of a column with the day, else of the date in the file's
    name.

    Only if every policies table has one, and they differ. A name alone is no proof:
    polissen_2024_01 and _02 may be two parts of one export, or the policies of two years. So files
    are not told apart by names before which their policies start, nor by names before which they
    end unless they hold the same policies."""
    found: dict[str, pl.Series] = {}
    named: dict[date, list[Table]] = {}
    for table in tables:
        if table.headings.role != "policies":
            continue
        rows = read_dates(table.texts("header_day"), date_format=settings.ingest.date_format).values
        if rows.null_count() == rows.len():
            day = day_in_name(table.raw.name)
            rows = pl.repeat(day, table.cells.height, dtype=pl.Date, eager=True)
            named.setdefault(day or date.min, []).append(table)
        found[table.raw.name] = rows
    days = pl.concat([rows.alias("day") for rows in found.values()])
    if not days.len() or days.null_count() or days.n_unique() < 2:
        return Snapshots()
    if named and not _are_deliveries(named, settings):
        return Snapshots()
    return Snapshots(tuple(days.unique().sort()), tuple(found.items()))


def _are_deliveries(named: Mapping[date, Sequence[Table]], settings: Settings) -> bool:
    """Say whether files under names with a day are deliveries of one book on those days."""
    days = sorted(named)
    starts, ends = (_late(named, column, settings) for column in ("start", "end"))
    if starts > rule("snapshots", "late") or len(days) < 2:
        return starts <= rule("snapshots", "late")
    if ends <= rule("snapshots", "late"):
        return True
    both = ["customer", "policy"]
    held = [pl.concat(_numbers(table) for table in named[day]).unique() for day in days]
    return any(
        earlier.join(later, on=both, how="semi").height
        >= rule("snapshots", "shared") * earlier.height
        for earlier, later in itertools.pairwise(held)
    )


def _late(named: Mapping[date, Sequence[Table]], column: str, settings: Settings) -> float:
    """Return the share of the files' dates that lie after the day in the name."""
    form, late, rows = settings.ingest.date_format, 0, 0
    for day, tables in named.items():
        for table in tables:
            days = read_dates(table.texts(column), date_format=form).values.drop_nulls()
            late, rows = late + int((days > day).sum()), rows + days.len()
    return late / max(rows, 1)


def _numbers(table: Table) -> pl.DataFrame:
    return pl.DataFrame(
        {name: identifiers(table.texts(name))[1] for name in ("customer", "policy")}
    )


def day_in_name(name: str) -> date | None:
    """Return the date in a file name (``polissen_2025-10.csv`` is the end of October), None without
    one.
    """
    stem = name.rsplit(".", 1)[0]
    match = _DAY_FIRST.search(stem)
    year, month, day = (match[3], match[2], match[1]) if match else ("", "", "")
    if not match:
        match = _YEAR_FIRST.search(stem)
        if not match:
            return None
        year, month, day = match[1], match[2], match[3] or ""
    if not 1 <= int(month) <= 12:
        return None
    last = monthrange(int(year), int(month))[1]
    return (
        date(int(year), int(month), int(day or last)) if not day or 1 <= int(day) <= last else None
    )


def comparable(seen: pl.DataFrame, days: Sequence[date]) -> tuple[date, ...]:
    """Return the latest run of deliveries that each hold enough of the one before.

    Parameters
    ----------
    seen
        ``spell``, ``snapshot``: which policies stand in which delivery.
    days
        The deliveries, ascending.
    """
    kept = [days[-1]]
    for earlier, later in zip(reversed(days[:-1]), reversed(days[1:]), strict=True):
        before = seen.filter(pl.col("snapshot") == earlier)["spell"].unique()
        after = seen.filter(pl.col("snapshot") == later)["spell"].unique()
        shared = before.is_in(after.implode()).mean()
        if shared is None or float(shared) < rule("snapshots", "shared"):  # type: ignore[arg-type]
            break
        kept.append(earlier)
    return tuple(reversed(kept))


def ends_by_difference(
    kept: pl.DataFrame, seen: pl.DataFrame, days: Sequence[date], notes: Notes
) -> pl.DataFrame:
    """Give policies that are gone from a later delivery their end: the first delivery without them.

    Parameters
    ----------
    kept
        A row per policy with ``spell`` and ``end_date``.
    seen
        ``spell``, ``snapshot``, a row per policy and delivery it stands in.
    days
        Deliveries that are known at X, ascending.
    """
    if len(days) < 2:
        return kept
    series = comparable(seen, days)
    if len(series) < len(days):
        notes.find("AKB-D051", "issue", len(days) - len(series), day=series[0])
    following = dict(itertools.pairwise(series))
    last = seen.group_by("spell").agg(last=pl.col("snapshot").max())
    gone = pl.col("last").replace_strict(following, default=None, return_dtype=pl.Date)
    rows = kept.join(last, on="spell", how="left", maintain_order="left").with_columns(gone=gone)
    derived = (
        pl.col("end_date").is_null()
        & pl.col("gone").is_not_null()
        & (pl.col("gone") > pl.col("start_date"))
    )
    count = int(rows.select(derived.sum()).item())
    notes.find(
        "AKB-D050",
        "tip",
        count,
        count / max(kept.height, 1),
        first=days[0],
        last=days[-1],
        files=len(days),
    )
    return rows.with_columns(end_date=pl.when(derived).then("gone").otherwise("end_date")).drop(
        "last", "gone"
    )
