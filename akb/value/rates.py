"""Policy lapse, customer churn and commission churn, counted: three figures, side by side, always named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.value.base import OPEN, in_force
from akb.value.commission import is_lapse

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.types import Portfolio

CAUSES = ("natural", "insurer", "preventable", "unknown")
_CAUSE_ORDER = {cause: place for place, cause in enumerate((*CAUSES, "technical"))}


@dataclass(frozen=True)
class YearRates:
    """What happened in (first, last] to those in force on `first`. Commission in cents; None where unknown."""

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


def spells(policies: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return every unbroken relation: customer, start, end (first day without a policy; null: open), reason, cause.

    A gap of at most `gap_days` does not break a relation. Reason and cause are of the end that empties it; on ties
    natural goes before insurer, preventable, unknown.
    """
    numbered = (
        policies.select("customer", "start_date", "reason", "cause", until=pl.col("end_date").fill_null(OPEN))
        .sort("customer", "start_date", "until")
        .with_columns(before=pl.col("until").cum_max().shift(1).over("customer"))
        .with_columns(
            breaks=(pl.col("start_date") > pl.col("before") + timedelta(days=gap_days)).fill_null(value=False)
        )
        .with_columns(spell=pl.col("breaks").cast(pl.Int32).cum_sum().over("customer"))
    )
    whole = numbered.group_by("customer", "spell").agg(start=pl.col("start_date").min(), end=pl.col("until").max())
    rank = pl.col("cause").replace_strict(_CAUSE_ORDER, default=3, return_dtype=pl.Int8)
    emptying = (
        numbered.join(whole, on=["customer", "spell"])
        .filter((pl.col("until") == pl.col("end")) & (pl.col("end") < OPEN))
        .with_columns(rank=rank)
        .sort("customer", "spell", "rank", "reason", nulls_last=True)
        .unique(["customer", "spell"], keep="first", maintain_order=True)
        .select("customer", "spell", "reason", cause=pl.col("cause").fill_null("unknown"))
    )
    return (
        whole.join(emptying, on=["customer", "spell"], how="left")
        .with_columns(end=pl.when(pl.col("end") < OPEN).then(pl.col("end")))
        .sort("customer", "start")
        .drop("spell")
    )


def closed_years(portfolio: Portfolio, gap_days: int, lag_days: int, at_most: int = 5) -> list[tuple[date, date]]:
    """Return the years (first, last], newest first, that are fully registered; none where history is shorter.

    The newest ends gap + registration lag before X, so that no departure is counted that a later start would undo.
    """
    recorded = portfolio.history.recorded_from
    last = portfolio.as_of - timedelta(days=gap_days + lag_days)
    years: list[tuple[date, date]] = []
    while recorded is not None and len(years) < at_most and recorded <= (first := add_months(last, -12)):
        years.append((first, last))
        last = first
    return years


def closed_year(portfolio: Portfolio, gap_days: int, lag_days: int) -> tuple[date, date] | None:
    """Return (first, last] of the newest fully registered 12 months; None where history is shorter."""
    return next(iter(closed_years(portfolio, gap_days, lag_days, at_most=1)), None)


def year_rates(policies: pl.DataFrame, relations: pl.DataFrame, first: date, last: date) -> YearRates:
    """Return the three figures of (first, last], with the counts behind them; `policies` have ``revenue_cents``."""
    held = in_force(policies, first)
    lapsed = held.filter(is_lapse(last))
    then = relations.filter(
        (pl.col("start") <= first)
        & (pl.col("end").is_null() | (pl.col("end") > first))
        & pl.col("customer").is_in(held["customer"].unique().implode())
    )
    left = then.filter((pl.col("end") <= last) & (pl.col("cause") != "technical"))
    known = held["revenue_cents"].null_count() < held.height
    return YearRates(
        first=first,
        last=last,
        policies=held.height,
        lapsed=lapsed.height,
        customers=then.height,
        left=left.height,
        natural=left.filter(pl.col("cause") == "natural").height,
        commission=int(held["revenue_cents"].sum()) if known else None,
        commission_lost=int(lapsed["revenue_cents"].sum()) if known else None,
    )
