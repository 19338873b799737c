"""What changes month by month, and where and when it does."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.parameters import NEVER_DAY, NEVER_MONTH, Floats, LookupTables, Parameters

if TYPE_CHECKING:
    from akb.sample.calendar import Days, Market, MonthWindow
    from akb.sample.people import Population

Rows = NDArray[np.int64]

ACTIVE, CLOSED = 1, 2


@dataclass
class State:
    """What changes month by month; N customers, S slots.

    held; since: step of the start (tenure); renew: renewal month (0 = January); ends, reason: an
    end that is decided (its day, NEVER_DAY if none; its reason code); record: row in the log;
    shock: what is left of premium rises. Per customer: status (0 not yet a customer, ACTIVE,
    CLOSED: never comes back), joined, emptied, cancelled, moved: steps; owner; price_shock, upset
    (claims and complaints), contact, claimed: fading effects."""

    held: NDArray[np.bool_]
    since: NDArray[np.int32]
    renew: NDArray[np.int8]
    ends: Days
    reason: NDArray[np.int8]
    record: NDArray[np.int32]
    shock: Floats
    status: NDArray[np.int8]
    joined: NDArray[np.int32]
    emptied: NDArray[np.int32]
    cancelled: NDArray[np.int32]
    moved: NDArray[np.int32]
    owner: NDArray[np.bool_]
    price_shock: Floats
    upset: Floats
    contact: Floats
    claimed: Floats

    def take(self, rows: Rows | slice) -> State:
        """Return a copy of some customers."""
        return replace(
            self, **{field.name: getattr(self, field.name)[rows].copy() for field in fields(self)}
        )

    def view(self, count: int) -> State:
        """Return the first customers without copying: what changes in the view changes here."""
        return replace(
            self, **{field.name: getattr(self, field.name)[:count] for field in fields(self)}
        )


def empty_state(people: Population) -> State:
    """Return the state of people of whom nobody is a customer yet."""
    count, slots = people.lapse_base.shape
    ints = np.full(count, NEVER_MONTH, np.int32)
    zeros = np.zeros(count, np.float32)
    return State(
        held=np.zeros((count, slots), np.bool_),
        since=np.zeros((count, slots), np.int32),
        renew=np.zeros((count, slots), np.int8),
        ends=np.full((count, slots), NEVER_DAY, np.int32),
        reason=np.zeros((count, slots), np.int8),
        record=np.full((count, slots), -1, np.int32),
        shock=np.zeros((count, slots), np.float32),
        status=np.zeros(count, np.int8),
        joined=ints.copy(),
        emptied=ints.copy(),
        cancelled=ints.copy(),
        moved=ints.copy(),
        owner=people.owner.copy(),
        price_shock=zeros.copy(),
        upset=zeros.copy(),
        contact=zeros.copy(),
        claimed=zeros.copy(),
    )


@dataclass
class Environment:
    """What a step needs besides people and state."""

    p: Parameters
    tables: LookupTables
    market: Market


@dataclass(frozen=True)
class Moment:
    """A month of some customers: who they are, how they stand, what happens around them, and which
    days it has.

    `state` changes while the month passes.
    """

    people: Population
    state: State
    world: Environment
    w: MonthWindow
