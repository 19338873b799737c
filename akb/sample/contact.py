"""Planned contacts and what they do: undo ends, bring purchases forward or add them, and wake
customers.

`PlannedContacts` says who is contacted with which type, a `ContactEffect` what a type does.
`Contacts` lets a plan work in a future of the engine with random numbers of its own: all else
happens as it would have happened."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.engine import ACTIVE, choose, day_in
from akb.sample.engine.hazards import purchase_hazards, relation_hazards
from akb.sample.parameters import CAUSES, NEVER_DAY, Floats, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.sample.engine import Buys, Decisions, Month, Rows
    from akb.sample.parameters import Parameters

Shares = NDArray[np.float64]

LINES = ("relation", "policy", "purchase")
ENDS = ("relation", "policy")
WINDOW = 12  # months in which a contact works
_PREVENTABLE = CAUSES.index("preventable")
_MOST = 0.999  # no yearly chance is raised above this
_STEEPEST = 40.0  # log-odds; a shift that needs more cannot be reached


@dataclass(frozen=True)
class ContactEffect:
    """What one type of contact does in the twelve months after it.

    Parameters
    ----------
    relation
        Chance that a preventable end that empties the relation is undone. Below zero: by how much
        such ends become more frequent, as a share.
    policy
        The same for the preventable end of a policy that leaves the relation in being.
    purchase_points
        Percentage points by which the mean yearly number of first policies in the branches
        discussed rises, over all customers who could take one of them.
    secondary_share
        What is left of an effect that is not the purpose of the contact.
    log_odds
        The shift of every purchase chance itself; then `purchase_points` is not read.
    """

    relation: float = 0.0
    policy: float = 0.0
    purchase_points: float = 0.0
    secondary_share: float = 1.0
    log_odds: float | None = None

    def only(self, line: str) -> ContactEffect:
        """Return the same type with the effect of one line (of `LINES`) alone."""
        kept = {
            "relation": ("relation",),
            "policy": ("policy",),
            "purchase": ("purchase_points", "log_odds"),
        }[line]
        return ContactEffect(
            secondary_share=self.secondary_share, **{name: getattr(self, name) for name in kept}
        )


@dataclass(frozen=True)
class PlannedContacts:
    """Who is contacted with which type; N customers in the order of `Book.in_force`, B branches.

    Parameters
    ----------
    kind
        Int [N]: index into `effects`, -1 for who is not contacted.
    effects
        The types.
    month
        Int [N]: months after the as-of date at which the contact takes place; None: all on the
        as-of date.
    primary
        Bool [N, 3], a column for each of `LINES`: the lines that are the purpose of the contact;
        effects on the others count for `secondary_share`. None: all of them.
    discussed
        Float [N, B], columns as `Parameters.branches`: how much of the shift a branch gets, 0 = not
        discussed. Branches held count for nothing. None: every branch in full. Also rows of who is
        not contacted count for the mean that `purchase_points` shifts.
    spread
        Standard deviation of the logarithm of a customer's own factor (mean 1) on all effects.
    """

    kind: Rows
    effects: tuple[ContactEffect, ...]
    month: Rows | None = None
    primary: NDArray[np.bool_] | None = None
    discussed: Shares | None = None
    spread: float = 0.0

    @classmethod
    def everybody(cls, effect: ContactEffect, customers: int) -> PlannedContacts:
        """Return the plan that contacts all of so many customers with one type."""
        return cls(np.zeros(customers, np.int64), (effect,))

    def only(self, line: str) -> PlannedContacts:
        """Return the same contacts with the effect of one line alone; shifts given in points stay
        what they are.
        """
        return replace(self, effects=tuple(effect.only(line) for effect in self.effects))


@dataclass(frozen=True)
class Effects:
    """A plan worked out per customer [N].

    begin: month of the contact, -1 = none; relation, policy: chance of undoing (below zero: share
    of extra ends); more [N, B]: extra purchase rate as a share of the customer's own."""

    begin: Rows
    relation: Shares
    policy: Shares
    more: Shares

    def take(self, rows: Rows) -> Effects:
        """Return some customers."""
        return Effects(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[Effects]) -> Effects:
        """Return several plans below each other."""
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )


