"""Dated premiums as known at T: what each policy in force costs, cost a year earlier, and when it
rose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.grid import on_each

if TYPE_CHECKING:
    from akb.ingest.types import Portfolio

_MILLION = 1_000_000

RISE = 50_000
"""A change of more than 5 % (per million) is one that a customer notices."""

_BASE = 1 << 40
"""Day and cents in one number: the largest is the premium of the last day, whatever the order of
the rows.
"""

_EPOCH = 1 << 20
"""Added to days, so that those before 1970 count upwards too."""

MOST = 1_000 * _MILLION
"""A thousand times as much is as good as any more; and it keeps sums within 64 bits."""

BACK = (12, 24, 36)


def premium_records(portfolio: Portfolio) -> pl.DataFrame | None:
    """Return the premium history; None where the export has none.

    policy u32, ``date`` i32 (days since 1970), ``premium`` i64 and
    ``commission`` i64? (cents a year; for targets only), ``previous`` i64? (the premium before;
    null for the first one that is known), ``change`` i64? (relative to the one before, per
    million). What a record says of the one before it never depends on what comes later."""
    if portfolio.premiums is None:
        return None
    previous = pl.col("premium").shift(1).over("policy", order_by="date")
    return (
        portfolio.premiums.select(
            "policy",
            date=pl.col("date").to_physical(),
            premium="premium_cents",
            commission="commission_cents",
        )
        .sort("policy", "date")
        .with_columns(previous=previous)
        .with_columns(
            change=pl.when(pl.col("previous") > 0).then(
                ((pl.col("premium") - pl.col("previous")) * _MILLION // pl.col("previous")).clip(
                    upper_bound=MOST
                )
            )
        )
    )


def priced(facts: pl.DataFrame, records: pl.DataFrame, dates: pl.DataFrame) -> pl.LazyFrame:
    """Return one row per T and policy in force, with its premium as known at T.

    t, customer, branch, policy; ``premium`` i64? (in force at T), ``before_{w}`` i64? (w months
    earlier), ``old_{w}`` bool (it was in force then), ``changed`` i64? (the last change, per
    million, if it lies within 12 months; else 0), ``since_rise`` i64? (days since the last rise of
    more than 5 %), ``rises_{w}``, ``falls_12`` i64."""
    windows = [f"back_{window}" for window in BACK]
    held = on_each(
        dates,
        ("t", "day", *windows),
        facts.lazy().select("policy", "customer", "branch", "start", "end"),
        (pl.col("start") <= pl.col("day"))
        & (pl.col("end").is_null() | (pl.col("end") > pl.col("day"))),
    )
    date = pl.col("date")
    first = (date.cast(pl.Int64) + _EPOCH) * _BASE
    stamp = first + pl.col("premium")
    moved = first + pl.col("change") + _MILLION  # no change is below -100 %
    rise, fall = pl.col("change") > RISE, pl.col("change") < -RISE
    dated = (
        held.select("t", "policy", "day", *windows)
        .join(records.lazy(), on="policy")
        .filter(date <= pl.col("day"))
        .with_columns(stamp=stamp)
        .group_by("t", "policy")
        .agg(
            premium=pl.col("stamp").max() % _BASE,
            **{
                f"before_{w}": _where(date <= pl.col(f"back_{w}"), pl.col("stamp")).max() % _BASE
                for w in BACK
            },
            last=_where(pl.col("change").is_not_null() & (date > pl.col("back_12")), moved).max(),
            since_rise=_where(rise, pl.col("day") - date).min().cast(pl.Int64),
            **{
                f"rises_{w}": (rise & (date > pl.col(f"back_{w}"))).sum().cast(pl.Int64)
                for w in BACK
            },
            falls_12=(fall & (date > pl.col("back_12"))).sum().cast(pl.Int64),
        )
    )
    unchanged = pl.when(pl.col("before_12").is_not_null()).then(0)
    return (
        held.with_columns(**{f"old_{w}": pl.col("start") <= pl.col(f"back_{w}") for w in BACK})
        .drop("day", "start", "end", *windows)
        .join(dated, on=["t", "policy"], how="left")
        .with_columns(changed=pl.coalesce(pl.col("last") % _BASE - _MILLION, unchanged))
        .drop("last")
    )


def _where(condition: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(value)


def known_premiums(table: pl.LazyFrame) -> pl.LazyFrame:
    """Return per T in how many policies in force the premium is known, now and w months earlier:
    whole numbers that add up over customers.
    """
    known, held = pl.col("premium").is_not_null(), pl.len()
    counts = {"known_0": known.sum(), "held_0": held}
    for w in BACK:
        old = pl.col(f"old_{w}")
        counts[f"known_{w}"] = (pl.col(f"before_{w}").is_not_null() & old).sum()
        counts[f"held_{w}"] = old.sum()
    return table.group_by("t").agg(**{name: count.cast(pl.Int64) for name, count in counts.items()})


def covered(known: pl.DataFrame) -> pl.DataFrame:
    """Return per T the share of the policies in force of which the premium is known, now and w
    months earlier.

    t, ``priced_0``, ``priced_{w}``. Where the record has only just begun, the policies of which the
    premium is known are those that have just renewed: that says when a policy renews and nothing of
    its premium."""
    return known.select(
        "t",
        **{
            f"priced_{w}": pl.when(pl.col(f"held_{w}") > 0).then(
                pl.col(f"known_{w}") / pl.col(f"held_{w}")
            )
            for w in (0, *BACK)
        },
    )
