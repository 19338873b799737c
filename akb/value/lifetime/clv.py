"""Customer lifetime value: discounted margin per policy, expected cross-sell and fixed cost, and
what is at stake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.in_force import to_cents
from akb.value.lifetime.purchases import margins_by_month
from akb.value.lifetime.survival import YEAR, announced_days, month_fraction

if TYPE_CHECKING:
    from akb.value.in_force import Cents, Floats, InForce
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.streams import Streams
    from akb.value.lifetime.survival import Relations

FIVE_YEARS = 60


@dataclass(frozen=True)
class Lifetime:
    """Lifetime value per customer in integer cents, with its components.

    ``clv = current + potential``; ``current = commission - variable - fixed``;
    ``(1 - p) stay + p leave = clv`` to the cent, with p = churn_preventable_12m; ``stake = stay -
    leave``."""

    commission: Cents
    variable: Cents
    fixed: Cents
    current: Cents
    potential: Cents
    clv: Cents
    clv_5y: Cents
    stay: Cents
    leave: Cents

    @property
    def stake(self) -> Cents:
        """Value at stake: V_stay - V_leave."""
        return self.stay - self.leave


def discount_factors(
    periods: int, discount: float, indexation: float, timing: float, per_year: int = YEAR
) -> Floats:
    """Return (periods,): what a euro of today's level, paid at `timing` within each period, is
    worth today.

    Parameters
    ----------
    discount, indexation
        Per year; the factor is ``((1 + indexation) / (1 + discount)) ^ years``.
    timing
        0 at the begin of the period, 1 at its end.
    per_year
        Periods in a year: months unless said otherwise.

    Examples
    --------
    A euro at the end of each year at 5 %, without indexation.

    >>> discount_factors(2, 0.05, 0.0, 1.0, per_year=1).round(4).tolist()
    [0.9524, 0.907]
    """
    years = (np.arange(periods) + timing) / per_year
    factors: Floats = ((1 + indexation) / (1 + discount)) ** years
    return factors


def residual_lifetime(
    survival: Floats, seen: int, discount: float, *, timing: float = 0.0, current: bool = False
) -> float:
    """Return the discounted years that a relation of `seen` whole years is still expected to pay
    (DERL).

    Parameters
    ----------
    survival
        (years + 1,): share still there after 0, 1, ... years, as far as it matters at this
        discount.
    seen
        Renewals behind it; everything is given that it was there after them.
    timing
        When a year is paid: 0 at its first day, 1 at its last. The first year to count is the next
        one, which is paid by those who renew; valued just before that renewal (0), or a year
        earlier (1).
    current
        The year that runs counts too, as paid on the day from which we look (only with timing 0).

    Notes
    -----
    Fader and Hardie (2010): the moment of payment moves this by 15 %, so nobody may leave it
    unsaid."""
    ahead = survival[seen if current else seen + 1 :] / survival[seen]
    factors = discount_factors(len(ahead), discount, 0.0, timing, per_year=1)
    return float(ahead @ factors)


def stay_and_leave(total: Floats, leaving: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return (V_stay, V_leave) from the whole value, the part earned by those who leave
    preventably, and its chance.

    The whole is the sum over both ends: ``total = (1 - p) V_stay + p V_leave`` with ``p V_leave =
    leaving``. Where nobody (p = 0) or everybody (p = 1) leaves, the impossible end gets the same
    value: nothing is at stake.

    Examples
    --------
    Of a value of 100 the fifth who leave bring 10: who stays is worth 112.50, who leaves 50.

    >>> stay, leave = stay_and_leave(np.array([100.0]), np.array([10.0]), np.array([0.2]))
    >>> stay.tolist(), leave.tolist()
    ([112.5], [50.0])
    """
    stays, leaves = p < 1.0, p > 0.0
    stay = np.divide(total - leaving, 1.0 - p, out=total.copy(), where=stays)
    leave = np.divide(leaving, p, out=total.copy(), where=leaves)
    return stay, leave


