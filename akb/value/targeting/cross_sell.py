"""Next best policies: chance x the portfolio's own commission, and what cross-sell adds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.revenue import with_revenue
from akb.core.text import load_toml
from akb.value.case.basis import MILLI
from akb.value.case.binning import cascade
from akb.value.in_force import EURO_GATES, at, band_labels, to_cents
from akb.value.lifetime.survival import YEAR
from akb.value.targeting.calls import gross, no_calls, payback
from akb.value.targeting.eligibility import NO_HOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.revenue.cost import ServiceCost
    from akb.value.targeting.calls import Calls
    from akb.value.targeting.eligibility import Desk

    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Offers:
    """Eligible branches per customer.

    Parameters
    ----------
    table
        row, customer, branch, probability, ban, ``commission_cents`` (of one new policy; null where no euro may be
        named: commission ban, gate not passed, no commission), ``expected_cents`` Float64? (probability x commission),
        place (1 = best for this customer). Sorted by (row, place).
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
        """Return the expected recurring commission a year of policies bought within 12 months, per customer."""
        out = np.zeros(n)
        euros = self.table.filter(pl.col("expected_cents").is_not_null())
        np.add.at(out, euros["row"].to_numpy(), euros["expected_cents"].to_numpy())
        return to_cents(out)

    def margin_stream(self, base: InForce, months: int, timing: float) -> Floats:
        """Return (n, months): margin of cross-sold policies per month, given that the relation lives."""
        out = np.zeros((base.n, months))
        for year, margin in enumerate(self.yearly_margin):
            out += margin[:, None] / YEAR * stock(year, months, timing, self.kept)
        out[base.announced] = 0.0
        return out

    def best(self, place: int) -> pl.DataFrame:
        """Return row and branch of the `place`-th best policy."""
        return self.table.filter(pl.col("place") == place).select("row", "branch")


@dataclass(frozen=True)
class Ranked:
    """The best offer of every customer who may get one, in the order of the list.

    Parameters
    ----------
    rows, branch
        The customer's position, and which policy.
    extra
        Survival x untreated chance x (commission - cost to serve): what uplift 1 would add in a year, zero where that
        is nothing; `commission` less `served`. Thousandths of a cent, as `commission`, `served` and `later`.
    commission, served, later
        Its parts, and what of it is there a year later.
    worth
        What a call for this offer alone brings per unit of uplift over its life, after service; cents.
    in_talk, own_call
        Whether it is discussed in a retention call, and whether a call is made for it alone.
    policy_cost
        Of serving one policy a year, cents.
    table
        The offers as a frame, in the same order.
    """

    rows: Rows
    branch: pl.Series
    extra: Cents
    commission: Cents
    served: Cents
    later: Cents
    worth: Floats
    in_talk: Flags
    own_call: Flags
    policy_cost: float
    table: pl.DataFrame


def stock(year: int, months: int, timing: float, kept: float) -> Floats:
    """Return (months,): what is left of one policy bought evenly over the months of `year` (0 = the first)."""
    bought = np.arange(YEAR * year, YEAR * (year + 1)) + 0.5
    age = (np.arange(months) + timing)[:, None] - bought
    left: Floats = np.where(age >= 0, kept ** (np.clip(age, 0, None) / YEAR), 0.0).sum(axis=1) / YEAR
    return left


def typical_commission(base: InForce) -> pl.DataFrame:
    """Return the median recurring revenue of a policy in force: branch, kind (null: all kinds), cents.

    A customer's own fee is left out: one more policy brings no second one. A branch that nobody with revenue holds
    falls back to premium x rate of the taxonomy (an assumption).
    """
    held = base.held
    if "fee_source" in held.columns:
        fee = pl.when(pl.col("fee_source") == "customer").then("revenue_fee_cents").fill_null(0)
        held = held.with_columns(revenue_cents=pl.col("revenue_cents") - fee)
    known = held.filter(pl.col("revenue_cents").is_not_null()).join(base.customers.select("row", "kind"), on="row")
    median = pl.col("revenue_cents").median().round().cast(pl.Int64).alias("cents")
    per_kind = known.drop_nulls("kind").group_by("branch", "kind").agg(median)
    overall = known.group_by("branch").agg(median)
    usual = with_revenue(_usual(base), base.terms)
    default = usual.select("branch", cents=pl.col("revenue_cents").fill_null(0))
    overall = pl.concat([overall, default.join(overall, on="branch", how="anti")])
    overall = overall.with_columns(kind=pl.lit(None, dtype=pl.String))
    return pl.concat([per_kind, overall.select("branch", "kind", "cents")]).sort("branch", "kind")


