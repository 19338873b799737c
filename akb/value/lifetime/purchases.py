"""What customers are expected to buy: chance x the portfolio's own commission, per branch that is
open to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.accounts import times
from akb.core.revenue import with_revenue
from akb.value.in_force import EURO_GATES, to_cents
from akb.value.lifetime.survival import YEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.value.in_force import Cents, Floats, InForce
    from akb.value.revenue.cost import ServiceCost

PRIOR_POLICIES = 20  # policies of the whole branch that a kind of customer's mean is mixed with
TOP = 0.99  # no policy counts for more than the one at this quantile of its branch
_PART = 50_000  # customers at a time: each has ten branches, and they are sorted by five columns


@dataclass(frozen=True)
class Offers:
    """Eligible branches per customer.

    Parameters
    ----------
    table
        row, customer, branch, probability, ban, ``commission_cents`` (of one new policy; null where
        no euro may be named: commission ban, gate not passed, no commission), ``expected_cents``
        Float64? (probability x commission), place (1 = best for this customer). Sorted by (row,
        place).
    yearly_margin
        (years, n): expected yearly margin of the policies bought in year 1, 2, ..., cents.
    policy_cost
        Mean yearly cost of serving one policy, cents.
    kept
        Yearly chance that a policy survives in a surviving relation, mean of the portfolio.
    """

    table: pl.DataFrame
    yearly_margin: Floats
    policy_cost: float
    kept: float

    def expected_commission(self, n: int) -> Cents:
        """Return the expected recurring commission a year of policies bought within 12 months, per
        customer.
        """
        out = np.zeros(n)
        euros = self.table.filter(pl.col("expected_cents").is_not_null())
        np.add.at(out, euros["row"].to_numpy(), euros["expected_cents"].to_numpy())
        return to_cents(out)

    def margins(self, base: InForce, months: int, timing: float) -> Iterator[Floats]:
        """Yield (n,) per month: margin of cross-sold policies, given that the relation lives."""
        return margins_by_month(
            np.where(base.announced, 0.0, self.yearly_margin), self.kept, months, timing
        )

    def best(self, place: int) -> pl.DataFrame:
        """Return row and branch of the `place`-th best policy."""
        return self.table.filter(pl.col("place") == place).select("row", "branch")


def margins_by_month(
    yearly_margin: Floats, kept: float, months: int, timing: float
) -> Iterator[Floats]:
    """Yield (n,) per month: margin of what is bought in the years ahead, (years, n); of it `kept`
    is left a year later.
    """
    monthly = yearly_margin / YEAR
    left = [stock(year, months, timing, kept) for year in range(len(monthly))]
    for month in range(months):
        out = np.zeros(monthly.shape[1])
        for margin, share in zip(monthly, left, strict=True):
            out += margin * share[month]
        yield out


def stock(year: int, months: int, timing: float, kept: float) -> Floats:
    """Return (months,): what is left of one policy bought evenly over the months of `year` (0 = the
    first).
    """
    bought = np.arange(YEAR * year, YEAR * (year + 1)) + 0.5
    age = (np.arange(months) + timing)[:, None] - bought
    left: Floats = (
        np.where(age >= 0, kept ** (np.clip(age, 0, None) / YEAR), 0.0).sum(axis=1) / YEAR
    )
    return left


def mean_commission(base: InForce) -> pl.DataFrame:
    """Return what a new policy is expected to bring a year: branch, kind (null: all kinds), cents.

    The mean recurring revenue of the policies in force, for commission is skewed and an expectation
    is no median: of a branch as a whole, and of each kind of customer in it. Single large policies
    (one in a hundred, and one where there are fewer) count for no more than the next one of their
    branch, and a kind with few policies is mixed with its branch as if `PRIOR_POLICIES` of it had
    been seen there.

    A customer's own fee is left out: one more policy brings no second one. A branch that nobody
    with revenue holds falls back to premium x rate of the taxonomy (an assumption)."""
    held = base.held
    if "fee_source" in held.columns:
        fee = pl.when(pl.col("fee_source") == "customer").then("revenue_fee_cents").fill_null(0)
        held = held.with_columns(revenue_cents=pl.col("revenue_cents") - fee)
    most = pl.col("revenue_cents").quantile(TOP, "lower").over("branch")
    known = (
        held.select("row", "branch", "revenue_cents")
        .filter(pl.col("revenue_cents").is_not_null())
        .join(base.customers.select("row", "kind"), on="row")
        .with_columns(cents=pl.min_horizontal("revenue_cents", most))
    )
    # Sums of whole cents: a float mean of a group-by may differ between runs.
    counted = (pl.col("cents").sum().alias("sum"), pl.len().alias("count"))
    overall = (
        known.group_by("branch").agg(counted).select("branch", mean=pl.col("sum") / pl.col("count"))
    )
    mixed = (pl.col("sum") + PRIOR_POLICIES * pl.col("mean")) / (pl.col("count") + PRIOR_POLICIES)
    per_kind = (
        known.drop_nulls("kind").group_by("branch", "kind").agg(counted).join(overall, on="branch")
    )
    per_kind = per_kind.with_columns(mean=mixed)
    usual = with_revenue(times(_usual(base), base.portfolio.accounts or {}), base.terms)
    default = usual.select("branch", mean=pl.col("revenue_cents").fill_null(0).cast(pl.Float64))
    overall = pl.concat([overall, default.join(overall, on="branch", how="anti")])
    overall = overall.with_columns(kind=pl.lit(None, dtype=pl.String))
    columns = ("branch", "kind", pl.col("mean").round().cast(pl.Int64).alias("cents"))
    return pl.concat([per_kind.select(*columns), overall.select(*columns)]).sort("branch", "kind")


def _usual(base: InForce) -> pl.DataFrame:
    """Return a policy of every branch with the taxonomy's premium and commission (assumptions)."""
    entries = base.taxonomy.values()
    return pl.DataFrame(
        {
            "branch": list(base.taxonomy),
            "premium_cents": [round(100 * entry.premium) for entry in entries],
            "commission_cents": [
                round(100 * entry.premium * entry.commission) for entry in entries
            ],
        },
        schema={"branch": pl.String, "premium_cents": pl.Int64, "commission_cents": pl.Int64},
    )


