"""Which as-of dates teach, which choose and which prove: the roles of windows (design.md, Time 5).

Three knowledge days, each of which only uses what was closed by then, so that the evidence replays what akb would have
said on the day T0:

- K1 = T1: the candidates are fitted on the dates closed by T1 and compared on T1's window;
- K0 = T0: the winner is refitted, choices frozen, on the dates closed by T0 and judged on T0's window;
- X: the winner is refitted on every date that is closed by X, and scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from akb.core.dates import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


def months_to_prove(months: int) -> int:
    """Return about how many months of ended policies prove a horizon.

    Twice the horizon (a window that teaches and a later one that tests), and half a year to look back and to wait for
    late registration.
    """
    return 2 * months + 6


def closes_on(as_of: date, months: int, gap_days: int, lag_days: int) -> date:
    """Return the first day on which the window of `as_of` is closed: T + h + G + registration lag."""
    return add_months(as_of, months) + timedelta(days=gap_days + lag_days)


@dataclass(frozen=True)
class Window:
    """One date to be judged, and the dates whose windows were closed on that day."""

    test: date
    train: tuple[date, ...]


@dataclass(frozen=True)
class Phases:
    """The roles of the as-of dates for one horizon.

    choice
        T1 with its training dates; None with a short history: then the documented default is used.
    evidence
        T0 with its training dates; None if nothing was closed on that day: then there is no evidence.
    train
        Every date that is closed at X: the dates of the final fit, ascending.
    earlier
        The latest date closed on T1, with its training dates: like T0 it chose nothing. None with less history.
    """

    as_of: date
    months: int
    choice: Window | None
    evidence: Window | None
    train: tuple[date, ...]
    earlier: Window | None = None

    @property
    def test_dates(self) -> tuple[date, ...]:
        """The dates that can be judged, latest first."""
        return tuple(window.test for window in (self.evidence, self.choice) if window is not None)


def phases(dates: Iterable[date], as_of: date, months: int, gap_days: int, lag_days: int) -> Phases:
    """Return the roles of `dates` when we look from `as_of` (X) over a horizon of `months`.

    Parameters
    ----------
    dates
        The as-of dates of the matrix, in any order; those whose window is not closed are left out.
    """
    grid = sorted(set(dates))

    def closed_by(day: date) -> tuple[date, ...]:
        return tuple(each for each in grid if closes_on(each, months, gap_days, lag_days) <= day)

    def judged(closed: tuple[date, ...]) -> Window | None:
        if not closed:
            return None
        train = closed_by(closed[-1])
        return Window(closed[-1], train) if train else None

    final = closed_by(as_of)
    evidence = judged(final)
    choice = judged(evidence.train) if evidence else None
    return Phases(as_of, months, choice, evidence, final, judged(choice.train) if choice else None)


def yearly_windows(train: Iterable[date], count: int = 3) -> tuple[tuple[date, ...], ...]:
    """Return the last `count` years of training dates, newest first: each date falls in one year, counted back."""
    dates = sorted(set(train), reverse=True)
    if not dates:
        return ()
    years: list[tuple[date, ...]] = []
    for back in range(count):
        upper, lower = add_months(dates[0], -12 * back), add_months(dates[0], -12 * (back + 1))
        year = tuple(sorted(day for day in dates if lower < day <= upper))
        if year:
            years.append(year)
    return tuple(years)
