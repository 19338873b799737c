"""The years of contacts: a plan and those after it, what they sum to, and when their euros come
in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.value.case.basis import LINES, YEAR, Cohort
from akb.value.lifetime.flows import margin_months, policy_flow, purchase_flow, relation_flow
from akb.value.targeting.planning.plan import contact_plan, prospects_after

if TYPE_CHECKING:
    from akb.value.in_force import Floats
    from akb.value.targeting.planning.plan import ContactPlan, OptionSums
    from akb.value.targeting.planning.prospects import Prospects
    from akb.value.valuation import Valuation


@dataclass(frozen=True)
class YearOfContacts:
    """What the case needs of a year's plan: its sums, and a line or a count per customer, (n,)."""

    sums: tuple[OptionSums, ...]
    leavers: Floats
    policies: Floats
    purchase: Floats

    @classmethod
    def of(cls, plan: ContactPlan) -> YearOfContacts:
        """Return it of a plan."""
        names = ("leavers", "policies", "purchase")
        return cls(plan.sums(), **{name: plan.menu.summed(plan.best.share, name) for name in names})


def cohorts_of(valued: Valuation, plan: ContactPlan, years: int) -> list[Cohort]:
    """Return the sums of a plan and of those of the years after it, and the months in which their
    euros come in.
    """
    found = _years_of_contacts(plan, years)

    def each_customer(name: str) -> Floats:
        """(c, n): a line or a count of every plan."""
        return np.array([getattr(year, name) for year in found])

    flows = {
        "relation": _relation_flows(valued, each_customer("leavers")),
        "policy": _policy_flows(valued, plan.prospects.lost, each_customer("policies")),
        "purchase": _purchase_flows(valued, plan, each_customer("purchase")),
    }
    return [
        Cohort(year.sums, {line: flows[line][place] for line in LINES})
        for place, year in enumerate(found)
    ]


def _years_of_contacts(plan: ContactPlan, years: int) -> list[YearOfContacts]:
    """Return what is needed of a plan and of those after it; a later plan ends before the next
    begins, for of a million customers each is half a gigabyte.
    """
    out, could = [YearOfContacts.of(plan)], prospects_after(plan)
    for _ in range(years - 1):
        year, could = _later_year(plan, could)
        out.append(year)
    return out


def _later_year(plan: ContactPlan, could: Prospects) -> tuple[YearOfContacts, Prospects]:
    later = contact_plan(could, plan.planning, plan.available, whole=False, pushes=plan.pushes)
    return YearOfContacts.of(later), prospects_after(later)


def _months(valued: Valuation) -> int:
    return YEAR * max(1, round(valued.in_force.value("value.horizon_years")))


def _relation_flows(valued: Valuation, kept: Floats) -> Floats:
    """Return (c, months) of the relations that every plan keeps, (c, n)."""
    if valued.survival is None or valued.value is None or valued.flows is None:
        return np.zeros((len(kept), _months(valued)))
    margin = margin_months(valued.in_force, valued.flows, valued.offers)
    return relation_flow(valued.in_force, valued.survival, margin, valued.value, kept)


def _policy_flows(valued: Valuation, lost: Floats, kept: Floats) -> Floats:
    """Return (c, months) of the policies that every plan keeps, (c, n), of those that customers
    lose, (n,).
    """
    if valued.survival is None or valued.policies is None:
        return np.zeros((len(kept), _months(valued)))
    rows = valued.policies["row"].to_numpy()
    effect = np.divide(kept, lost, out=np.zeros_like(kept), where=lost > 0)
    weights = effect[:, rows] * valued.policies["lost"].to_numpy()
    return policy_flow(valued.in_force, valued.survival, valued.policies, weights)


def _purchase_flows(valued: Valuation, plan: ContactPlan, brings: Floats) -> Floats:
    """Return (c, months) of what purchases bring, (c, n): every customer's in the shape of his best
    branch.
    """
    in_force, months = valued.in_force, _months(valued)
    if valued.survival is None:
        return np.array([_evenly(float(each.sum()), months) for each in brings])
    chance, worth = plan.prospects.chance[:, :1], plan.prospects.worth[:, :1]
    assert valued.paid is not None
    offered = np.where(worth > 0, chance, np.nan)
    years = np.where(worth > 0, valued.paid[:, :1], 0.0)[:, 0]
    margin = np.divide(brings, years, out=np.zeros_like(brings), where=years > 0)
    return purchase_flow(in_force, valued.survival, valued.offers.kept, offered, margin[..., None])


def _evenly(total: float, months: int) -> Floats:
    """Return a year's worth spread over the 12 months after the middle of the contact's year."""
    out = np.zeros(months)
    out[YEAR // 2 : YEAR // 2 + YEAR] = total / YEAR
    return out
