"""Stress: what the book, a year's contacts and the five-year outlook become if one thing goes wrong
at once.

Each stress takes a share of relations or policies away on X, or changes their price; everything
else goes on as before: nobody is replaced, no cost but that of serving who is gone falls away, and
the plan of contacts is not made anew. The shares are assumptions (``stress.*``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.in_force import sum_cents
from akb.value.lifetime.present import present_factors
from akb.value.lifetime.streams import alive_by_month
from akb.value.lifetime.survival import YEAR, announced_days, month_fraction
from akb.value.outlook.projection import (
    YEARS,
    Kept,
    held_ahead,
    path,
    starting_point,
    todays_book,
)
from akb.value.types import StressBook, StressedBook, Stresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from akb.value.in_force import Floats, InForce
    from akb.value.outlook.projection import Extra, HeldAhead, Newcomers, Today
    from akb.value.targeting.planning.prospects import Flags
    from akb.value.valuation import Valuation

DECILE = 10
KEYS = ("mass_lapse", "price_shock", "adviser_leaves", "insurer_ends", "direct_writer")


@dataclass(frozen=True)
class Shock:
    """What is lost at once, as shares of what there was.

    Parameters
    ----------
    subject
        Branch or insurer that is hit; None where it is nobody's name.
    relation
        (n,): of each relation.
    policy, price
        (policies in `InForce.held`,): of each policy of a relation that stays, and the factor on
        the revenue of what stays.
    assumed
        Names of the assumptions behind it.
    """

    key: str
    subject: str | None
    relation: Floats
    policy: Floats
    price: Floats
    assumed: tuple[str, ...]

    def left(self, base: InForce) -> Floats:
        """(policies,): expected share of the revenue of every policy that is left."""
        out: Floats = (1 - self.relation)[base.rows] * (1 - self.policy) * self.price
        return out


@dataclass(frozen=True)
class PolicyValue:
    """Today's worth of what every policy in `InForce.held` earns and costs, in cents."""

    revenue: Floats
    variable: Floats


def stress_figures(valued: Valuation, years: list[tuple[date, date]]) -> Stresses | None:
    """Return the book before and after each stress; None without lifetime value.

    Parameters
    ----------
    years
        `relations.closed_years`, for who comes in.

    Returns
    -------
    Stresses
        ``before`` {commission, value, net, ahead} and ``rows`` {key, subject, customers, assumed:
        {name: value}, and the same figures after the stress}: revenue a year, lifetime value and
        net of a year's contacts in cents, and ``ahead``, the revenue after 0 to 5 years (None where
        the level of departures is not proven). A stress that the export cannot tell, or that
        touches fewer customers than may be shown, has no row.
    """
    base = valued.in_force
    if valued.value is None or valued.plan is None or valued.branches is None:
        return None
    whole = Shock("", None, np.zeros(base.n), *_nothing(base), ())
    limit = base.settings.report.suppress_below
    measured = _Measure(valued, policy_values(valued), years)
    rows = []
    for shock in shocks(base):
        hit = _touched(base, shock)
        if hit >= limit:
            assumed = base.values(shock.assumed)
            rows.append(
                StressedBook(
                    **vars(measured.after(shock)),
                    key=shock.key,
                    subject=shock.subject,
                    customers=hit,
                    assumed=assumed,
                )
            )
    return Stresses(measured.after(whole), tuple(rows))


def shocks(base: InForce) -> Iterator[Shock]:
    """Yield the stresses that this book can be put under, in the order of `KEYS`."""
    nothing, same = _nothing(base)
    nobody = np.zeros(base.n)
    churn = base.score("churn_12m")
    if churn is not None:
        order = np.lexsort((np.arange(base.n), -np.nan_to_num(churn)))
        relation = nobody.copy()
        relation[order[: max(1, round(base.n / DECILE))]] = base.value("stress.mass_lapse")
        yield Shock("mass_lapse", None, relation, nothing, same, ("stress.mass_lapse",))
    branch = _largest(base, "branch")
    if branch is not None:
        rise = base.value("stress.price_rise")
        lost = min(1.0, rise * base.value("stress.price_elasticity"))
        there = (base.held["branch"] == branch).to_numpy()
        names = ("stress.price_rise", "stress.price_elasticity")
        yield _policies_lost(
            base,
            there,
            lost,
            Shock("price_shock", branch, nobody, nothing, 1 + rise * there, names),
        )
    adviser = _largest(base, "adviser", base.customers)
    if adviser is not None:
        his = (base.customers["adviser"] == adviser).fill_null(value=False).to_numpy()
        share = base.value("stress.adviser_share")
        yield Shock("adviser_leaves", None, share * his, nothing, same, ("stress.adviser_share",))
    insurer = _largest(base, "insurer")
    if insurer is not None:
        there = (base.held["insurer"] == insurer).fill_null(value=False).to_numpy()
        whole = Shock("insurer_ends", insurer, nobody, nothing, same, ("stress.insurer_lost",))
        yield _policies_lost(base, there, base.value("stress.insurer_lost"), whole)
    private = [key for key, entry in base.taxonomy.items() if entry.segment != "Z"]
    direct = _largest(base, "branch", among=private)
    if direct is not None:
        there = (base.held["branch"] == direct).to_numpy()
        whole = Shock("direct_writer", direct, nobody, nothing, same, ("stress.direct_share",))
        yield _policies_lost(base, there, base.value("stress.direct_share"), whole)


