"""What has happened: relations, their ends, and the three figures that people call 'verloop'."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months

if TYPE_CHECKING:
    from akb.ingest.types import Portfolio

_OPEN = date(9000, 1, 1)
_CAUSE_ORDER = {"natural": 0, "insurer": 1, "preventable": 2, "unknown": 3, "technical": 4}


def in_force(policies: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return the policies in force on `day`: started, and without an end or with a later one."""
    ends = pl.col("end_date")
    return policies.filter((pl.col("start_date") <= day) & (ends.is_null() | (ends > day)))


def spells(policies: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return every unbroken relation: customer, start, end (first day without a policy; null: open), reason, cause.

    A gap of at most `gap_days` does not break a relation. The cause is that of the end that empties it; on ties
    natural goes before insurer, preventable, unknown. A relation that only ended technically has cause ``technical``
    and is no churn.
    """
    ordered = policies.select("customer", "start_date", "end_date", "reason", "cause").sort(
        "customer", "start_date", "end_date", nulls_last=True
    )
    until = pl.col("end_date").fill_null(_OPEN)
    numbered = ordered.with_columns(until=until).with_columns(
        before=pl.col("until").cum_max().shift(1).over("customer")
    )
    broken = pl.col("start_date") > pl.col("before") + timedelta(days=gap_days)
    numbered = numbered.with_columns(spell=broken.fill_null(value=False).cast(pl.Int32).cum_sum().over("customer"))
    whole = numbered.group_by("customer", "spell").agg(start=pl.col("start_date").min(), end=pl.col("until").max())
    rank = pl.col("cause").replace_strict(_CAUSE_ORDER, default=3, return_dtype=pl.Int8)
    last = (
        numbered.with_columns(rank=rank)
        .join(whole.select("customer", "spell", "end"), on=["customer", "spell"])
        .filter((pl.col("until") == pl.col("end")) & (pl.col("end") < _OPEN))
        .sort("customer", "spell", "rank", "reason", nulls_last=True)
        .unique(["customer", "spell"], keep="first", maintain_order=True)
        .select("customer", "spell", "reason", cause=pl.col("cause").fill_null("unknown"))
    )
    return (
        whole.join(last, on=["customer", "spell"], how="left")
        .with_columns(end=pl.when(pl.col("end") < _OPEN).then(pl.col("end")))
        .sort("customer", "spell")
    )


def closed_years(portfolio: Portfolio, gap_days: int, lag_days: int, at_most: int = 5) -> list[tuple[date, date]]:
    """Return the closed years (from, to], newest first: all ends in them are known and recorded.

    The newest ends `gap_days` + `lag_days` before X, so that who seems gone has had time to come back.
    """
    recorded = portfolio.history.recorded_from
    last = portfolio.as_of - timedelta(days=gap_days + lag_days)
    years: list[tuple[date, date]] = []
    while recorded is not None and len(years) < at_most:
        first = add_months(last, -12)
        if first < recorded:
            break
        years.append((first, last))
        last = first
    return years


def leavers(relations: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return the relations open on `first`, with ``left`` true where they ended in (first, last], not technically."""
    open_then = (pl.col("start") <= first) & (pl.col("end").is_null() | (pl.col("end") > first))
    left = pl.col("end").is_not_null() & (pl.col("end") <= last) & (pl.col("cause") != "technical")
    return relations.filter(open_then).with_columns(left=left.fill_null(value=False))


def year_rates(policies: pl.DataFrame, relations: pl.DataFrame, first: date, last: date) -> dict[str, Any]:
    """Return policy lapse, customer churn and commission churn of (first, last], with their counts.

    All three follow who and what was in force on `first`. Commission is all recurring revenue (``revenue_cents``), in
    cents; None where unknown.
    """
    then = leavers(relations, first, last)
    held = in_force(policies, first)
    lapsed = held.filter(
        (pl.col("end_date") <= last)
        & (pl.col("cause").fill_null("unknown") != "technical")
        & pl.col("replaced_on").is_null()
    )
    money = _cents(held["revenue_cents"])
    lost = _cents(lapsed["revenue_cents"]) if money else None
    gone = int(then["left"].sum())
    return {
        "from": first,
        "to": last,
        "customers": then.height,
        "left": gone,
        "customer_churn": gone / then.height if then.height else None,
        "policies": held.height,
        "lapsed": lapsed.height,
        "policy_lapse": lapsed.height / held.height if held.height else None,
        "commission_cents": money,
        "commission_lost_cents": lost,
        "commission_churn": lost / money if money and lost is not None else None,
    }


def announced(portfolio: Portfolio, relations: pl.DataFrame) -> pl.DataFrame:
    """Return the open relations whose end is already known: customer, end."""
    day = portfolio.as_of
    return relations.filter((pl.col("start") <= day) & (pl.col("end") > day) & (pl.col("cause") != "technical")).select(
        "customer", "end"
    )


def _cents(column: pl.Series) -> int | None:
    return None if column.null_count() == column.len() else int(column.sum())
