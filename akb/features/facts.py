"""What is true of each policy, apart from any as-of date: purchases, relation spells, chains of
replaced policies.

Every fact either cannot change by what happens later, or carries the day from which it is known;
`cut.py` masks the latter. Days are whole numbers since 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.relations import begins_relation, latest_so_far

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.types import Portfolio

INTERMEDIARY = "overgang_tussenpersoon"
"""The reason (configs/reasons.toml) of an end by which the policy went to another intermediary."""

FOREVER = np.iinfo(np.int32).max // 2
_NO_CAUSE = 255
CAUSES = ("natural", "insurer", "preventable", "unknown", "technical")
"""Which cause names the end of a relation when several policies end on its last day: the first of
these.
"""

NONPAYMENT = "wanbetaling"
"""The canonical reason of an end for non-payment."""

NO_RETURN = ("overlijden", "einde_bedrijf")
"""The canonical reasons after which nobody is left to come back."""


def policy_facts(portfolio: Portfolio, branches: Sequence[str], gap_days: int) -> pl.DataFrame:
    """Return one row per policy that was in force for at least a day, sorted by customer and
    policy.

    policy, customer u32; branch u8 (position in `branches`); insurer str?; start, end i32 (null
    while open); cause u8 (position in `CAUSES`; null while open); moved bool (ended by a change of
    intermediary); replaced i32? and replaces bool (as in the portfolio, so with hindsight: for
    targets only); ``settled`` i32? (day from which the end is known to be no lapse: it is
    technical, or a policy that continues it has started, see `_continued`); ``opens`` bool (starts
    a relation: nothing was in force the day before nor ended within G days); ``taken`` bool (a
    purchase: starts within a relation, in a branch neither held the day before nor ended within G
    days); renewal_month, renewal_day i8; own_collection bool?; payment_months i8?; ``unpaid`` and
    ``no_return`` bool (ended for non-payment; by a death or the end of a business): like the cause
    part of the end, for targets and former customers only."""
    facts = _typed(portfolio, branches)
    facts = facts.with_columns(
        branch_covered=_covered_before(facts, "customer", "branch"),
        customer_covered=_covered_before(facts, "customer"),
    ).join(_continued(facts, gap_days), on="policy", how="left")
    bridged = pl.col("customer_covered") >= pl.col("start") - gap_days
    held = pl.col("branch_covered") >= pl.col("start") - gap_days
    technical = pl.col("cause") == CAUSES.index("technical")
    return (
        facts.with_columns(
            opens=~bridged,
            taken=bridged & ~held & ~pl.col("replaces"),
            settled=pl.when(technical).then("end").otherwise("continued"),
        )
        .drop("branch_covered", "customer_covered", "continued")
        .sort("customer", "policy")
    )


def _typed(portfolio: Portfolio, branches: Sequence[str]) -> pl.DataFrame:
    """The policies with codes and days instead of texts and dates; those never in force left
    out.
    """
    end, replaced = pl.col("end_date").to_physical(), pl.col("replaced_on").to_physical()
    start = pl.col("start_date").to_physical()
    turn = pl.coalesce("renewal_date", "start_date")
    cause = (
        pl.col("cause")
        .fill_null("unknown")
        .replace_strict(CAUSES, range(len(CAUSES)), return_dtype=pl.UInt8)
    )
    return (
        portfolio.policies.lazy()
        .filter(pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("start_date")))
        .select(
            "policy",
            "customer",
            "insurer",
            "payment_months",
            "replaces",
            branch=pl.col("branch").replace_strict(
                list(branches), range(len(branches)), return_dtype=pl.UInt8
            ),
            start=start,
            end=end,
            cause=pl.when(end.is_not_null()).then(cause),
            moved=end.is_not_null() & (pl.col("reason") == INTERMEDIARY).fill_null(value=False),
            replaced=pl.when(end.is_not_null()).then(replaced),
            renewal_month=turn.dt.month(),
            # 29 February counts as the 28th: only day and month mean something, and most years have
            # no 29th
            renewal_day=pl.when((turn.dt.month() == 2) & (turn.dt.day() == 29))
            .then(pl.lit(28, pl.Int8))
            .otherwise(turn.dt.day()),
            own_collection=pl.col("collection") == "own",
            no_return=(end.is_not_null() & pl.col("reason").is_in(NO_RETURN)).fill_null(
                value=False
            ),
            unpaid=(end.is_not_null() & (pl.col("reason") == NONPAYMENT)).fill_null(value=False),
        )
        .collect()
    )


def _covered_before(facts: pl.DataFrame, *keys: str) -> pl.Series:
    """Return per policy the latest end among those of the same `keys` that started on an earlier
    day (`-FOREVER` if there are none).

    Compared with a start S this never depends on the future: an end after S only says "still in
    force at S"."""
    if facts.is_empty():
        return pl.Series(dtype=pl.Int64)
    table = (
        facts.select(*keys, "start", pl.col("end").fill_null(FOREVER))
        .with_row_index("place")
        .sort(*keys, "start")
    )
    place, start, end = (table[name].to_numpy() for name in ("place", "start", "end"))
    other = np.ones(len(start), dtype=np.bool_)  # other keys than in the row before
    other[1:] = np.any(
        [table[name].to_numpy()[1:] != table[name].to_numpy()[:-1] for name in keys], axis=0
    )
    latest = latest_so_far(other, end)
    first = np.flatnonzero(other | np.r_[True, start[1:] != start[:-1]])  # of each day
    before = np.full(len(first), -FOREVER, dtype=np.int64)
    before[1:] = np.where(other[first[1:]], -FOREVER, latest[first[1:] - 1])
    out = np.empty(len(start), dtype=np.int64)
    out[place] = np.repeat(before, np.diff(first, append=len(start)))
    return pl.Series(out)


