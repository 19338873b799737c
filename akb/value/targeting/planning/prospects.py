"""What a contact could change of every customer: the numbers that every contact type's benefit is
made of.

A row is a customer in force, or a weighted bin of customers that are alike (the page's). Nothing
here knows a contact type, an hour or an effect; `akb.value.targeting.planning.benefits` puts those
beside it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.eligibility import Eligibility

    Flags = NDArray[np.bool_]

CANDIDATES = 5
"""Branches kept per customer: contact types discuss the best few of them."""
INBOUND_YEARS = 2


@dataclass(frozen=True)
class Prospects:
    """What is at stake per row; n rows, b branches that may be discussed, best first.

    Parameters
    ----------
    weight
        (n,): customers of the row; 1 for a customer.
    relation, leaving
        (n,): churn_preventable_12m x value at stake in cents, and that chance itself; zero where
        its gate is closed.
    policy, lost
        (n,): what preventable lapses in relations that stay, decided within 12 months, cost in
        cents, and how many policies those are.
    chance, worth, branch
        (n, b): chance of buying within 12 months untreated, discounted cents that one purchase more
        is worth, and the place of the branch in the taxonomy; worth 0 and branch -1 where nothing
        is left to discuss.
    likely
        (n, b): the highest chances of the branches that are open, whatever they are worth; 0 where
        there is none. An effect in points is an effect on these, so that no euro moves it.
    inbound_rate
        (n,): contacts a year that the customer begins.
    eligible, control
        (n,): may be contacted at all; drawn for the control group, so not contacted for euros.
    wakeable
        (n,): the office may begin; others only in a contact that they begin.
    reachable
        Consent (``post``, ``email``, ``phone``) -> (n,).
    repeated
        (n,): had a contact of the plan within 24 months.
    """

    weight: Floats
    relation: Floats
    leaving: Floats
    policy: Floats
    lost: Floats
    chance: Floats
    worth: Floats
    branch: Rows
    likely: Floats
    inbound_rate: Floats
    eligible: Flags
    control: Flags
    wakeable: Flags
    reachable: Mapping[str, Flags]
    repeated: Flags

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.weight)

    def of(self, rows: Rows | slice) -> Prospects:
        """Return the same of some rows."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        reachable = {name: flags[rows] for name, flags in given.pop("reachable").items()}
        return Prospects(
            reachable=reachable, **{name: column[rows] for name, column in given.items()}
        )

    @property
    def inbound_year(self) -> Floats:
        """(n,): chance that the customer begins a contact within 12 months."""
        out: Floats = -np.expm1(-self.inbound_rate)
        return out

    @property
    def inbound_before_end(self) -> Floats:
        """(n,): chance of that before an end that falls at any moment of the 12 months: 1 - (1 -
        e^-r) / r.
        """
        rate = np.maximum(self.inbound_rate, 1e-4)
        # Near zero the difference is nothing but rounding: r / 2 there, and nothing for who never
        # calls.
        out: Floats = np.where(
            self.inbound_rate < 1e-4, self.inbound_rate / 2, 1 + np.expm1(-rate) / rate
        )
        return out


@dataclass(frozen=True)
class Stakes:
    """What the lifetime room says of the lines that keep, per customer in force: see `Prospects`
    for the units.
    """

    relation: Floats
    leaving: Floats
    policy: Floats
    lost: Floats


def relation_stakes(
    in_force: InForce, paths: Relations | None, value: Lifetime | None
) -> tuple[Floats, Floats]:
    """Return (relation, leaving) of `Prospects`; zero without a proven level and order, or with an
    announced end.
    """
    nothing = np.zeros(in_force.n)
    if paths is None or value is None or not in_force.retention_in_euros:
        return nothing, nothing
    leaving = np.where(in_force.announced, 0.0, paths.preventable)
    return leaving * value.stake, leaving


def prospects(
    in_force: InForce,
    stakes: Stakes,
    offers: Offers,
    eligibility: Eligibility,
    sales: tuple[Candidates, Floats],
) -> Prospects:
    """Return what a contact could change of every customer in force.

    Parameters
    ----------
    sales
        What may be discussed, and the discounted years that one purchase more pays, (n, b); see
        `akb.value.lifetime.flows.purchase_years`.
    """
    few, years = sales
    return Prospects(
        weight=np.ones(in_force.n),
        relation=stakes.relation,
        leaving=stakes.leaving,
        policy=stakes.policy,
        lost=stakes.lost,
        chance=few.chance,
        worth=few.margin * years,
        branch=few.branch,
        likely=_likely(in_force, offers),
        inbound_rate=inbound_rates(in_force),
        eligible=~eligibility.barred,
        control=eligibility.control,
        wakeable=~eligibility.resting,
        reachable=reachable(in_force),
        repeated=np.zeros(in_force.n, dtype=np.bool_),
    )


@dataclass(frozen=True)
class Candidates:
    """The few policies per customer at which a push brings most, best first, (n, b) each.

    Parameters
    ----------
    chance, margin, branch
        Of buying, cents a year, and place in the taxonomy; branch -1 where nothing is left.
    """

    chance: Floats
    margin: Floats
    branch: Rows

    @property
    def offered(self) -> Floats:
        """The chances, NaN where nothing is left."""
        return np.where(self.branch >= 0, self.chance, np.nan)


