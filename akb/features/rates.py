"""Trailing rates as known at T, shrunk towards the portfolio's own.

Features use ratios to the portfolio's rate at T: levels move from year to year, and a tree that
learned last year's level of an office would take this year's for another office."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import within

if TYPE_CHECKING:
    from akb.features.cut import Cut

PER_MILLION = 1_000_000
WEIGHT = 50
"""How many policies (or customers) of the portfolio's average are mixed into a rate: few policies
say little.
"""


def shrunk(events: pl.Expr, exposure: pl.Expr, overall: pl.Expr, weight: int = WEIGHT) -> pl.Expr:
    """Return ``(events + weight * overall) / (exposure + weight)``."""
    return (events + weight * overall) / (exposure + weight)


def relative(rate: pl.Expr, overall: pl.Expr) -> pl.Expr:
    """Return ``rate / overall``; 1 where nothing happened at all, null where the rate is."""
    return pl.when(overall > 0).then(rate / overall).when(rate.is_not_null()).then(1.0)


def _per_million(rate: pl.Expr) -> pl.Expr:
    return (rate * PER_MILLION).round().cast(pl.Int64)


def policy_rates(cut: Cut, key: str) -> pl.DataFrame:
    """Return `rates_of` the policies of a Cut of everybody."""
    return rates_of(policy_counts(cut, key), key)


def policy_counts(cut: Cut, key: str) -> pl.DataFrame:
    """Return what the rates of the last 12 months are made of, per T and `key` (``branch``,
    ``insurer_code`` or a column of the export): whole numbers that add up over customers.

    t, key (null is one too), held (policies in force at T), lapses in 12 months, ``late`` (those of
    the last 3), taken (purchases; of branches only)."""
    held = cut.frames["held"].group_by("t", key).agg(held=pl.len().cast(pl.Int64))
    lapsed = pl.col("lapsed") & within("end", 12)
    gone = (
        cut.frames["gone"]
        .group_by("t", key)
        .agg(
            lapses=lapsed.sum().cast(pl.Int64),
            late=(lapsed & within("end", 3)).sum().cast(pl.Int64),
        )
    )
    table = held.join(gone, on=["t", key], how="full", coalesce=True)
    if key == "branch":
        taken = (
            cut.frames["taken"]
            .group_by("t", key)
            .agg(taken=within("start", 12).sum().cast(pl.Int64))
        )
        table = table.join(taken, on=["t", key], how="full", coalesce=True)
    else:
        table = table.with_columns(taken=pl.lit(0, pl.Int64))
    counts = ("held", "lapses", "late", "taken")
    return table.select("t", key, *(pl.col(name).fill_null(0) for name in counts)).collect()


def rates_of(counts: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return lapse rates of the last 12 months per T and `key`, from `policy_counts` of everybody.

    t, key, held, ``lapse_ppm`` i64 (lapses per policy in force or lapsed, per million),
    ``lapse_rel`` and ``taken_rel`` i64 (lapses, and purchases per policy in force, relative to the
    portfolio's, per million; purchases of branches only), ``lapse_move`` i64 (the relative lapse
    rate of the last 3 months minus that of 12, per million). Whole numbers, so that sums over a
    customer's policies are the same in any order. `key` null is left out."""
    exposure = pl.col("held") + pl.col("lapses")
    # joined and not `over`: Polars divides by a constant column (one T) with another last digit
    sums = (
        counts.lazy()
        .group_by("t")
        .agg(
            overall=pl.col("lapses").sum() / pl.max_horizontal(exposure.sum(), pl.lit(1)),
            overall_taken=pl.col("taken").sum()
            / pl.max_horizontal(pl.col("held").sum(), pl.lit(1)),
            overall_late=pl.col("late").sum() / pl.max_horizontal(exposure.sum(), pl.lit(1)),
        )
    )
    table = counts.lazy().join(sums, on="t")
    overall, overall_taken, overall_late = (
        pl.col(name) for name in ("overall", "overall_taken", "overall_late")
    )
    late = relative(shrunk(pl.col("late"), exposure, overall_late), overall_late)
    lapse, taken_rate = (
        shrunk(pl.col("lapses"), exposure, overall),
        shrunk(pl.col("taken"), pl.col("held"), overall_taken),
    )
    return (
        table.with_columns(
            lapse_ppm=_per_million(lapse),
            lapse_rel=_per_million(relative(lapse, overall)),
            lapse_move=_per_million(late - relative(lapse, overall)),
            taken_rel=_per_million(relative(taken_rate, overall_taken)),
        )
        .filter(pl.col(key).is_not_null())
        .select("t", key, "held", "lapse_ppm", "lapse_rel", "lapse_move", "taken_rel")
        .sort("t", key)
        .collect()
    )


def wide(rates: pl.DataFrame, column: str, branches: int) -> pl.DataFrame:
    """Return one row per T with `column` per branch code as ``{column}_{code}``; 0 where a branch
    has no rate.
    """
    return rates.group_by("t").agg(
        pl.col(column).filter(pl.col("branch") == code).sum().alias(f"{column}_{code}")
        for code in range(branches)
    )


def medians(counts: pl.DataFrame, keys: list[str], value: str, name: str) -> pl.DataFrame:
    """Return `keys` and the median of each of their groups as a whole number, from how often each
    value occurs.

    Parameters
    ----------
    counts
        `keys`, whole numbers in `value`, and ``n``: how often it occurs.
    """
    upto, total = pl.col("n").cum_sum(), pl.col("n").sum()
    # the values in the two middle places; with an odd number of them both are the same
    lower, upper = (
        pl.col(value).filter(upto > place).first() for place in ((total - 1) // 2, total // 2)
    )
    middle = ((lower + upper) / 2).round().cast(pl.Int64)
    return counts.sort(*keys, value).group_by(keys, maintain_order=True).agg(middle.alias(name))
