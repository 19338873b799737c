"""What stands in the columns of the export that have no role: numbers and categories of the
policies in force at T.

A policy's value is today's, known from the policy's start only. It is a feature while it shows no
trace of who has ended (`akb.features.hindsight`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY
from akb.features.rates import PER_MILLION, policy_counts, rates_of
from akb.features.registry import Group, share

if TYPE_CHECKING:
    from akb.features.registry import Aggregates, Extra, Tables, World
    from akb.ingest.types import OwnColumn

THOUSANDTHS = 1000
FEW_LEVELS = 12
"""A category with so few levels has a share for each; one with more has its lapse rate only."""


def build(world: World) -> Group:
    """Return means of numbers, shares of the levels of small categories, and lapse rates of all
    categories.
    """
    rated = tuple(
        column for column in world.own if column.form == "category" and "ends" in world.records
    )
    group = Group("own")
    if rated:
        group.aggregate = lambda tables: _aggregate(tables, rated)
        group.extend = lambda tables, aggregates: _rates(tables, aggregates, rated)
    for column in world.own:
        known = group.count(f"_{column.key}_known", "held", pl.col(column.key).is_not_null())
        if column.form == "number":
            _number(group, column, known)
        else:
            _category(group, column, known)
    for column in rated:
        group.add(
            f"{column.key}_lapse_ratio_12m",
            f"mean over the policies of the lapse rate in 12 months of what '{column.heading}' "
            f"says, relative to the "
            "portfolio's",
            "ratio",
            share(pl.col(f"_{column.key}_lapses"), pl.col(f"_{column.key}_rated")) / PER_MILLION,
            back=12,
            current=True,
        )
    return group


def _number(group: Group, column: OwnColumn, known: pl.Expr) -> None:
    total = group.sum(f"_{column.key}_sum", "held", pl.col(column.key))
    group.add(
        column.key,
        f"mean of '{column.heading}' over the policies",
        "number",
        share(total, known) / THOUSANDTHS,
        current=True,
    )


def _category(group: Group, column: OwnColumn, known: pl.Expr) -> None:
    if len(column.levels) > FEW_LEVELS:
        return
    for code in range(len(column.levels)):
        number = group.count(
            f"_{column.key}_{code}", "held", (pl.col(column.key) == code).fill_null(value=False)
        )
        group.add(
            f"{column.key}_is_{code + 1}",
            f"share of the policies with answer {code + 1}, in the order of the alphabet, in "
            f"'{column.heading}'",
            "share",
            share(number, known),
            current=True,
        )


def _aggregate(tables: Tables, columns: tuple[OwnColumn, ...]) -> Aggregates:
    return {
        f"own.{column.key}": (["t", column.key], policy_counts(tables.cut, column.key))
        for column in columns
    }


def _rates(tables: Tables, aggregates: Aggregates, columns: tuple[OwnColumn, ...]) -> list[Extra]:
    """Sum over a customer's policies of the relative lapse rate of what the column says, as at
    T.
    """
    extras: list[Extra] = []
    for column in columns:
        counts = aggregates[f"own.{column.key}"][1]
        rates = rates_of(counts, column.key).lazy().select("t", column.key, "lapse_rel")
        sums = (
            tables.cut.frames["held"]
            .filter(pl.col(column.key).is_not_null())
            .group_by(*KEY, column.key)
            .agg(n=pl.len().cast(pl.Int64))
            .join(rates, on=["t", column.key])
            .group_by(KEY)
            .agg(
                (pl.col("n") * pl.col("lapse_rel")).sum().alias(f"_{column.key}_lapses"),
                pl.col("n").sum().alias(f"_{column.key}_rated"),
            )
        )
        extras.append((KEY, sums.collect()))
    return extras
