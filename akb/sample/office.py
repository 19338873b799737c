"""A simulated office on its as-of date: who its customers are, how they stand, and every policy
that it ever had.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.sample.calendar import window
from akb.sample.engine import Environment
from akb.sample.parameters import NEVER_DAY, tables

if TYPE_CHECKING:
    from datetime import date

    from akb.sample.calendar import Market, MonthWindow
    from akb.sample.engine import Log, Policies, Rows, State
    from akb.sample.parameters import Parameters
    from akb.sample.people import Office, Population


@dataclass(frozen=True)
class Transfer:
    """One insurer's policies in one slot go to another insurer on one day."""

    day: int
    slot: int
    insurer: int
    to: int


@dataclass(frozen=True)
class SimulatedOffice:
    """A simulated office on its as-of date.

    Parameters
    ----------
    as_of
        The day of the export.
    seed
        What it was made from.
    recorded_from
        Claims and contacts before this day are not in the tables.
    ended_from
        Policies that ended before this day are not in the tables (the export of a real office has
        such a day too).
    people, state, log
        One row per customer who ever was, their state now, and all policies.
    step
        Months simulated so far; step `step` ends on `as_of`.
    """

    as_of: date
    seed: int
    recorded_from: date
    ended_from: date
    p: Parameters
    office: Office
    people: Population
    state: State
    log: Log
    market: Market
    step: int
    anchor: tuple[date, int]
    joining_per_month: float
    transfer: Transfer | None

    @property
    def world(self) -> Environment:
        """The market and the parameters."""
        return Environment(self.p, tables(), self.market)

    @cached_property
    def all_policies(self) -> Policies:
        """Every policy ever by record number; ends that are decided but lie ahead are in it."""
        policies = self.log.policies()
        row, slot = np.nonzero(self.state.held & (self.state.ends != NEVER_DAY))
        record = self.state.record[row, slot]
        policies.end[record] = self.state.ends[row, slot]
        policies.reason[record] = self.state.reason[row, slot]
        return policies

    @property
    def in_force(self) -> Rows:
        """Rows of the customers with a policy in force on the as-of date, ascending."""
        return np.flatnonzero(self.state.held.any(axis=1))

    def window(self, step: int) -> MonthWindow:
        """Return the days of a step."""
        return window(self.anchor[0], step, self.anchor[1])
