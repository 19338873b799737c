"""What the business case is made of: sums over a plan of contacts, and how its euros come in month
by month.

Pure numbers, without a customer's data: a run, `akb case` and the page work on the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.targeting.planning.benefits import SIDES
from akb.value.types import Three

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Assumption, ContactType
    from akb.value.in_force import Floats
    from akb.value.targeting.planning.benefits import Side
    from akb.value.targeting.planning.plan import OptionSums

LINES = ("relation", "policy", "purchase")
YEAR = 12


@dataclass(frozen=True)
class Span:
    """A low, base and high value; in that order."""

    low: float
    base: float
    high: float

    def side(self, side: Side) -> float:
        """Return the value at one side."""
        value: float = getattr(self, side)
        return value

    def cents(self) -> Three:
        """Return it in whole cents, low and high never on the wrong side of the base."""
        low, base, high = round(self.low), round(self.base), round(self.high)
        return Three(min(low, base), base, max(base, high))


CERTAIN = Span(1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Cohort:
    """One year's contacts: their sums, and the months in which what they bring comes in.

    Parameters
    ----------
    sums
        Of every option that is used.
    flows
        Line -> (months,): cents per month from the contact on at the base, indexed, not discounted.
    """

    sums: tuple[OptionSums, ...]
    flows: Mapping[str, Floats]

    @property
    def contacts(self) -> float:
        """Cost of the contacts, cents."""
        return sum(each.cost for each in self.sums)

    def line(self, line: str, side: Side = "base") -> float:
        """Return the benefit of a line at one side of the effects, cents of today."""
        return sum(float(getattr(each, line)[side]) for each in self.sums)

    @property
    def benefit(self) -> float:
        """All lines together at the base, cents of today."""
        return sum(self.line(line) for line in LINES)


@dataclass(frozen=True)
class Exploration:
    """Contacts that are made to learn: drawn among those that pay at the high end; their own hours
    and line.
    """

    customers: int
    minutes: float
    cost: float
    benefit: Span


@dataclass(frozen=True)
class Trialled:
    """Who a trial would be about, see `akb.value.case.case.trialled`; means per customer.

    Parameters
    ----------
    customers
        How many there are in this office.
    relations, policies, euros
        (mean, variance) within 12 months of preventable relation ends, of policies lost and of
        euros lost.
    minutes, cost, benefit
        Of one contact: minutes, cents, and cents that it brings at the base.
    """

    customers: int
    relations: tuple[float, float]
    policies: tuple[float, float]
    euros: tuple[float, float]
    minutes: float
    cost: float
    benefit: float


@dataclass(frozen=True)
class CaseBasis:
    """Everything that the case needs.

    Parameters
    ----------
    cohort
        The contacts of the 12 months from X.
    later
        Those of the second and the third year on the same book: customers who were contacted the
        year before count as repeats, what was sold is not offered again. Further years take turns
        between both: who was left alone for a year is no repeat any more.
    levels
        Line -> by what its benefit may be off at the low and high end: gates that are provisional,
        reasons unknown.
    exploration, trialled
        See the classes.
    without
        Benefit less contacts of a plan by the same planner on averages, judged with the
        predictions, cents.
    plan
        ``hour_price`` {pool: cents}, ``gap``, ``available`` {pool: minutes}.
    facts
        Numbers that explain the case and that no contact changes.
    """

    customers: int
    cohort: Cohort
    later: tuple[Cohort, Cohort]
    levels: Mapping[str, Span]
    exploration: Exploration
    trialled: Trialled | None
    without: float
    plan: Mapping[str, Any]
    facts: Mapping[str, float]
    ladder: Mapping[str, ContactType]
    register: Mapping[str, Assumption]

    def value(self, name: str) -> float:
        """Return the base value of an assumption."""
        return self.register[name].value

    def year(self, place: int) -> Cohort:
        """Return the contacts of year 0, 1, ... when they go on every year."""
        return self.cohort if place == 0 else self.later[(place - 1) % 2]

    def price(self) -> Span:
        """Return the price of the predictions a year, cents; low costs come with the high end."""
        entry = self.register["price.per_customer"]
        return Span(
            *(100.0 * each * self.customers for each in (entry.high, entry.value, entry.low))
        )


def contact_cost(sums: OptionSums, basis: CaseBasis, side: Side) -> float:
    """Return what an option's contacts cost at one side, cents: the low side has the high costs.

    Minutes, rates and out-of-pocket costs stand at their far ends together.
    """
    far = {"low": "high", "base": "value", "high": "low"}[side]
    contact = basis.ladder[sums.key]
    rate = basis.register["cost.rate_adviser" if sums.pool == "adviser" else "cost.rate_office"]
    if side == "base":
        return sums.cost
    own = basis.register.get(f"contacts.{sums.key}.minutes")
    minutes = getattr(own, far) if own is not None else contact.minutes
    time = 0.0 if sums.pool == "automatic" else 100 / 60
    more = sums.reached * time * (minutes * getattr(rate, far) - contact.minutes * rate.value)
    paid = basis.register.get(f"contacts.{sums.key}.cost")
    more += (
        100
        * sums.reached
        * ((getattr(paid, far) if paid is not None else contact.cost) - contact.cost)
    )
    return float(max(0.0, sums.cost + more))


def benefit(cohort: Cohort, basis: CaseBasis, line: str) -> Span:
    """Return a line of benefit, low to high: effects and levels at their ends together, cents."""
    level, base = basis.levels[line], cohort.line(line)
    low, high = cohort.line(line, "low"), cohort.line(line, "high")
    low *= (
        level.low if low >= 0 else level.high
    )  # a loss is worse where more customers turn out to leave
    high *= level.high if high >= 0 else level.low
    return Span(min(low, high, base), base, max(low, high, base))


def contacts(cohort: Cohort, basis: CaseBasis) -> Span:
    """Return the cost of the contacts; its low is the high cost, which goes with low benefits."""
    low, base, high = (
        sum(contact_cost(each, basis, side) for each in cohort.sums) for side in SIDES
    )
    return Span(max(low, base), base, min(high, base))


def net(cohort: Cohort, basis: CaseBasis) -> Span:
    """Return benefit less contacts less price of one cohort: the same contacts under other
    assumptions.
    """
    gained = [benefit(cohort, basis, line) for line in LINES]
    spent, price = contacts(cohort, basis), basis.price()
    return Span(
        *(
            sum(each.side(side) for each in gained) - spent.side(side) - price.side(side)
            for side in SIDES
        )
    )


def spread_over_year(flow: Floats) -> Floats:
    """Return (months + 12,): what contacts spread evenly over 12 months bring per month of the
    calendar.

    A contact stands in the middle of its month on average, so half of what it brings in a month
    falls in the next."""
    even = np.full(YEAR, 1.0 / YEAR)
    middle = np.array([0.5, 0.5])
    return np.convolve(np.convolve(flow, even), middle)