def effects_of(plan: PlannedContacts, chances: Shares, persuadable: Floats) -> Effects:
    """Work a plan out.

    Parameters
    ----------
    plan
        For N customers.
    chances
        Float [N, B]: yearly chance of a first policy in a branch, zero where it is held.
    persuadable
        Standard normal [N]: how much more than others a contact moves a customer.
    """
    count = len(chances)
    if plan.kind.shape != (count,):
        raise ValueError(f"a plan for {len(plan.kind)} customers where {count} are in force")
    own = np.exp(plan.spread * persuadable.astype(np.float64) - plan.spread**2 / 2)
    relation, policy, more = np.zeros(count), np.zeros(count), np.zeros(chances.shape)
    discussed = np.ones(chances.shape) if plan.discussed is None else plan.discussed
    primary = np.ones((count, len(LINES)), np.bool_) if plan.primary is None else plan.primary
    for kind, effect in enumerate(plan.effects):
        rows = np.flatnonzero(plan.kind == kind)
        share = np.where(primary[rows], 1.0, effect.secondary_share) * own[rows, None]
        relation[rows] = np.clip(effect.relation * share[:, 0], -1, 1)
        policy[rows] = np.clip(effect.policy * share[:, 1], -1, 1)
        shift = log_odds_shift(effect, chances, discussed)
        if shift == 0:
            continue
        raised = chances[rows] + discussed[rows] * share[:, 2:] * (
            shifted(chances[rows], shift) - chances[rows]
        )
        more[rows] = _extra_rate(chances[rows], raised)
    month = np.zeros(count, np.int64) if plan.month is None else plan.month
    return Effects(np.where(plan.kind >= 0, month, -1), relation, policy, more)


def shifted(chances: Shares, shift: float) -> Shares:
    """Return chances whose log-odds are shifted; zero stays zero."""
    odds = chances / (1 - np.minimum(chances, _MOST)) * np.exp(shift)
    return np.asarray(odds / (1 + odds))


def log_odds_shift(effect: ContactEffect, chances: Shares, discussed: Shares) -> float:
    """Return the shift that raises the mean number of first policies in the branches discussed by
    an effect's points.

    The mean is over the customers who could take one of those branches.
    """
    if effect.log_odds is not None:
        return effect.log_odds
    if effect.purchase_points == 0:
        return 0.0
    if effect.purchase_points < 0:
        raise ValueError("a contact that costs purchases is not simulated")
    possible = ((chances > 0) & (discussed > 0)).any(axis=1)
    chances, discussed = chances[possible], discussed[possible]
    low, high = 0.0, _STEEPEST
    for _ in range(60):
        middle = (low + high) / 2
        gained = (discussed * (shifted(chances, middle) - chances)).sum(axis=1)
        low, high = (
            (middle, high) if gained.mean() * 100 < effect.purchase_points else (low, middle)
        )
    if high == _STEEPEST:
        raise ValueError(
            f"no shift brings {effect.purchase_points} points: too few branches are left to discuss"
        )
    return (low + high) / 2


def _extra_rate(chances: Shares, raised: Shares) -> Shares:
    """Return by which share a rate rises if the yearly chance it makes is raised."""
    before, after = np.log1p(-np.minimum(chances, _MOST)), np.log1p(-np.minimum(raised, _MOST))
    return np.asarray(np.divide(after, before, out=np.ones(chances.shape), where=chances > 0) - 1)


@dataclass(frozen=True)
class MonthChance:
    """The random numbers of one month: cell [N, S], the rest [N]."""

    cell: Floats
    relation: Shares
    day: Shares
    buy: Shares
    choice: Shares
    when: Shares

    def take(self, rows: Rows) -> MonthChance:
        """Return those of some customers."""
        return MonthChance(*(getattr(self, field.name)[rows] for field in fields(self)))


