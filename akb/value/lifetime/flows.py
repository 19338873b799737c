"""What kept relations and gained policies bring month by month: indexed, not discounted, so that it
can be banked.

Every flow has the same present value as the stakes that the plan counts with: Σ weight x stake, to
the cent. The flow of kept policies is `policies.policy_flow`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.value.lifetime.policies import policy_flow, policy_months
from akb.value.lifetime.present import index_factors, present_factors, present_value_of
from akb.value.lifetime.survival import YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.streams import Streams
    from akb.value.lifetime.survival import Relations

__all__ = [
    "margin_months",
    "policy_flow",
    "policy_months",
    "present_value_of",
    "purchase_flow",
    "purchase_months",
    "purchase_years",
    "relation_flow",
    "relation_months",
]

BOUGHT = YEAR // 2  # months: a policy that a contact sells starts halfway through the 12


def margin_months(base: InForce, flows: Streams, offers: Offers) -> Iterator[Floats]:
    """Yield (n,) per month: what a relation earns in it while it lives, purchases it makes anyway
    included; cents.
    """
    bought = offers.margins(base, flows.months, base.value("value.timing"))
    for month, cross_sell in zip(flows.by_month(), bought, strict=True):
        yield month.margin + cross_sell


def relation_flow(
    base: InForce,
    survival: Relations,
    margin: Iterable[Floats],
    value: Lifetime,
    weights: Floats,
) -> Floats:
    """Return (months,): what kept relations bring month by month; cents, indexed, not discounted.

    Parameters
    ----------
    margin
        `margin_months`.
    weights
        Relations kept, one number per customer in force: an effect x churn_preventable_12m; or (c,
        n) for c cohorts, and then (c, months) is returned.

    Notes
    -----
    The present value is Σ weight x ``value.stake``: the part of a cent that rounding took from a
    customer's stake comes in the first month. Where leaving is impossible or certain nothing is at
    stake."""
    rows = np.flatnonzero(np.atleast_2d(weights).any(axis=0))
    mine = weights[..., rows]
    flow = np.zeros((*weights.shape[:-1], survival.months))
    for month, unit in relation_months(base, survival, margin, value, rows=rows):
        flow[..., month] += mine @ unit
    return flow


def relation_months(
    base: InForce,
    survival: Relations,
    margin: Iterable[Floats],
    value: Lifetime,
    *,
    rows: Rows,
) -> Iterator[tuple[int, Floats]]:
    """Yield (month, (rows,)): what one relation kept brings in it, of these customers; see
    `relation_flow`.

    The first month comes twice, the second time with what rounding took from the stakes.
    """
    chance = survival.preventable[rows]
    there = (chance > 0) & (chance < 1) & ~base.announced[rows]
    p = np.where(there, chance, 0.5)
    stays, leaves = np.where(there, 1.0 / (1.0 - p), 0.0), np.where(there, 1.0 / p, 0.0)
    timing, mine = base.value("value.timing"), survival.of(rows)
    leaving = mine.leaving_at(timing)
    index = index_factors(base, survival.months).tolist()
    present = present_factors(base, survival.months).tolist()
    rest = np.where(there, value.stake[rows], 0.0)
    for month, (earns, alive) in enumerate(zip(margin, mine.by_month(timing), strict=True)):
        earned = earns[rows]
        gained = stays * earned * alive
        if month < YEAR:
            gained -= (stays + leaves) * earned * leaving[:, month]
        rest -= gained * present[month]
        yield month, gained * index[month]
    yield 0, rest * index[0] / present[0]


def purchase_years(
    base: InForce, survival: Relations, kept: Floats | float, chance: Floats
) -> Floats:
    """Return (n, k): years that a gained policy pays, indexed and discounted, as a purchase brought
    forward does not.

    Parameters
    ----------
    kept
        Yearly chance that such a policy survives while the relation lasts; a number, (k,) or (n,
        k).
    chance
        (n, k): the chance of that purchase within 12 months without a contact; NaN where there is
        no such offer.

    Notes
    -----
    ``Σ_t discount x S_relation(t) / S_relation(1/2) x kept^(t - 1/2) x (1 - chance)^(t - 1)``:
    bought halfway through the 12 months by who is a customer then, and from then on counted only as
    long as it would not have been bought anyway."""
    months = gained_months(survival, kept, chance, base.value("value.timing"))
    return years_of(months, present_factors(base, survival.months), chance.shape)


def years_of(months: Iterable[Floats], present: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the years that parts of months, of that shape each, come to at what a euro of each is
    worth today.
    """
    years = np.zeros(shape)
    for factor, month in zip(present.tolist(), months, strict=True):
        years += factor * month
    return years / YEAR


def purchase_flow(
    base: InForce, survival: Relations, kept: Floats | float, chance: Floats, weights: Floats
) -> Floats:
    """Return (months,): what gained policies bring month by month; cents, indexed, not discounted.

    Parameters
    ----------
    kept, chance
        As for `purchase_years`.
    weights
        (n, k), or (c, n, k) for c cohorts: gained purchases x yearly margin of one, cents. The
        present value is Σ weight x `purchase_years`.

    Returns
    -------
    ndarray
        (months,), or (c, months).
    """
    months = purchase_months(base, survival, kept, chance)
    flow: Floats = np.array([np.einsum("...nk,nk->...", weights, month) for month in months]).T
    return flow


def purchase_months(
    base: InForce, survival: Relations, kept: Floats | float, chance: Floats
) -> Iterator[Floats]:
    """Yield per month (n, k): what a gained policy that earns a cent a year brings in it, indexed;
    see `purchase_flow`.
    """
    index = index_factors(base, survival.months) / YEAR
    months = gained_months(survival, kept, chance, base.value("value.timing"))
    for factor, month in zip(index.tolist(), months, strict=True):
        yield factor * month


def gained_months(
    survival: Relations, kept: Floats | float, chance: Floats, timing: float
) -> Iterator[Floats]:
    """Yield per month the part of it that a gained policy is in force and would not have been
    bought anyway.
    """
    there = survival.alive_after(BOUGHT)  # who buys is a customer then
    there = np.where(there > 0, there, np.inf)
    offered = ~np.isnan(chance)
    never = np.where(offered, 1.0 - np.nan_to_num(chance), 0.0)
    waits, monthly = offered.astype(np.float64), never ** (1 / YEAR)
    for month, alive in enumerate(survival.by_month(timing)):
        own = np.asarray(kept) ** ((month + timing - BOUGHT) / YEAR) if month >= BOUGHT else 0.0
        if month == YEAR:
            waits = never ** (timing / YEAR)
        elif month > YEAR:
            waits = waits * monthly
        yield (alive / there)[:, None] * own * waits
