"""Actual against expected lapse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Experience:
    """Lapse in the closed years, in policies and in revenue, and its trend per year."""

    policy_years: float
    lapses: int
    rate: float | None
    commission_rate: float | None
    ae: float | None
    commission_ae: float | None
    trend: float | None
    trend_low: float | None
    trend_high: float | None


@dataclass(frozen=True)
class BranchExperience(Experience):
    """The same of a branch, with its level against the book and the weight of its own figures."""

    branch: str
    level: float
    limited: float
    buhlmann: float


@dataclass(frozen=True)
class CalendarYear:
    """Actual against expected from the whole years before."""

    year: int
    whole: bool
    lapses: int
    rate: float | None
    ae: float | None
    ae_low: float | None
    ae_high: float | None
    commission_ae: float | None


@dataclass(frozen=True)
class SeasonMonth:
    """Lapses in a month of the year against an even spread over the days at risk."""

    month: int
    index: float | None
    low: float | None
    high: float | None
    index_cents: float | None


@dataclass(frozen=True)
class LapseReview:
    """The review of a portfolio."""

    first: date
    last: date
    closed_years: int
    oldest: int
    dispersion: float
    book: Experience
    branches: tuple[BranchExperience, ...]
    few: int
    calendar: tuple[CalendarYear, ...]
    months: tuple[SeasonMonth, ...]

    @property
    def peak(self) -> SeasonMonth | None:
        """The month that stands out most above an even year; None if none does."""
        above = [row for row in self.months if row.index and row.low is not None and row.low > 1]
        return max(above, key=lambda row: row.index or 0.0, default=None)


@dataclass(frozen=True)
class ActuarialReview:
    """What an actuary can test.

    Parameters
    ----------
    since, until
        The days on which ends were recorded and are closed: (since, until].
    table
        branch, policy_year (a band, ``all`` or ``rest``), year, whole (of a calendar year),
        policy_years, lapses, rate, expected, ae, ae_low, ae_high, commission (euro-years at risk),
        commission_lapsed, commission_expected, commission_ae, limited, buhlmann. Euros at the level
        of X; expected is null while there is no whole year before.
    basis
        branch, policy_year, policy_years, lapses, rate, margin, rate_high, rate_low, source.
    figures
        What the report tells of both.
    """

    since: date
    until: date
    table: pl.DataFrame
    basis: pl.DataFrame
    figures: LapseReview
