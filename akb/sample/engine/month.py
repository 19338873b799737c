"""One month while it is decided: its random numbers, the ends decided in it, and what comes in from
outside.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from akb.sample.engine.state import Moment, Rows
from akb.sample.parameters import NEVER_DAY, Floats

if TYPE_CHECKING:
    from akb.sample.calendar import Days, MonthWindow
    from akb.sample.engine.hazards import CustomerFactors, PolicyHazards
    from akb.sample.engine.state import State


@dataclass(frozen=True)
class MonthDraws:
    """The random numbers of one step: per cell and per customer, always as many."""

    cell: Floats
    event: NDArray[np.float64]
    move: NDArray[np.float64]
    contact: NDArray[np.float64]
    buy: NDArray[np.float64]
    choice: NDArray[np.float64]
    second: NDArray[np.float64]
    day: NDArray[np.float64]
    lead: NDArray[np.float64]
    spread: NDArray[np.float64]

    def take(self, rows: Rows) -> MonthDraws:
        """Return the random numbers of some customers."""
        return MonthDraws(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw(rng: np.random.Generator, count: int, slots: int) -> MonthDraws:
    """Draw the random numbers of one step."""
    cell = rng.random((count, slots), dtype=np.float32)
    return MonthDraws(cell, *rng.random((9, count)))


class Decisions:
    """The ends decided in one month, in their order: with `remembered` they can be undone one by
    one.

    An end counts only if it is sooner than what was decided for that policy before.
    """

    def __init__(self, state: State, *, remembered: bool = False) -> None:
        self.state = state
        self._made: list[tuple[Rows, Days, NDArray[np.int8]]] | None = [] if remembered else None
        self._ends = state.ends.copy() if remembered else state.ends
        self._reason = state.reason.copy() if remembered else state.reason

    def decide(self, flat: Rows, day: Days, code: int | NDArray[np.int8]) -> None:
        """Set the end of policies that are held (flat cells) and not yet ending sooner."""
        codes = np.broadcast_to(np.asarray(code, np.int8), flat.shape)
        if self._made is not None:
            self._made.append((flat, day, codes))
        self._set(flat, day, codes)

    def _set(self, flat: Rows, day: Days, codes: NDArray[np.int8]) -> None:
        ends = self.state.ends.reshape(-1)
        sooner = day < ends[flat]
        ends[flat[sooner]] = day[sooner]
        self.state.reason.reshape(-1)[flat[sooner]] = codes[sooner]

    @property
    def new(self) -> Rows:
        """The policies (flat cells) that had no end before this month and have one now."""
        return np.flatnonzero(
            (self.state.ends != NEVER_DAY).reshape(-1) & (self._ends == NEVER_DAY).reshape(-1)
        )

    def undo(self, flat: Rows, undone: NDArray[np.bool_]) -> None:
        """Undo this month's ends of some policies if their reason (by code) is one of `undone`;
        other ends stay.
        """
        assert self._made is not None
        self.state.ends.reshape(-1)[flat] = self._ends.reshape(-1)[flat]
        self.state.reason.reshape(-1)[flat] = self._reason.reshape(-1)[flat]
        for cells, day, codes in self._made:
            restored = np.isin(cells, flat) & ~undone[codes]
            self._set(cells[restored], day[restored], codes[restored])


@dataclass(frozen=True)
class Month(Moment):
    """What is known in a month when its ends are decided; `held` and the hazards are those at its
    beginning.
    """

    held: Rows
    risk: CustomerFactors
    cells: PolicyHazards


Buys = tuple[Rows, Rows, NDArray[np.int32]]  # customer, slot, day


class Intervention(Protocol):
    """Something from outside that changes (or only watches) what customers decide in a month."""

    def ends(self, month: Month, decisions: Decisions, buys: Buys) -> None:
        """Change the ends decided this month."""

    def purchases(self, month: Month, buys: Buys) -> Buys:
        """Return the policies bought this month, changed."""


def day_in(w: MonthWindow, u: NDArray[np.float64], first_of_month: float) -> Days:
    """Return a day of the window from uniforms: often the first of the month."""
    rest = np.clip((u - first_of_month) / (1 - first_of_month), 0, 1 - 1e-9)
    anywhere = w.after + 1 + np.floor(rest * (w.until - w.after)).astype(np.int32)
    return np.where(u < first_of_month, w.first, anywhere).astype(np.int32)


def other_uniform(
    u: NDArray[np.float64], slot: NDArray[np.int64] | NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return another uniform per slot from a customer's uniform."""
    return (u + (slot + 1) * 0.6180339887498949) % 1.0


def held_cells(state: State, rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Return (position in `rows`, slot, flat index) of the policies that these customers hold."""
    position, slot = np.nonzero(state.held[rows])
    return position, slot, rows[position] * state.held.shape[1] + slot


def choose(rate: NDArray[np.float64], u: NDArray[np.float64]) -> Rows:
    """Return a slot per row, with chances in proportion to the rates."""
    cumulative = rate.cumsum(axis=1)
    return np.asarray((u[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1), np.int64)
