"""What the customer holds at T."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, added, is_branch, share

if TYPE_CHECKING:
    from akb.features.registry import World


def build(world: World) -> Group:
    """Return counts per branch, breadth, and shares per class of branch."""
    group = Group("holdings")
    policies = group.count("_policies", "held", pl.col("start").is_not_null())
    per_branch = [
        group.count(f"_n_{code}", "held", pl.col("branch") == code)
        for code in range(len(world.branches))
    ]
    branches = added((count > 0).cast(pl.Int32) for count in per_branch)
    group.add("policies", "policies in force", "policies", policies)
    group.add("branches", "different branches held", "branches", branches)
    group.add(
        "policies_per_branch", "policies per branch held", "policies", share(policies, branches)
    )
    group.add("one_policy", "holds one policy only", "yes/no", policies == 1)
    group.add(
        "largest_branch_share",
        "share of the policies in the branch with most policies",
        "share",
        share(pl.max_horizontal(pl.lit(0), *per_branch), policies),
    )
    for count, branch in zip(per_branch, world.branches, strict=True):
        group.add(f"n_{branch}", f"policies in force in branch {branch}", "policies", count)
    _classes(group, world, policies)
    return group


def _classes(group: Group, world: World, policies: pl.Expr) -> None:
    classes = {
        "essential": (
            "motor, legal expenses and liability",
            [each.essential for each in world.branches.values()],
        ),
        "private": (
            "branches for private persons",
            [each.segment == "P" for each in world.branches.values()],
        ),
        "business": (
            "branches for businesses",
            [each.segment == "Z" for each in world.branches.values()],
        ),
        "complex": (
            "branches without commission since 2013",
            [each.ban for each in world.branches.values()],
        ),
        "untaxed": (
            "branches without insurance premium tax",
            [not each.taxed for each in world.branches.values()],
        ),
    }
    for name, (words, members) in classes.items():
        inside = is_branch([code for code, member in enumerate(members) if member])
        count = group.count(f"_{name}", "held", inside)
        group.add(f"policies_{name}", f"policies in force in {words}", "policies", count)
        group.add(
            f"share_{name}", f"share of the policies in {words}", "share", share(count, policies)
        )
