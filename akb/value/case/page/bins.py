"""Weighted rows that stand for the customers who may be contacted: a row each where they fit the
page, else bins of customers who are alike."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.targeting.planning.benefits import PLACE
from akb.value.targeting.planning.prospects import Prospects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import Floats, Rows
    from akb.value.targeting.planning.plan import ContactPlan

MOST_ROWS = 3200
CONSENTS = ("post", "email", "phone")
SALES = (0.0, 0.6, 1.2, 2.0)
"""Times the usual cost of a sale: where its worth may make the difference."""
DISCUSSED = 2
LEAST_COST, LEAST_PART = 50.0, 0.05
"""Of a contact in cents, and of how much a customer counts for whom no contact pays."""


@dataclass(frozen=True)
class Bins:
    """Which row of the page stands for whom.

    Parameters
    ----------
    rows
        (m,): the customers who may be contacted, by bin.
    first
        (b,): where each bin begins in `rows`.
    """

    rows: Rows
    first: Rows

    @property
    def weight(self) -> Floats:
        """(b,): customers of each bin."""
        ends = np.append(self.first[1:], len(self.rows))
        return (ends - self.first).astype(np.float64)

    @property
    def exact(self) -> bool:
        """Whether everybody has a row of his own."""
        return len(self.first) == len(self.rows)

    def mean(self, column: NDArray[Any], weight: Floats | None = None) -> Floats:
        """Return the mean per bin of a column with a row per customer, (n,) or (n, k).

        Parameters
        ----------
        weight
            As `column`: what each counts for; where nothing in a bin counts, everything does alike.
        """
        picked = column[self.rows].astype(np.float64)
        if not len(self.first):
            return picked
        shape = (len(self.first), *([1] * (picked.ndim - 1)))
        plain: Floats = np.add.reduceat(picked, self.first) / self.weight.reshape(shape)
        if weight is None:
            return plain
        counts = weight[self.rows]
        whole = np.add.reduceat(counts, self.first)
        return np.divide(
            np.add.reduceat(picked * counts, self.first), whole, out=plain, where=whole > 0
        )


def bins_of(plan: ContactPlan, most: int = MOST_ROWS) -> Bins:
    """Return at most so many bins of the customers who may be contacted: alike in what every
    contact type brings, and reached by the same channels.
    """
    rows = np.flatnonzero(plan.menu.allowed.any(axis=1))
    flags = _flags(plan.prospects)[rows]
    order = np.lexsort((rows, flags))
    rows, flags = rows[order], flags[order]
    if len(rows) <= most:
        return Bins(rows, np.arange(len(rows)))
    seen = _brings(plan)[rows]
    starts = np.flatnonzero(np.diff(flags, prepend=-1))
    cells = [_Cell.of(part, seen) for part in np.split(np.arange(len(rows)), starts[1:])]
    heap = [(-cell.spread, number) for number, cell in enumerate(cells)]
    heapify(heap)
    while len(cells) < most and heap[0][0] < 0:
        _, number = heappop(heap)
        below, above = cells[number].halves(seen)
        cells[number] = below
        cells.append(above)
        heappush(heap, (-below.spread, number))
        heappush(heap, (-above.spread, len(cells) - 1))
    sizes = np.array([len(cell.members) for cell in cells])
    members = np.concatenate([cell.members for cell in cells])
    return Bins(rows[members], np.concatenate([[0], np.cumsum(sizes)[:-1]]))


def binned(plan: ContactPlan, bins: Bins) -> Prospects:
    """Return the rows of the page as prospects: means, and of a place to sell what a push brings
    there."""
    could = plan.prospects
    push = np.where(could.worth > 0, could.chance * (1.0 - could.chance), 0.0)
    worth = bins.mean(could.worth, push)
    return Prospects(
        weight=bins.weight,
        chance=bins.mean(could.chance),
        worth=worth,
        branch=np.where(worth > 0, 0, -1),
        likely=bins.mean(could.likely),
        eligible=np.ones(len(bins.first), dtype=np.bool_),
        control=np.zeros(len(bins.first), dtype=np.bool_),
        wakeable=bins.mean(could.wakeable) > 0.5,
        reachable={name: bins.mean(could.reachable[name]) > 0.5 for name in CONSENTS},
        repeated=bins.mean(could.repeated) > 0.5,
        **{
            name: bins.mean(getattr(could, name))
            for name in ("relation", "leaving", "policy", "lost", "inbound_rate")
        },
    )


@dataclass(frozen=True)
class _Cell:
    """Customers who are not told apart yet: on what they differ most, and how much."""

    members: Rows
    column: int
    spread: float

    @classmethod
    def of(cls, members: Rows, seen: Floats) -> _Cell:
        mine = seen[members]
        apart = ((mine - mine.mean(axis=0)) ** 2).sum(axis=0)
        column = int(apart.argmax())
        return cls(members, column, float(apart[column]))

    def halves(self, seen: Floats) -> tuple[_Cell, _Cell]:
        mine = seen[self.members, self.column]
        above = mine > mine.mean()
        if not above.any() or above.all():  # differences that are nothing but rounding
            above = np.arange(len(mine)) >= len(mine) // 2
        return _Cell.of(self.members[~above], seen), _Cell.of(self.members[above], seen)


def _flags(could: Prospects) -> Rows:
    """Return a number per customer that is the same for who may be contacted in the same ways."""
    columns = [could.wakeable, could.repeated, *(could.reachable[name] for name in CONSENTS)]
    out: Rows = np.stack(columns).T @ (1 << np.arange(len(columns)))
    return out.astype(np.int64)


def _brings(plan: ContactPlan) -> Floats:
    """Return (n, f): by what customers are told apart, cents: what contacts keep and sell, and what
    it costs to wait for who calls himself.

    What is sold is looked at for dear and cheap sales, since only what pays is discussed. Whoever
    no contact would pay for, even at the high end, need not be told apart from others like him."""
    could = plan.prospects
    types = plan.planning.ladder.values()
    relation = max((contact.relation.high for contact in types), default=0.0)
    policy = max((contact.policy.high for contact in types), default=0.0)
    keeps = np.stack([relation * could.relation, policy * could.policy], axis=1)
    usual = max((contact.sale_minutes for contact in types), default=0.0)
    rate = max(plan.planning.rates.values())
    push = could.chance * (1.0 - could.chance)
    nets = [push * np.maximum(could.worth - share * usual * rate, 0.0) for share in SALES]
    best = [-np.sort(-net, axis=1)[:, :DISCUSSED] @ PLACE ** np.arange(DISCUSSED) for net in nets]
    sells = np.stack(best, axis=1)
    best_sale, pays = _at_high(plan)
    most = float(sells[:, 0].sum())
    if most > 0:
        sells = sells * float(best_sale.sum()) / most
    keys = [each.key for each in plan.menu.options]
    own = [place for place, key in enumerate(keys) if keys.index(key) == place]
    counts = np.clip(pays, LEAST_PART, 1.0)
    out: Floats = counts[:, None] * np.concatenate([keeps, sells, plan.menu.cost[:, own]], axis=1)
    return out


def _at_high(plan: ContactPlan) -> tuple[Floats, Floats]:
    """Return (n,): the most that a contact sells at the high end of the effects, cents, and the
    most that one brings there for each cent that it costs; zero where none brings anything.
    """
    sells, pays = np.zeros(plan.prospects.n), np.zeros(plan.prospects.n)
    for some, menu in plan.menu.in_blocks():
        high = menu.lines("high")
        sells[some] = np.max(high.purchase, axis=1, initial=0.0)
        times = high.total / np.maximum(menu.cost, LEAST_COST)
        pays[some] = np.max(times, axis=1, initial=0.0)
    return sells, pays