def candidates(in_force: InForce, offers: Offers) -> Candidates:
    """Return what may be discussed with every customer."""
    places = {branch: place for place, branch in enumerate(in_force.taxonomy)}
    table = (
        offers.table.filter(pl.col("commission_cents").is_not_null())
        .with_columns(margin=pl.col("commission_cents") - offers.policy_cost)
        .filter(pl.col("margin") > 0)
        .with_columns(push=pl.col("probability") * (1 - pl.col("probability")) * pl.col("margin"))
        .sort(["row", "push", "place"], descending=[False, True, False])
        .with_columns(order=pl.int_range(pl.len()).over("row"))
        .filter(pl.col("order") < CANDIDATES)
    )
    shape = (in_force.n, CANDIDATES)
    chance, margin, branch = np.zeros(shape), np.zeros(shape), np.full(shape, -1, dtype=np.int64)
    at = table["row"].to_numpy(), table["order"].to_numpy()
    chance[at] = table["probability"].to_numpy()
    margin[at] = table["margin"].to_numpy()
    branch[at] = [places[name] for name in table["branch"].to_list()]
    return Candidates(chance, margin, branch)


def _likely(in_force: InForce, offers: Offers) -> Floats:
    """Return (n, b): the highest chances per customer among the branches of which euros may be
    named.
    """
    table = (
        offers.table.filter(pl.col("commission_cents").is_not_null())
        .sort(["row", "probability"], descending=[False, True])
        .with_columns(order=pl.int_range(pl.len()).over("row"))
        .filter(pl.col("order") < CANDIDATES)
    )
    out = np.zeros((in_force.n, CANDIDATES))
    out[table["row"].to_numpy(), table["order"].to_numpy()] = table["probability"].to_numpy()
    return out


def inbound_rates(in_force: InForce) -> Floats:
    """Return contacts a year that every customer begins: counted over two years and shrunk to the
    book's mean.

    Without a direction of contacts in the export it is the register's number for everybody.

    Notes
    -----
    Gamma-Poisson: with a mean m and a variance s^2 of the counts the prior weighs ``m / (s^2 / m -
    1)`` years."""
    usual = in_force.value("inbound.rate")
    seen = in_force.portfolio.contacts
    if seen is None or "inbound" not in seen.columns or not seen["inbound"].any():
        return np.full(in_force.n, usual)
    since = in_force.as_of - timedelta(days=round(365.25 * INBOUND_YEARS))
    begun = seen.filter(
        pl.col("inbound") & (pl.col("date") > since) & (pl.col("date") <= in_force.as_of)
    )
    rows = begun.join(in_force.customers.select("customer", "row"), on="customer")["row"].to_numpy()
    counts = np.bincount(rows, minlength=in_force.n).astype(np.float64)
    mean, spread = counts.mean(), counts.var()
    if mean == 0:
        return np.full(in_force.n, usual)
    if spread <= mean:
        return np.full(in_force.n, mean / INBOUND_YEARS)
    shape = mean**2 / (spread - mean)
    rate: Floats = (counts + shape) / (INBOUND_YEARS * (1 + shape / mean))
    return rate


def reachable(in_force: InForce) -> dict[str, Flags]:
    """Return consent -> who may be reached that way; an objection per channel counts where the
    export has one.
    """
    everybody = np.ones(in_force.n, dtype=np.bool_)
    out = {}
    for consent in ("post", "email", "phone"):
        column = f"no_{consent}"
        known = column in in_force.customers.columns
        out[consent] = (
            ~in_force.customers[column].fill_null(value=False).to_numpy() if known else everybody
        )
    return out


def averaged(
    prospects: Prospects, commission: Floats, policies: tuple[Floats, Floats, Rows]
) -> Prospects:
    """Return what an office knows without predictions: commission, and the averages of the book and
    of branches.

    Parameters
    ----------
    commission
        (n,): recurring commission a year of every customer, cents.
    policies
        Per policy line: expected cents, yearly margin in cents, and a number of its branch with the
        customer's row as pairs ``branch * n + row``.
    """
    n = prospects.n
    weight = prospects.weight
    total = float(weight @ np.maximum(commission, 0.0))
    share = np.maximum(commission, 0.0) / total if total > 0 else np.zeros(n)
    expected, margin, place = policies
    branch, row = place // n, place % n
    size = int(branch.max(initial=-1)) + 1
    earned = np.bincount(branch, weights=margin, minlength=size)
    lost = np.bincount(branch, weights=expected, minlength=size)
    rate = np.divide(lost, earned, out=np.zeros(size), where=earned > 0)
    policy = np.bincount(row, weights=rate[branch] * margin, minlength=n).astype(np.float64)
    open_branch = prospects.branch >= 0
    chance, worth = prospects.chance.copy(), prospects.worth.copy()
    for number in np.unique(prospects.branch[open_branch]).tolist():
        mine = prospects.branch == number
        chance[mine], worth[mine] = chance[mine].mean(), worth[mine].mean()
    return replace(
        prospects,
        relation=share * float(weight @ prospects.relation),
        policy=policy,
        chance=chance,
        worth=worth,
        likely=-np.sort(-chance, axis=1),
        inbound_rate=np.full(n, np.average(prospects.inbound_rate, weights=weight)),
    )