def _continued(facts: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return per ended policy the day from which it is known that another continues it.

    Same customer and branch, starting within G days of the end; one to one. The portfolio's
    ``replaced_on`` is chosen with hindsight (the nearest of all starts), so that a start after T
    could undo a link that was seen at T. Here pairs are made in the order in which they become
    known, and a pair once made stays."""
    # pairs lie in the same or in neighbouring stretches of G days: a fleet's ends need not meet all
    # of its starts
    stretch = gap_days + 1
    ends = facts.filter(pl.col("end").is_not_null()).select(
        "policy", "customer", "branch", "end", born="start", near=pl.col("end") // stretch
    )
    starts = pl.concat(
        facts.select(
            "customer",
            "branch",
            "start",
            successor="policy",
            near=pl.col("start") // stretch + offset,
        )
        for offset in (-1, 0, 1)
    )
    short = pl.col("end") - pl.col("born") <= gap_days
    pairs = (
        ends.lazy()
        .join(starts.lazy(), on=["customer", "branch", "near"])
        .filter(
            (pl.col("start") > pl.col("born"))
            & ((pl.col("start") - pl.col("end")).abs() <= gap_days)
        )
        # a policy that hardly lived is only continued by one that starts on or after its end
        .filter(~short | (pl.col("start") >= pl.col("end")))
        .select("policy", "successor", "end", "start", continued=pl.max_horizontal("end", "start"))
        .sort("continued", (pl.col("end") - pl.col("start")).abs(), "policy", "successor")
        .with_row_index("turn")
        .collect()
    )
    made = [pairs.head(0)]
    while pairs.height:
        first = pl.col("turn").min()
        mutual = pairs.filter(
            (pl.col("turn") == first.over("policy")) & (pl.col("turn") == first.over("successor"))
        )
        made.append(mutual)
        pairs = pairs.join(mutual, on="policy", how="anti").join(mutual, on="successor", how="anti")
    return pl.concat(made).select("policy", "continued")


def spells(facts: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return the relations: unions of policy intervals, bridging gaps of at most G days.

    customer, start i32, end i32 (`FOREVER` while a policy is open), cause u8? (of the policies that
    end on the last day, the first in `CAUSES`). Sorted by customer and start."""
    if facts.is_empty():
        return facts.select("customer", "start", "end", "cause")
    table = facts.select("customer", "start", pl.col("end").fill_null(FOREVER), "cause").sort(
        "customer", "start"
    )
    customer, start, end = (table[name].to_numpy() for name in ("customer", "start", "end"))
    new = begins_relation(customer, start, end, gap_days)
    first = np.flatnonzero(new)
    last = np.maximum.reduceat(end, first)
    cause = table["cause"].fill_null(_NO_CAUSE).to_numpy()
    of_last = np.where(end == np.repeat(last, np.diff(first, append=len(end))), cause, _NO_CAUSE)
    least = pl.Series("cause", np.minimum.reduceat(of_last, first), dtype=facts["cause"].dtype)
    return (
        table[first]
        .select("customer", "start")
        .with_columns(
            end=pl.Series(last, dtype=pl.Int32),
            cause=pl.when(least != _NO_CAUSE).then(least),
        )
    )


def lines(facts: pl.DataFrame) -> pl.DataFrame:
    """Return per policy the last policy of its chain of replacements, and when that one lapsed.

    policy, ``last`` u32, ``lapse`` i32? (its end, unless that is open, technical, or replaced by a
    policy that is not in the file), ``lapse_unpaid`` i32? (the same where it ended for
    non-payment). If a policy was split, its line goes on in the successor with the lowest number.
    Successors start later, or on the same day with a higher number, so that a line never turns in a
    circle."""
    later = facts.filter("replaces").select(
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
    joined = (
        facts.select("policy", "end", "cause", "replaced", "unpaid")
        .join(linked, on="policy", how="left")
        .sort("policy")
    )
    number = joined["policy"].to_numpy()
    following = np.searchsorted(number, joined["successor"].fill_null(joined["policy"]).to_numpy())
    while (following != following[following]).any():
        following = following[following]
    last = joined[following]
    lost = pl.col("replaced").is_null() & (pl.col("cause") != CAUSES.index("technical"))
    lapse = last.select(
        lapse=pl.when(lost).then("end"), lapse_unpaid=pl.when(lost & pl.col("unpaid")).then("end")
    )
    return pl.DataFrame({"policy": joined["policy"], "last": last["policy"]}).hstack(lapse)
