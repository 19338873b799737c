"""Where the customer is heading: the number of policies quarter by quarter, and the pace of starts
and ends.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, added, share, within

if TYPE_CHECKING:
    from akb.features.registry import World

QUARTERS = (3, 6, 9, 12, 15, 18, 21, 24)
"""Months back; with T itself nine moments, two years."""


def build(world: World) -> Group:
    """Return slope, runs of decline and growth, peak, and the pace of starts, ends and
    purchases.
    """
    group = Group("trends")
    if "ends" not in world.records:
        return group
    _quarters(group)
    _paces(group, world)
    return group


def _quarters(group: Group) -> None:
    """The number of policies at T and at the ends of the eight quarters before, latest first."""
    levels = [pl.col("_policies"), *(_policies_at(group, back) for back in QUARTERS)]
    # least squares over equal steps: weights add up to zero, so the slope is exact for whole
    # numbers
    middle = (len(levels) - 1) / 2
    weights = [middle - place for place in range(len(levels))]
    slope = added(weight * level for weight, level in zip(weights, levels, strict=True))
    slope = slope / sum(weight * weight for weight in weights)
    peak = pl.max_horizontal(levels)
    group.add(
        "policies_slope_24m",
        "slope of the number of policies over the last 8 quarters",
        "policies per year",
        4 * slope,
        back=24,
    )
    group.add(
        "quarters_falling",
        "quarters in a row up to T in which the number of policies fell, at most 8",
        "quarters",
        _run([now < before for now, before in pairwise(levels)]),
        back=24,
    )
    group.add(
        "quarters_growing",
        "quarters in a row up to T in which the number of policies grew, at most 8",
        "quarters",
        _run([now > before for now, before in pairwise(levels)]),
        back=24,
    )
    group.add(
        "quarters_with_decline",
        "quarters among the last 8 in which the number of policies fell",
        "quarters",
        added((now < before).cast(pl.Int32) for now, before in pairwise(levels)),
        back=24,
    )
    group.add(
        "policies_below_peak_24m",
        "highest number of policies in the last 8 quarters minus that of now",
        "policies",
        peak - levels[0],
        back=24,
    )
    group.add(
        "share_of_peak_24m",
        "policies in force as a share of the highest number in the last 8 quarters",
        "share",
        share(levels[0], peak),
        back=24,
    )
    group.add(
        "policies_acceleration_24m",
        "change in policies over the last 12 months minus that over the 12 before",
        "policies",
        levels[0] - 2 * levels[4] + levels[8],
        back=24,
    )


def _policies_at(group: Group, back: int) -> pl.Expr:
    """Return the number of policies in force `back` months before T."""
    then = pl.col(f"back_{back}")
    kept = group.count(f"_kept_{back}", "held", pl.col("start") <= then)
    lost = group.count(f"_lost_{back}", "gone", (pl.col("start") <= then) & (pl.col("end") > then))
    return kept + lost


def _run(steps: list[pl.Expr]) -> pl.Expr:
    """Return how many of `steps` hold from the first on, without interruption."""
    going, length = pl.lit(value=True), []
    for step in steps:
        going = going & step
        length.append(going.cast(pl.Int32))
    return added(length)


def _paces(group: Group, world: World) -> None:
    """Both windows per year: a year of 3 months times four against 12 months, a year against the
    mean of three.
    """
    lapses = {
        w: group.count(f"_lapses_{w}", "gone", pl.col("lapsed") & within("end", w))
        for w in (3, 12, 36)
    }
    bought = {w: group.count(f"_purchases_{w}", "taken", within("start", w)) for w in (3, 12, 36)}
    starts = {
        w: group.count(f"_started_{w}", "held", within("start", w))
        + group.count(f"_started_gone_{w}", "gone", within("start", w))
        for w in (3, 12, 36)
    }
    group.add(
        "start_trend",
        "policies started in the last 3 months at a yearly pace, minus those of 12 months",
        "policies",
        4 * starts[3] - starts[12],
        back=12,
    )
    group.add(
        "start_trend_36m",
        "policies started in the last 12 months minus the yearly mean of 36 months",
        "policies",
        starts[12] - starts[36] / 3,
        back=36,
    )
    group.add(
        "lapse_trend_36m",
        "lapses of the last 12 months minus the yearly mean of 36 months",
        "policies",
        lapses[12] - lapses[36] / 3,
        back=36,
    )
    group.add(
        "purchase_trend_36m",
        "purchases of the last 12 months minus the yearly mean of 36 months",
        "policies",
        bought[12] - bought[36] / 3,
        back=36,
        back_days=world.gap_days,
    )
    for window in (12, 36):
        group.add(
            f"mutations_per_policy_{window}m",
            f"policies that started or lapsed in the last {window} months per policy in force",
            "policies",
            share(starts[window] + lapses[window], pl.col("_policies")),
            back=window,
        )
    group.add(
        "lapses_against_starts_12m",
        "policies lapsed in the last 12 months minus those started",
        "policies",
        lapses[12] - starts[12],
        back=12,
    )
