"""The record of a simulation: every policy ever, by record number, with claims and contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from akb.sample.parameters import NEVER_DAY

if TYPE_CHECKING:
    from akb.sample.calendar import Days
    from akb.sample.engine.state import Rows


class Log:
    """Every policy ever: customer row, slot, start, end, reason and where it came from, by record
    number.
    """

    def __init__(self) -> None:
        self._starts: list[tuple[NDArray[np.int64], NDArray[np.int64], Days]] = []
        self._ends: list[tuple[NDArray[np.int32], Days, NDArray[np.int8]]] = []
        self._renumbered: list[tuple[NDArray[np.int32], Days]] = []
        self._claims: list[
            tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], Days]
        ] = []
        self._contacts: list[tuple[NDArray[np.int64], Days, NDArray[np.int8]]] = []
        self.count = 0

    def start(self, customer: Rows, slot: Rows, day: Days) -> NDArray[np.int32]:
        """Record new policies and return their record numbers."""
        numbers = np.arange(self.count, self.count + len(customer), dtype=np.int32)
        self._starts.append(
            (customer.astype(np.int64), slot.astype(np.int64), day.astype(np.int32))
        )
        self.count += len(customer)
        return numbers

    def end(self, record: NDArray[np.int32], day: Days, reason: NDArray[np.int8]) -> None:
        """Record ends."""
        self._ends.append((record, day, reason))

    def renumber(self, record: NDArray[np.int32], day: Days) -> None:
        """Record that policies go on under another number."""
        self._renumbered.append((record, day))

    def claim(self, customer: Rows, slot: Rows, record: NDArray[np.int32], day: Days) -> None:
        """Record claims."""
        self._claims.append((customer.astype(np.int64), slot.astype(np.int64), record, day))

    def contacts(self, customer: Rows, day: Days, kind: NDArray[np.int8]) -> None:
        """Record contacts."""
        self._contacts.append((customer.astype(np.int64), day, kind))

    def copy(self) -> Log:
        """Return a log that can grow without changing this one."""
        other = Log()
        other.count = self.count
        for name in ("_starts", "_ends", "_renumbered", "_claims", "_contacts"):
            setattr(other, name, list(getattr(self, name)))
        return other

    def policies(self) -> Policies:
        """Return all policies by record number."""
        customer, slot, start = (
            np.concatenate(column) for column in zip(*self._starts, strict=True)
        )
        end = np.full(self.count, NEVER_DAY, np.int32)
        reason = np.zeros(self.count, np.int8)
        for record, day, code in self._ends:
            end[record] = day
            reason[record] = code
        return Policies(customer, slot, start, end, reason)

    def renumberings(self) -> tuple[NDArray[np.int32], Days]:
        """Return (record, day) of all renumberings at a move."""
        return _columns(self._renumbered, 2)  # type: ignore[return-value]

    def claims(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], Days]:
        """Return (customer, slot, record, day) of all claims."""
        return _columns(self._claims, 4)  # type: ignore[return-value]

    def all_contacts(self) -> tuple[NDArray[np.int64], Days, NDArray[np.int8]]:
        """Return (customer, day, kind) of all contacts."""
        return _columns(self._contacts, 3)  # type: ignore[return-value]


def _columns(
    chunks: list[tuple[NDArray[np.int64], ...]] | list[Any], count: int
) -> tuple[NDArray[np.int64], ...]:
    if not chunks:
        return tuple(np.zeros(0, np.int64) for _ in range(count))
    return tuple(np.concatenate(column) for column in zip(*chunks, strict=True))


@dataclass(frozen=True)
class Policies:
    """Policies as columns: customer row, slot, start and end as day numbers (NEVER_DAY = open),
    reason code.
    """

    customer: NDArray[np.int64]
    slot: NDArray[np.int64]
    start: Days
    end: Days
    reason: NDArray[np.int8]
