"""How long the customer and the policies have been there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, months, share

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return ages of the policies in force and the length of the relation."""
    group = Group("tenure")
    oldest, youngest = (
        group.most("_oldest", "held", pl.col("age")),
        group.least("_youngest", "held", pl.col("age")),
    )
    ages, policies = group.sum("_ages", "held", pl.col("age")), pl.col("_policies")
    group.add(
        "tenure_months",
        "months since the start of the oldest policy in force",
        "months",
        months(oldest),
    )
    group.add(
        "youngest_months",
        "months since the start of the youngest policy in force",
        "months",
        months(youngest),
    )
    group.add(
        "mean_age_months",
        "mean age of the policies in force",
        "months",
        months(share(ages, policies)),
    )
    group.add(
        "age_spread_months",
        "months between the starts of the oldest and the youngest policy in force",
        "months",
        months(oldest - youngest),
    )
    group.add(
        "policies_per_year",
        "policies in force per year since the oldest one started",
        "policies per year",
        policies / (1 + oldest / 365.25),
    )
    for name, words, low, high in (
        ("under_1y", "younger than a year", -1, 365),
        ("1_3y", "1 to 3 years old", 365, 1096),
        ("3_5y", "3 to 5 years old", 1096, 1826),
        ("over_5y", "older than 5 years", 1826, None),
        ("over_10y", "older than 10 years", 3653, None),
    ):
        inside = pl.col("age") > low
        count = group.count(
            f"_age_{name}", "held", inside & (pl.col("age") <= high) if high else inside
        )
        group.add(
            f"share_{name}",
            f"share of the policies in force that are {words}",
            "share",
            share(count, policies),
        )
    group.add(
        "new_customer", "oldest policy in force is younger than 12 months", "yes/no", oldest <= 365
    )
    group.add(
        "loyal_customer", "oldest policy in force is older than 10 years", "yes/no", oldest > 3653
    )
    if "ends" in world.records:
        _with_ended(group, oldest)
    return group


def _with_ended(group: Group, oldest: pl.Expr) -> None:
    for window in (12, 36):
        ended = group.most(
            f"_oldest_gone_{window}",
            "gone",
            pl.when(pl.col("end") > pl.col(f"back_{window}")).then(pl.col("day") - pl.col("start")),
        )
        group.add(
            f"relation_months_{window}m",
            f"months since the first start of policies in force or ended in the last {window} "
            f"months",
            "months",
            months(pl.max_horizontal(oldest, ended)),
            back=window,
        )
    reopened = pl.max_horizontal(
        group.most("_opened_held", "held", pl.when("opens").then(pl.col("start"))),
        group.most("_opened_gone", "gone", pl.when("opens").then(pl.col("start"))),
    )
    first_end = group.least("_first_end", "gone", pl.col("end"))
    group.add(
        "returned_36m",
        "came back after having left in the last 36 months",
        "yes/no",
        (reopened >= first_end).fill_null(value=False),
        back=36,
    )
