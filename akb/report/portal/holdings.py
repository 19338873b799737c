"""What customers hold: policies with their next renewal, and what they bring through the years."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months

if TYPE_CHECKING:
    from akb.report.context import Context

PAST, AHEAD = 4, 5
YEAR = 365
UNKNOWN = 65_535
"""Code of an amount that nobody knows."""
_FIRST_YEAR = 1900


def held(context: Context) -> pl.DataFrame:
    """Return rows of policies in force: customer, branch, ``count`` of them with the same day.

    ``days`` until the next renewal (1 to 366), or until the end that is known (``ends``); null
    where unknown; ``since`` is the year of the first of them."""
    day = context.as_of
    anniversary = pl.coalesce("renewal_date", "start_date")
    rows = context.held.select(
        "customer",
        "branch",
        since=pl.col("start_date").dt.year().cast(pl.Int64).clip(_FIRST_YEAR),
        ends=pl.col("end_date").is_not_null(),
        days=pl.when(pl.col("end_date").is_not_null())
        .then((pl.col("end_date") - pl.lit(day)).dt.total_days())
        .otherwise(_days_until(anniversary, day)),
    )
    return (
        rows.group_by("customer", "branch", "days", "ends")
        .agg(count=pl.len().cast(pl.Int64), since=pl.col("since").min())
        .sort("customer", pl.col("days").fill_null(YEAR * 9), "branch", "ends")
    )


def _days_until(when: pl.Expr, day: date) -> pl.Expr:
    """Return the days from `day` until the next time that the day and month of `when` come
    round.
    """
    ahead: dict[int, int] = {}
    for days in range(1, YEAR + 2):
        coming = day + timedelta(days=days)
        ahead.setdefault(100 * coming.month + coming.day, days)
    leap = 229
    ahead.setdefault(leap, ahead[228])
    return (100 * when.dt.month().cast(pl.Int64) + when.dt.day()).replace_strict(
        ahead, return_dtype=pl.Int64
    )


def next_renewal(rows: pl.DataFrame) -> pl.DataFrame:
    """Return per customer the first renewal: customer, ``days``, and branch (null where several
    renew that month).
    """
    coming = rows.filter(~pl.col("ends") & pl.col("days").is_not_null())
    first = coming.group_by("customer").agg(first=pl.col("days").min())
    return (
        coming.join(first, on="customer")
        .filter(pl.col("days") <= pl.col("first") + 27)
        .group_by("customer")
        .agg(
            days=pl.col("first").first(),
            together=pl.col("count").sum(),
            branch=pl.when(pl.col("branch").n_unique() == 1).then(pl.col("branch").first()),
        )
        .sort("customer")
    )


def worth(context: Context, order: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return (customers, PAST + 1 + AHEAD): recurring commission a year as `amount_codes`.

    What policies in force brought at the end of each of the last years, at the level of X
    (counted); today; and what is expected in each of the coming years. Years before the recorded
    history, and what nobody knows, are `UNKNOWN`."""
    recorded = context.bundle.portfolio.history.recorded_from
    columns = []
    for back in range(PAST, -1, -1):
        day = add_months(context.as_of, -12 * back)
        known = context.has_commission and (back == 0 or (recorded is not None and recorded <= day))
        columns.append(
            amount_codes(_brought(context, order, day)) if known else _nothing(order.height)
        )
    return np.column_stack([*columns, *_expected(context, order)])


def _brought(context: Context, order: pl.DataFrame, day: date) -> np.ndarray[Any, Any]:
    ends = pl.col("end_date")
    there = context.policies.filter((pl.col("start_date") <= day) & (ends.is_null() | (ends > day)))
    total = there.group_by("customer").agg(cents=pl.col("level_cents").sum())
    return (
        order.select("customer")
        .join(total, on="customer", how="left", maintain_order="left")["cents"]
        .to_numpy()
    )


def _expected(context: Context, order: pl.DataFrame) -> list[np.ndarray[Any, Any]]:
    """Return the coming years: the first is ``commission_12m``, all together ``commission_5y``.

    Between them every year is the same part of the year before it.
    """
    value = context.bundle.value
    wanted = ("commission_12m", "commission_5y")
    if value is None or any(name not in value.scores.columns for name in wanted):
        return [_nothing(order.height)] * AHEAD
    table = order.select("customer").join(
        value.scores.select("customer", *wanted), on="customer", how="left", maintain_order="left"
    )
    first, together = (
        table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in wanted
    )
    part = kept_part(first, together)
    return [amount_codes(100 * first * part**year) for year in range(AHEAD)]


def kept_part(first: np.ndarray[Any, Any], together: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return r of first x (1 + r + r^2 + ...) = together over `AHEAD` years; at most what doubles
    every year.
    """
    low, high = np.zeros(len(first)), np.full(len(first), 2.0)
    for _ in range(40):
        middle = (low + high) / 2
        short = first * sum(middle**year for year in range(AHEAD)) < together
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    part: np.ndarray[Any, Any] = (low + high) / 2
    return part


def amount_codes(cents: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return amounts in cents as euros rounded to two significant digits: exponent x 100 + digits;
    NaN is `UNKNOWN`.
    """
    euros = np.maximum(np.nan_to_num(np.asarray(cents, dtype=np.float64), nan=0.0) / 100, 0.0)
    power = np.maximum(np.floor(np.log10(np.maximum(euros, 1))) - 1, 0).astype(np.int64)
    digits = np.round(euros / 10.0**power).astype(np.int64)
    over = digits >= 100
    code = np.where(over, 100 * (power + 1) + 10, 100 * power + digits)
    return np.where(np.isnan(np.asarray(cents, dtype=np.float64)), UNKNOWN, code)


def _nothing(rows: int) -> np.ndarray[Any, Any]:
    return np.full(rows, UNKNOWN, dtype=np.int64)
