"""How the policies are spread over insurers, and how those insurers keep theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY
from akb.features.rates import PER_MILLION, policy_counts, rates_of
from akb.features.registry import Group, share

if TYPE_CHECKING:
    from akb.features.registry import Aggregates, Extra, Tables, World

_RANKS = 3
_BASE = 1 << 20


def build(world: World) -> Group:
    """Return concentration over insurers and rates of the insurers held, all as at T."""
    group = Group("insurers", extend=_extend, aggregate=_aggregate)
    known = pl.col("insurer_policies")
    group.add("insurers", "different insurers", "insurers", pl.col("insurer_count"))
    group.add(
        "main_insurer_share",
        "share of the policies at the insurer with most of them",
        "share",
        share(pl.col("insurer_most") // _BASE, known),
    )
    group.add(
        "insurer_concentration",
        "Herfindahl index of the policies over insurers",
        "0 to 1",
        share(pl.col("insurer_squares"), known * known),
    )
    group.add(
        "policies_per_insurer",
        "policies per insurer",
        "policies",
        share(known, pl.col("insurer_count")),
    )
    group.add(
        "bundled_share",
        "share of the policies at an insurer that has two or more of the customer's policies",
        "share",
        share(pl.col("insurer_bundled"), known),
    )
    group.add(
        "main_insurer_market",
        "share of the portfolio's policies at T that the customer's main insurer has",
        "share",
        (pl.col("insurer_most") % _BASE) / PER_MILLION,
    )
    for rank in range(1, _RANKS + 1):
        group.add(
            f"share_insurer_{rank}",
            f"share of the policies at insurer number {rank} of the portfolio at T",
            "share",
            share(pl.col(f"insurer_rank_{rank}"), known),
        )
    group.add(
        "insurer_unknown_share",
        "share of the policies without an insurer",
        "share",
        1 - share(known.fill_null(0), pl.col("_policies")),
    )
    if "ends" in world.records:
        _lapse_rates(group, known)
    return group


def _lapse_rates(group: Group, known: pl.Expr) -> None:
    group.add(
        "insurer_lapse_ratio_trend",
        "mean over the policies of their insurer's relative lapse rate in the last 3 months minus "
        "that in 12",
        "ratio",
        share(pl.col("insurer_moves"), known) / PER_MILLION,
        back=12,
    )
    group.add(
        "insurer_lapse_ratio",
        "mean over the policies of their insurer's lapse rate relative to the portfolio's",
        "ratio",
        share(pl.col("insurer_lapses"), known) / PER_MILLION,
        back=12,
    )
    group.add(
        "insurer_lapse_ratio_max",
        "highest of the insurers' lapse rates relative to the portfolio's",
        "ratio",
        pl.col("insurer_lapse_max") / PER_MILLION,
        back=12,
    )


def _aggregate(tables: Tables) -> Aggregates:
    return {"insurers": (["t", "insurer_code"], policy_counts(tables.cut, "insurer_code"))}


def _extend(tables: Tables, aggregates: Aggregates) -> list[Extra]:
    rates = rates_of(aggregates["insurers"][1], "insurer_code").sort(
        "t", "held", "insurer_code", descending=[False, True, False]
    )
    rates = rates.with_columns(
        # insurer codes follow the alphabet, so that equal sizes rank alike whatever comes later
        rank=pl.int_range(1, pl.len() + 1).over("t"),
        market=(
            pl.col("held")
            * (PER_MILLION - 1)
            // pl.max_horizontal(pl.col("held").sum().over("t"), pl.lit(1))
        ),
    )
    per_insurer = (
        tables.cut.frames["held"]
        .filter(pl.col("insurer_code").is_not_null())
        .group_by(*KEY, "insurer_code")
        .agg(n=pl.len().cast(pl.Int64))
        .join(rates.lazy(), on=["t", "insurer_code"])
    )
    mix = per_insurer.group_by(KEY).agg(
        insurer_count=pl.len().cast(pl.Int64),
        insurer_policies=pl.col("n").sum(),
        insurer_squares=(pl.col("n") * pl.col("n")).sum(),
        # most policies first, then the larger insurer: one number, so that the order of rows does
        # not matter
        insurer_most=(pl.col("n") * _BASE + pl.col("market")).max(),
        insurer_lapses=(pl.col("n") * pl.col("lapse_rel")).sum(),
        insurer_moves=(pl.col("n") * pl.col("lapse_move")).sum(),
        insurer_bundled=pl.col("n").filter(pl.col("n") > 1).sum(),
        insurer_lapse_max=pl.col("lapse_rel").max(),
        **{
            f"insurer_rank_{rank}": (pl.col("n") * (pl.col("rank") == rank)).sum()
            for rank in range(1, _RANKS + 1)
        },
    )
    return [(KEY, mix.collect())]