def lifetime(base: InForce, paths: Relations, flows: Streams, offers: Offers) -> Lifetime:
    """Return the lifetime value of every customer in force, and of both ends of the next 12
    months.
    """
    bought = np.where(base.announced, 0.0, offers.yearly_margin), offers.kept
    worth = discount_factors(
        flows.months, base.value("value.discount"), base.value("value.indexation"), flows.timing
    )
    return lifetime_of(paths, flows, bought, worth)


def lifetime_of(
    paths: Relations, flows: Streams, bought: tuple[Floats, float], factors: Floats
) -> Lifetime:
    """Return `lifetime` of all or some customers.

    Parameters
    ----------
    bought
        Margin of the policies bought in the years ahead, (years, n), and the share left a year
        later.
    factors
        What a euro of each month is worth today.
    """
    timing, n, announced = flows.timing, flows.n, flows.announced
    leaving = paths.leaving_at(timing)
    sums = {name: np.zeros(n) for name in ("commission", "variable", "fixed", "cross_sell")}
    early, five = np.zeros(n), np.zeros(n)
    months = zip(
        flows.by_month(),
        margins_by_month(*bought, flows.months, timing),
        paths.by_month(timing, flows.months),
        factors.tolist(),
        strict=True,
    )
    for number, (month, cross_sell, alive, factor) in enumerate(months):
        there = alive * factor
        parts = {**month._asdict(), "cross_sell": cross_sell}
        for name, amount in parts.items():
            sums[name] += amount * there
        margin = month.margin + cross_sell
        if number < YEAR:
            early += margin * leaving[:, number] * factor
        if number < FIVE_YEARS:
            five += margin * there
    total = sums["commission"] - sums["variable"] - sums["fixed"] + sums["cross_sell"]
    stay, leave = stay_and_leave(total, early, np.where(announced, 1.0, paths.preventable))
    stay[announced] = leave[announced] = total[announced]

    commission, variable, fixed, potential = (to_cents(each) for each in sums.values())
    current = commission - variable - fixed
    clv = current + potential
    rounding = clv - total  # both ends carry it, so that they still add up to the rounded whole
    return Lifetime(
        commission=commission,
        variable=variable,
        fixed=fixed,
        current=current,
        potential=potential,
        clv=clv,
        clv_5y=to_cents(five),
        stay=to_cents(stay + rounding),
        leave=to_cents(leave + rounding),
    )


def earned_12m(flows: Streams, paths: Relations) -> tuple[Cents, Cents]:
    """Return commission earned and cost made in the next 12 months per customer: not indexed, not
    discounted.
    """
    commission, cost = np.zeros(flows.n), np.zeros(flows.n)
    for month, alive in zip(flows.by_month(YEAR), paths.by_month(0.5, YEAR), strict=True):
        commission += month.commission * alive
        cost += (month.variable + month.fixed) * alive
    return to_cents(commission), to_cents(cost)


def earned_5y(flows: Streams, paths: Relations) -> Cents:
    """Return the recurring revenue of the policies in force over five years, per customer.

    No cost, no sales, not indexed, not discounted; five years also where lifetime value looks less
    far ahead."""
    return to_cents(expected_revenue(flows.at(0.5, FIVE_YEARS), paths))


def expected_revenue(flows: Streams, paths: Relations) -> Floats:
    """Return (n,): the revenue of all months of the streams, each where the relation lives
    halfway; cents.
    """
    total = np.zeros(flows.n)
    for month, alive in zip(flows.by_month(), paths.by_month(0.5, flows.months), strict=True):
        total += month.commission * alive
    return total


def lapses_expected(base: InForce, rows: pl.DataFrame, paths: Relations) -> float:
    """Return the policies expected to end within 12 months under these survivals, announced ones
    included.
    """
    alive = paths.alive_after(YEAR)[rows["row"].to_numpy()]
    count = rows["policies"].to_numpy()
    expected = float((count * (1.0 - alive * rows["first"].to_numpy())).sum())
    _, days = announced_days(base)
    return expected + float((month_fraction(days, YEAR - 1) < 1.0).sum())
