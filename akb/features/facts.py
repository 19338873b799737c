"""What is true of each policy, apart from any as-of date: purchases, relation spells, chains of replaced policies.

Every fact either cannot change by what happens later, or carries the day from which it is known; `cut.py` masks the
latter. Days are whole numbers since 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.types import Portfolio

FOREVER = np.iinfo(np.int32).max // 2
CAUSES = ("natural", "insurer", "preventable", "unknown", "technical")
"""Which cause names the end of a relation when several policies end on its last day: the first of these."""


def policy_facts(portfolio: Portfolio, branches: Sequence[str], gap_days: int) -> pl.DataFrame:
    """Return one row per policy that was in force for at least a day, sorted by customer and policy.

    policy, customer u32; branch u8 (position in `branches`); insurer str?; start, end i32 (null while open);
    cause u8 (position in `CAUSES`; null while open); ``settled`` i32? (day from which the end is known to be no lapse:
    it is technical, or the successor has started); replaced i32? (start of the successor);
    ``opens`` bool (starts a relation: nothing was in force the day before nor ended within G days);
    ``taken`` bool (a purchase, unless ``continues`` says otherwise); ``continues`` i32? (day from which it is known to
    continue an earlier policy); renewal_month, renewal_day i8; own_collection bool?; payment_months i8?.
    """
    facts = _typed(portfolio, branches)
    seen_branch = _covered_before(facts, ["customer", "branch"], "branch_covered")
    seen_customer = _covered_before(facts, ["customer"], "customer_covered")
    facts = (
        facts.join(seen_branch, on=["customer", "branch", "start"], how="left")
        .join(seen_customer, on=["customer", "start"], how="left")
        .join(_continued(facts), on=["customer", "branch", "start"], how="left")
    )
    bridged = pl.col("customer_covered").fill_null(-FOREVER) >= pl.col("start") - gap_days
    held = pl.col("branch_covered").fill_null(-FOREVER) >= pl.col("start") - gap_days
    return (
        facts.with_columns(
            opens=~bridged,
            taken=bridged & ~held,
            continues=pl.when("replaces").then(pl.col("continues").fill_null(pl.col("start"))),
        )
        .drop("branch_covered", "customer_covered", "replaces")
        .sort("customer", "policy")
    )


def _typed(portfolio: Portfolio, branches: Sequence[str]) -> pl.DataFrame:
    """The policies with codes and days instead of texts and dates; those never in force left out."""
    end, replaced = pl.col("end_date").to_physical(), pl.col("replaced_on").to_physical()
    start = pl.col("start_date").to_physical()
    turn = pl.coalesce("renewal_date", "start_date")
    technical = pl.col("cause").eq_missing("technical")
    cause = pl.col("cause").fill_null("unknown").replace_strict(CAUSES, range(len(CAUSES)), return_dtype=pl.UInt8)
    return (
        portfolio.policies.lazy()
        .filter(pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("start_date")))
        .select(
            "policy",
            "customer",
            "insurer",
            "payment_months",
            "replaces",
            branch=pl.col("branch").replace_strict(list(branches), range(len(branches)), return_dtype=pl.UInt8),
            start=start,
            end=end,
            cause=pl.when(end.is_not_null()).then(cause),
            replaced=pl.when(end.is_not_null()).then(replaced),
            settled=pl.when(end.is_not_null()).then(
                pl.when(technical).then(end).when(replaced.is_not_null()).then(pl.max_horizontal(end, replaced))
            ),
            renewal_month=turn.dt.month(),
            # 29 February counts as the 28th: only day and month mean something, and most years have no 29th
            renewal_day=pl.when((turn.dt.month() == 2) & (turn.dt.day() == 29))
            .then(pl.lit(28, pl.Int8))
            .otherwise(turn.dt.day()),
            own_collection=pl.col("collection") == "own",
        )
        .collect()
    )


def _covered_before(facts: pl.DataFrame, keys: list[str], name: str) -> pl.DataFrame:
    """Per start day of `keys`: the latest end of the policies that started earlier (null if there are none).

    Compared with a start S this never depends on the future: an end after S only says "still in force at S".
    """
    return (
        facts.lazy()
        .with_columns(pl.col("end").fill_null(FOREVER))
        .group_by(*keys, "start")
        .agg(pl.col("end").max())
        .sort(*keys, "start")
        .select(*keys, "start", pl.col("end").cum_max().shift(1).over(keys).alias(name))
        .collect()
    )


def _continued(facts: pl.DataFrame) -> pl.DataFrame:
    """Per customer, branch and start: the day from which a policy starting then is known to continue another."""
    return (
        facts.filter(pl.col("replaced").is_not_null())
        .group_by("customer", "branch", start="replaced")
        .agg(continues=pl.max_horizontal("end", "replaced").min())
    )


def spells(facts: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return the relations: unions of policy intervals, bridging gaps of at most G days.

    customer, start i32, end i32 (`FOREVER` while a policy is open), cause u8? (of the policies that end on the last
    day, the first in `CAUSES`; a replaced policy counts as technical). Sorted by customer and start.
    """
    ended_as = pl.when(pl.col("replaced").is_not_null()).then(len(CAUSES) - 1).otherwise(pl.col("cause"))
    covered = pl.col("end").cum_max().shift(1).over("customer").fill_null(-FOREVER)
    return (
        facts.lazy()
        .select("customer", "start", pl.col("end").fill_null(FOREVER), cause=ended_as.cast(pl.UInt8))
        .sort("customer", "start", "end")
        .with_columns(spell=(pl.col("start") > covered + gap_days).cum_sum())
        .group_by("customer", "spell")
        .agg(
            pl.col("start").min(),
            pl.col("end").max(),
            cause=pl.col("cause").filter(pl.col("end") == pl.col("end").max()).min(),
        )
        .drop("spell")
        .sort("customer", "start")
        .collect()
    )


def lines(facts: pl.DataFrame) -> pl.DataFrame:
    """Return per policy the last policy of its chain of replacements, and when that one lapsed.

    policy, ``last`` u32, ``lapse`` i32? (its end, unless that is open, technical, or replaced by a policy that is not
    in the file). If a policy was split, its line goes on in the successor with the lowest number; successors start later (or on
    the same day with a higher number), so that a line never turns in a circle.
    """
    later = facts.filter(pl.col("continues").is_not_null()).select(
        "customer", "branch", successor="policy", replaced="start"
    )
    linked = (
        facts.lazy()
        .filter(pl.col("replaced").is_not_null())
        .select("policy", "customer", "branch", "start", "replaced")
        .join(later.lazy(), on=["customer", "branch", "replaced"])
        .filter(
            (pl.col("replaced") > pl.col("start"))
            | ((pl.col("replaced") == pl.col("start")) & (pl.col("successor") > pl.col("policy")))
        )
        .group_by("policy")
        .agg(pl.col("successor").min())
        .collect()
    )
    joined = facts.select("policy", "end", "settled").join(linked, on="policy", how="left").sort("policy")
    number = joined["policy"].to_numpy()
    following = np.searchsorted(number, joined["successor"].fill_null(joined["policy"]).to_numpy())
    while (following != following[following]).any():
        following = following[following]
    last = joined[following]
    lapse = last.select(pl.when(pl.col("settled").is_null()).then(pl.col("end"))).to_series()
    return pl.DataFrame({"policy": joined["policy"], "last": last["policy"], "lapse": lapse})
