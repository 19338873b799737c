"""Futures in pairs: without contact and under plans of contacts, with the same chance everywhere
else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.calendar import to_day
from akb.sample.contact import Contacts, Effects
from akb.sample.engine import Policies, draw
from akb.sample.futures import FutureRun, contact_chance, future_rng
from akb.sample.records import commission_now, commission_of_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from akb.sample.engine import Log, Rows
    from akb.sample.futures import FutureDraws
    from akb.sample.office import SimulatedOffice

YEAR = 365.25
_COLUMNS = ("customer", "slot", "start", "end", "reason", "branch", "cents")


@dataclass(frozen=True)
class FuturePolicies(Policies):
    """The policies of one future: those in force on the as-of date and those taken later, P rows.

    customer: place in `Book.in_force`; slot, start, end (day numbers since 1970, NEVER_DAY = not
    ended in this future), reason (engine code); branch: index into `Parameters.branches`; cents:
    commission a year at the level of the as-of date (of a policy taken later: what is to be
    expected of it); as_of: that date as a day number."""

    branch: Rows
    cents: NDArray[np.float64]
    as_of: int

    def years(self, horizon: float, growth: float = 1.0) -> NDArray[np.float64]:
        """Return the years [P] in force after the as-of date and within a horizon in years.

        Parameters
        ----------
        growth
            What a euro a year later counts for: (1 + indexation) / (1 + discount); 1 = plain years.
        """
        first = np.clip((self.start - self.as_of) / YEAR, 0, horizon)
        last = np.clip((self.end.astype(np.float64) - self.as_of) / YEAR, 0, horizon)
        if growth == 1:
            return np.asarray(last - first, np.float64)
        rate = np.log(growth)
        return np.asarray((np.exp(rate * last) - np.exp(rate * first)) / rate)

    def commission(
        self, customers: int, horizon: float = 5.0, growth: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the commission [customers] in cents that these policies bring within a horizon in
        years.
        """
        return self.total(self.cents * self.years(horizon, growth), customers)

    def total(self, amounts: NDArray[np.float64], customers: int) -> NDArray[np.float64]:
        """Return the sum [customers] of amounts per policy."""
        return np.asarray(
            np.bincount(self.customer, weights=amounts, minlength=customers), np.float64
        )

    def of(self, customers: Rows) -> FuturePolicies:
        """Return the policies of some customers (ascending places), numbered as before."""
        mine = np.zeros(int(self.customer.max(initial=-1)) + 1, np.bool_)
        mine[customers] = True
        keep = mine[self.customer]
        return replace(self, **{name: getattr(self, name)[keep] for name in _COLUMNS})


@dataclass(frozen=True)
class Changed:
    """What one plan changes in one future.

    customers: places in `Book.in_force` whose future is another one, ascending; policies: theirs
    under the plan; undone, woken: ends [of relations, of single policies]; sold: policies bought
    because of the contacts."""

    customers: Rows
    policies: FuturePolicies
    undone: NDArray[np.int64]
    woken: NDArray[np.int64]
    sold: int


@dataclass(frozen=True)
class Paired:
    """One future of `count` customers: without contact, and what each plan changes in it.

    `without` holds the policies of all of them, or of those whom some plan changes (`Book.paired`,
    `everybody`)."""

    count: int
    without: FuturePolicies
    changed: tuple[Changed, ...]

    def gain(
        self, plan: int, amounts: Callable[[FuturePolicies], NDArray[np.float64]] | None = None
    ) -> NDArray[np.float64]:
        """Return what a plan gains per customer [count]; exactly zero for whom it changes nothing.

        Parameters
        ----------
        plan
            Its number.
        amounts
            What each policy is worth [P]; None: its commission in five years, not discounted, in
            cents.
        """
        changed = self.changed[plan]
        before, after = self.without.of(changed.customers), changed.policies
        if amounts is None:
            return after.commission(self.count) - before.commission(self.count)
        return after.total(amounts(after), self.count) - before.total(amounts(before), self.count)

    def under(self, plan: int) -> FuturePolicies:
        """Return the policies of `without` as they are under a plan: those of the customers it
        changes last.
        """
        changed = self.changed[plan]
        rest = self.without.of(np.setdiff1d(np.arange(self.count), changed.customers))
        columns = {
            name: np.concatenate([getattr(rest, name), getattr(changed.policies, name)])
            for name in _COLUMNS
        }
        return FuturePolicies(as_of=rest.as_of, **columns)


