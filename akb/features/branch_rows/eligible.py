"""Branch rows for what could be taken after T: branches that fit the customer and are not held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.features.branch_rows.eligibility import counts, standing, tally
from akb.features.branch_rows.world import finished
from akb.features.cut import KEY, ONE
from akb.features.grid import REACH, on_each
from akb.features.rates import PER_MILLION, shrunk
from akb.features.registry import since, within
from akb.features.types import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.features.branch_rows.world import BranchWorld
    from akb.features.cut import Cut

_PART = 25_000
"""Rows (T, customer) at a time."""

ELIGIBLE = (
    Feature(
        "branch_held_before_36m", "eligible", "held the branch in the last 36 months", "yes/no"
    ),
    Feature(
        "branch_months_since_held_36m",
        "eligible",
        "months since the branch was held, at most 36",
        "months",
    ),
    Feature(
        "branch_popularity_kind",
        "eligible",
        "share of the same kind of customers who hold the branch",
        "share",
    ),
    Feature(
        "branch_purchase_rate_12m",
        "eligible",
        "purchases of the branch in 12 months per customer",
        "share",
    ),
    Feature(
        "branch_co_ownership",
        "eligible",
        "mean over the branches held of the share of their holders who hold this branch",
        "share",
    ),
    Feature(
        "branch_lift",
        "eligible",
        "co-ownership divided by the branch's share among all customers",
        "ratio",
    ),
    Feature(
        "branch_adviser_purchase_rate_12m",
        "eligible",
        "purchases of the branch in 12 months per customer of the adviser, shrunk",
        "share",
        current=True,
    ),
)


@dataclass(frozen=True)
class EligibleShares:
    """What rows of what could be taken need of everybody at each T: how common branches are
    (`_popularity`, `_together`), and how often they are taken (`_purchase_rates`,
    `_adviser_purchases`).
    """

    popular: pl.DataFrame
    together: pl.DataFrame
    rates: pl.DataFrame
    advisers: pl.DataFrame

    @classmethod
    def of(cls, seen: Cut, world: BranchWorld) -> EligibleShares:
        """Return that of a Cut of everybody."""
        held, members = who_holds(seen, world)
        rates, advisers = pl.collect_all(
            [_purchase_rates(seen, members, world), _adviser_purchases(seen, members, world)]
        )
        together = _together(held, len(world.branches))
        return cls(_popularity(held, members), together, rates, advisers)


def eligible_rows(
    seen: Cut,
    purchases: pl.DataFrame,
    taken: list[int],
    signed: pl.DataFrame,
    world: BranchWorld,
    *,
    shares: EligibleShares,
) -> pl.DataFrame:
    """One row per (T, customer, branch that is open to the customer), see `eligibility.standing`.

    Parameters
    ----------
    seen, purchases
        Of everybody, or of those who have a row.
    """
    together = shares.together
    held, members = who_holds(seen, world)
    later = purchases.lazy().select("customer", "branch", pl.col("start").alias("event"))
    event = (
        on_each(seen.dates, ("t", "day"), later, pl.col("event") > pl.col("day"))
        .group_by(ONE)
        .agg(pl.col("event").min())
    )
    before, after = pl.collect_all([_held_before(seen), event])
    signed, asked = signed_at(seen, signed), world.asked(seen).collect()
    parts = max(1, -(-asked.height // _PART))  # rows for every branch are many: some at a time
    return pl.concat(
        finished(
            standing(ours, these, seen.dates, signed, world)
            .filter(pl.col("reason").is_null() & pl.col("branch").is_in(taken))
            .join(seen.dates.lazy().select("t", "as_of", "ahead_12", "back_12", "back_36"), on="t")
            .join(before.lazy(), on="one", how="left")
            .join(shares.popular.lazy(), on=["t", "kind", "branch"], how="left", nulls_equal=True)
            .join(shares.rates.lazy(), on=["t", "branch"], how="left")
            .join(shares.advisers.lazy(), on=["t", "adviser", "branch"], how="left")
            .join(
                _co_ownership(ours, together, len(world.branches)).lazy(),
                on="one",
                how="left",
            )
            .join(after.lazy(), on="one", how="left"),
            _features(world),
            world,
        )
        for ours, these in (
            (each.join(part, on=KEY, how="semi") for each in (held, members))
            for part in (asked.filter(pl.col("customer") % parts == n) for n in range(parts))
        )
    )


def _features(world: BranchWorld) -> dict[str, pl.Expr]:
    ago, year = world.seen(REACH), world.seen(12, world.gap_days)
    adviser = shrunk(
        pl.col("adviser_taken").fill_null(0), pl.col("adviser_members"), pl.col("purchase_rate")
    )
    return {
        "branch_held_before_36m": pl.when(ago).then(pl.col("ago").is_not_null()),
        "branch_months_since_held_36m": pl.when(ago).then(since(pl.col("ago"), REACH)),
        "branch_popularity_kind": pl.col("popularity_kind"),
        "branch_purchase_rate_12m": pl.when(year).then(pl.col("purchase_rate")),
        "branch_co_ownership": pl.col("co_ppm") / PER_MILLION,
        "branch_lift": pl.when(pl.col("popularity") > 0).then(
            pl.col("co_ppm") / PER_MILLION / pl.col("popularity")
        ),
        "branch_adviser_purchase_rate_12m": pl.when(year).then(adviser),
    }


def open_now(
    seen: Cut, signed: pl.DataFrame, world: BranchWorld
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return to how many customers each branch is open and why not to the others, and customer,
    branch of the open.
    """
    held, members = who_holds(seen, world)
    signed = signed_at(seen, signed)
    tallies, fits = [], []
    parts = max(1, -(-members.height // _PART))
    for part in range(parts):
        mine = pl.col("customer") % parts == part
        table = (
            standing(held.filter(mine), members.filter(mine), seen.dates, signed, world)
            .select("customer", "branch", "reason")
            .collect()
        )
        tallies.append(tally(table))
        fits.append(table.filter(pl.col("reason").is_null()).select("customer", "branch"))
    fitting = pl.concat(fits).sort("branch", "customer")
    return counts(tallies, world), fitting.select("customer", world.code())


def who_holds(seen: Cut, world: BranchWorld) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return t, customer, branch in force at T, and t, customer with what is known of everyone who
    holds anything.
    """
    held = seen.frames["held"].select(*KEY, "branch").unique().collect()
    return held, held.select(KEY).unique().join(world.customers, on="customer", how="left")


def signed_at(seen: Cut, signed: pl.DataFrame) -> pl.DataFrame:
    """Return t, customer, branch of what is signed for: known at the export's own day only."""
    return seen.dates.select("t", "as_of").join(signed, on="as_of").select(*KEY, "branch")


def _held_before(seen: Cut) -> pl.LazyFrame:
    return seen.frames["gone"].group_by(ONE).agg(ago=pl.col("since").min())


def _popularity(held: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Share of the customers at T who hold a branch: of the same kind, and of all
    (``popularity``).
    """
    who = held.join(members.select(*KEY, "kind"), on=KEY)
    kinds = members.group_by("t", "kind").agg(size=pl.len())
    everyone = members.group_by("t").agg(total=pl.len())
    branches = held.group_by("t", "branch").agg(holders=pl.len()).join(everyone, on="t")
    grid = kinds.join(branches, on="t")
    same = who.group_by("t", "kind", "branch").agg(same=pl.len())
    return grid.join(same, on=["t", "kind", "branch"], how="left", nulls_equal=True).select(
        "t",
        "kind",
        "branch",
        popularity_kind=pl.col("same").fill_null(0) / pl.col("size"),
        popularity=pl.col("holders") / pl.col("total"),
    )


def _purchase_rates(seen: Cut, members: pl.DataFrame, world: BranchWorld) -> pl.LazyFrame:
    """Purchases of a branch in 12 months per customer in force, over the whole portfolio."""
    counts = seen.frames["taken"].group_by("t", "branch").agg(n=within("start", 12).sum())
    return (
        members.lazy()
        .group_by("t")
        .agg(size=pl.len())
        .join(
            pl.LazyFrame({"branch": range(len(world.branches))}, schema={"branch": pl.UInt8}),
            how="cross",
        )
        .join(counts, on=["t", "branch"], how="left")
        .select("t", "branch", purchase_rate=pl.col("n").fill_null(0) / pl.col("size"))
    )


def _adviser_purchases(seen: Cut, members: pl.DataFrame, world: BranchWorld) -> pl.LazyFrame:
    """Purchases of a branch in 12 months among the customers of one adviser."""
    size = (
        members.lazy()
        .filter(pl.col("adviser").is_not_null())
        .group_by("t", "adviser")
        .agg(adviser_members=pl.len())
    )
    counts = (
        seen.frames["taken"]
        .filter(within("start", 12))
        .join(world.customers.lazy().select("customer", "adviser"), on="customer")
        .group_by("t", "adviser", "branch")
        .agg(adviser_taken=pl.len())
    )
    codes = pl.LazyFrame({"branch": range(len(world.branches))}, schema={"branch": pl.UInt8})
    return size.join(codes, how="cross").join(counts, on=["t", "adviser", "branch"], how="left")


def _together(held: pl.DataFrame, size: int) -> pl.DataFrame:
    """Per T and branch the share of its holders who hold each branch, per million: ``p{code}``."""
    found = [
        held.select("t", "branch").clear().with_columns(_shares(np.zeros((0, size), np.int64)))
    ]
    for one in held.partition_by("t"):
        customer, branch = one["customer"].to_numpy(), one["branch"].to_numpy()
        _, row = np.unique(customer, return_inverse=True)
        holds = np.zeros((int(row.max()) + 1, size))
        holds[row, branch] = 1.0
        both = (holds.T @ holds).astype(np.int64)  # whole numbers, so exact
        there = np.flatnonzero(both.diagonal())
        shares = both[there] * PER_MILLION // both.diagonal()[there, None]
        keys = pl.DataFrame(
            {"t": one["t"][0], "branch": there}, schema=held.select("t", "branch").schema
        )
        found.append(keys.with_columns(_shares(shares)))
    return pl.concat(found)


def _shares(shares: NDArray[np.int64]) -> list[pl.Series]:
    return [pl.Series(f"p{code}", column) for code, column in enumerate(shares.T)]


def _co_ownership(ours: pl.DataFrame, together: pl.DataFrame, size: int) -> pl.DataFrame:
    """Mean over the branches that some hold of P(branch | branch held), per million, for every
    branch.

    In whole numbers, so that the sum over a customer's branches is the same in any order.
    """
    score = (
        ours.join(together, on=["t", "branch"])
        .group_by(KEY)
        .agg(
            (pl.col(f"p{code}").sum() // pl.len()).cast(pl.Int32).alias(str(code))
            for code in range(size)
        )
    )
    long = score.unpivot(index=KEY, variable_name="branch", value_name="co_ppm")
    return long.with_columns(pl.col("branch").cast(pl.UInt8)).select(ONE, "co_ppm")
