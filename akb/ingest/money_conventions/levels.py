"""How high amounts are: beside what is usual in their branch, and beside those of people who pay in
another way.

The usual premium and rate of each branch (``configs/branches.toml``) are a second witness where a
heading is silent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.money_conventions.thresholds import ENOUGH, INSTALMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Level:
    """How amounts compare with the usual ones.

    Parameters
    ----------
    ratio
        The middle branch's median over what is usual there, weighed by rows.
    rows, branches
        What was compared.
    """

    ratio: float
    rows: int
    branches: int

    def within(self, factor: float, of: float = 1.0) -> bool:
        """Say whether the level is less than `factor` times above or below `of` times the usual
        one.
        """
        return abs(math.log(self.ratio / of)) < math.log(factor)


def level(rows: pl.DataFrame, value: pl.Expr, usual: Mapping[str, float]) -> Level | None:
    """Return how `value` compares with what is usual in each ``branch``.

    None where too few rows can be compared.
    """
    known = {branch: amount for branch, amount in usual.items() if amount > 0}
    branches = (
        rows.select("branch", value=value)
        .filter(pl.col("value") > 0, pl.col("branch").is_in(list(known)))
        .group_by("branch")
        .agg(rows=pl.len(), median=pl.col("value").median())
        .with_columns(
            ratio=pl.col("median") / pl.col("branch").replace_strict(known, return_dtype=pl.Float64)
        )
        .sort("ratio", "branch")
    )
    total = int(branches["rows"].sum())
    if total < ENOUGH:
        return None
    middle = float(branches.filter(pl.col("rows").cum_sum() * 2 >= total)["ratio"][0])
    return Level(middle, total, branches.height)


@dataclass(frozen=True)
class TermLevel:
    """How the amounts of those who pay in instalments compare with those of yearly payers of the
    same branch.

    Parameters
    ----------
    way
        0: as high; 1: a twelfth for monthly payers, a quarter for quarterly payers. The middle one
        of all branches and terms, weighed by rows; None where too few rows can be compared.
    short, yearly
        Rows on both sides.
    """

    way: float | None
    short: int
    yearly: int


def level_by_term(rows: pl.DataFrame, value: pl.Expr) -> TermLevel:
    """Return how far `value` of those who pay in instalments lies from that of yearly payers of the
    same branch.
    """
    medians = (
        rows.filter(pl.col("term").is_in([*INSTALMENTS, 12]))
        .group_by("branch", "term")
        .agg(rows=pl.len(), median=value.median())
        .filter(pl.col("rows") >= ENOUGH, pl.col("median") > 0)
    )
    yearly = medians.filter(pl.col("term") == 12).drop("term")
    pairs = medians.filter(pl.col("term") < 12).join(yearly, on="branch", suffix="_year")
    if pairs.is_empty():
        return TermLevel(None, 0, 0)
    pairs = pairs.with_columns(
        way=(pl.col("median") / pl.col("median_year")).log() / (pl.col("term") / 12).log(),
        weight=pl.min_horizontal("rows", "rows_year"),
    ).sort("way", "branch", "term")
    half = pairs["weight"].sum() / 2
    middle = float(pairs.filter(pl.col("weight").cum_sum() >= half)["way"][0])
    return TermLevel(
        middle, int(pairs["rows"].sum()), int(pairs.unique("branch")["rows_year"].sum())
    )
