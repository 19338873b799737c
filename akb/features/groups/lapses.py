"""What the customer has ended before T: the strongest sign of what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.facts import CAUSES
from akb.features.registry import Group, is_branch, share, since, within

if TYPE_CHECKING:
    from akb.features.registry import World

_CAUSES = {
    "natural": "death, end of the object or business, or emigration",
    "insurer": "the insurer's decision",
    "preventable": "a reason that attention might have changed",
    "unknown": "an unknown reason",
}


def build(world: World) -> Group:
    """Return lapses in windows, months since, share lost, first cancellation, causes."""
    group = Group("lapses")
    if "ends" not in world.records:
        return group
    lapsed, policies = pl.col("lapsed"), pl.col("_policies")
    count = {
        window: group.count(f"_lapses_{window}", "gone", lapsed & within("end", window))
        for window in (3, 6, 12, 24, 36)
    }
    for window, number in count.items():
        group.add(
            f"past_lapses_{window}m",
            f"policies lapsed in the last {window} months",
            "policies",
            number,
            back=window,
        )
    for window in (3, 12, 36):
        group.add(
            f"share_lost_{window}m",
            f"share of the policies held in the last {window} months that lapsed",
            "share",
            share(count[window], policies + count[window]),
            back=window,
        )
    latest = group.least("_since_lapse", "gone", pl.when(lapsed).then(pl.col("since")))
    for window in (12, 36):
        group.add(
            f"months_since_lapse_{window}m",
            f"months since the last lapse, at most {window}",
            "months",
            since(latest, window),
            back=window,
        )
    group.add(
        "lapse_trend",
        "lapses of the last 3 months at a yearly pace, minus those of 12 months",
        "policies",
        4 * count[3] - count[12],
        back=12,
    )
    group.add(
        "lapses_accelerate",
        "more lapses in the last 12 months than in the 12 before",
        "yes/no",
        count[12] > count[24] - count[12],
        back=24,
    )
    _first(group, count, policies)
    _kinds(group, world)
    return group


def _first(group: Group, count: dict[int, pl.Expr], policies: pl.Expr) -> None:
    """The first cancellation in a long time; with three or more other policies it weighs more
    (Brockett 2008).
    """
    first = (count[12] > 0) & (count[36] == count[12])
    earliest = group.most("_since_first_lapse", "gone", pl.when("lapsed").then(pl.col("since")))
    group.add(
        "first_lapse_12m", "first lapse in 36 months fell in the last 12", "yes/no", first, back=36
    )
    group.add(
        "first_lapse_3m",
        "first lapse in 36 months fell in the last 3",
        "yes/no",
        (count[3] > 0) & (count[36] == count[3]),
        back=36,
    )
    group.add(
        "first_lapse_many_left",
        "first lapse in 36 months fell in the last 12; three or more policies left",
        "yes/no",
        first & (policies >= 3),
        back=36,
    )
    group.add(
        "months_since_first_lapse_36m",
        "months since the first lapse in 36 months, at most 36",
        "months",
        since(earliest, 36),
        back=36,
    )


def _kinds(group: Group, world: World) -> None:
    lapsed = pl.col("lapsed")
    if world.reasons:
        for cause, words in _CAUSES.items():
            for window in (12, 36):
                number = group.count(
                    f"_lapses_{cause}_{window}",
                    "gone",
                    lapsed & within("end", window) & (pl.col("cause") == CAUSES.index(cause)),
                )
                group.add(
                    f"lapses_{cause}_{window}m",
                    f"policies lapsed in the last {window} months by {words}",
                    "policies",
                    number,
                    back=window,
                )
        _to_another_intermediary(group)
    essential = is_branch(
        [code for code, each in enumerate(world.branches.values()) if each.essential]
    )
    young = pl.col("lasted") <= 366
    for name, words, where in (
        ("essential", "in motor, legal expenses or liability", essential),
        ("young", "within their first year", young),
    ):
        for window in (12, 36):
            number = group.count(
                f"_lapses_{name}_{window}", "gone", lapsed & within("end", window) & where
            )
            group.add(
                f"lapses_{name}_{window}m",
                f"policies lapsed in the last {window} months {words}",
                "policies",
                number,
                back=window,
            )
    moved = group.count("_converted_12", "gone", ~lapsed & within("end", 12))
    group.add(
        "converted_12m",
        "policies converted, renumbered or replaced in the last 12 months",
        "policies",
        moved,
        back=12,
    )


def _to_another_intermediary(group: Group) -> None:
    """Who took one policy to another office often takes the others there too; a sold book is
    technical, not this.
    """
    moved = pl.col("lapsed") & pl.col("moved")
    latest = group.least("_since_intermediary", "gone", pl.when(moved).then(pl.col("since")))
    group.add(
        "months_since_intermediary_change_36m",
        "months since a policy of the customer went to another intermediary, at most 36",
        "months",
        since(latest, 36),
        back=36,
    )
