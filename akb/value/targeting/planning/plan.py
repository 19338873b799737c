"""The plan of contacts for 12 months: who gets which contact, what that brings and takes, and the
price of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.value.targeting.planning.benefits import SIDES, MenuInputs, Planning, pushes_of
from akb.value.targeting.planning.menu import menu
from akb.value.targeting.planning.planner import NONE, Choices, optimum, reduced_values, rounded
from akb.value.targeting.team import POOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.targeting.planning.benefits import Pushes, Side
    from akb.value.targeting.planning.menu import Menu
    from akb.value.targeting.planning.planner import Optimum
    from akb.value.targeting.planning.prospects import Flags, Prospects


@dataclass(frozen=True)
class OptionSums:
    """One option of the plan, summed over its customers: everything that the case needs of them.

    Parameters
    ----------
    customers, reached
        Planned, and of those the expected number with whom its own contact takes place (others get
        the ``otherwise``).
    relation, policy, purchase, leavers, policies, sales
        Side of the effects -> cents, or counts; see `benefits.Lines`.
    minutes
        Pool -> minutes, without those of expected sales.
    cost
        Cents: time at the rate of who does it, and out of pocket. The line of purchases carries the
        minutes of sales.
    """

    key: str
    pool: str
    customers: float
    reached: float
    relation: Mapping[Side, float]
    policy: Mapping[Side, float]
    purchase: Mapping[Side, float]
    leavers: Mapping[Side, float]
    policies: Mapping[Side, float]
    sales: Mapping[Side, float]
    minutes: Mapping[str, float]
    cost: float

    def benefit(self, side: Side = "base") -> float:
        """All lines together, cents."""
        return self.relation[side] + self.policy[side] + self.purchase[side]


@dataclass(frozen=True)
class ContactPlan:
    """Who gets which contact in the 12 months from X.

    Parameters
    ----------
    best
        The linear optimum: what the case counts.
    option
        (n,): place in `menu.options` in whole customers, `NONE` for no contact: what the lists say.
    available
        Minutes per pool.
    pushes
        See `benefits.pushes_of`.
    """

    prospects: Prospects
    planning: Planning
    menu: Menu
    choices: Choices
    best: Optimum
    option: Rows
    available: Mapping[str, float]
    pushes: Pushes

    @cached_property
    def whole(self) -> Floats:
        """(n, k): the lists' plan as shares of 0 and 1."""
        out = np.zeros(self.best.share.shape)
        rows = np.flatnonzero(self.option != NONE)
        out[rows, self.option[rows]] = 1.0
        return out

    @property
    def planned(self) -> Flags:
        """(n,): who is on a list."""
        out: Flags = self.option != NONE
        return out

    @property
    def personal(self) -> int:
        """How many customers a person contacts."""
        pools = np.array([each.pool != "automatic" for each in self.menu.options], dtype=np.bool_)
        return int((self.planned & pools[np.maximum(self.option, 0)]).sum())

    @property
    def net(self) -> float:
        """Benefit less cost of contacts of the linear optimum, cents."""
        return self.best.total

    @property
    def gap(self) -> float:
        """What rounding to whole customers loses, as a share of the optimum; 0 where there is
        nothing to lose.
        """
        whole = float((np.where(self.whole > 0, self.menu.value, 0.0) * self.whole).sum())
        return max(0.0, 1 - whole / self.best.total) if self.best.total > 0 else 0.0

    @property
    def hour_price(self) -> dict[str, float]:
        """Pool -> cents that one more hour a year would bring."""
        return {
            pool: 60 * float(price) for pool, price in zip(POOLS, self.best.pool_price, strict=True)
        }

    @cached_property
    def would_get(self) -> Rows:
        """(n,): what everybody would get at these prices if he were not drawn for the control
        group.
        """
        reduced = reduced_values(
            replace(self.choices, value=self.menu.worth_where(self.menu.could)), self._prices
        )
        best = reduced.argmax(axis=1)
        return np.where(reduced[np.arange(len(best)), best] > 0, best, NONE)

    @property
    def _prices(self) -> Floats:
        return np.concatenate([self.best.pool_price, self.best.place_price])

    def contact_value(self, n: int) -> list[float]:
        """Return (n,): euros of the planned contact after its cost; 0 without one."""
        rows = np.flatnonzero(self.planned)
        out = np.zeros(n)
        out[rows] = self.menu.value_of(rows, self.option[rows]) / 100
        return [float(euros) for euros in out]

    def optimal_contacts(self, most: int) -> list[float]:
        """Return (n,): how many contacts such as the planned one pay in these 12 months, `most` at
        the most; 0 without one.

        Every further contact is a repeat: it does ``repeat_share`` of what the one before did, and
        costs as much, hours at the price of one more hour.
        """
        rows = np.flatnonzero(self.planned)
        chosen = self.option[rows]
        benefit = self.menu.value_of(rows, chosen) + self.menu.cost[rows, chosen]
        spent = benefit - self.reduced()[rows, chosen]
        done = self.planning.repeat_share ** np.arange(most)
        pays = benefit[:, None] * done[None, :] > spent[:, None]
        out = np.zeros(self.prospects.n)
        out[rows] = np.maximum(1, np.logical_and.accumulate(pays, axis=1).sum(axis=1))
        return [float(count) for count in out]

    def runner_up(self, rows: Rows) -> tuple[list[str | None], Floats]:
        """Return for some customers the next best contact type and what it would bring after its
        cost, cents.

        The type that would be chosen at the prices of hours if the planned one did not exist; None
        where nothing pays."""
        reduced = self.reduced()[rows]
        keys = np.array([each.key for each in self.menu.options])
        chosen = self.option[rows]
        own = (keys[None, :] == keys[chosen][:, None]) & (chosen != NONE)[:, None]
        left = np.where(own, -np.inf, reduced)
        best = left.argmax(axis=1)
        pays = left[np.arange(len(rows)), best] > 0
        brings = np.where(pays, self.menu.value[rows, best], np.nan)
        return [
            str(keys[place]) if there else None for place, there in zip(best, pays, strict=True)
        ], brings

    def branch_discussed(self, in_force: InForce, row: int, option: int) -> str | None:
        """Return the first branch to discuss with a customer in this option; None where none is."""
        if self.menu.base.sales[row, option] <= 0:
            return None
        places = self.menu.discussed[self.menu.options[option]][row]
        branch = int(self.prospects.branch[row, places[0] if len(places) else 0])
        return list(in_force.taxonomy)[branch] if branch >= 0 else None

    def without(self, rows: Rows) -> ContactPlan:
        """Return the plan whose lists leave these customers out."""
        option = self.option.copy()
        option[rows] = NONE
        fresh = replace(self, option=option)
        fresh.__dict__.pop("whole", None)
        return fresh

    def sums(self, share: Floats | None = None) -> tuple[OptionSums, ...]:
        """Return the options that are used, summed with shares: the linear optimum's unless others
        are given.
        """
        weight = (self.best.share if share is None else share) * self.prospects.weight[:, None]
        return tuple(
            self._sums(place, weight[:, place])
            for place in range(len(self.menu.options))
            if weight[:, place].sum() > 0
        )

    def _sums(self, place: int, weight: Floats) -> OptionSums:
        own = self.menu.options[place]
        contact = self.planning.ladder[own.key]
        reached = (
            self.prospects.inbound_year if contact.reach == "inbound" else np.ones(self.prospects.n)
        )
        lines = {side: self.menu.column(side, place) for side in SIDES}

        def summed(name: str) -> dict[Side, float]:
            return {side: float(weight @ getattr(lines[side], name)) for side in SIDES}

        minutes = weight @ self.menu.minutes[:, place]
        return OptionSums(
            key=own.key,
            pool=own.pool,
            customers=float(weight.sum()),
            reached=float(weight @ reached),
            relation=summed("relation"),
            policy=summed("policy"),
            purchase=summed("purchase"),
            leavers=summed("leavers"),
            policies=summed("policies"),
            sales=summed("sales"),
            minutes=dict(zip(POOLS, minutes.tolist(), strict=True)),
            cost=float(weight @ self.menu.cost[:, place]),
        )

    def reduced(self) -> Floats:
        """(n, k): value of every option less the hours and places that it takes, at their
        prices.
        """
        return reduced_values(self.choices, self._prices)


