"""What the customer has taken before T, and how the number of policies moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, share, since, within

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return purchases in windows, months since, starts that are still in force, growth."""
    group = Group("purchases")
    policies = pl.col("_policies")
    for window in (3, 6, 12, 36):
        started = group.count(f"_started_{window}", "held", within("start", window))
        group.add(
            f"started_{window}m",
            f"policies in force that started in the last {window} months",
            "policies",
            started,
        )
        group.add(
            f"share_started_{window}m",
            f"share of the policies that started in the last {window} months",
            "share",
            share(started, policies),
        )
    if "ends" in world.records:
        _purchases(group, world)
        _growth(group, policies)
    return group


def _purchases(group: Group, world: World) -> None:
    """Ended policies are needed as well: to see purchases that did not last, and that the branch
    was not held.
    """
    gap = world.gap_days
    count = {
        window: group.count(f"_purchases_{window}", "taken", within("start", window))
        for window in (3, 6, 12, 36)
    }
    for window, number in count.items():
        group.add(
            f"purchases_{window}m",
            f"policies taken in a new branch in the last {window} months",
            "policies",
            number,
            back=window,
            back_days=gap,
        )
    latest = group.least("_since_purchase", "taken", pl.col("since"))
    for window in (12, 36):
        group.add(
            f"months_since_purchase_{window}m",
            f"months since the last purchase, at most {window}",
            "months",
            since(latest, window),
            back=window,
            back_days=gap,
        )
    group.add(
        "purchase_trend",
        "purchases of the last 3 months at a yearly pace, minus those of 12 months",
        "policies",
        4 * count[3] - count[12],
        back=12,
        back_days=gap,
    )
    lapses = group.count("_lapses_12", "gone", pl.col("lapsed") & within("end", 12))
    group.add(
        "swapped_12m",
        "both lapsed and took policies in the last 12 months",
        "yes/no",
        (lapses > 0) & (count[12] > 0),
        back=12,
        back_days=gap,
    )


def _growth(group: Group, policies: pl.Expr) -> None:
    for window in (3, 12, 24, 36):
        back = pl.col(f"back_{window}")
        kept = group.count(f"_kept_{window}", "held", pl.col("start") <= back)
        lost = group.count(
            f"_lost_{window}", "gone", (pl.col("start") <= back) & (pl.col("end") > back)
        )
        before = kept + lost
        group.add(
            f"policies_change_{window}m",
            f"policies in force now minus those {window} months ago",
            "policies",
            policies - before,
            back=window,
        )
        if window in (12, 36):
            group.add(
                f"share_kept_{window}m",
                f"share of the policies of {window} months ago still in force",
                "share",
                share(kept, before),
                back=window,
            )
    group.add(
        "declines",
        "fewer policies than 12 months ago, and then fewer than 24 months ago",
        "yes/no",
        (policies < pl.col("_kept_12") + pl.col("_lost_12"))
        & (pl.col("_kept_12") + pl.col("_lost_12") < pl.col("_kept_24") + pl.col("_lost_24")),
        back=24,
    )
