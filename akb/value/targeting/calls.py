"""Which calls are made: those that earn their cost back within the payback years, most first, within the hours.

One decision for everything: lists, actions, assignment and ledger all follow it. A call earns the yearly cash flows of
the ledger (chance x effect x margin, the half-year rule in its own year, later years as far as the customer is still
there) within ``value.payback_years``. All calls take the same minutes, so what a call earns orders them as what an hour
earns does. Who may be called to keep is not called for a policy alone: that policy is discussed in the same call, and
the call to keep is worth its price by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.value.case.basis import FIRST, MILLI
from akb.value.case.ledger import call_years

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.targeting.eligibility import Desk

    Flags = NDArray[np.bool_]


NONE, KEEP, SELL = 0, 1, 2


@dataclass(frozen=True)
class Calls:
    """Calls per customer in force.

    Parameters
    ----------
    keep, sell
        What a call earns within the payback years, gross of its cost, cents; ``-inf`` where no euro may be named.
    level
        A call is made when it earns more than this, cents: its cost, or more where the hours run out before.
    to_keep, to_sell
        Who is called; each customer for one of them only, nobody of the control group.
    talk
        In whose call to keep a policy is discussed as well, because that pays for its extra minutes.
    cost
        Of one call, cents.
    """

    keep: Floats
    sell: Floats
    level: float
    to_keep: Flags
    to_sell: Flags
    talk: Flags
    cost: float

    @property
    def listed(self) -> Flags:
        """Who would be called to keep, control group included."""
        return self.keep > self.level

    @property
    def in_line(self) -> Rows:
        """Rows of those who are called, the call that earns most first."""
        best = np.maximum(self.keep, self.sell)
        rows = np.flatnonzero(self.to_keep | self.to_sell)
        return rows[np.lexsort((rows, -best[rows]))]

    @property
    def wanted(self) -> NDArray[np.int64]:
        """Whose call pays, whatever the hours and the draw: `KEEP`, `SELL`, or `NONE`."""
        above = [self.keep > self.level, self.sell > self.level, self.keep > self.cost, self.sell > self.cost]
        return np.select(above, [KEEP, SELL, KEEP, SELL], NONE)


def payback(base: InForce, alive: Floats, line: str) -> Floats:
    """Return the full years of its yearly cash flow that a call made today brings within the payback years."""
    return call_years(alive, base.value("value.payback_years"), base.value(FIRST[line]))


def no_calls(n: int) -> Floats:
    """Return what calls earn where no euro may be named."""
    return np.full(n, -np.inf)


def decided(base: InForce, desk: Desk, keep: Floats, sell: Floats) -> Calls:
    """Return which calls are made.

    Parameters
    ----------
    keep, sell
        As in `Calls`; already times the rescue chance and the uplift.
    """
    least = base.settings.report.suppress_below
    keep, sell = (np.where(desk.barred, -np.inf, gross) for gross in (keep, sell))
    made = _within_hours(desk, keep, sell)
    if 0 < made.to_keep.sum() < least:  # fewer are no line in a ledger
        made = _within_hours(desk, no_calls(base.n), sell)
    if 0 < made.to_sell.sum() < least:
        made = replace(made, sell=np.minimum(made.sell, made.level), to_sell=np.zeros(base.n, dtype=np.bool_))
    return made


def without_limit(made: Calls, desk: Desk) -> Calls:
    """Return the calls that would be made if the hours had no end: those that pay."""
    return _at(desk, made.keep, made.sell, desk.contact_cost)


def _within_hours(desk: Desk, keep: Floats, sell: Floats) -> Calls:
    """Lower the level from the best call down to the cost of a call, as far as the minutes reach."""
    free = np.where(desk.control, -np.inf, np.maximum(keep, sell))
    best = np.sort(free[free > desk.contact_cost])[::-1]
    few, many = 0, len(best)
    paying = _at(desk, keep, sell, desk.contact_cost)
    if minutes_of(paying, desk) <= desk.minutes_available + 1e-9:
        return paying
    while many - few > 1:  # minutes grow as the level falls
        middle = (few + many) // 2
        fits = minutes_of(_at(desk, keep, sell, _between(best, middle)), desk) <= desk.minutes_available + 1e-9
        few, many = (middle, many) if fits else (few, middle)
    return _at(desk, keep, sell, _between(best, few))


def _between(best: Floats, calls: int) -> float:
    """Return a level with at most `calls` calls above it; equal calls are made or left together."""
    if calls == 0:
        return float(np.nextafter(best[0], np.inf))
    return float(best[calls - 1] + best[calls]) / 2 if best[calls - 1] > best[calls] else float(best[calls])


def _at(desk: Desk, keep: Floats, sell: Floats, level: float) -> Calls:
    to_keep = (keep > level) & ~desk.control
    to_sell = (sell > level) & ~(keep > level) & ~desk.control
    return Calls(keep, sell, level, to_keep, to_sell, to_keep & (sell > desk.offer_cost), desk.contact_cost)


def minutes_of(made: Calls, desk: Desk, rows: Flags | slice = slice(None)) -> float:
    """Return the minutes that the calls take.

    Counts times minutes, not a sum of minutes: the same calls give the same float in any order, so hours that were
    measured with it hold exactly the calls that they were measured on.

    Parameters
    ----------
    rows
        (n,): the customers that count; everybody by default.
    """
    calls = int(made.to_keep[rows].sum() + made.to_sell[rows].sum())
    return calls * desk.minutes + int(made.talk[rows].sum()) * desk.offer_minutes


def gross(effect: float, milli: Cents, years: Floats) -> Floats:
    """Return what calls earn within the payback years, cents: effect x what a year brings x years."""
    earned: Floats = effect * milli * years / MILLI
    return earned
