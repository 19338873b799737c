"""What speaks against the day of the export: starts behind it, ends that nobody announced, events
that go on.

A day that is wrong makes real leavers announcements, or years of business signed but not begun. So
it is told as an issue, with both clocks and the command that sets the day; a day that was given
with ``--as-of`` is not doubted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.as_of.movements import last_dense_day, usual_rate
from akb.ingest.cells.texts import rule

if TYPE_CHECKING:
    from akb.ingest.as_of.movements import Clocks, Movements

_YEAR = 365
_LEVELS = (91, 182)  # days: an export that holds few months of ends has its level in those


@dataclass(frozen=True)
class Doubt:
    """One thing that speaks against the export's day.

    Parameters
    ----------
    kind
        ``starts``, ``ends``, ``events`` (they go on after it) or ``stop`` (the ends stop long
        before it).
    count, share
        How many, and which share of all starts, ends or events.
    instead
        The day that this speaks for.
    """

    kind: str
    count: int
    share: float
    instead: date


def doubts_of(
    day: date, clocks: Clocks | None, moves: Movements, recorded: pl.Series, today: date
) -> tuple[Doubt, ...]:
    """Return what speaks against the export's day, the heaviest first."""
    if clocks is None:
        return ()
    later = max(
        (each for each in (clocks.starts, clocks.ends) if each and each > day), default=None
    )
    found = (
        _starts(day, later, moves.starts, today),
        _ends(day, later, moves.ends, today),
        _events(day, recorded, today),
        _stop(day, clocks.ends, moves.ends),
    )
    return tuple(doubt for doubt in found if doubt)


def _starts(day: date, later: date | None, starts: pl.Series, today: date) -> Doubt | None:
    after = starts.filter(starts > day)
    share = after.len() / max(starts.len(), 1)
    if after.len() < rule("as_of", "doubt_least") or share <= rule("as_of", "doubt_share"):
        return None
    return Doubt("starts", after.len(), share, later or min(_latest(after), today))


def _ends(day: date, later: date | None, ends: pl.Series, today: date) -> Doubt | None:
    """More ends in the year after the day than announcements explain; ends after today are all
    announced.

    Explained are a usual number in the time of notice, and a tenth of it later.
    """
    last = min(today, day + timedelta(days=_YEAR))
    after = ends.filter((ends > day) & (ends <= last))
    notice = rule("as_of", "stale_days")
    days = min((last - day).days, notice) + 0.1 * max((last - day).days - notice, 0)
    short = [
        int(((ends > day - timedelta(days=length)) & (ends <= day)).sum()) / length
        for length in _LEVELS
    ]
    explained = max(usual_rate(ends, day), *short) * days
    if after.len() < 2 * rule("as_of", "doubt_least") or after.len() <= explained + 2 * math.sqrt(
        explained
    ):
        return None
    return Doubt("ends", after.len(), after.len() / ends.len(), later or _latest(after))


def _events(day: date, recorded: pl.Series, today: date) -> Doubt | None:
    after = recorded.filter(
        (recorded > day + timedelta(days=rule("as_of", "late_days"))) & (recorded <= today)
    )
    share = after.len() / max(recorded.len(), 1)
    if after.len() < rule("as_of", "doubt_least") or share <= rule("as_of", "doubt_share"):
        return None
    return Doubt("events", after.len(), share, last_dense_day(recorded, today) or _latest(after))


def _stop(day: date, clock: date | None, ends: pl.Series) -> Doubt | None:
    """The ends stop so long before the day that it cannot be chance."""
    if clock is None or clock >= day - timedelta(days=rule("as_of", "stale_days")):
        return None
    first = clock + timedelta(days=rule("as_of", "late_days"))
    usual = usual_rate(ends, clock) * (day - first).days
    seen = int(((ends > first) & (ends <= day)).sum())
    if usual < 2 * rule("as_of", "gain") or seen > rule("as_of", "drop") * usual:
        return None
    return Doubt("stop", seen, seen / usual, clock)


def _latest(days: pl.Series) -> date:
    latest = days.max()
    assert isinstance(latest, date)
    return latest
