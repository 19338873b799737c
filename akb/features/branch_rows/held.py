"""Branch rows for what is held at T: will at least one policy in this branch lapse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.features.branch_rows.world import finished
from akb.features.cut import KEY
from akb.features.grid import on_each
from akb.features.rates import PER_MILLION, policy_rates
from akb.features.registry import months, within
from akb.features.types import Feature

if TYPE_CHECKING:
    from akb.features.branch_rows.world import BranchWorld
    from akb.features.cut import Cut

HELD = (
    Feature("branch_policies", "held", "policies in force in the branch", "policies"),
    Feature("branch_share", "held", "share of the customer's policies in the branch", "share"),
    Feature("branch_oldest_months", "held", "age of the oldest policy in the branch", "months"),
    Feature("branch_youngest_months", "held", "age of the youngest policy in the branch", "months"),
    Feature(
        "branch_months_to_renewal", "held", "months to the next renewal in the branch", "months"
    ),
    Feature(
        "branch_months_since_renewal",
        "held",
        "months since the last renewal or start in the branch",
        "months",
    ),
    Feature("branch_first_year", "held", "a policy in the branch is in its first year", "yes/no"),
    Feature("branch_insurers", "held", "different insurers in the branch", "insurers"),
    Feature(
        "branch_lapse_rate_12m",
        "held",
        "the branch's lapse rate in 12 months, whole portfolio, shrunk",
        "share",
    ),
    Feature(
        "branch_lapses_12m",
        "held",
        "the customer's own lapses in the branch in the last 12 months",
        "policies",
    ),
    Feature(
        "branch_renewals_3m",
        "held",
        "policies in the branch that renew within 3 months",
        "policies",
    ),
    Feature(
        "branch_insurer_lapse_rate_12m",
        "held",
        "mean lapse rate in 12 months of the branch's insurers",
        "share",
    ),
)


@dataclass(frozen=True)
class HeldRates:
    """What rows of what is held need of everybody: lapse rates per T and insurer (``insurer_ppm``),
    and per T and branch (``lapse_ppm``).
    """

    insurers: pl.DataFrame
    branches: pl.DataFrame

    @classmethod
    def of(cls, seen: Cut) -> HeldRates:
        """Return the rates of a Cut of everybody."""
        insurers = policy_rates(seen, "insurer_code")
        return cls(
            insurers.select("t", "insurer_code", insurer_ppm="lapse_ppm"),
            policy_rates(seen, "branch").select("t", "branch", "lapse_ppm"),
        )


def held_rows(
    seen: Cut,
    facts: pl.DataFrame,
    lapsing: list[int],
    world: BranchWorld,
    rates: HeldRates,
) -> pl.DataFrame:
    """One row per (T, customer, branch held).

    Parameters
    ----------
    seen, facts
        Of everybody, or of those who have a row.
    """
    policies = seen.frames["held"].join(world.asked(seen), on=KEY, how="semi")
    insurers, branch = rates.insurers.lazy(), rates.branches.lazy()
    lost = (
        seen.frames["gone"]
        .group_by(*KEY, "branch")
        .agg(lapses=(pl.col("lapsed") & within("end", 12)).sum())
    )
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
    return finished(table, features, world)


def _lapses(seen: Cut, facts: pl.DataFrame) -> pl.LazyFrame:
    """The first lapse after T among the policies in force at T, per branch."""
    lapsing = facts.lazy().filter(pl.col("lapse").is_not_null())
    return (
        on_each(
            seen.dates,
            ("t", "day"),
            lapsing.select("customer", "branch", "start", "end", "lapse"),
            (pl.col("start") <= pl.col("day")) & (pl.col("end") > pl.col("day")),
        )
        .group_by(*KEY, "branch")
        .agg(event=pl.col("lapse").min())
    )