def contact_plan(
    prospects: Prospects,
    planning: Planning,
    available: Mapping[str, float],
    *,
    whole: bool = True,
    pushes: Pushes | None = None,
) -> ContactPlan:
    """Return the plan that brings most within these minutes per pool.

    Parameters
    ----------
    whole
        Whether lists are wanted as well: rows are customers then, each of weight 1.
    pushes
        Those of another plan with the same effects and chances.
    """
    pushes = pushes_of(prospects, planning.ladder) if pushes is None else pushes
    offered = menu(MenuInputs(prospects, planning, pushes))
    types = list(planning.ladder)
    limits = [contact.per_year for contact in planning.ladder.values()]
    choices = Choices(
        value=offered.value,
        minutes=offered.minutes,
        available=np.array([available[pool] for pool in POOLS]),
        group=np.array([types.index(each.key) for each in offered.options], dtype=np.int64),
        most=np.array([np.inf if limit is None else float(limit) for limit in limits]),
        weight=prospects.weight,
    )
    best = optimum(choices)
    option = rounded(choices, best) if whole else np.full(prospects.n, NONE, dtype=np.int64)
    return ContactPlan(prospects, planning, offered, choices, best, option, dict(available), pushes)


def next_year(plan: ContactPlan) -> ContactPlan:
    """Return the plan of the next year, see `prospects_after`."""
    later = prospects_after(plan)
    return contact_plan(later, plan.planning, plan.available, whole=False, pushes=plan.pushes)


def prospects_after(plan: ContactPlan) -> Prospects:
    """Return what contacts could change in the year after a plan: who was contacted counts as a
    repeat, what was sold is not offered again.
    """
    share = plan.best.share
    contacted = share.sum(axis=1)
    sold = (share * plan.menu.base.sales).sum(axis=1)
    worth = plan.prospects.worth * np.maximum(1.0 - sold, 0.0)[:, None]
    return replace(plan.prospects, repeated=contacted > 0.5, worth=worth)
