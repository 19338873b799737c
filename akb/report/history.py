"""What has happened, as the report tells it: closed years, the three figures of a year, and announced leavers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core import relations as counted
from akb.core.relations import in_force, leavers, spells

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.types import Portfolio

__all__ = ["announced", "closed_years", "in_force", "leavers", "spells", "year_rates"]


def closed_years(portfolio: Portfolio, gap_days: int, lag_days: int, at_most: int = 5) -> list[tuple[date, date]]:
    """Return the closed years (from, to], newest first: all ends in them are known and recorded."""
    return counted.closed_years(portfolio.as_of, portfolio.history.recorded_from, gap_days, lag_days, at_most)


def year_rates(policies: pl.DataFrame, relations: pl.DataFrame, first: date, last: date) -> dict[str, Any]:
    """Return policy lapse, customer churn and commission churn of (first, last], with their counts.

    Commission is all recurring revenue at the level of X (``level_cents``), in cents; None where unknown.
    """
    year = counted.year_rates(policies, relations, first, last)
    return {
        "from": first,
        "to": last,
        "customers": year.customers,
        "left": year.left,
        "customer_churn": year.customer_churn if year.customers else None,
        "policies": year.policies,
        "lapsed": year.lapsed,
        "policy_lapse": year.policy_lapse if year.policies else None,
        "commission_cents": year.commission,
        "commission_lost_cents": year.commission_lost if year.commission else None,
        "commission_churn": year.commission_churn,
    }


def announced(portfolio: Portfolio, relations: pl.DataFrame) -> pl.DataFrame:
    """Return the open relations whose end is already known: customer, end."""
    day = portfolio.as_of
    return relations.filter((pl.col("start") <= day) & (pl.col("end") > day) & (pl.col("cause") != "technical")).select(
        "customer", "end"
    )