class ContactChance:
    """The random numbers that decide what contacts do in one future, the same for every plan.

    Parameters
    ----------
    key
        Their seed.
    shape
        Customers in force, slots.
    """

    def __init__(self, key: Sequence[int], shape: tuple[int, int]) -> None:
        self._key, self._shape = tuple(key), shape
        self._step, self._drawn = -1, None  # type: int, MonthChance | None

    def of(self, step: int) -> MonthChance:
        """Return those of a step for all customers."""
        if self._drawn is None or self._step != step:
            rng = np.random.default_rng([*self._key, step])
            cell = rng.random(self._shape, dtype=np.float32)
            self._drawn, self._step = MonthChance(cell, *rng.random((5, self._shape[0]))), step
        return self._drawn


class Contacts:
    """A plan at work in one future; an `akb.sample.engine.Intervention`.

    Parameters
    ----------
    effects
        Of the n customers simulated.
    chance
        What decides it.
    start
        Step that ends on the as-of date.
    rows
        Places of the customers simulated among those in force, so that a part of them sees the
        chance that it sees among all; None: they are all.
    works
        False: only watch in whose future something would change.

    Attributes
    ----------
    seen, undone, woken
        Int [n, 2]: preventable ends decided, those undone and those added, [of relations, of single
        policies].
    sold
        Int [n]: policies bought because of the contact.
    """

    def __init__(
        self,
        effects: Effects,
        chance: ContactChance,
        start: int,
        *,
        rows: Rows | None = None,
        works: bool = True,
    ) -> None:
        count = len(effects.begin)
        self.effects, self.works = effects, works
        self.seen, self.undone, self.woken = (
            np.zeros((count, len(ENDS)), np.int64) for _ in range(3)
        )
        self.sold = np.zeros(count, np.int64)
        self._chance, self._start, self._rows = chance, start, rows
        self._top = effects.more.max(axis=1, initial=0.0)
        self._wakes = bool((effects.relation < 0).any() or (effects.policy < 0).any())
        self.last = (
            int(effects.begin.max(initial=-1)) + WINDOW
        )  # the last month in which a contact works

    @property
    def touched(self) -> Rows:
        """The customers for whom something changes."""
        return np.flatnonzero(self.undone.any(axis=1) | self.woken.any(axis=1) | (self.sold > 0))

    def ends(self, month: Month, decisions: Decisions, buys: Buys) -> None:
        """Undo or add ends decided this month."""
        window = self._window(month)
        if window is None:
            return
        chance = self._drawn(month)
        if self._wakes:
            self._wake(month, decisions, window, chance)
        self._undo(month, decisions, window, chance, buys[0])

    def purchases(self, month: Month, buys: Buys) -> Buys:
        """Return the policies bought this month with those that the contacts bring."""
        window = self._window(month)
        if window is None or not self._top.any():
            return buys
        chance = self._drawn(month)
        people, state, p = month.people, month.state, month.world.p
        most = people.buy_most * (1 + p.purchase.second) * self._top
        rows = np.flatnonzero(
            (chance.buy < most) & window & (month.held > 0) & (state.status == ACTIVE)
        )
        rate = first_purchases(month, rows) * self.effects.more[rows][:, p.branch_of_slot]
        buying = chance.buy[rows] < rate.sum(axis=1)
        rows, rate = rows[buying], rate[buying]
        slot = choose(rate, chance.choice[rows])
        slots = len(p.slot)
        new = ~np.isin(rows * slots + slot, buys[0] * slots + buys[1])
        rows, slot = rows[new], slot[new]
        self.sold[rows] += 1
        if not self.works:
            return buys
        day = day_in(month.w, chance.when[rows], 0.45)
        return (
            np.concatenate([buys[0], rows]),
            np.concatenate([buys[1], slot]),
            np.concatenate([buys[2], day]),
        )

    def _window(self, month: Month) -> NDArray[np.bool_] | None:
        """Return whose contact is at most a year ago, None if nobody's is."""
        now = month.w.step - self._start
        if now > self.last:
            return None
        begin = self.effects.begin
        window = (begin >= 0) & (begin < now) & (now <= begin + WINDOW)
        return window if window.any() else None

    def _drawn(self, month: Month) -> MonthChance:
        drawn = self._chance.of(month.w.step)
        return drawn if self._rows is None else drawn.take(self._rows)

    def _undo(
        self,
        month: Month,
        decisions: Decisions,
        window: NDArray[np.bool_],
        chance: MonthChance,
        buyers: Rows,
    ) -> None:
        state = month.state
        flat = decisions.new
        preventable = tables().reason_class == _PREVENTABLE
        row, slot = np.divmod(flat, state.held.shape[1])
        mine = window[row] & preventable[state.reason[row, slot]]
        flat, row, slot = flat[mine], row[mine], slot[mine]
        goes_on = (state.held[row] & (state.ends[row] == NEVER_DAY)).any(axis=1) | np.isin(
            row, buyers
        )
        u = np.where(goes_on, chance.cell[row, slot], chance.relation[row])
        undone = u < np.where(goes_on, self.effects.policy[row], self.effects.relation[row])
        for counts, which in ((self.seen, np.full(len(row), True)), (self.undone, undone)):
            counts[np.unique(row[which & ~goes_on]), 0] += (
                1  # a relation ends once, with all its policies
            )
            np.add.at(counts, (row[which & goes_on], 1), 1)
        if self.works and undone.any():
            decisions.undo(flat[undone], preventable)

    def _wake(
        self, month: Month, decisions: Decisions, window: NDArray[np.bool_], chance: MonthChance
    ) -> None:
        """Add ends where an effect is below zero: of single policies, and of all policies of a
        customer at once.
        """
        cells, p = month.cells, month.world.p
        extra = np.maximum(-self.effects.relation, 0) * window
        open_before = np.bincount(cells.row, minlength=len(window))
        only = open_before[cells.row] == 1
        more = np.where(
            only,
            extra[cells.row],
            np.maximum(-self.effects.policy, 0)[cells.row] * window[cells.row],
        )
        hit = np.flatnonzero(chance.cell.reshape(-1)[cells.flat] < more * cells.voluntary)
        self._add(month, decisions, cells.flat[hit], chance, p.code("opzegging_klant"))
        np.add.at(self.woken, (cells.row[hit], np.where(only[hit], 0, 1)), 1)
        switch = relation_hazards(month, month.risk)["switch"]
        everything = switch * (1 - p.switch.stays) ** month.held
        leaving = (chance.relation < extra * everything) & (open_before > 0)
        self._add(month, decisions, cells.flat[leaving[cells.row]], chance, p.code("overstap"))
        self.woken[leaving, 0] += 1

    def _add(
        self, month: Month, decisions: Decisions, flat: Rows, chance: MonthChance, code: int
    ) -> None:
        row = flat // month.state.held.shape[1]
        if self.works and len(flat):
            decisions.decide(
                flat, day_in(month.w, chance.day[row], month.world.p.lapse.first_of_month), code
            )


