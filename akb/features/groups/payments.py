"""How the customer pays: the way of collection, and reminders and reversals where they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, share, since, within

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return collection and payment term (the file has today's only), and payment trouble in windows."""
    group = Group("payments")
    own = group.count("_own", "held", pl.col("own_collection").fill_null(value=False))
    known = group.count("_own_known", "held", pl.col("own_collection").is_not_null())
    terms = group.count("_terms", "held", pl.col("payment_months").is_not_null())
    group.add(
        "share_own_collection",
        "share of the policies whose premium the office collects itself",
        "share",
        share(own, known),
        current=True,
    )
    group.add(
        "mean_payment_term",
        "mean payment term",
        "months",
        share(group.sum("_term", "held", pl.col("payment_months")), terms),
        current=True,
    )
    group.add(
        "share_monthly",
        "share of the policies paid by the month",
        "share",
        share(group.count("_monthly", "held", (pl.col("payment_months") == 1).fill_null(value=False)), terms),
        current=True,
    )
    if "payments" not in world.records:
        return group
    latest = group.least("_since_trouble", "payments", pl.when(pl.col("kind") != "paid").then(pl.col("since")))
    for kind in ("reminder", "reversal"):
        for window in (3, 12):
            number = group.count(f"_{kind}s_{window}", "payments", within("date", window) & (pl.col("kind") == kind))
            group.add(
                f"{kind}s_{window}m",
                f"payment {kind}s in the last {window} months",
                "times",
                number,
                back=window,
                record="payments",
            )
    group.add(
        "months_since_payment_trouble_12m",
        "months since the last reminder or reversal, at most 12",
        "months",
        since(latest, 12),
        back=12,
        record="payments",
    )
    return group