def policy_values(valued: Valuation) -> PolicyValue:
    """Return what each policy is worth today; with the fixed cost they add up to the lifetime
    value.
    """
    base, rows, survival = valued.in_force, valued.branches, valued.survival
    assert rows is not None
    assert survival is not None
    months = survival.months
    timing = base.value("value.timing")
    factors = (present_factors(base, months) / YEAR).tolist()
    table = rows.with_row_index("place")
    where, first, kept = (table[name].to_numpy() for name in ("row", "first", "kept"))
    years = np.zeros(len(where))
    places, days = announced_days(base)
    ending = np.zeros(len(places))
    relations = zip(survival.by_month(timing), factors, strict=True)
    of_policies = alive_by_month(first, kept, timing)
    for month, ((lives, factor), alive) in enumerate(zip(relations, of_policies, strict=False)):
        there = lives * factor
        years += there[where] * alive
        ending += there[base.rows[places]] * month_fraction(days, month)
    worth = (
        base.held.select("row", "branch", free=pl.col("ends").is_null())
        .join(
            table.select("row", "branch", years=pl.Series(years)),
            on=["row", "branch"],
            how="left",
            maintain_order="left",
        )["years"]
        .fill_null(0.0)
        .to_numpy()
        .copy()
    )
    worth[places] = ending
    return PolicyValue(worth * base.commission, worth * valued.cost.policy)


@dataclass(frozen=True)
class _Measure:
    """What a book is after a shock."""

    valued: Valuation
    worth: PolicyValue
    years: list[tuple[date, date]]

    def after(self, shock: Shock) -> StressBook:
        valued, base = self.valued, self.valued.in_force
        assert valued.value is not None
        assert valued.plan is not None
        kept = (1 - shock.policy) * (shock.price * self.worth.revenue - self.worth.variable)
        changed = kept - (self.worth.revenue - self.worth.variable)
        value = valued.value.clv + np.bincount(base.rows, weights=changed, minlength=base.n)
        left = (1 - shock.relation) * value
        before = valued.value.clv.astype(np.float64)
        share = np.divide(left, before, out=1 - shock.relation, where=before > 0)
        best = valued.plan.best.share
        net = (np.where(best > 0, valued.plan.menu.value, 0.0) * best).sum(axis=1)
        price = base.n * base.value("price.per_customer") * 100
        return StressBook(
            commission=round(float((shock.left(base) * base.commission).sum())),
            value=round(float(left.sum())),
            net=round(float((np.clip(share, 0.0, None) * net).sum()) - price),
            ahead=self._ahead(shock),
        )

    @cached_property
    def _start(self) -> tuple[Today, HeldAhead, tuple[Newcomers, Extra, float]] | None:
        """What no stress changes of the years ahead; None where nothing may be told of them."""
        base, rows = self.valued.in_force, self.valued.branches
        if rows is None or not base.churn_in_euros:
            return None
        today = todays_book(base, rows)
        return today, held_ahead(base, rows), starting_point(base, rows, self.years, today)

    def _ahead(self, shock: Shock) -> tuple[int, ...] | None:
        base = self.valued.in_force
        if self._start is None:
            return None
        today, held, (coming, extra, inflow) = self._start
        cents = base.commission * (1 - shock.policy) * shock.price
        today = replace(
            today,
            alive=today.alive * (1 - shock.relation)[:, None],
            commission=held.commission(cents),
        )
        nobody = Kept(0.0, 0.0, 0.0, coming.alive)
        found = path(today, coming, extra, inflow, nobody).commission
        return tuple(round(float(found[year])) for year in range(YEARS + 1))


def _nothing(base: InForce) -> tuple[Floats, Floats]:
    return np.zeros(base.held.height), np.ones(base.held.height)


def _policies_lost(base: InForce, there: Flags, share: float, shock: Shock) -> Shock:
    """Return a shock that takes a share of some policies; who has no others leaves as a whole."""
    others = sum_cents((~there).astype(np.int64), base.rows, base.n) > 0
    relation = np.where(others, 0.0, share)
    policy = np.where(there & others[base.rows], share, 0.0)
    return replace(shock, relation=relation, policy=policy)


def _largest(
    base: InForce,
    column: str,
    customers: pl.DataFrame | None = None,
    among: list[str] | None = None,
) -> str | None:
    """Return who stands behind most revenue, of those with enough customers; None if there is
    nobody.
    """
    held = base.held.select(
        "row", *([column] if customers is None else []), cents=pl.Series(base.commission)
    )
    if customers is not None:
        held = held.join(customers.select("row", column), on="row")
    known = held.filter(pl.col(column).is_not_null())
    if among is not None:
        known = known.filter(pl.col(column).is_in(among))
    sums = (
        known.group_by(column)
        .agg(pl.col("cents").sum(), customers=pl.col("row").n_unique())
        .filter(
            (pl.col("customers") >= base.settings.report.suppress_below) & (pl.col("cents") > 0)
        )
        .sort("cents", column, descending=[True, False])
    )
    return None if sums.is_empty() else str(sums[column][0])


def _touched(base: InForce, shock: Shock) -> int:
    """Return how many customers a shock touches."""
    hit = (shock.policy > 0) | (shock.price != 1)
    return int(
        ((np.bincount(base.rows, weights=hit, minlength=base.n) > 0) | (shock.relation > 0)).sum()
    )
