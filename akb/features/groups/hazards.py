"""How the branches that the customer holds fared in the whole portfolio in the year before T."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.rates import PER_MILLION, policy_counts, rates_of, wide
from akb.features.registry import Group, added, share

if TYPE_CHECKING:
    from akb.features.registry import Aggregates, Extra, Tables, World


def build(world: World) -> Group:
    """Return the base lapse rate of what the customer holds, and how common it is."""
    codes = range(len(world.branches))
    policies = pl.col("_policies")
    branches = added((pl.col(f"_n_{code}") > 0).cast(pl.Int64) for code in codes)
    group = Group("hazards", extend=_extend, aggregate=_aggregate, shared=_shared(world))
    holders = added((pl.col(f"_n_{code}") > 0) * pl.col(f"holders_{code}") for code in codes)
    group.add(
        "branch_popularity",
        "mean share of the portfolio's customers who hold the branches held",
        "share",
        share(holders, branches * pl.col("holders_all")),
    )
    if "ends" not in world.records:
        return group
    lapse = added(pl.col(f"_n_{code}") * pl.col(f"lapse_rel_{code}") for code in codes)
    moved = added(pl.col(f"_n_{code}") * pl.col(f"lapse_move_{code}") for code in codes)
    rates = [pl.when(pl.col(f"_n_{code}") > 0).then(pl.col(f"lapse_rel_{code}")) for code in codes]
    taken = added(pl.col(f"_n_{code}") * pl.col(f"taken_rel_{code}") for code in codes)
    group.add(
        "branch_lapse_sum",
        "sum over the policies of their branch's lapse rate relative to the portfolio's",
        "policies of average risk",
        lapse / PER_MILLION,
        back=12,
    )
    group.add(
        "branch_lapse_ratio",
        "mean over the policies of their branch's lapse rate relative to the portfolio's",
        "ratio",
        share(lapse, policies) / PER_MILLION,
        back=12,
    )
    group.add(
        "branch_lapse_ratio_max",
        "highest of the branches' lapse rates relative to the portfolio's",
        "ratio",
        pl.max_horizontal(pl.lit(None, pl.Int64), *rates) / PER_MILLION,
        back=12,
    )
    group.add(
        "branch_lapse_ratio_min",
        "lowest of the branches' lapse rates relative to the portfolio's",
        "ratio",
        pl.min_horizontal(pl.lit(None, pl.Int64), *rates) / PER_MILLION,
        back=12,
    )
    group.add(
        "branch_lapse_ratio_trend",
        "mean over the policies of their branch's relative lapse rate in the last 3 months minus "
        "that in 12",
        "ratio",
        share(moved, policies) / PER_MILLION,
        back=12,
    )
    group.add(
        "branch_purchase_ratio",
        "mean over the policies of their branch's purchase rate relative to the portfolio's",
        "ratio",
        share(taken, policies) / PER_MILLION,
        back=12,
        back_days=world.gap_days,
    )
    return group


def _shared(world: World) -> tuple[str, ...]:
    return tuple(f"_n_{code}" for code in range(len(world.branches)))


def _aggregate(tables: Tables) -> Aggregates:
    """Customers, and those of them who hold each branch, beside the counts of policies."""
    customers = (
        tables.totals["held"]
        .group_by("t")
        .agg(
            holders_all=pl.len().cast(pl.Int64),
            **{
                f"holders_{code}": (pl.col(f"_n_{code}") > 0).sum().cast(pl.Int64)
                for code in range(len(tables.world.branches))
            },
        )
    )
    return {
        "hazards": (["t"], customers),
        "hazards.branch": (["t", "branch"], policy_counts(tables.cut, "branch")),
    }


def _extend(tables: Tables, aggregates: Aggregates) -> list[Extra]:
    rates, size = rates_of(aggregates["hazards.branch"][1], "branch"), len(tables.world.branches)
    return [
        (["t"], table)
        for table in (
            aggregates["hazards"][1],
            *(wide(rates, name, size) for name in ("lapse_rel", "lapse_move", "taken_rel")),
        )
    ]
