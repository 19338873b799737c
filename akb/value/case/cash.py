"""When the euros come in: cash by year, the year in which the book runs, and the month of
payback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.value.case.basis import LINES, YEAR, spread_over_year
from akb.value.types import RunningYear

if TYPE_CHECKING:
    from akb.value.case.basis import CaseBasis, Cohort
    from akb.value.in_force import Floats

YEARS = 5


@dataclass(frozen=True)
class Cash:
    """Money in and out in one year, cents, not discounted."""

    benefit: float
    contacts: float
    price: float

    @property
    def net(self) -> float:
        """What is left."""
        return self.benefit - self.contacts - self.price

    def cents(self) -> RunningYear:
        """Return it in whole cents; the net is that of the rounded parts."""
        benefit, contacts, price = round(self.benefit), round(self.contacts), round(self.price)
        return RunningYear(benefit, contacts, price, benefit - contacts - price)


def monthly(cohort: Cohort) -> Floats:
    """Return (months + 13,): what one year's contacts bring per month, spread over their year;
    cents.
    """
    return spread_over_year(np.sum([cohort.flows[line] for line in LINES], axis=0))


def inflow(basis: CaseBasis, months: int) -> Floats:
    """Return (months,): benefit per month when contacts go on every year; each year's cohort by
    itself.
    """
    out = np.zeros(months)
    for year in range(-(-months // YEAR)):
        came = monthly(basis.year(year))[: months - YEAR * year]
        out[YEAR * year : YEAR * year + len(came)] += came
    return out


def cash(basis: CaseBasis) -> list[Cash]:
    """Return the first five years with weekly predictions by the year."""
    benefit = inflow(basis, YEARS * YEAR).reshape(YEARS, YEAR).sum(axis=1)
    price = basis.price().base
    return [
        Cash(float(gain), basis.year(year).contacts, price)
        for year, gain in enumerate(benefit.tolist())
    ]


def running_year(basis: CaseBasis) -> Cash:
    """Return a year far ahead on a constant book: every earlier cohort brings what is left of it in
    that year.

    In such a year the cohorts of all ages together bring what one cohort brings over its whole
    life."""
    benefit = float(
        np.mean([sum(each.flows[line].sum() for line in LINES) for each in basis.later])
    )
    return Cash(
        benefit, float(np.mean([each.contacts for each in basis.later])), basis.price().base
    )


def cumulative(basis: CaseBasis) -> Floats:
    """Return (60,): what has come back after every month, less everything paid; the analysis is
    paid on day one.
    """
    rows = cash(basis)
    paid = np.repeat([(row.contacts + row.price) / YEAR for row in rows], YEAR)
    out: Floats = np.cumsum(inflow(basis, YEARS * YEAR) - paid) - 100 * basis.value("price.eda")
    return out


def payback_month(basis: CaseBasis) -> int | None:
    """Return the month (1, 2, ...) from which everything paid stays paid back; None if not within
    five years.
    """
    return paid_back(cumulative(basis))


def paid_back(total: Floats) -> int | None:
    """Return the month from which what has come back, less everything paid, stays above zero."""
    below = np.flatnonzero(total < 0)
    if not len(below):
        return 1
    month = int(below[-1]) + 2
    return month if month <= YEARS * YEAR else None


def deepest(basis: CaseBasis) -> float:
    """Return the most that lies out at any moment, cents (zero or less)."""
    return lowest(cumulative(basis), basis)


def lowest(total: Floats, basis: CaseBasis) -> float:
    """Return the lowest that a cumulative cash flow comes, the analysis paid on day one."""
    return float(min(0.0, total.min(), -100 * basis.value("price.eda")))