def first_purchases(month: Month, rows: Rows) -> Shares:
    """Return the chance [rows, S] that these customers take a first policy of a branch this
    month.
    """
    p = month.world.p
    rate = purchase_hazards(month, month.held, rows)
    rest = rate.sum(axis=1, keepdims=True) - rate
    along = np.divide(rate, rest, out=np.zeros(rate.shape), where=rest > 1e-12)
    second = p.purchase.second * (along.sum(axis=1, keepdims=True) - along)
    return np.asarray(rate * (1 + second) * (tables().needs_first < 0))


class PurchaseWatch:
    """Adds up the chances of first policies month by month; an `akb.sample.engine.Intervention`
    that changes nothing.

    total [N, B]: only branches not held at the beginning.
    """

    def __init__(self, p: Parameters, held: NDArray[np.bool_]) -> None:
        self._of_slot = np.eye(len(p.branches))[p.branch_of_slot]
        self._not_held = held @ self._of_slot == 0
        self.total = np.zeros(self._not_held.shape)

    def ends(self, month: Month, decisions: Decisions, buys: Buys) -> None:
        """Nothing."""

    def purchases(self, month: Month, buys: Buys) -> Buys:
        """Count, and return what is bought anyway."""
        rows = np.flatnonzero((month.held > 0) & (month.state.status == ACTIVE))
        self.total[rows] += (first_purchases(month, rows) @ self._of_slot) * self._not_held[rows]
        return buys