def paired_futures(
    book: SimulatedOffice, effects: Sequence[Effects], draws: FutureDraws, *, everybody: bool
) -> Iterator[Paired]:
    """Draw futures in pairs (see `Book.paired`)."""
    rows = book.in_force
    seed, months = draws.seed, draws.months
    price = _Price(book, rows)
    for k in draws.numbers:
        rng = future_rng(seed, k)
        market = book.market.redrawn(book.p, book.as_of.year, rng)
        chances = [draw(rng, len(rows), len(book.p.slot)) for _ in range(months)]
        chance = contact_chance(book, seed, k)
        watching = [Contacts(each, chance, book.step, works=False) for each in effects]
        run, window = (
            FutureRun(book, rows, market),
            max((watch.last for watch in watching), default=0),
        )
        for u in chances[:window]:
            run.month(u, watching)
        touched = [watch.touched for watch in watching]
        shown = (
            np.arange(len(rows)) if everybody else np.unique(np.concatenate([*touched, rows[:0]]))
        )
        run.keep(shown)
        for u in chances[window:]:
            run.month(u if everybody else u.take(shown))
        without = price.policies(run.log.policies(), np.arange(len(rows)))
        changed: tuple[Changed, ...] = ()
        if touched:
            places = np.concatenate(touched)
            those = Effects.concatenate(
                [each.take(part) for each, part in zip(effects, touched, strict=True)]
            )
            contacts = Contacts(those, chance, book.step, rows=places)
            treated = FutureRun(
                book, rows[places], market
            )  # all plans at once: a month costs the same for few or many
            for month, u in enumerate(chances):
                treated.month(u.take(places), [contacts] if month < window else [])
            changed = _split(price, treated.log, places, contacts, touched)
        yield Paired(len(rows), without if everybody else without.of(shown), changed)


def _split(
    price: _Price, log: Log, places: Rows, contacts: Contacts, touched: list[Rows]
) -> tuple[Changed, ...]:
    """Return what was simulated for all plans together, plan by plan."""
    policies = log.policies()
    bounds = np.cumsum([0, *(len(part) for part in touched)])
    parts = []
    for first, last in pairwise(bounds.tolist()):
        mine = slice(first, last)
        inside = (policies.customer >= first) & (policies.customer < last)
        own = price.policies(policies, places, inside)
        undone, woken = (counts[mine].sum(axis=0) for counts in (contacts.undone, contacts.woken))
        parts.append(Changed(places[mine], own, undone, woken, int(contacts.sold[mine].sum())))
    return tuple(parts)


class _Price:
    """The commission of the policies of any future of some customers."""

    def __init__(self, book: SimulatedOffice, rows: Rows) -> None:
        self._as_of, self._branch = to_day(book.as_of), book.p.branch_of_slot
        self._held = np.zeros(book.state.held[rows].shape)
        row, slot = np.nonzero(book.state.held[rows])
        self._held[row, slot] = commission_now(book, book.state.record[rows][row, slot])
        self._new = commission_of_new(book, rows)

    def policies(
        self, p: Policies, places: Rows, which: NDArray[np.bool_] | slice = slice(None)
    ) -> FuturePolicies:
        """Return some of the policies of customers who have these places."""
        customer, slot, start = places[p.customer[which]], p.slot[which], p.start[which]
        cents = np.where(
            start <= self._as_of, self._held[customer, slot], self._new[customer, slot]
        )
        branch = self._branch[slot]
        return FuturePolicies(
            customer, slot, start, p.end[which], p.reason[which], branch, cents, self._as_of
        )
