"""Branch by branch: how long it is held, when it renews, and whether it was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, months, within

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return age and next renewal of each branch held, and lapses per branch."""
    group = Group("branches")
    for code, branch in enumerate(world.branches):
        here = pl.col("branch") == code
        oldest = group.most(f"_oldest_{code}", "held", pl.when(here).then(pl.col("age")))
        due = group.least(f"_due_{branch}", "held", pl.when(here).then(pl.col("due")))
        group.add(
            f"tenure_{branch}",
            f"months since the start of the oldest policy in branch {branch}; null if not held",
            "months",
            months(oldest),
        )
        group.add(
            f"renewal_{branch}",
            f"months to the next renewal in branch {branch}; null if not held",
            "months",
            months(due),
        )
        if "ends" in world.records:
            lost = group.count(
                f"_lapses_in_{code}", "gone", here & pl.col("lapsed") & within("end", 36)
            )
            group.add(
                f"lapsed_{branch}_36m",
                f"policies in branch {branch} lapsed in the last 36 months",
                "policies",
                lost,
                back=36,
            )
    return group
