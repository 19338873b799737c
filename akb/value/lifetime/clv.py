"""Customer lifetime value: discounted margin per policy, expected cross-sell and fixed cost, and
what is at stake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.in_force import to_cents
from akb.value.lifetime.survival import YEAR, announced_months, relations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.cost import ServiceCost

FIVE_YEARS = 60


@dataclass(frozen=True)
class Streams:
    """Expected amounts per customer and month (cents), given that the relation lives; shape (n,
    months).

    Multiplied by the relation's survival they are expected cash flows. Not indexed, not discounted.
    """

    commission: Floats
    variable: Floats
    fixed: Floats


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


def present_value(amounts: Floats, survival: Floats, factors: Floats) -> Floats:
    """Return the sum over months of amount x survival x factor: (n, m), (n, m), (m,) -> (n,).

    Examples
    --------
    >>> amounts, alive = np.array([[10.0, 10.0]]), np.array([[1.0, 0.8]])
    >>> present_value(amounts, alive, np.array([1.0, 0.9])).tolist()
    [17.2]
    """
    total: Floats = np.einsum("ij,ij,j->i", amounts, survival, factors, optimize=False)
    return total


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
    return float(present_value(np.ones((1, len(ahead))), ahead[None, :], factors)[0])


def stay_and_leave(total: Floats, leaving: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return (V_stay, V_leave) from the whole value, the part earned by those who leave
    preventably, and its chance.

    The whole is the sum over both ends: ``total = (1 - p) V_stay + p V_leave`` with ``p V_leave =
    leaving``. Where nobody (p = 0) or everybody (p = 1) leaves, the impossible end gets the same
    value: nothing is at stake."""
    stays, leaves = p < 1.0, p > 0.0
    stay = np.divide(total - leaving, 1.0 - p, out=total.copy(), where=stays)
    leave = np.divide(leaving, p, out=total.copy(), where=leaves)
    return stay, leave


def streams(
    base: InForce, rows: pl.DataFrame, cost: ServiceCost, months: int, timing: float
) -> Streams:
    """Return the monthly amounts of the policies in force and of the relation.

    Parameters
    ----------
    rows
        `survival.branch_rows`: open policies per (customer, branch) with their yearly survival
        ``first`` and ``kept``.
    """
    commission, variable = policy_streams(
        base, rows, {"commission": base.commission, "cost": cost.policy}, months, timing
    ).values()

    places, fraction = announced_months(base, months)
    rows_announced = base.rows[places]
    fixed = np.repeat(cost.relation[:, None] / YEAR, months, axis=1)
    there = np.zeros((base.n, months))
    np.maximum.at(there, rows_announced, fraction)
    fixed[base.announced] *= there[base.announced]
    return Streams(commission, variable, fixed)


def policy_streams(
    base: InForce,
    rows: pl.DataFrame,
    amounts: Mapping[str, Floats | Cents],
    months: int,
    timing: float,
) -> dict[str, Floats]:
    """Return by name (n, months): yearly amounts per policy in `InForce.held` as they are expected
    month by month, given that the relation lives.

    Parameters
    ----------
    rows
        As for `streams`.
    """
    open_policies = base.held.with_columns(
        **{name: pl.Series(each) for name, each in amounts.items()}
    ).filter(pl.col("ends").is_null())
    money = open_policies.group_by("row", "branch").agg(pl.col(*amounts).sum())
    table = rows.join(money, on=["row", "branch"], how="left", maintain_order="left")
    alive = _policies_alive(table["first"].to_numpy(), table["kept"].to_numpy(), months, timing)
    monthly = [table[name].to_numpy() / YEAR for name in amounts]
    made = dict(
        zip(amounts, _per_customer(alive, monthly, table["row"].to_numpy(), base.n), strict=True)
    )
    places, fraction = announced_months(base, months)
    for name, each in amounts.items():
        np.add.at(made[name], base.rows[places], fraction * (each[places][:, None] / YEAR))
    return made


