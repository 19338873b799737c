"""From which day do we look: X, and the day of the export itself.

``--as-of`` wins. Else the date that the file itself gives. Else the last day on which contacts, claims or changes
were recorded, if there are enough of them. Else the last day of usual activity in starts and ends: after the
export's day there are still announced ends and signed starts, but far fewer. That day is a change point: the split
of the last two years into "before" and "after" under which the counts are most likely (two Poisson rates), taken only
if the days after hold at most 35 % of the usual number and the drop is clear. The first of the month, on which starts
and ends pile up and are announced, takes no part where the other days hold enough of them. Month ends up to three days
later are the export's day: exports are made then.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.errors import AkbError
from akb.ingest.cells import rule
from akb.ingest.dates import read_dates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.notes import Table
    from akb.ingest.snapshots import Snapshots

_RECORDED = {"policies": ("changed",), "claims": ("reported", "occurred"), "contacts": ("date",), "payments": ("date",)}
_WINDOW_DAYS = 730
_ENOUGH_OTHER_DAYS = 60


@dataclass(frozen=True)
class Clock:
    """X and how it was found.

    Parameters
    ----------
    as_of
        X: the last day that counts.
    export_day
        The day of the export itself.
    how
        ``option``, ``header``, ``recorded`` or ``movements``: where `as_of` comes from.
    late
        Days that `as_of` lies after the last recorded day (0 if it does not).
    """

    as_of: date
    export_day: date
    how: str
    late: int = 0

    @property
    def replay(self) -> bool:
        """Whether X lies before the export's own day."""
        return self.as_of < self.export_day

    @property
    def upto(self) -> date | None:
        """X in a replay, else None: cells that can only be later decide nothing."""
        return self.as_of if self.replay else None


def find_clock(
    tables: Sequence[Table], snapshots: Snapshots, settings: Settings, as_of: date | None, today: date
) -> Clock:
    """Return X and the export's own day.

    Raises
    ------
    AkbError
        If ``--as-of`` lies in the future or before the first policy, or no start date can be read.
    """
    if as_of is not None and as_of > today:
        raise AkbError(f"--as-of {as_of.isoformat()} lies in the future", f"Today is {today.isoformat()}.")
    starts, moves = _movements(tables, settings)
    if starts.is_empty():
        table = next(table for table in tables if table.headings.role == "policies")
        raise AkbError(
            f"{table.raw.name}: no readable date in column '{table.headings.heading('start')}'",
            "akb reads 31-12-2025, 2025-12-31, 20251231 and 31-dec-25; set date_format in [ingest] for another form.",
        )
    delivered = [day for day in snapshots.days if day <= today]
    export_day, how = (delivered[-1], "header") if delivered else _export_day(tables, settings, moves, today)
    if export_day is None:
        raise AkbError("every date in the export lies in the future", "Give the day of the export with --as-of.")
    if as_of is None:
        return Clock(export_day, export_day, how)
    if as_of < starts.min():  # type: ignore[operator]
        raise AkbError(
            f"--as-of {as_of.isoformat()} lies before the first policy of the export",
            "Choose a day on which there were policies.",
        )
    if as_of > export_day:
        return Clock(as_of, as_of, "option", (as_of - export_day).days)
    return Clock(as_of, export_day, "option")


def _movements(tables: Sequence[Table], settings: Settings) -> tuple[pl.Series, pl.Series]:
    """Return all starts, and all starts and ends; a row that is delivered twice happened once."""
    rows = []
    for table in tables:
        if table.headings.role == "policies":
            start = read_dates(table.texts("start"), date_format=settings.ingest.date_format)
            end = read_dates(table.texts("end"), date_format=settings.ingest.date_format, order=start.order)
            who, what = (table.texts(name).cast(pl.String) for name in ("customer", "policy"))
            rows.append(pl.DataFrame({"who": who, "what": what, "start": start.values, "end": end.values}))
    once = pl.concat(rows).unique()
    starts = once["start"].drop_nulls().alias("day")
    return starts, pl.concat([starts, once["end"].drop_nulls().alias("day")])


def _export_day(tables: Sequence[Table], settings: Settings, moves: pl.Series, today: date) -> tuple[date | None, str]:
    header = [
        read_dates(table.texts("header_day"), date_format=settings.ingest.date_format).values.drop_nulls()
        for table in tables
        if table.headings.role == "policies"
    ]
    stated = pl.concat([days.alias("day") for days in header]).unique()
    if stated.len() == 1 and stated[0] <= today:
        return stated[0], "header"
    recorded = _recorded(tables, settings)
    dense = last_dense_day(moves, today)
    if recorded.filter(recorded <= today).len() >= rule("as_of", "events"):
        last = last_dense_day(recorded, today)
        if last and (dense is None or last >= dense - timedelta(days=rule("as_of", "stale_days"))):
            return last, "recorded"
    return dense, "movements"


def _recorded(tables: Sequence[Table], settings: Settings) -> pl.Series:
    """Return the days on which something was written down (never ahead of time)."""
    days = [pl.Series("day", [], dtype=pl.Date)]
    for table in tables:
        for column in _RECORDED.get(table.headings.role, ()):
            if column in table.cells.columns:
                found = read_dates(table.texts(column), date_format=settings.ingest.date_format).values
                days.append(found.drop_nulls().alias("day"))
    return pl.concat(days)


def last_dense_day(days: pl.Series, today: date) -> date | None:
    """Return the last day of usual activity, or None if no day lies before `today`.

    Parameters
    ----------
    days
        Days of events, unordered.
    today
        Later days do not count.
    """
    days = days.drop_nulls()
    days = days.filter(days <= today)
    if days.is_empty():
        return None
    others = days.filter(days.dt.day() != 1)
    found = _change_point(others if others.len() >= _ENOUGH_OTHER_DAYS else days)
    month_end = found.replace(day=calendar.monthrange(found.year, found.month)[1])
    near = (month_end - found).days <= rule("as_of", "snap_days") and month_end <= today
    return month_end if near else found


def _change_point(days: pl.Series) -> date:
    """Return the last day before the clearest drop in the daily number of events; the last day without one."""
    ordinals = np.sort(days.dt.epoch("d").to_numpy())
    start = ordinals[int(0.9 * (len(ordinals) - 1))] - _WINDOW_DAYS
    ordinals = ordinals[ordinals >= start]
    distinct, counts = np.unique(ordinals, return_counts=True)
    first, last, total = distinct[0], distinct[-1], counts.sum()
    before, length = np.cumsum(counts), distinct - first + 1.0
    after, rest = total - before, (last - distinct).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, later = before / length, after / rest
        fit = before * np.log(rate) + np.where(after > 0, after * np.log(later), 0.0)
    level = total * np.log(total / (last - first + 1.0))
    drops = (later <= rule("as_of", "drop") * rate) & (rest > 0)
    gain = np.where(drops, fit - level, -np.inf)
    best = int(np.argmax(gain))
    day = distinct[best] if gain[best] >= rule("as_of", "gain") else last
    return date(1970, 1, 1) + timedelta(days=int(day))
