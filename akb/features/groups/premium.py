"""What the customer pays, against others and against earlier: only where the export has dated
premiums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY
from akb.features.premiums import MOST, covered, known_premiums
from akb.features.rates import PER_MILLION, medians
from akb.features.registry import Group, share, since

if TYPE_CHECKING:
    from akb.features.registry import Aggregates, Extra, Tables, World

_OF_BRANCH = ["t", "branch"]

COVER = 0.95
"""So many of the portfolio's policies must have a known premium at T, else no premium feature says
anything.
"""


def build(world: World) -> Group:
    """Return level, position, change, rises and mix of the premiums in force at T, as known at
    T.
    """
    if "premiums" not in world.records:
        return Group("premium")
    group = Group("premium", extend=_extend, aggregate=_aggregate)
    _level(group)
    _change(group)
    _rises(group)
    _mix(group, list(world.branches))
    return group


def _known(value: pl.Expr, *, back: int = 0) -> pl.Expr:
    """The value where the premiums of nearly all policies were known, now and `back` months ago."""
    return pl.when((pl.col("priced_0") >= COVER) & (pl.col(f"priced_{back}") >= COVER)).then(value)


def _add(
    group: Group, name: str, meaning: str, unit: str, value: pl.Expr, *, back: int = 0
) -> None:
    group.add(name, meaning, unit, _known(value, back=back), back=back, record="premiums")


def _log_euros(cents: pl.Expr) -> pl.Expr:
    return (cents / 100).log1p()


def _level(group: Group) -> None:
    total, policies = pl.col("premium_sum"), pl.col("premium_policies")
    _add(
        group,
        "premium_log",
        "premium of all policies in force",
        "log euros a year",
        _log_euros(total),
    )
    _add(
        group,
        "premium_per_policy_log",
        "mean premium of the policies",
        "log euros a year",
        _log_euros(share(total, policies)),
    )
    _add(
        group,
        "premium_highest_log",
        "highest premium",
        "log euros a year",
        _log_euros(pl.col("premium_most")),
    )
    _add(
        group,
        "premium_to_branch",
        "mean over the policies of the premium relative to the median of its branch in the "
        "portfolio at T",
        "ratio",
        share(pl.col("premium_relative"), policies) / PER_MILLION,
    )
    _add(
        group,
        "premium_to_branch_max",
        "highest premium relative to the median of its branch in the portfolio at T",
        "ratio",
        pl.col("premium_relative_most") / PER_MILLION,
    )


def _change(group: Group) -> None:
    for window in (12, 24):
        now, before = pl.col(f"premium_now_{window}"), pl.col(f"premium_before_{window}")
        _add(
            group,
            f"premium_change_{window}m",
            f"change in {window} months of the premium of the policies that were held then too",
            "share",
            share(now - before, before),
            back=window,
        )
    _add(
        group,
        "premium_last_change",
        "largest of the policies' last premium changes, if within 12 months",
        "share",
        pl.col("premium_changed_most") / PER_MILLION,
        back=12,
    )
    _add(
        group,
        "premium_last_change_min",
        "smallest of the policies' last premium changes, if within 12 months",
        "share",
        pl.col("premium_changed_least") / PER_MILLION,
        back=12,
    )
    _add(
        group,
        "premium_change_to_branch_12m",
        "largest premium change in 12 months, less the median change of its branch in the "
        "portfolio at T",
        "share",
        pl.col("premium_beyond_most") / PER_MILLION,
        back=12,
    )


def _rises(group: Group) -> None:
    for window in (12, 36):
        _add(
            group,
            f"premium_rises_{window}m",
            f"premium rises of more than 5 % in the last {window} months",
            "times",
            pl.col(f"premium_rises_{window}"),
            back=window,
        )
        _add(
            group,
            f"months_since_premium_rise_{window}m",
            f"months since the last premium rise of more than 5 %, at most {window}",
            "months",
            pl.when(pl.col("premium_policies") > 0).then(
                since(pl.col("premium_since_rise"), window)
            ),
            back=window,
        )
    _add(
        group,
        "premium_falls_12m",
        "premium falls of more than 5 % in the last 12 months",
        "times",
        pl.col("premium_falls_12"),
        back=12,
    )


def _mix(group: Group, branches: list[str]) -> None:
    total = pl.col("premium_sum")
    _add(
        group,
        "premium_largest_share",
        "share of the most expensive policy in the premium",
        "share",
        share(pl.col("premium_most"), total),
    )
    for code, branch in enumerate(branches):
        _add(
            group,
            f"premium_share_{branch}",
            f"share of the premium in {branch}",
            "share",
            share(pl.col(f"premium_of_{code}"), total),
        )


def _priced(tables: Tables) -> pl.LazyFrame:
    """The policies in force with their premium, and what it grew in a year."""
    premium, before = pl.col("premium"), pl.col("before_12")
    return tables.cut.frames["premiums"].with_columns(
        grown=pl.when(before > 0).then(
            ((premium - before) * PER_MILLION // before).clip(upper_bound=MOST)
        ),
    )


def _aggregate(tables: Tables) -> Aggregates:
    """How many policies have each premium and each growth per branch, for the medians; and of how
    many policies the premium is known.
    """
    table = _priced(tables)
    counts = [
        table.filter(pl.col(name).is_not_null())
        .group_by(*_OF_BRANCH, name)
        .agg(n=pl.len().cast(pl.Int64))
        for name in ("premium", "grown")
    ]
    premiums, growths, known = pl.collect_all([*counts, known_premiums(table)])
    return {
        "premium": ([*_OF_BRANCH, "premium"], premiums),
        "premium.grown": ([*_OF_BRANCH, "grown"], growths),
        "premium.known": (["t"], known),
    }


def _extend(tables: Tables, aggregates: Aggregates) -> list[Extra]:
    premium, table = pl.col("premium"), _priced(tables)
    middles = medians(aggregates["premium"][1], _OF_BRANCH, "premium", "middle")
    usual = medians(aggregates["premium.grown"][1], _OF_BRANCH, "grown", "usual")
    placed = table.join(middles.lazy(), on=_OF_BRANCH, how="left")
    placed = placed.join(usual.lazy(), on=_OF_BRANCH, how="left").with_columns(
        relative=pl.when(pl.col("middle") > 0).then(
            (premium * PER_MILLION // pl.col("middle")).clip(upper_bound=MOST)
        ),
        beyond=pl.col("grown") - pl.col("usual"),
    )
    both = {
        f"premium_{name}_{window}": pl.when(pl.col(f"before_{window}") > 0).then(value).sum()
        for window in (12, 24)
        for name, value in (("now", premium), ("before", pl.col(f"before_{window}")))
    }
    priced = premium.is_not_null().any()
    whole = placed.group_by(KEY).agg(
        premium_policies=premium.count().cast(pl.Int64),
        premium_sum=pl.when(priced).then(premium.sum()),
        premium_most=premium.max(),
        premium_relative=pl.col("relative").sum(),
        premium_relative_most=pl.col("relative").max(),
        **both,
        premium_changed_most=pl.col("changed").max(),
        premium_changed_least=pl.col("changed").min(),
        premium_beyond_most=pl.col("beyond").max(),
        premium_since_rise=pl.col("since_rise").min(),
        **{
            f"premium_rises_{w}": pl.when(priced).then(pl.col(f"rises_{w}").sum()) for w in (12, 36)
        },
        premium_falls_12=pl.when(priced).then(pl.col("falls_12").sum()),
        **{
            f"premium_of_{code}": pl.when(pl.col("branch") == code).then(premium).sum()
            for code in range(len(tables.world.branches))
        },
    )
    return [(["t"], covered(aggregates["premium.known"][1])), (KEY, whole.collect())]
