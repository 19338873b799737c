"""Policy lapse, customer churn and commission churn, counted: three figures, side by side, always named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core import relations
from akb.core.relations import YearRates, spells, year_rates

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.types import Portfolio

__all__ = ["YearRates", "closed_year", "closed_years", "spells", "year_rates"]


def closed_years(portfolio: Portfolio, gap_days: int, lag_days: int, at_most: int = 5) -> list[tuple[date, date]]:
    """Return the years (first, last], newest first, that are fully registered; see `akb.core.relations`."""
    return relations.closed_years(portfolio.as_of, portfolio.history.recorded_from, gap_days, lag_days, at_most)


def closed_year(portfolio: Portfolio, gap_days: int, lag_days: int) -> tuple[date, date] | None:
    """Return (first, last] of the newest fully registered 12 months; None where history is shorter."""
    return next(iter(closed_years(portfolio, gap_days, lag_days, at_most=1)), None)
