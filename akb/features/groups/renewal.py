"""When policies renew after T: the days on which customers look around."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, added, is_branch, months, share

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return the renewal calendar of the policies in force; only day and month of a renewal date
    are used.
    """
    group = Group("renewal")
    due, due_month, policies = pl.col("due"), pl.col("due_month"), pl.col("_policies")
    soonest, latest = group.least("_due_first", "held", due), group.most("_due_last", "held", due)
    group.add(
        "months_to_next_renewal",
        "months to the next renewal of any policy",
        "months",
        months(soonest),
    )
    group.add(
        "months_to_last_renewal", "months until every policy has renewed", "months", months(latest)
    )
    group.add(
        "mean_months_to_renewal",
        "mean months to the next renewal over the policies",
        "months",
        months(share(group.sum("_due", "held", due), policies)),
    )
    group.add(
        "renewal_spread_months",
        "months between the first and the last next renewal",
        "months",
        months(latest - soonest),
    )
    past = group.least("_renewed", "held", pl.min_horizontal("age", 365 - due))
    group.add(
        "months_since_renewal",
        "months since the last renewal or start of any policy",
        "months",
        months(past),
    )
    for window in (1, 2, 3, 6):
        span = "a month" if window == 1 else f"{window} months"
        number = group.count(f"_due_{window}", "held", due_month <= window)
        group.add(f"renewals_{window}m", f"policies that renew within {span}", "policies", number)
        group.add(
            f"share_renewals_{window}m",
            f"share of the policies that renew within {span}",
            "share",
            share(number, policies),
        )
    for month in range(1, 13):
        number = group.count(f"_due_in_{month}", "held", due_month == month)
        group.add(
            f"renewals_in_month_{month}",
            f"policies that renew in month {month} after T",
            "policies",
            number,
        )
    essential = is_branch(
        [code for code, each in enumerate(world.branches.values()) if each.essential]
    )
    group.add(
        "essential_renewals_3m",
        "motor, legal expenses and liability policies that renew within 3 months",
        "policies",
        group.count("_due_essential", "held", essential & (due_month <= 3)),
    )
    group.add(
        "share_january",
        "share of the policies that renew in January",
        "share",
        share(group.count("_due_january", "held", pl.col("renewal_month") == 1), policies),
    )
    _clusters(group, policies)
    _first_year(group, policies)
    return group


def _clusters(group: Group, policies: pl.Expr) -> None:
    """Whether the renewals come together, and what has just gone by."""
    counts = [pl.col(f"_due_in_{month}") for month in range(1, 13)]
    busiest, days_ago = pl.max_horizontal(counts), pl.min_horizontal("age", 365 - pl.col("due"))
    group.add(
        "renewal_months",
        "different months of the coming year in which policies renew",
        "months",
        added((count > 0).cast(pl.Int32) for count in counts),
    )
    group.add(
        "share_busiest_month",
        "share of the policies that renew in the busiest of the coming 12 months",
        "share",
        share(busiest, policies),
    )
    group.add(
        "months_to_busiest_renewal",
        "months after T in which most policies renew",
        "months",
        pl.coalesce(pl.when(count == busiest).then(month) for month, count in enumerate(counts, 1)),
    )
    passed = group.count("_renewed_3", "held", (days_ago <= 91) & (pl.col("age") > 91))
    group.add(
        "renewed_3m", "policies of which a renewal passed in the last 3 months", "policies", passed
    )
    group.add(
        "share_renewed_3m",
        "share of the policies of which a renewal passed in the last 3 months",
        "share",
        share(passed, policies),
    )
    eldest = group.most("_eldest", "held", pl.col("age") * 1_000 + 999 - pl.col("due"))
    group.add(
        "months_to_oldest_renewal",
        "months to the next renewal of the oldest policy",
        "months",
        months(999 - eldest % 1_000),
    )


def _first_year(group: Group, policies: pl.Expr) -> None:
    """The cliff at month 12: from then on a policy can be cancelled any day."""
    first = pl.col("first_year")
    number = group.count("_first_year", "held", first)
    group.add("first_year_policies", "policies in their first year", "policies", number)
    group.add(
        "share_first_year",
        "share of the policies in their first year",
        "share",
        share(number, policies),
    )
    cliff = group.least(
        "_cliff", "held", pl.when(first).then(pl.max_horizontal(365 - pl.col("age"), pl.lit(0)))
    )
    group.add(
        "months_to_cliff",
        "months until the first policy reaches its first anniversary; null if none is young",
        "months",
        months(cliff),
    )
    soon = group.count("_cliff_3", "held", first & (pl.col("age") > 273))
    group.add(
        "first_anniversaries_3m",
        "policies with their first anniversary within 3 months",
        "policies",
        soon,
    )
    passed = group.count("_past_cliff", "held", (pl.col("age") > 365) & (pl.col("age") <= 457))
    group.add(
        "past_first_anniversary_3m",
        "policies whose first anniversary was in the last 3 months",
        "policies",
        passed,
    )
