"""Which as-of dates teach, which choose and which prove.

Three days on which akb could have looked, each of which only uses what was closed by then, so that
the evidence replays what akb would have said on the test date:

- the *validation date*: the candidates are fitted on the dates closed by it and compared on its
  window;
- the *test date*: the winner is refitted, choices frozen, on the dates closed by it and judged on
  its window;
- X: the winner is refitted on every date that is closed by X, and scores.

The validation date lies before the test date, so that what chose proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from akb.core.dates import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


def months_to_evaluate(months: int) -> int:
    """Return about how many months of ended policies prove a horizon.

    Twice the horizon (a window that teaches and a later one that tests), and half a year to look
    back and to wait for late registration.

    Examples
    --------
    >>> months_to_evaluate(12)
    30
    """
    return 2 * months + 6


def closes_on(as_of: date, months: int, gap_days: int, lag_days: int) -> date:
    """Return the first day on which the window of `as_of` is closed: T + h + G + registration
    lag.

    Examples
    --------
    >>> from datetime import date
    >>> closes_on(date(2024, 1, 31), 12, 31, 30).isoformat()
    '2025-04-02'
    """
    return add_months(as_of, months) + timedelta(days=gap_days + lag_days)


@dataclass(frozen=True)
class Split:
    """One date to be judged, and the dates whose windows were closed on that day."""

    day: date
    train: tuple[date, ...]


@dataclass(frozen=True)
class TemporalSplits:
    """The roles of the as-of dates for one horizon.

    validation
        The date that chooses, with its training dates; None with a short history: then the
        documented default is used.
    test
        The date that proves, with its training dates; None if nothing was closed on that day: then
        there is no evidence.
    train
        Every date that is closed at X: the dates of the final fit, ascending.
    earlier
        The latest date closed on the validation date, with its training dates: like the test date
        it chose nothing. None with less history.
    """

    as_of: date
    months: int
    validation: Split | None
    test: Split | None
    train: tuple[date, ...]
    earlier: Split | None = None

    @property
    def test_dates(self) -> tuple[date, ...]:
        """The dates that can be judged, latest first."""
        return tuple(split.day for split in (self.test, self.validation) if split is not None)


def temporal_splits(
    dates: Iterable[date], as_of: date, months: int, gap_days: int, lag_days: int
) -> TemporalSplits:
    """Return the roles of `dates` when we look from `as_of` (X) over a horizon of `months`.

    Parameters
    ----------
    dates
        The as-of dates of the matrix, in any order; those whose window is not closed are left out.
    """
    grid = sorted(set(dates))

    def closed_by(day: date) -> tuple[date, ...]:
        return tuple(each for each in grid if closes_on(each, months, gap_days, lag_days) <= day)

    def judged(closed: tuple[date, ...]) -> Split | None:
        if not closed:
            return None
        train = closed_by(closed[-1])
        return Split(closed[-1], train) if train else None

    final = closed_by(as_of)
    test = judged(final)
    validation = judged(test.train) if test else None
    return TemporalSplits(
        as_of, months, validation, test, final, judged(validation.train) if validation else None
    )


def yearly_windows(train: Iterable[date], count: int = 3) -> tuple[tuple[date, ...], ...]:
    """Return the last `count` years of training dates, newest first: each date falls in one year,
    counted back.
    """
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
