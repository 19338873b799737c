"""The last day on which an export is complete, by the days that stand in it.

Starts and ends are two clocks. After the day of an export there are still announced ends and signed
starts, but far fewer; a book that no longer sells goes on ending; planned ends lie years ahead.
Each clock stops at a change point: the split of its last two years into "before" and "after" under
which the daily counts are most likely (two Poisson rates), taken only if the days after hold at
most 35 % of the usual number, of the two years and of the last half year, and at most a fifth of
all. A day on which very many come together counts as a few: it says how, not how often. Where both
clocks stop together, both together say the day, or the starts if after them fewer ends than usual
are announced; else the later one that is still credible: what
goes on after the earlier clock goes on as usual, and is not a plan that every policy has."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.ingest.cells.texts import rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WINDOW_DAYS = 730
_HALF_YEAR = 182
_YEAR = 365
_ENOUGH_OTHER_DAYS = 60


@dataclass(frozen=True)
class Movements:
    """What the policies say of days.

    Parameters
    ----------
    starts, ends
        All starts and all ends, a row that is delivered twice counted once; null left out.
    rows
        start, end, explained (a reason stands beside the end): the same, a row per policy.
    """

    starts: pl.Series
    ends: pl.Series
    rows: pl.DataFrame

    @property
    def every(self) -> pl.Series:
        """All starts and ends."""
        return pl.concat([self.starts, self.ends])


@dataclass(frozen=True)
class Clocks:
    """Where the clocks of an export stop.

    Parameters
    ----------
    day
        The day that follows from them.
    starts, ends
        The last day of usual activity in starts and in ends; None where there are too few of them.
    """

    day: date
    starts: date | None
    ends: date | None


def read_clocks(moves: Movements, today: date) -> Clocks | None:
    """Return where the clocks stop, or None if no day lies before `today`."""
    starts = last_dense_day(moves.starts, today)
    together = last_dense_day(moves.every, today)
    if together is None:
        return None
    enough = moves.ends.filter(moves.ends <= today).len() >= rule("as_of", "ends")
    ends = last_dense_day(moves.ends, today) if enough else None
    if starts is None or ends is None:
        return Clocks(together, starts, ends)
    near = timedelta(days=rule("as_of", "stale_days"))
    if (
        abs(starts - ends) <= near
        and min(starts, ends) - near / 2 <= together <= max(starts, ends) + near / 2
    ):
        few = _few_ends(moves.ends, starts, together)
        return Clocks(starts if few else together, starts, ends)
    later = [day for day in (ends, together) if day > starts and not _planned(moves, starts, day)]
    for day, days in ((max(later, default=starts), moves.every), (ends, moves.ends)):
        if day in later and goes_on(days, min(starts, ends), day):
            return Clocks(day, starts, ends)
    return Clocks(starts, starts, ends)


def goes_on(days: pl.Series, since: date, until: date) -> bool:
    """Whether days after `since` come as usual: at least half as many, or too few are usual to miss
    them.

    Looked at is the first year of (since, until], without the month in which everything is still
    announced."""
    first = since + timedelta(days=rule("as_of", "late_days"))
    last = min(until, since + timedelta(days=_YEAR))
    if last <= first:
        return True
    usual = usual_rate(days, since) * (last - first).days
    return (
        usual < rule("as_of", "gain")
        or _between(days, first, last) >= rule("as_of", "as_usual") * usual
    )


def _few_ends(ends: pl.Series, since: date, until: date) -> bool:
    """Whether ends come after the last start, but fewer than usual: those are announced.

    In a small book they are too few for a clear change point, and the last one would be the day.
    The first of the month, on which announced ends pile up, tells nothing here."""
    others = ends.filter(ends.dt.day() != 1)
    usual = usual_rate(others, since) * (until - since).days
    return until > since and _between(others, since, until) < rule("as_of", "as_usual") * usual


def usual_rate(days: pl.Series, until: date) -> float:
    """Return how many there are a day in the two years up to a day."""
    return _between(days, until - timedelta(days=_WINDOW_DAYS), until) / _WINDOW_DAYS


def _between(days: pl.Series, after: date, until: date) -> int:
    return int(((days > after) & (days <= until)).sum())


def _planned(moves: Movements, since: date, until: date) -> bool:
    """Whether the ends after `since` are plans: every running policy has one, or none has a reason
    as the others had.

    A contract of five years has its end on the day that it begins.
    """
    rows, end = moves.rows.filter(pl.col("start") <= since), pl.col("end")
    runs = rows.filter(end.is_null() | (end > since))
    if runs.is_empty() or runs["end"].null_count() < rule("expiry", "open_share") * runs.height:
        return True
    before = rows.filter(end <= since)["explained"].mean()
    after = rows.filter(end > since, end <= until)["explained"].mean()
    return float(before or 0) >= 0.5 and float(after or 0) <= 0.1  # type: ignore[arg-type]


def last_dense_day(days: pl.Series, today: date) -> date | None:
    """Return the last day of usual activity, or None if no day lies before `today`.

    The first of the month, on which starts and ends pile up and are announced, takes no part where
    the other days hold enough of them. Month ends up to three days later are the export's day:
    exports are made then.

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
    """Return the last day before the clearest drop in the daily number of events; the last day
    without one.
    """
    every = np.sort(days.dt.epoch("d").to_numpy())
    ordinals = every[every >= every[int(0.9 * (len(every) - 1))] - _WINDOW_DAYS]
    distinct, raw = np.unique(ordinals, return_counts=True)
    counts = np.minimum(raw, max(rule("as_of", "pile") * float(np.median(raw)), 1.0))
    last, span, total = distinct[-1], distinct[-1] - distinct[0] + 1.0, counts.sum()
    before, length = np.cumsum(counts), distinct - distinct[0] + 1.0
    after, rest = total - before, (last - distinct).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, later = before / length, after / rest
        fit = before * np.log(rate) + np.where(after > 0, after * np.log(later), 0.0)
    usual = np.minimum(rate, _trailing(distinct, before, length))
    drops = (later <= rule("as_of", "drop") * usual) & (rest > 0)
    drops &= length >= min(_HALF_YEAR, span / 3)  # a pile on the first day is no level
    drops &= raw.sum() - np.cumsum(raw) <= rule("as_of", "ahead_share") * len(every)
    gain = np.where(drops, fit - total * np.log(total / span), -np.inf)
    best = int(np.argmax(gain))
    day = distinct[best] if gain[best] >= rule("as_of", "gain") else last
    return date(1970, 1, 1) + timedelta(days=int(day))


def _trailing(
    distinct: NDArray[np.int32], before: NDArray[np.float64], length: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the daily number in the half year up to each day."""
    earlier = np.searchsorted(distinct, distinct - _HALF_YEAR, side="right")
    summed: NDArray[np.float64] = np.concatenate([[0.0], before])
    trailing: NDArray[np.float64] = (before - summed[earlier]) / np.minimum(_HALF_YEAR, length)
    return trailing
