"""Time in the simulator (monthly windows of days) and what the market does in it (premium rises,
good years).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from akb.core.dates import add_months
from akb.sample.parameters import Floats, Parameters

EPOCH = date(1970, 1, 1)
FIRST_YEAR = 1960
LAST_YEAR = 2080
Days = NDArray[np.int32]


def to_day(day: date) -> int:
    """Return the number of days since 1970."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class MonthWindow:
    """The days (after, until] of one step; the first of a month that lies in it; the month and year
    of that first.
    """

    step: int
    after: int
    until: int
    first: int
    month: int
    year: int


def window(as_of: date, step: int, steps_before: int) -> MonthWindow:
    """Return the window of a step: step `steps_before` ends on the as-of date."""
    after = add_months(as_of, step - 1 - steps_before)
    until = add_months(as_of, step - steps_before)
    first = date(until.year, until.month, 1)
    if first <= after:
        first = add_months(first, 1)
    return MonthWindow(
        step, to_day(after), to_day(until), to_day(first), first.month - 1, first.year
    )


_MONTH_FIRSTS = np.array(
    [
        to_day(date(year, month, 1))
        for year in range(FIRST_YEAR, LAST_YEAR)
        for month in range(1, 13)
    ],
    np.int32,
)


def first_of_next_month(days: Days) -> Days:
    """Return the first of a month on or after each day."""
    return _MONTH_FIRSTS[np.searchsorted(_MONTH_FIRSTS, days)]


def month_of(days: Days) -> NDArray[np.int64]:
    """Return the month (0 = January) of each day."""
    return (np.searchsorted(_MONTH_FIRSTS, days, side="right") - 1) % 12


def year_of(days: Days) -> NDArray[np.int64]:
    """Return the year of each day."""
    return (np.searchsorted(_MONTH_FIRSTS, days, side="right") - 1) // 12 + FIRST_YEAR


def day_of_month(days: Days) -> NDArray[np.int64]:
    """Return the day of the month (1-31) of each day."""
    return days - _MONTH_FIRSTS[np.searchsorted(_MONTH_FIRSTS, days, side="right") - 1] + 1


@dataclass(frozen=True)
class Market:
    """Premium rises [year - FIRST_YEAR, slot, insurer] and the market's effect on lapses by year.

    drift: what multiplies lapses on top of that, per step; the last value goes on, empty is one
    everywhere.
    """

    rises: NDArray[np.float64]
    effect: Floats
    drift: Floats = field(default_factory=lambda: np.empty(0, np.float32))

    def lapses(self, w: MonthWindow) -> np.float32:
        """Return what multiplies lapses in a window."""
        last = len(self.drift) - 1
        drift = self.drift[min(w.step - 1, last)] if last >= 0 else np.float32(1)
        return np.float32(self.effect[w.year - FIRST_YEAR] * drift)

    def redrawn(self, p: Parameters, after: int, rng: np.random.Generator) -> Market:
        """Return a market with the same past and another future: nobody knows next year's
        premiums.
        """
        other = draw_market(p, rng)
        known = after + 1 - FIRST_YEAR
        return replace(
            self,
            rises=np.concatenate([self.rises[:known], other.rises[known:]]),
            effect=np.concatenate([self.effect[:known], other.effect[known:]]),
        )


def draw_market(p: Parameters, rng: np.random.Generator) -> Market:
    """Draw premium rises per branch, insurer and year, and the years' effect on lapses.

    The two slots of a branch rise together.
    """
    years = LAST_YEAR - FIRST_YEAR
    branches, insurers = len(p.branches), len(p.book.insurers)
    shape = (years, branches, insurers)
    usual = rng.normal(p.indexation.mean, p.indexation.sd, (years, branches, 1)).clip(0)
    big = rng.uniform(p.indexation.big_low, p.indexation.big_high, shape)
    rises = np.where(rng.random(shape) < p.indexation.big_share, big, usual)
    effect = np.exp(rng.normal(0, p.spread.year, years)).astype(np.float32)
    return Market(rises[:, p.branch_of_slot, :], effect)
