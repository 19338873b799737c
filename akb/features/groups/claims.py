"""Claims before T. Health, disability, absence and life claims are left out before they get here (`events.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, share, since, within

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return claims in windows, months since, fault and amounts."""
    group = Group("claims")
    if "claims" not in world.records:
        return group
    count = {window: group.count(f"_claims_{window}", "claims", within("date", window)) for window in (3, 6, 12, 36)}
    for window, number in count.items():
        group.add(
            f"claims_{window}m", f"claims in the last {window} months", "claims", number, back=window, record="claims"
        )
    latest = group.least("_since_claim", "claims", pl.col("since"))
    for window in (12, 36):
        fault = group.count(
            f"_fault_{window}", "claims", within("date", window) & pl.col("at_fault").fill_null(value=False)
        )
        cents = group.sum(f"_cents_{window}", "claims", pl.when(within("date", window)).then(pl.col("amount_cents")))
        group.add(
            f"months_since_claim_{window}m",
            f"months since the last claim, at most {window}",
            "months",
            since(latest, window),
            back=window,
            record="claims",
        )
        group.add(
            f"claims_at_fault_{window}m",
            f"claims at fault in the last {window} months",
            "claims",
            fault,
            back=window,
            record="claims",
        )
        group.add(
            f"claims_euros_{window}m",
            f"amount of the claims of the last {window} months, as filed today",
            "euros",
            cents / 100,
            back=window,
            record="claims",
            current=True,
        )
        group.add(
            f"claims_per_policy_{window}m",
            f"claims in the last {window} months per policy in force",
            "claims",
            share(count[window], pl.col("_policies")),
            back=window,
            record="claims",
        )
    group.add(
        "claim_trend",
        "claims of the last 3 months at a yearly pace, minus those of 12 months",
        "claims",
        4 * count[3] - count[12],
        back=12,
        record="claims",
    )
    return group
