"""The simulator's engine: what a month does to all customers of an office.

`advance` lets a `Moment` pass. What may end stands in `ends`, what begins in `starts`, what
customers live through in `service`; the chances come from `hazards`, and everything that happened
is in the `Log`."""

from akb.sample.engine.log import Log, Policies
from akb.sample.engine.month import (
    Buys,
    Decisions,
    Intervention,
    Month,
    MonthDraws,
    choose,
    day_in,
    draw,
)
from akb.sample.engine.state import ACTIVE, CLOSED, Environment, Moment, Rows, State, empty_state
from akb.sample.engine.step import advance

__all__ = [
    "ACTIVE",
    "CLOSED",
    "Buys",
    "Decisions",
    "Environment",
    "Intervention",
    "Log",
    "Moment",
    "Month",
    "MonthDraws",
    "Policies",
    "Rows",
    "State",
    "advance",
    "choose",
    "day_in",
    "draw",
    "empty_state",
]
