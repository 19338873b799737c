"""Branch rows: for what is held at T (will it lapse) and what could be taken (will it be)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.features.cut import KEY, Cut, cut
from akb.features.grid import REACH, to_day
from akb.features.matrix import portfolio_branches
from akb.features.rates import PER_MILLION, policy_rates, shrunk
from akb.features.registry import months, since, within
from akb.features.types import BranchRows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from akb.config import Branch, Settings
    from akb.ingest.types import Portfolio

HELD = (
    "branch_policies",
    "branch_share",
    "branch_oldest_months",
    "branch_youngest_months",
    "branch_months_to_renewal",
    "branch_months_since_renewal",
    "branch_first_year",
    "branch_insurers",
    "branch_lapse_rate_12m",
    "branch_lapses_12m",
    "branch_renewals_3m",
    "branch_insurer_lapse_rate_12m",
)
ELIGIBLE = (
    "branch_held_before_36m",
    "branch_months_since_held_36m",
    "branch_popularity_kind",
    "branch_purchase_rate_12m",
    "branch_co_ownership",
    "branch_lift",
    "branch_adviser_purchase_rate_12m",
)
STEP = 4
"""Months between the dates of the eligible rows: they are many, and neighbouring dates say the same."""

_BATCH = 4


def build_branch_rows(
    portfolio: Portfolio, facts: pl.DataFrame, purchases: pl.DataFrame, rows: pl.DataFrame, settings: Settings
) -> tuple[BranchRows, BranchRows]:
    """Return the held and the eligible branch rows.

    Parameters
    ----------
    facts
        `facts.policy_facts` with ``lapse`` (when the policy's line lapsed) and the insurer's code.
    purchases
        Those of `facts` that are purchases.
    rows
        as_of, customer, t, day, ahead_12 of the matrix.

    Notes
    -----
    A branch with fewer than ``settings.models.min_events`` lapses (purchases) since the first T is left out. A
    branch is eligible if it is not held and fits the kind of customer: P for private persons, Z for businesses, both
    for the self-employed, everything where the kind is unknown.
    """
    branches = portfolio_branches(portfolio, settings)
    dates: list[date] = sorted(rows["as_of"].unique().to_list()) or [portfolio.as_of]
    recorded = portfolio.history.recorded_from
    world = _World(portfolio, branches, None if recorded is None else to_day(recorded), settings.time.gap_days)
    first, enough = to_day(dates[0]), settings.models.min_events
    lapsing = _frequent(facts.filter(pl.col("lapse") > first), "lapse", enough)
    taken = _frequent(purchases.filter(pl.col("start") > first), "start", enough)
    held = [_held(cut(facts, {}, batch), facts, lapsing, world) for batch in _batches(dates)]
    chosen = eligible_dates(dates, settings)
    eligible = [_eligible(cut(facts, {}, batch), purchases, taken, world) for batch in _batches(chosen)]
    return BranchRows(_sorted(held), HELD), BranchRows(_sorted(eligible), ELIGIBLE)


def eligible_dates(dates: list[date], settings: Settings) -> list[date]:
    """Return X, the last date whose 12 months are closed at X, and every fourth month before that.

    Of the dates in between no label is known yet.
    """
    as_of, wait = dates[-1], timedelta(days=settings.time.gap_days + settings.time.registration_lag_days)
    closed = [each for each in dates if add_months(each, 12) + wait <= as_of]
    if not closed:
        return [as_of]
    wanted = {add_months(closed[-1], -back) for back in range(0, 12 * len(dates), STEP)}
    return [*(each for each in closed if each in wanted), as_of]


class _World:
    """What both kinds of rows need to know of the portfolio."""

    def __init__(
        self, portfolio: Portfolio, branches: Mapping[str, Branch], recorded: int | None, gap_days: int
    ) -> None:
        self.branches = list(branches)
        self.segments = [branch.segment for branch in branches.values()]
        self.customers = portfolio.customers.select("customer", "kind", "adviser")
        self.recorded = recorded
        self.gap_days = gap_days

    def seen(self, window: int, days: int = 0) -> pl.Expr:
        """Whether T - window (- days) lies within the recorded history."""
        return pl.lit(value=False) if self.recorded is None else pl.col(f"back_{window}") - days >= self.recorded

    def name(self) -> pl.Expr:
        """The key of a branch code."""
        return pl.col("branch").replace_strict(range(len(self.branches)), self.branches, return_dtype=pl.String)

    def fits(self) -> pl.DataFrame:
        """Kind and branch code: which branches a kind of customer can have."""
        fitting = {
            "private": ("P", "PZ"),
            "business": ("Z", "PZ"),
            "self_employed": ("P", "Z", "PZ"),
            None: ("P", "Z", "PZ"),
        }
        pairs = [
            (kind, code) for kind, all_ in fitting.items() for code, each in enumerate(self.segments) if each in all_
        ]
        return pl.DataFrame(pairs, schema={"kind": pl.String, "branch": pl.UInt8}, orient="row")


def _held(seen: Cut, facts: pl.DataFrame, lapsing: list[int], world: _World) -> pl.DataFrame:
    """One row per (T, customer, branch held)."""
    policies = seen.frames["held"]
    insurers = policy_rates(seen, "insurer_code").lazy().select("t", "insurer_code", insurer_ppm="lapse_ppm")
    branch = policy_rates(seen, "branch").lazy().select("t", "branch", "lapse_ppm")
    lost = seen.frames["gone"].group_by(*KEY, "branch").agg(lapses=(pl.col("lapsed") & within("end", 12)).sum())
    ahead = seen.dates.lazy().select("t", "as_of", "ahead_12", "back_12")
    table = (
        policies.join(insurers, on=["t", "insurer_code"], how="left")
        .group_by(*KEY, "branch")
        .agg(
            n=pl.len(),
            oldest=pl.col("age").max(),
            youngest=pl.col("age").min(),
            due=pl.col("due").min(),
            renewed=pl.min_horizontal("age", 365 - pl.col("due")).min(),
            young=pl.col("first_year").any(),
            insurers=pl.col("insurer_code").drop_nulls().n_unique(),
            soon=(pl.col("due_month") <= 3).sum(),
            insurer_ppm=pl.col("insurer_ppm").sum(),
            rated=pl.col("insurer_ppm").count(),
        )
        .join(policies.group_by(KEY).agg(all=pl.len()), on=KEY)
        .filter(pl.col("branch").is_in(lapsing))
        .join(branch, on=["t", "branch"], how="left")
        .join(lost, on=[*KEY, "branch"], how="left")
        .join(ahead, on="t")
        .join(_lapses(seen, facts), on=[*KEY, "branch"], how="left")
    )
    past = world.seen(12)
    features = {
        "branch_policies": pl.col("n"),
        "branch_share": pl.col("n") / pl.col("all"),
        "branch_oldest_months": months(pl.col("oldest")),
        "branch_youngest_months": months(pl.col("youngest")),
        "branch_months_to_renewal": months(pl.col("due")),
        "branch_months_since_renewal": months(pl.col("renewed")),
        "branch_first_year": pl.col("young"),
        "branch_insurers": pl.col("insurers"),
        "branch_lapse_rate_12m": pl.when(past).then(pl.col("lapse_ppm") / PER_MILLION),
        "branch_lapses_12m": pl.when(past).then(pl.col("lapses").fill_null(0)),
        "branch_renewals_3m": pl.col("soon"),
        "branch_insurer_lapse_rate_12m": pl.when(past & (pl.col("rated") > 0)).then(
            pl.col("insurer_ppm") / pl.col("rated") / PER_MILLION
        ),
    }
    return _finished(table, features, world)


def _lapses(seen: Cut, facts: pl.DataFrame) -> pl.LazyFrame:
    """The first lapse after T among the policies in force at T, per branch."""
    return (
        seen.dates.lazy()
        .select("t", "day")
        .join(
            facts.lazy().filter(pl.col("lapse").is_not_null()).select("customer", "branch", "start", "end", "lapse"),
            how="cross",
        )
        .filter((pl.col("start") <= pl.col("day")) & (pl.col("end") > pl.col("day")))
        .group_by(*KEY, "branch")
        .agg(event=pl.col("lapse").min())
    )


def _eligible(seen: Cut, purchases: pl.DataFrame, taken: list[int], world: _World) -> pl.DataFrame:
    """One row per (T, customer, branch that fits and is not held)."""
    held = seen.frames["held"].select(*KEY, "branch").unique().collect()
    members = held.select(KEY).unique().join(world.customers, on="customer", how="left")
    fits = world.fits().filter(pl.col("branch").is_in(taken))
    later = purchases.lazy().select("customer", "branch", pl.col("start").alias("event"))
    event = (
        seen.dates.lazy()
        .select("t", "day")
        .join(later, how="cross")
        .filter(pl.col("event") > pl.col("day"))
        .group_by(*KEY, "branch")
        .agg(pl.col("event").min())
    )
    table = (
        members.lazy()
        .join(fits.lazy(), on="kind", nulls_equal=True)
        .join(held.lazy(), on=[*KEY, "branch"], how="anti")
        .join(seen.dates.lazy().select("t", "as_of", "ahead_12", "back_12", "back_36"), on="t")
        .join(_held_before(seen), on=[*KEY, "branch"], how="left")
        .join(_popularity(held, members).lazy(), on=["t", "kind", "branch"], how="left", nulls_equal=True)
        .join(_purchase_rates(seen, members, world), on=["t", "branch"], how="left")
        .join(_adviser_purchases(seen, members, world), on=["t", "adviser", "branch"], how="left")
        .join(_co_ownership(held, len(world.branches)).lazy(), on=[*KEY, "branch"], how="left")
        .join(event, on=[*KEY, "branch"], how="left")
    )
    ago, year = world.seen(REACH), world.seen(12, world.gap_days)
    adviser = shrunk(pl.col("adviser_taken").fill_null(0), pl.col("adviser_members"), pl.col("purchase_rate"))
    features = {
        "branch_held_before_36m": pl.when(ago).then(pl.col("ago").is_not_null()),
        "branch_months_since_held_36m": pl.when(ago).then(since(pl.col("ago"), REACH)),
        "branch_popularity_kind": pl.col("popularity_kind"),
        "branch_purchase_rate_12m": pl.when(year).then(pl.col("purchase_rate")),
        "branch_co_ownership": pl.col("co_ppm") / PER_MILLION,
        "branch_lift": pl.when(pl.col("popularity") > 0).then(pl.col("co_ppm") / PER_MILLION / pl.col("popularity")),
        "branch_adviser_purchase_rate_12m": pl.when(year).then(adviser),
    }
    return _finished(table, features, world)


def _held_before(seen: Cut) -> pl.LazyFrame:
    return seen.frames["gone"].group_by(*KEY, "branch").agg(ago=pl.col("since").min())


def _popularity(held: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Share of the customers at T who hold a branch: of the same kind, and of all (``popularity``)."""
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


def _purchase_rates(seen: Cut, members: pl.DataFrame, world: _World) -> pl.LazyFrame:
    """Purchases of a branch in 12 months per customer in force, over the whole portfolio."""
    counts = seen.frames["taken"].group_by("t", "branch").agg(n=within("start", 12).sum())
    return (
        members.lazy()
        .group_by("t")
        .agg(size=pl.len())
        .join(pl.LazyFrame({"branch": range(len(world.branches))}, schema={"branch": pl.UInt8}), how="cross")
        .join(counts, on=["t", "branch"], how="left")
        .select("t", "branch", purchase_rate=pl.col("n").fill_null(0) / pl.col("size"))
    )


def _adviser_purchases(seen: Cut, members: pl.DataFrame, world: _World) -> pl.LazyFrame:
    """Purchases of a branch in 12 months among the customers of one adviser."""
    size = members.lazy().filter(pl.col("adviser").is_not_null()).group_by("t", "adviser").agg(adviser_members=pl.len())
    counts = (
        seen.frames["taken"]
        .filter(within("start", 12))
        .join(world.customers.lazy().select("customer", "adviser"), on="customer")
        .group_by("t", "adviser", "branch")
        .agg(adviser_taken=pl.len())
    )
    codes = pl.LazyFrame({"branch": range(len(world.branches))}, schema={"branch": pl.UInt8})
    return size.join(codes, how="cross").join(counts, on=["t", "adviser", "branch"], how="left")


def _co_ownership(held: pl.DataFrame, size: int) -> pl.DataFrame:
    """Mean over the branches held of P(branch | branch held), per million, for every branch.

    In whole numbers, so that the sum over a customer's branches is the same in any order.
    """
    wide = held.group_by(KEY).agg(
        (pl.col("branch") == code).any().cast(pl.Int64).alias(str(code)) for code in range(size)
    )
    both = (
        held.join(wide, on=KEY)
        .group_by("t", "branch")
        .agg(pl.len().cast(pl.Int64).alias("n"), *(pl.col(str(code)).sum() for code in range(size)))
        .select(
            "t", "branch", *((pl.col(str(code)) * PER_MILLION // pl.col("n")).alias(f"p{code}") for code in range(size))
        )
    )
    score = (
        held.join(both, on=["t", "branch"])
        .group_by(KEY)
        .agg((pl.col(f"p{code}").sum() // pl.len()).cast(pl.Int32).alias(str(code)) for code in range(size))
    )
    return score.unpivot(index=KEY, variable_name="branch", value_name="co_ppm").with_columns(
        pl.col("branch").cast(pl.UInt8)
    )


def _frequent(facts: pl.DataFrame, day: str, enough: int) -> list[int]:
    """Branch codes with enough distinct customer-events."""
    counts = facts.group_by("branch").agg(n=pl.struct("customer", day).n_unique())
    return sorted(counts.filter(pl.col("n") >= enough)["branch"].to_list())


def _finished(table: pl.LazyFrame, features: dict[str, pl.Expr], world: _World) -> pl.DataFrame:
    label = (pl.col("event") <= pl.col("ahead_12")).fill_null(value=False)
    return table.select(
        "as_of",
        "customer",
        world.name(),
        *(value.cast(pl.Float32).alias(name) for name, value in features.items()),
        label=label.cast(pl.Float32),
        event_date=pl.col("event").cast(pl.Date),
    ).collect()


def _sorted(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).sort("as_of", "branch", "customer")


def _batches(dates: list[date]) -> list[list[date]]:
    return [dates[first : first + _BATCH] for first in range(0, len(dates), _BATCH)]
