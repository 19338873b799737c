"""What became of the customer's money in the 12 months after T: premium above indexation,
commission lost.

Both compare two days, T and T + 12 months, so that a car that is replaced, with a week of two
policies, is no rise. What was paid on a day comes from the dated premium history alone. The premium
that the back office shows today is no weight at an old T: an ended policy's froze and a survivor's
was indexed. Without history every policy of a branch therefore weighs the same: the branch's usual
premium times its commission rate, from the taxonomy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY
from akb.features.grid import on_each

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Branch

DROP = 0.20
"""Recurring commission that falls by this share or more is a drop: the definition of
commission_drop_12m.
"""

ENOUGH = 20
"""So many policies tell the indexation of a branch (at an insurer); with fewer that of more of them
counts.
"""


def money_targets(
    rows: pl.DataFrame,
    facts: pl.DataFrame,
    records: pl.DataFrame | None,
    branches: Mapping[str, Branch],
    *,
    margin: float,
) -> pl.DataFrame:
    """Return upsell and commission drop for every row of the matrix, in its order.

    Parameters
    ----------
    rows
        t, customer, day, ahead_12, and of the relation that T falls in: end_date, censored_on (days
        since 1970).
    facts
        `facts.policy_facts` with the insurer's code.
    records
        `premiums.premium_records`; None without premium history.
    branches
        The branches of the portfolio in the order of their codes: usual premium, commission rate,
        commission ban.
    margin
        A rise counts beyond indexation plus this share.

    Returns
    -------
    ``upsell``, ``commission_drop`` Date? (T + 12 months where it is so; of customers who left it is
    not), ``upsell_possible``, ``commission_drop_possible`` bool (whether the row can be asked at
    all)."""
    dates = rows.select("t", "day", "ahead_12").unique().sort("t")
    nobody = rows.select(KEY).clear().with_columns(rise=pl.lit(None, pl.Boolean))
    found: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([nobody], [])
    # each T stands alone, and all policies on all T are many
    for one in list(dates.iter_slices(1)) or [dates]:
        own = facts.join(rows.join(one, on="t", how="semi"), on="customer", how="semi")
        # what is usual is told by everybody, where premiums are known at all
        seen = own if records is None else facts
        held, later = (
            _with_money(_standing(seen, one, day), records) for day in ("day", "ahead_12")
        )
        if records is not None:
            found[0].append(_rises(held, later, margin))
        found[1].append(_drops(held, later, _rates(branches)))
    rises, drops = (pl.concat(each) for each in found)
    then, gone, unseen = (pl.col(name) for name in ("ahead_12", "end_date", "censored_on"))
    left, unseen = (gone <= then).fill_null(value=False), (unseen <= then).fill_null(value=False)
    table = rows.join(rises, on=KEY, how="left", maintain_order="left")
    table = table.join(drops, on=KEY, how="left", maintain_order="left")
    return table.select(
        upsell=pl.when(pl.col("rise") & ~left).then(then.cast(pl.Date)),
        commission_drop=pl.when(pl.col("drop") & ~left).then(then.cast(pl.Date)),
        upsell_possible=pl.col("rise").is_not_null() & ~unseen,
        commission_drop_possible=pl.col("drop").is_not_null() & ~unseen,
    )


def _standing(facts: pl.DataFrame, dates: pl.DataFrame, day: str) -> pl.DataFrame:
    """Return the policies in force on a day of each T: t, on, policy, customer, branch,
    insurer_code.
    """
    policies = facts.lazy().select("policy", "customer", "branch", "insurer_code", "start", "end")
    there = (pl.col("start") <= pl.col("on")) & (
        pl.col("end").is_null() | (pl.col("end") > pl.col("on"))
    )
    days = dates.select("t", on=day)
    return on_each(days, ("t", "on"), policies, there).drop("start", "end").collect()


def _with_money(standing: pl.DataFrame, records: pl.DataFrame | None) -> pl.DataFrame:
    """Add the premium and the commission on the day; commission only where all records of the
    policy tell it.
    """
    if records is None:
        return standing.with_columns(premium=pl.lit(None, pl.Int64), earned=pl.lit(None, pl.Int64))
    recorded = pl.col("commission").is_not_null().all().over("policy")
    dated = records.select(
        "policy", "premium", on="date", earned=pl.when(recorded).then(pl.col("commission"))
    )
    return standing.sort("on").join_asof(
        dated.sort("on"), on="on", by="policy", check_sortedness=False
    )


def _rates(branches: Mapping[str, Branch]) -> pl.DataFrame:
    """Return per branch code the commission rate and the usual commission in cents; nothing where
    it is banned.
    """
    rate = [0.0 if each.ban else each.commission for each in branches.values()]
    usual = [
        round(100 * each.premium * share)
        for each, share in zip(branches.values(), rate, strict=True)
    ]
    codes = {"branch": range(len(rate)), "rate": rate, "usual": usual}
    return pl.DataFrame(codes, schema={"branch": pl.UInt8, "rate": pl.Float64, "usual": pl.Int64})


def _rises(held: pl.DataFrame, later: pl.DataFrame, margin: float) -> pl.DataFrame:
    """Return t, customer, rise: the premium of a branch held at T rose by more than indexation.

    Customers of whom no premium is known at T have no row. What a policy costs after indexation is
    its premium times the median rise of the policies in force on both days: of its branch at its
    insurer, else of its branch, else of all. A second policy in a branch is a rise too."""
    both = held.select("t", "policy", "branch", "insurer_code", "premium").join(
        later.select("t", "policy", after="premium"), on=["t", "policy"]
    )
    both = both.filter(pl.col("premium") > 0, pl.col("after").is_not_null())
    indexed = held.with_columns(index=pl.lit(None, pl.Float64))
    for keys in (["t", "branch", "insurer_code"], ["t", "branch"], ["t"]):
        usual = both.group_by(keys).agg(
            usual=(pl.col("after") / pl.col("premium")).median(), policies=pl.len()
        )
        usual = usual.filter(pl.col("policies") >= ENOUGH).drop("policies")
        indexed = indexed.join(usual, on=keys, how="left", nulls_equal=True)
        indexed = indexed.with_columns(index=pl.coalesce("index", "usual")).drop("usual")
    cost = (pl.col("premium") * (pl.col("index").fill_null(1.0) + margin)).round().cast(pl.Int64)
    before = _per_branch(indexed.with_columns(premium=cost)).filter(pl.col("premium") > 0)
    table = before.join(
        _per_branch(later).rename({"premium": "after"}), on=[*KEY, "branch"], how="left"
    )
    rise = pl.col("after") > pl.col("premium")
    return table.group_by(KEY).agg(rise=rise.fill_null(value=False).any())


def _per_branch(standing: pl.DataFrame) -> pl.DataFrame:
    """Return the premium per (t, customer, branch), where that of all its policies is known."""
    return (
        standing.group_by(*KEY, "branch")
        .agg(pl.col("premium").sum(), unknown=pl.col("premium").null_count())
        .filter(pl.col("unknown") == 0)
        .drop("unknown")
    )


def _drops(held: pl.DataFrame, later: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Return t, customer, drop: still a customer after 12 months, with at least 20 % less recurring
    commission.

    New policies count: who replaces one lost nothing. A policy of which nothing was known at T
    weighs the same on both days. Customers without commission at T have no row."""
    worth = pl.coalesce("earned", (pl.col("premium") * pl.col("rate")).round().cast(pl.Int64))
    now = held.join(rates, on="branch").with_columns(worth=worth)
    then = later.join(rates, on="branch").with_columns(worth=worth)
    blind = now.select("t", "policy", blind=pl.col("worth").is_null())
    then = then.join(blind, on=["t", "policy"], how="left").with_columns(
        worth=pl.when(pl.col("blind").fill_null(value=False))
        .then("usual")
        .otherwise(pl.coalesce("worth", "usual"))
    )
    before = (
        now.group_by(KEY)
        .agg(before=pl.coalesce("worth", "usual").sum())
        .filter(pl.col("before") > 0)
    )
    after = then.group_by(KEY).agg(after=pl.col("worth").sum())
    stays = pl.col("after").is_not_null()
    drop = stays & (pl.col("after") <= (1 - DROP) * pl.col("before"))
    return before.join(after, on=KEY, how="left").select(*KEY, drop=drop.fill_null(value=False))
