"""From which day do we look: X, and the day of the export itself.

``--as-of`` wins. Else the date that the file itself gives. Else the last day on which contacts,
claims or changes were recorded, if there are enough of them and the policies do not stop long
before. Else the day on which the clocks of starts and ends stop (`akb.ingest.as_of.movements`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.ingest.as_of.doubts import Doubt, doubts_of
from akb.ingest.as_of.movements import Movements, goes_on, last_dense_day, read_clocks
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import known, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.as_of.movements import Clocks
    from akb.ingest.as_of.snapshots import Snapshots
    from akb.ingest.columns.notes import Table

_RECORDED = {
    "policies": ("changed",),
    "claims": ("reported", "occurred"),
    "contacts": ("date",),
    "payments": ("date",),
}


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
    starts, ends
        The last day of usual activity in starts and in ends; None where there are too few.
    doubts
        What speaks against the day; nothing where it was given.
    """

    as_of: date
    export_day: date
    how: str
    late: int = 0
    starts: date | None = None
    ends: date | None = None
    doubts: tuple[Doubt, ...] = ()

    @property
    def replay(self) -> bool:
        """Whether X lies before the export's own day."""
        return self.as_of < self.export_day

    @property
    def upto(self) -> date | None:
        """X in a replay, else None: cells that can only be later decide nothing."""
        return self.as_of if self.replay else None


def find_clock(
    tables: Sequence[Table],
    snapshots: Snapshots,
    settings: Settings,
    as_of: date | None,
    today: date,
) -> Clock:
    """Return X and the export's own day.

    Raises
    ------
    AkbError
        If ``--as-of`` lies in the future or before the first policy, or no start date can be read.
    """
    if as_of is not None and as_of > today:
        raise AkbError(
            f"--as-of {as_of.isoformat()} lies in the future", f"Today is {today.isoformat()}."
        )
    moves = movements(tables, settings)
    if moves.starts.is_empty():
        table = next(table for table in tables if table.headings.role == "policies")
        raise AkbError(
            f"{table.raw.name}: no readable date in column '{table.headings.heading('start')}'",
            "akb reads 31-12-2025, 2025-12-31, 20251231 and 31-dec-25; set date_format in "
            "[ingest] for another form.",
        )
    clocks = read_clocks(moves, today)
    delivered = [day for day in snapshots.days if day <= today]
    export_day, how = (
        (delivered[-1], "header")
        if delivered
        else _export_day(tables, settings, moves, clocks, today)
    )
    if export_day is None:
        raise AkbError(
            "every date in the export lies in the future",
            "Give the day of the export with --as-of.",
        )
    starts, ends = (clocks.starts, clocks.ends) if clocks else (None, None)
    if as_of is None:
        doubts = doubts_of(export_day, clocks, moves, recorded_days(tables, settings), today)
        return Clock(export_day, export_day, how, 0, starts, ends, doubts)
    if as_of < moves.starts.min():  # type: ignore[operator]
        raise AkbError(
            f"--as-of {as_of.isoformat()} lies before the first policy of the export",
            "Choose a day on which there were policies.",
        )
    late = 0
    if as_of > export_day:
        late = max((as_of - max(day for day in (export_day, starts, ends) if day)).days, 0)
    return Clock(as_of, max(as_of, export_day), "option", late, starts, ends)


def movements(tables: Sequence[Table], settings: Settings) -> Movements:
    """Return what the policies say of days; a row that is delivered twice happened once."""
    rows = []
    for table in tables:
        if table.headings.role == "policies":
            start = read_dates(table.texts("start"), date_format=settings.ingest.date_format)
            end = read_dates(
                table.texts("end"), date_format=settings.ingest.date_format, order=start.order
            )
            who, what = (table.texts(name).cast(pl.String) for name in ("customer", "policy"))
            explained = known(table.texts("reason")).is_not_null()
            columns = {
                "who": who,
                "what": what,
                "start": start.values,
                "end": end.values,
                "explained": explained,
            }
            rows.append(pl.DataFrame(columns))
    once = pl.concat(rows).unique(["who", "what", "start", "end"])
    starts, ends = (once[name].drop_nulls().alias("day") for name in ("start", "end"))
    return Movements(starts, ends, once.select("start", "end", "explained"))


def _export_day(
    tables: Sequence[Table],
    settings: Settings,
    moves: Movements,
    clocks: Clocks | None,
    today: date,
) -> tuple[date | None, str]:
    header = [
        read_dates(
            table.texts("header_day"), date_format=settings.ingest.date_format
        ).values.drop_nulls()
        for table in tables
        if table.headings.role == "policies"
    ]
    stated = pl.concat([days.alias("day") for days in header]).unique()
    if stated.len() == 1 and stated[0] <= today:
        return stated[0], "header"
    day = clocks.day if clocks else None
    recorded = recorded_days(tables, settings)
    if recorded.filter(recorded <= today).len() >= rule("as_of", "events"):
        last = last_dense_day(recorded, today)
        if last and (day is None or _belongs(tables, settings, moves, day, last)):
            return last, "recorded"
    return day, "movements"


def _belongs(
    tables: Sequence[Table], settings: Settings, moves: Movements, day: date, last: date
) -> bool:
    """Whether what was recorded until `last` is of the same export as policies that move until
    `day`.

    It may not stop long before. Contacts and claims that go on long after are of a later export
    than the policies, unless so few of these move that nothing is missed; a policy that was changed
    on a day was there on that day."""
    stale = timedelta(days=rule("as_of", "stale_days"))
    if last <= day + stale:
        return last >= day - stale
    changed = recorded_days(
        [table for table in tables if table.headings.role == "policies"], settings
    )
    return changed.filter((changed > day) & (changed <= last)).len() >= rule(
        "as_of", "events"
    ) or goes_on(moves.every, day, last)


def recorded_days(tables: Sequence[Table], settings: Settings) -> pl.Series:
    """Return the days on which something was written down (never ahead of time)."""
    days = [pl.Series("day", [], dtype=pl.Date)]
    for table in tables:
        for column in _RECORDED.get(table.headings.role, ()):
            if column in table.cells.columns:
                found = read_dates(
                    table.texts(column), date_format=settings.ingest.date_format
                ).values
                days.append(found.drop_nulls().alias("day"))
    return pl.concat(days)