def lifetime(base: InForce, paths: Relations, flows: Streams, offers: Offers) -> Lifetime:
    """Return the lifetime value of every customer in force, and of both ends of the next 12
    months.
    """
    timing = base.value("value.timing")
    months = flows.commission.shape[1]
    factors = discount_factors(
        months, base.value("value.discount"), base.value("value.indexation"), timing
    )
    alive = paths.alive_at(timing)[:, :months]
    leaving = paths.leaving_at(timing)

    cross_sell = offers.margin_stream(base, months, timing)
    margin = flows.commission - flows.variable - flows.fixed + cross_sell
    total = present_value(margin, alive, factors)
    early = present_value(margin[:, :YEAR], leaving, factors[:YEAR])
    stay, leave = stay_and_leave(total, early, np.where(base.announced, 1.0, paths.preventable))
    stay[base.announced] = leave[base.announced] = total[base.announced]
    five = min(FIVE_YEARS, months)

    commission = to_cents(present_value(flows.commission, alive, factors))
    variable = to_cents(present_value(flows.variable, alive, factors))
    fixed = to_cents(present_value(flows.fixed, alive, factors))
    current = commission - variable - fixed
    potential = to_cents(present_value(cross_sell, alive, factors))
    clv = current + potential
    rounding = clv - total  # both ends carry it, so that they still add up to the rounded whole
    return Lifetime(
        commission=commission,
        variable=variable,
        fixed=fixed,
        current=current,
        potential=potential,
        clv=clv,
        clv_5y=to_cents(present_value(margin[:, :five], alive[:, :five], factors[:five])),
        stay=to_cents(stay + rounding),
        leave=to_cents(leave + rounding),
    )


def earned_12m(flows: Streams, paths: Relations) -> tuple[Cents, Cents]:
    """Return commission earned and cost made in the next 12 months per customer: not indexed, not
    discounted.
    """
    halfway = paths.alive_at(0.5)[:, :YEAR]
    cost = flows.variable[:, :YEAR] + flows.fixed[:, :YEAR]
    return to_cents((flows.commission[:, :YEAR] * halfway).sum(axis=1)), to_cents(
        (cost * halfway).sum(axis=1)
    )


def earned_5y(base: InForce, rows: pl.DataFrame, cost: ServiceCost, paths: Relations) -> Cents:
    """Return the recurring revenue of the policies in force over five years, per customer.

    No cost, no sales, not indexed, not discounted; five years also where lifetime value looks less
    far ahead."""
    lasting = paths if paths.months >= FIVE_YEARS else relations(base, FIVE_YEARS)
    assert lasting is not None
    revenue = streams(base, rows, cost, FIVE_YEARS, 0.5).commission
    return to_cents((revenue * lasting.alive_at(0.5)[:, :FIVE_YEARS]).sum(axis=1))


def lapses_expected(base: InForce, rows: pl.DataFrame, paths: Relations) -> float:
    """Return the policies expected to end within 12 months under these survivals, announced ones
    included.
    """
    alive = paths.alive[rows["row"].to_numpy(), YEAR]
    count = rows["policies"].to_numpy()
    expected = float((count * (1.0 - alive * rows["first"].to_numpy())).sum())
    _, fraction = announced_months(base, YEAR)
    return expected + float((fraction[:, -1] < 1.0).sum())


def _policies_alive(first: Floats, kept: Floats, months: int, timing: float) -> Iterator[Floats]:
    """Yield per month the survival of policies at the moment `timing` within it, given that the
    relation lives.
    """
    alive, monthly = first ** (timing / YEAR), first ** (1 / YEAR)
    for month in range(months):
        if month == YEAR:
            alive, monthly = first * kept ** (timing / YEAR), kept ** (1 / YEAR)
        yield alive
        alive = alive * monthly


def _per_customer(
    alive: Iterable[Floats], amounts: Sequence[Floats], rows: Rows, n: int
) -> list[Floats]:
    """Return per amount (n, months): its sum over the consecutive rows of every customer; `rows`
    ascends.

    Month by month: an array of all policies by all months takes longer to fill than to sum.
    """
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    there = rows[first]
    months: list[list[Floats]] = [[] for _ in amounts]
    for left in alive:
        for sums, amount in zip(months, amounts, strict=True):
            month = np.zeros(n)
            if len(rows):
                month[there] = np.add.reduceat(left * amount, first)
            sums.append(month)
    return [np.ascontiguousarray(np.array(sums).T) for sums in months]