def _usual(base: InForce) -> pl.DataFrame:
    """Return a policy of every branch with the taxonomy's premium and commission (assumptions)."""
    entries = base.taxonomy.values()
    return pl.DataFrame(
        {
            "branch": list(base.taxonomy),
            "premium_cents": [round(100 * entry.premium) for entry in entries],
            "commission_cents": [round(100 * entry.premium * entry.commission) for entry in entries],
        },
        schema={"branch": pl.String, "premium_cents": pl.Int64, "commission_cents": pl.Int64},
    )


def offers(base: InForce, cost: ServiceCost, kept: float) -> Offers:
    """Return the eligible branches of every customer, best first, and the margin that they are expected to bring.

    Best is chance x commission; where a plain rule orders the branches as well as the model did, the rule's chance
    decides (``order``), and the euros still come from the model's.
    """
    euro_branches = [
        branch
        for branch, gate in base.branch_gates.items()
        if gate in EURO_GATES and base.has_commission and not base.banned(branch)
    ]
    bans = [branch for branch in base.taxonomy if base.banned(branch)]
    typical = typical_commission(base)
    places = pl.DataFrame({"branch": list(base.taxonomy)}).with_row_index("listed")
    chances = base.models.branch_purchase
    if "order" not in chances.columns:
        chances = chances.with_columns(order=pl.lit(None, dtype=pl.Float64))
    table = (
        chances.join(base.customers.select("customer", "row", "kind"), on="customer")
        .with_columns(ban=pl.col("branch").is_in(bans))
        .join(typical.drop_nulls("kind"), on=["branch", "kind"], how="left")
        .join(typical.filter(pl.col("kind").is_null()).select("branch", any_kind="cents"), on="branch", how="left")
        .with_columns(
            commission_cents=pl.when(pl.col("branch").is_in(euro_branches)).then(pl.coalesce("cents", "any_kind"))
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
        .select("row", "customer", "branch", "probability", "ban", "commission_cents", "expected_cents", "place")
    )
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


def rank_offers(base: InForce, made: Offers, desk: Desk, alive: Floats, pays: Floats) -> tuple[Ranked, dict[str, int]]:
    """Return the best offer of everybody who may get one, best first, and how many have none, by reason.

    Parameters
    ----------
    alive
        Chance per customer that the relation still exists after 12 months.
    pays
        Discounted years that a new policy is expected to pay.
    """
    minimum = float(load_toml("lists.toml")["next_best_policy"]["minimum_probability"])
    best = made.table.filter(pl.col("place") == 1)
    left_out = {reason: int(desk.excluded[reason][best["row"].to_numpy()].sum()) for reason in desk.excluded}
    allowed = best.filter(~pl.Series(desk.barred[best["row"].to_numpy()]))
    likely = allowed.filter(pl.col("probability") >= minimum)
    left_out["low_chance"] = allowed.height - likely.height
    ranked = likely.sort(["expected_cents", "probability", "customer"], descending=[True, True, False], nulls_last=True)

    rows = ranked["row"].to_numpy()
    expected = ranked["expected_cents"].fill_null(0.0).to_numpy()
    commission = np.rint(MILLI * alive[rows] * expected).astype(np.int64)
    served = np.rint(MILLI * alive[rows] * ranked["probability"].to_numpy() * made.policy_cost).astype(np.int64)
    pays_off = commission > served
    commission, served = (np.where(pays_off, part, 0) for part in (commission, served))
    extra = commission - served
    nobody = np.zeros(len(rows), dtype=np.bool_)
    return Ranked(
        rows=rows,
        branch=ranked["branch"],
        extra=extra,
        commission=commission,
        served=served,
        later=np.rint(extra * alive[rows]).astype(np.int64),
        worth=extra / MILLI * pays[rows],
        in_talk=nobody,
        own_call=nobody,
        policy_cost=made.policy_cost,
        table=ranked,
    ), left_out


def with_calls(ranked: Ranked, calls: Calls) -> Ranked:
    """Return the offers that know in which calls they are made."""
    return replace(ranked, in_talk=calls.talk[ranked.rows], own_call=calls.to_sell[ranked.rows])


def next_best_list(
    base: InForce, ranked: Ranked, desk: Desk, before: dict[str, int]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the list ``next_best_policy``, and how many customers were left out by reason.

    One row per customer: the best branch. ``rank`` is by expected commission, ``rank_chance`` by chance.
    ``contact`` tells who is called for it (not the control group); ``extra_cents`` what a call adds in a year after
    service: uplift x untreated chance x (commission - cost to serve) x survival.
    """
    rows = ranked.rows
    contact = ranked.in_talk | ranked.own_call
    uplift = base.value("cross_sell.uplift")
    extra = to_cents(uplift * ranked.extra / MILLI)
    extra[contact] = cascade(uplift, ranked.extra[contact])
    length = desk.capacity
    listed = ranked.table.with_columns(
        rank=pl.int_range(1, pl.len() + 1),
        churn_effect=_churn_effect(base, ranked.table),
        extra_cents=pl.Series(extra),
        contact=pl.Series(contact),
        own_call=pl.Series(ranked.own_call),
        control=pl.Series(desk.control[rows]),
    )
    listed = listed.filter((pl.col("rank") <= length) | pl.col("contact"))
    left_out = {**before, NO_HOURS: before.get(NO_HOURS, 0) + len(rows) - listed.height}
    return _columns(base, listed), {reason: count for reason, count in left_out.items() if count}


def selling(base: InForce, ranked: Ranked, alive: Floats) -> Floats:
    """Return (n,): what a call for a policy alone earns within the payback years, cents; ``-inf`` without an offer."""
    out = no_calls(base.n)
    earned = gross(base.value("cross_sell.uplift"), ranked.extra, payback(base, alive, "cross_sell")[ranked.rows])
    out[ranked.rows] = np.where(ranked.extra > 0, earned, -np.inf)
    return out


def _churn_effect(base: InForce, rows: pl.DataFrame) -> pl.Series:
    """Difference in leaving between comparable holders and others of each row's branch; null where nobody made it."""
    out = np.full(len(rows), np.nan)
    branches = rows["branch"].to_numpy()
    for branch in rows["branch"].unique().sort():
        effect = base.score(f"churn_effect_{branch}")
        if effect is not None:
            mine = branches == branch
            out[mine] = effect[rows["row"].to_numpy()[mine]]
    return at(out, pl.Float64)


def _columns(base: InForce, listed: pl.DataFrame) -> pl.DataFrame:
    who = base.customers.select("row", "kind", "adviser", "office")
    return (
        listed.join(who, on="row", how="left", maintain_order="left")
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            rank_chance=pl.struct(-pl.col("probability"), "rank").rank("ordinal").cast(pl.Int64),
            band=at(band_labels("chance", listed["probability"].to_numpy()), pl.String),
            commission=pl.col("commission_cents") / 100,
            expected_commission=(pl.col("expected_cents") / 100).round(2),
            extra=pl.when(pl.col("expected_cents").is_not_null()).then(pl.col("extra_cents") / 100),
        )
        .select(
            "customer", "rank", "branch", "probability", "band", "commission", "expected_commission",
            "rank_chance", "churn_effect", "kind", "adviser", "office", "ban", "contact", "own_call",
            "extra", "control", "extra_cents",
        )
    )  # fmt: skip
