"""Annex: the actuary's review of lapse. The whole tables stand in ``actuarial/``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context


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
    name: str
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
class ActuarialFacts(Facts):
    """Actual against expected lapse; None where not one whole year of ends was recorded."""

    KEY: ClassVar[str] = "actuarial"

    review: LapseReview | None


def facts(context: Context) -> ActuarialFacts:
    """Return the review of the run."""
    value = context.bundle.value
    found = value.actuarial if value else None
    if found is None:
        return ActuarialFacts(None)
    branches = [
        {**row, "name": context.branch_name(row["branch"])} for row in found.figures["branches"]
    ]
    return made(ActuarialFacts, {"review": {**found.figures, "branches": branches}})


FACTS = (facts,)
