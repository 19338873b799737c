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
    from collections.abc import Iterator

    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime, Streams
    from akb.value.lifetime.purchases import Offers
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


def margin_months(base: InForce, flows: Streams, offers: Offers) -> Floats:
    """Return (n, months): what a relation earns per month while it lives, purchases it makes anyway
    included; cents.
    """
    months = flows.commission.shape[1]
    cross_sell = offers.margin_stream(base, months, base.value("value.timing"))
    margin: Floats = flows.commission - flows.variable - flows.fixed + cross_sell
    return margin


def relation_flow(
    base: InForce, survival: Relations, margin: Floats, value: Lifetime, weights: Floats
) -> Floats:
    """Return (months,): what kept relations bring month by month; cents, indexed, not discounted.

    Parameters
    ----------
    margin
        `margin_months`.
    weights
        Relations kept, one number per customer in force: an effect x churn_preventable_12m.

    Notes
    -----
    The present value is Σ weight x ``value.stake``: the part of a cent that rounding took from a
    customer's stake comes in the first month. Where leaving is impossible or certain nothing is at
    stake."""
    rows = np.flatnonzero(weights)
    unit = relation_months(base, survival, margin, value, rows=rows)
    flow: Floats = np.einsum("i,ij->j", weights[rows], unit)
    return flow


def relation_months(
    base: InForce, survival: Relations, margin: Floats, value: Lifetime, *, rows: Rows
) -> Floats:
    """Return (rows, months): what one relation kept brings month by month, of these customers; see
    `relation_flow`.
    """
    p, months = survival.preventable[rows], margin.shape[1]
    out = np.zeros((len(rows), months))
    there = np.flatnonzero((p > 0) & (p < 1) & ~base.announced[rows])
    rows, p = rows[there], p[there, None]
    timing, margin = base.value("value.timing"), margin[rows]
    alive, leaving = survival.alive_at(timing)[rows, :months], survival.leaving_at(timing)[rows]
    stays = 1.0 / (1.0 - p)
    gained = stays * margin * alive
    gained[:, :YEAR] -= (stays + 1.0 / p) * margin[:, :YEAR] * leaving
    flow = gained * index_factors(base, months)
    rest = value.stake[rows] - np.einsum("ij,j->i", gained, present_factors(base, months))
    flow[:, 0] += rest * index_factors(base, 1)[0] / present_factors(base, 1)[0]
    out[there] = flow
    return out


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
    years = np.zeros_like(chance, dtype=np.float64)
    factors = present_factors(base, survival.months)
    for factor, month in zip(
        factors.tolist(), _gained_months(base, survival, kept, chance), strict=True
    ):
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
    months = _gained_months(base, survival, kept, chance)
    for factor, month in zip(index.tolist(), months, strict=True):
        yield factor * month


def _gained_months(
    base: InForce, survival: Relations, kept: Floats | float, chance: Floats
) -> Iterator[Floats]:
    """Yield per month the part of it that a gained policy is in force and would not have been
    bought anyway.
    """
    timing = base.value("value.timing")
    there = survival.alive[:, BOUGHT]  # who buys is a customer then
    alive = survival.alive_at(timing) / np.where(there > 0, there, np.inf)[:, None]
    offered = ~np.isnan(chance)
    never = np.where(offered, 1.0 - np.nan_to_num(chance), 0.0)
    waits, monthly = offered.astype(np.float64), never ** (1 / YEAR)
    for month in range(survival.months):
        own = np.asarray(kept) ** ((month + timing - BOUGHT) / YEAR) if month >= BOUGHT else 0.0
        if month == YEAR:
            waits = never ** (timing / YEAR)
        elif month > YEAR:
            waits = waits * monthly
        yield alive[:, month, None] * own * waits
