"""The menu: what every option brings and takes for everybody, worked out for some customers at a
time.

Of a million customers the six lines of eight options are 384 MB at one side of the effects. Those
of the base are kept, because the plan and everything that is said of it reads them; the low and
high ends are asked for a few times, and are worked out again each time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.value.targeting.planning.benefits import (
    Lines,
    allowed_in,
    discussed_in,
    lines_of,
    minutes_of,
    options,
    out_of_pocket,
    parts,
)
from akb.value.targeting.team import POOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.value.in_force import Floats, Rows
    from akb.value.targeting.planning.benefits import (
        Discussed,
        MenuInputs,
        Option,
        Places,
        Side,
    )
    from akb.value.targeting.planning.prospects import Flags

BLOCK = 65_536
"""Customers at a time: a block's tables in between take some tens of MB."""

_LINES = tuple(each.name for each in fields(Lines))
_KEEPS = ("relation", "policy", "leavers", "policies")
"""The lines of a contact whose purpose is to keep; of the others it is to sell."""


def blocks(n: int) -> Iterator[slice]:
    """Yield the places of `n` customers, some at a time."""
    for first in range(0, n, BLOCK):
        yield slice(first, min(first + BLOCK, n))


@dataclass(frozen=True)
class Menu:
    """Everything that the planner chooses from.

    Parameters
    ----------
    inputs
        What it is worked out from.
    base
        The lines at the base of the effects. Purposes are ranked there, and the same at every side.
    minutes
        (n, k, p): per pool of `POOLS`, without those of sales.
    cost
        (n, k): cents, out of pocket and the time at the rate of who does it.
    discussed
        Per option, and what it turns into for who does not call, (n, branches): see `Places`.
    keeps_first
        (n, k): whether keeping is the first purpose of the contact; else selling is.
    could, allowed
        (n, k): whether the option may be used but for the draw of the control group, and with it.
    """

    inputs: MenuInputs
    options: tuple[Option, ...]
    base: Lines
    minutes: Floats
    cost: Floats
    discussed: Discussed
    keeps_first: Flags
    could: Flags
    allowed: Flags

    @cached_property
    def value(self) -> Floats:
        """(n, k): benefit less cost, cents; ``-inf`` where not allowed."""
        return self.worth_where(self.allowed)

    def first(self, option: int) -> Rows:
        """Return (n,): place of the branch to discuss first; 0 where an option discusses none."""
        places = self.discussed[self.options[option]]
        if not places.shape[1]:
            return np.zeros(len(self.cost), dtype=np.int64)
        return places[:, 0].astype(np.int64)

    def worth_where(self, allowed: Flags) -> Floats:
        """Return (n, k): benefit less cost, cents; ``-inf`` elsewhere."""
        out: Floats = np.empty(self.cost.shape)
        for some in blocks(len(out)):
            worth = self.base.of(some).total - self.cost[some]
            out[some] = np.where(allowed[some], worth, -np.inf)
        return out

    def benefit_of(self, rows: Rows, column: Rows) -> Floats:
        """Return the benefit of an option for some customers, cents, allowed or not."""
        base = self.base
        kept = base.relation[rows, column] + base.policy[rows, column]
        out: Floats = kept + base.purchase[rows, column]
        return out

    def value_of(self, rows: Rows, column: Rows) -> Floats:
        """Return the same less its cost."""
        out: Floats = self.benefit_of(rows, column) - self.cost[rows, column]
        return out

    def of(self, rows: Rows | slice) -> Menu:
        """Return the menu of some customers."""
        return replace(
            self,
            inputs=self.inputs.of(rows),
            base=self.base.of(rows),
            discussed={option: places[rows] for option, places in self.discussed.items()},
            **{
                name: getattr(self, name)[rows]
                for name in ("minutes", "cost", "keeps_first", "could", "allowed")
            },
        )

    def in_blocks(self) -> Iterator[tuple[slice, Menu]]:
        """Yield some customers at a time, and their menu."""
        for some in blocks(len(self.cost)):
            yield some, self.of(some)

    def lines(self, side: Side) -> Lines:
        """Return the lines at one side of the effects; ask for few customers at the low and high
        ends.
        """
        if side == "base":
            return self.base
        columns = [self.column(side, option) for option in range(len(self.options))]
        return Lines(
            **{
                name: np.stack([getattr(column, name) for column in columns], axis=1)
                for name in _LINES
            }
        )

    def column(self, side: Side, option: int) -> Lines:
        """Return the lines of one option at one side of the effects, each (n,)."""
        if side == "base":
            return Lines(**{name: getattr(self.base, name)[:, option] for name in _LINES})
        out = _empty((len(self.cost),))
        for some in blocks(len(self.cost)):
            discussed = {each: places[some] for each, places in self.discussed.items()}
            few = self.inputs.of(some)
            made = lines_of(few, self.options[option], side, discussed)
            _put(out, some, _weighed(few, made, self.keeps_first[some, option]))
        return out


def menu(inputs: MenuInputs) -> Menu:
    """Return what every contact brings and takes."""
    prospects, planning = inputs.prospects, inputs.planning
    columns = options(planning.ladder)
    every = parts(columns, planning.ladder)
    shape = (prospects.n, len(columns))
    base, minutes = _empty(shape), np.empty((*shape, len(POOLS)))
    cost, keeps_first, could = np.empty(shape), np.empty(shape, np.bool_), np.empty(shape, np.bool_)
    found: dict[Option, list[Places]] = {each: [] for each in every}
    rates = np.array([planning.rates[pool] for pool in POOLS])
    for some in blocks(prospects.n):
        few = inputs.of(some)
        discussed = {each: discussed_in(few, each) for each in every}
        for place, option in enumerate(columns):
            lines = lines_of(few, option, "base", discussed)
            first = lines.relation + lines.policy >= lines.purchase
            keeps_first[some, place] = first
            _put(base, (some, place), _weighed(few, lines, first))
            minutes[some, place] = minutes_of(few.prospects, planning, option)
            cost[some, place] = out_of_pocket(few.prospects, planning, option.key)
            could[some, place] = allowed_in(few.prospects, planning.ladder[option.key])
        cost[some] += minutes[some] @ rates
        for each, places in discussed.items():
            found[each].append(places)
    return Menu(
        inputs=inputs,
        options=columns,
        base=base,
        minutes=minutes,
        cost=cost,
        discussed={each: np.concatenate(places) for each, places in found.items()},
        keeps_first=keeps_first,
        could=could,
        allowed=could & ~prospects.control[:, None],
    )


def _empty(shape: tuple[int, ...]) -> Lines:
    return Lines(**{name: np.empty(shape) for name in _LINES})


def _put(out: Lines, where: slice | tuple[slice, int], lines: Lines) -> None:
    for name in _LINES:
        getattr(out, name)[where] = getattr(lines, name)


def _weighed(inputs: MenuInputs, lines: Lines, keeps_first: Flags) -> Lines:
    """Return lines of one option with what a second purpose and a repeat count for; see
    `Planning`.
    """
    planning = inputs.planning
    retention = np.where(keeps_first, 1.0, planning.secondary_share)
    purchase = np.where(keeps_first, planning.secondary_share, 1.0)
    repeat = np.where(inputs.prospects.repeated, planning.repeat_share, 1.0)
    keeping, selling = retention * repeat, purchase * repeat
    return Lines(
        **{name: getattr(lines, name) * (keeping if name in _KEEPS else selling) for name in _LINES}
    )