def offers(base: InForce, cost: ServiceCost, kept: float) -> Offers:
    """Return the eligible branches of every customer, best first, and the margin that they are
    expected to bring.

    Best is chance x commission; where a plain rule orders the branches as well as the model did,
    the rule's chance decides (``order``), and the euros still come from the model's."""
    euro_branches = [
        branch
        for branch, gate in base.branch_gates.items()
        if gate in EURO_GATES and base.has_commission and not base.banned(branch)
    ]
    bans = [branch for branch in base.taxonomy if base.banned(branch)]
    typical = mean_commission(base)
    places = pl.DataFrame({"branch": list(base.taxonomy)}).with_row_index("listed")
    chances = base.models.branch_purchase
    if "order" not in chances.columns:
        chances = chances.with_columns(order=pl.lit(None, dtype=pl.Float64))
    people = base.customers.select("customer", "row", "kind")
    tables = [
        chances.join(some, on="customer")
        .with_columns(ban=pl.col("branch").is_in(bans))
        .join(typical.drop_nulls("kind"), on=["branch", "kind"], how="left")
        .join(
            typical.filter(pl.col("kind").is_null()).select("branch", any_kind="cents"),
            on="branch",
            how="left",
        )
        .with_columns(
            commission_cents=pl.when(pl.col("branch").is_in(euro_branches)).then(
                pl.coalesce("cents", "any_kind")
            )
        )
        .with_columns(expected_cents=pl.col("probability") * pl.col("commission_cents"))
        .join(places, on="branch", how="left")
        .with_columns(likely=pl.coalesce("order", "probability"))
        .with_columns(worth=pl.col("likely") * pl.col("commission_cents"))
        .sort(
            ["row", "worth", "likely", "listed", "branch"],
            descending=[False, True, True, False, False],
            nulls_last=True,
        )
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("row"))
        .select(
            "row",
            "customer",
            "branch",
            "probability",
            "ban",
            "commission_cents",
            "expected_cents",
            "place",
        )
        for some in list(people.iter_slices(_PART)) or [people]
    ]
    table = pl.concat(tables, rechunk=True)
    policy_cost = float(cost.policy.sum()) / max(len(cost.policy), 1)
    return Offers(table, _yearly_margin(base, table, policy_cost), policy_cost, kept)


def _yearly_margin(base: InForce, table: pl.DataFrame, policy_cost: float) -> Floats:
    years = max(0, round(base.value("cross_sell.years")))
    euros = table.filter(pl.col("commission_cents").is_not_null())
    chance = euros["probability"].to_numpy()
    margin = euros["commission_cents"].to_numpy() - policy_cost
    out = np.zeros((years, base.n))
    for year in range(years):  # bought in this year and not before
        np.add.at(out[year], euros["row"].to_numpy(), margin * chance * (1 - chance) ** year)
    return out
