"""Who can take what: the rules of ``configs/branches.toml``, before any chance.

A branch is open to a customer at T unless it is held, is already signed for, is not for that kind
of customer or that age, needs another branch beside it, or is included in a policy that is held.
What is unknown leaves nobody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY, ONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from akb.features.branch_rows.world import BranchWorld

REASONS = ("held", "signed", "kind", "age", "requires", "included")
"""Why a branch is not open, in the order in which they are looked at: the first that holds is told.
"""

OPEN = "open"
OLDEST = 105
"""A year of birth that makes a customer older is a mistake, so the age is unknown."""

KINDS = ("private", "business", "self_employed")
_BY_SEGMENT = {
    "P": ("private", "self_employed"),
    "Z": ("business", "self_employed"),
    "PZ": KINDS,
}


def standing(
    held: pl.DataFrame,
    members: pl.DataFrame,
    dates: pl.DataFrame,
    signed: pl.DataFrame,
    world: BranchWorld,
) -> pl.LazyFrame:
    """Return one row per (T, customer, branch): columns of `members`, branch u8, `ONE`, ``reason``
    str? (null: open).

    Parameters
    ----------
    held
        t, customer, branch u8 in force at T.
    members
        t, customer, kind, birth_year, ... of everyone in force at T.
    dates
        t, ``year`` of T.
    signed
        t, customer, branch u8 of policies that are known at T to start later.
    """
    owned = held.lazy()
    needed = (
        owned.join(_pairs(world, "requires"), on="branch").select(*KEY, branch="other").unique()
    )
    inside = (
        owned.join(_pairs(world, "included_in"), on="branch").select(*KEY, branch="other").unique()
    )
    marks = {"is_held": owned, "is_signed": signed.lazy(), "is_needed": needed, "is_inside": inside}
    grid = (
        members.lazy()
        .join(dates.lazy().select("t", "year"), on="t")
        .join(_rules(world), how="cross")
    )
    grid = grid.with_columns(ONE)
    for name, rows in marks.items():
        marked = rows.select(ONE).unique().with_columns(pl.lit(value=True).alias(name))
        grid = grid.join(marked, on="one", how="left").with_columns(
            pl.col(name).fill_null(value=False)
        )
    age = pl.col("year") - pl.col("birth_year")
    age = pl.when(age.is_between(0, OLDEST)).then(age)
    natural = pl.col("kind") != "business"
    off = {
        "held": pl.col("is_held"),
        "signed": pl.col("is_signed"),
        "kind": pl.any_horizontal(
            (pl.col("kind") == kind) & ~pl.col(f"for_{kind}") for kind in KINDS
        ),
        "age": natural & ((age < pl.col("age_from")) | (age > pl.col("age_to"))),
        "requires": pl.col("requiring") & ~pl.col("is_needed"),
        "included": pl.col("is_inside"),
    }
    first_reason = [
        pl.when(off[reason].fill_null(value=False)).then(pl.lit(reason)) for reason in REASONS
    ]
    return grid.select(*members.columns, "branch", "one", reason=pl.coalesce(first_reason))


def tally(table: pl.DataFrame) -> pl.DataFrame:
    """Return branch u8, reason str (`OPEN` or one of `REASONS`), customers i64 of some customers of
    `standing`.
    """
    reason = pl.col("reason").fill_null(OPEN)
    return table.group_by("branch", reason).agg(customers=pl.len().cast(pl.Int64))


def counts(tallies: Iterable[pl.DataFrame], world: BranchWorld) -> pl.DataFrame:
    """Return the tallies of all customers with the keys of branches: taxonomy order, `OPEN`
    first.
    """
    order = {reason: place for place, reason in enumerate((OPEN, *REASONS))}
    return (
        pl.concat(tallies)
        .group_by("branch", "reason")
        .agg(pl.col("customers").sum())
        .sort("branch", pl.col("reason").replace_strict(order, return_dtype=pl.Int8))
        .with_columns(world.name())
    )


def _rules(world: BranchWorld) -> pl.LazyFrame:
    """One row per branch code with its rules."""
    whom = [rule.who or _BY_SEGMENT[rule.segment] for rule in world.rules]
    return pl.LazyFrame(
        {
            "branch": range(len(world.rules)),
            **{f"for_{kind}": [kind in each for each in whom] for kind in KINDS},
            "age_from": [rule.age_from for rule in world.rules],
            "age_to": [rule.age_to for rule in world.rules],
            "requiring": [bool(set(rule.requires) & set(world.branches)) for rule in world.rules],
        },
        schema_overrides={
            "branch": pl.UInt8,
            **{f"for_{kind}": pl.Boolean for kind in KINDS},
            "age_from": pl.Int32,
            "age_to": pl.Int32,
            "requiring": pl.Boolean,
        },
    )


def _pairs(world: BranchWorld, rule: str) -> pl.LazyFrame:
    """Branch held and the ``other`` branch whose rule names it; branches that the portfolio lacks
    name nothing.
    """
    code = {name: place for place, name in enumerate(world.branches)}
    pairs = [
        (code[name], other)
        for other, each in enumerate(world.rules)
        for name in getattr(each, rule)
        if name in code
    ]
    return pl.LazyFrame(pairs, schema={"branch": pl.UInt8, "other": pl.UInt8}, orient="row")
