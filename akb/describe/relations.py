"""What has happened: relations and their ends, closed years, and the three figures that people call
'verloop'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import OPEN, begins_relation, covers, in_force

if TYPE_CHECKING:
    from akb.ingest.types import Portfolio

_CAUSE_ORDER = {"natural": 0, "insurer": 1, "preventable": 2, "unknown": 3, "technical": 4}


@dataclass(frozen=True)
class YearRates:
    """What happened in (first, last] to those in force on `first`.

    Commission in cents, all of it at the level of the export's day (see `revenue.with_level`); None
    where unknown."""

    first: date
    last: date
    policies: int
    lapsed: int
    customers: int
    left: int
    natural: int
    commission: int | None
    commission_lost: int | None

    @property
    def policy_lapse(self) -> float:
        """Royementspercentage."""
        return self.lapsed / self.policies if self.policies else 0.0

    @property
    def customer_churn(self) -> float:
        """Klantverloop."""
        return self.left / self.customers if self.customers else 0.0

    @property
    def commission_churn(self) -> float | None:
        """Provisieverloop."""
        if not self.commission or self.commission_lost is None:
            return None
        return self.commission_lost / self.commission

    def row(self) -> dict[str, Any]:
        """Return the three figures with their counts; None where there was nothing to count."""
        return {
            "from": self.first,
            "to": self.last,
            "customers": self.customers,
            "left": self.left,
            "customer_churn": self.customer_churn if self.customers else None,
            "policies": self.policies,
            "lapsed": self.lapsed,
            "policy_lapse": self.policy_lapse if self.policies else None,
            "commission_cents": self.commission,
            "commission_lost_cents": self.commission_lost if self.commission else None,
            "commission_churn": self.commission_churn,
        }


def is_lapse(last: date | pl.Expr) -> pl.Expr:
    """Return whether a policy has lapsed by `last`: ended, not technically, not continued by
    another policy.
    """
    real = (pl.col("cause").fill_null("unknown") != "technical") & pl.col("replaced_on").is_null()
    return ((pl.col("end_date") <= last) & real).fill_null(value=False)


def spells(policies: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return every unbroken relation: customer, start, end (first day without a policy; null:
    open), reason, cause.

    A gap of at most `gap_days` does not break a relation. Reason and cause are of the end that
    empties it; on ties natural goes before insurer, preventable, unknown. A relation that only
    ended technically has cause ``technical`` and is no churn."""
    table = policies.select(
        "customer", "start_date", "reason", "cause", until=pl.col("end_date").fill_null(OPEN)
    ).sort("customer", "start_date", "until")
    start, until = (table[name].to_physical().to_numpy() for name in ("start_date", "until"))
    new = begins_relation(table["customer"].to_numpy(), start, until, gap_days)
    first = np.flatnonzero(new)
    last = np.maximum.reduceat(until, first) if len(first) else until
    whole = (
        table[first]
        .select("customer", start="start_date")
        .with_columns(end=pl.Series(last, dtype=pl.Int32).cast(pl.Date))
        .with_row_index("spell")
    )
    empties = (until == np.repeat(last, np.diff(first, append=len(until)))) & (
        table["until"] < OPEN
    ).to_numpy()
    rank = pl.col("cause").replace_strict(_CAUSE_ORDER, default=3, return_dtype=pl.Int8)
    emptying = (
        table.select("reason", "cause", spell=pl.Series(np.cumsum(new) - 1, dtype=pl.UInt32))
        .filter(pl.Series(empties))
        .with_columns(rank=rank)
        .sort("spell", "rank", "reason", nulls_last=True)
        .unique("spell", keep="first", maintain_order=True)
        .select("spell", "reason", cause=pl.col("cause").fill_null("unknown"))
    )
    return (
        whole.join(emptying, on="spell", how="left", maintain_order="left")
        .with_columns(end=pl.when(pl.col("end") < OPEN).then(pl.col("end")))
        .drop("spell")
    )


def fully_registered_years(
    as_of: date, recorded: date | None, gap_days: int, lag_days: int, at_most: int = 5
) -> list[tuple[date, date]]:
    """Return the years (first, last], newest first, that are fully registered; none where history
    is shorter.

    The newest ends gap + registration lag before X, so that no departure is counted that a later
    start would undo.

    Parameters
    ----------
    as_of, recorded
        X, and the first day from which ended policies are recorded.
    """
    last = as_of - timedelta(days=gap_days + lag_days)
    years: list[tuple[date, date]] = []
    while (
        recorded is not None
        and len(years) < at_most
        and recorded <= (first := add_months(last, -12))
    ):
        years.append((first, last))
        last = first
    return years


def leavers(relations: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return the relations open on `first`, with ``left`` true where they ended in (first, last],
    not technically.
    """
    open_then = (pl.col("start") <= first) & (pl.col("end").is_null() | (pl.col("end") > first))
    left = pl.col("end").is_not_null() & (pl.col("end") <= last) & (pl.col("cause") != "technical")
    return relations.filter(open_then).with_columns(left=left.fill_null(value=False))


def year_rates(
    policies: pl.DataFrame, relations: pl.DataFrame, first: date, last: date
) -> YearRates:
    """Return the three figures of (first, last], with the counts behind them; `policies` have
    ``level_cents``.

    All three follow who and what was in force on `first`. A subscription is no policy, but whoever
    has one is a customer, and what it brings counts.
    """
    held = in_force(policies, first)
    lapsed = held.filter(is_lapse(last))
    then = leavers(relations, first, last).filter(
        pl.col("customer").is_in(held["customer"].unique().implode())
    )
    left = then.filter("left")
    known = held["level_cents"].null_count() < held.height
    return YearRates(
        first=first,
        last=last,
        policies=covers(held).height,
        lapsed=covers(lapsed).height,
        customers=then.height,
        left=left.height,
        natural=left.filter(pl.col("cause") == "natural").height,
        commission=int(held["level_cents"].sum()) if known else None,
        commission_lost=int(lapsed["level_cents"].sum()) if known else None,
    )


def closed_years(
    portfolio: Portfolio, gap_days: int, lag_days: int, at_most: int = 5
) -> list[tuple[date, date]]:
    """Return the years (first, last], newest first, that are fully registered: all ends in them are
    recorded.
    """
    return fully_registered_years(
        portfolio.as_of, portfolio.history.recorded_from, gap_days, lag_days, at_most
    )


def closed_year(portfolio: Portfolio, gap_days: int, lag_days: int) -> tuple[date, date] | None:
    """Return (first, last] of the newest fully registered 12 months; None where history is
    shorter.
    """
    return next(iter(closed_years(portfolio, gap_days, lag_days, at_most=1)), None)


def announced(portfolio: Portfolio, relations: pl.DataFrame) -> pl.DataFrame:
    """Return the open relations whose end is already known: customer, end."""
    day = portfolio.as_of
    return relations.filter(
        (pl.col("start") <= day) & (pl.col("end") > day) & (pl.col("cause") != "technical")
    ).select("customer", "end")
