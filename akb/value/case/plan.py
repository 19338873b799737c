"""Who is called under other assumptions: those whose call pays, most per call first, within the hours.

The bins of a basis stand for its customers; `akb.value.targeting.calls` decides the same for the customers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.basis import SOLD, SUMS, TALKS, effect_of, stretches, table_of
from akb.value.targeting.hours import contact_cost, minutes_available

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.case.basis import Basis, Floats

    Edges = tuple[Floats, Floats]


@dataclass(frozen=True)
class Plan:
    """Who is called, as sums over the basis: thousandths of cents, or counts.

    Parameters
    ----------
    shares, own_shares
        (bins,): which part of every bin of each table is called.
    level
        What a call earns at least within the payback years, cents: its cost, or more where the hours bind.
    retention_calls, own_calls, talks
        Calls a year to keep, calls a year for a policy alone, policies discussed in calls that take place anyway.
    kept, sold
        Sums of both tables over those who are called; in `sold` also what is discussed in calls to keep.
    """

    shares: Floats
    own_shares: Floats
    level: float
    retention_calls: int
    own_calls: int
    talks: int
    kept: Mapping[str, float]
    sold: Mapping[str, float]

    @property
    def calls(self) -> int:
        """All calls a year."""
        return self.retention_calls + self.own_calls


def plan(basis: Basis, values: Mapping[str, float]) -> Plan:
    """Return who is called under these assumptions: those whose call pays, most per call first, within the hours."""
    keep, own = table_of(basis.get("retention")), table_of(basis.get("own_calls"))
    reach = _Reach(
        basis,
        values,
        keep,
        own,
        _edges(basis, values, keep, "retention"),
        _edges(basis, values, own, "own_calls"),
    )
    level = reach.level()
    shares, own_shares = reach.at(level)
    calls = round(float((shares * keep["calls"]).sum()))
    if 0 < calls < basis["least"]:
        reach = replace(reach, keeping=(np.zeros(len(shares)), np.zeros(len(shares))))
        level = reach.level()
        shares, own_shares = reach.at(level)
        calls = round(float((shares * keep["calls"]).sum()))
    own_calls = round(float((own_shares * own["calls"]).sum()))
    if own_calls < basis["least"]:
        own_shares, own_calls = np.zeros(len(own_shares)), 0
    talked = "cross_sell" in basis["lines"] and values["cross_sell.uplift"] > 0
    talks = {name: float((shares * keep[name]).sum()) if talked else 0.0 for name in TALKS}
    sold = {name: float((own_shares * own[name]).sum()) for name in SOLD}
    for name in ("commission", "served", "alive"):
        sold[name] += talks[f"talk_{name}"]
    kept = {name: float((shares * keep[name]).sum()) for name in SUMS}
    return Plan(shares, own_shares, level, calls, own_calls, round(talks["talks"]), kept, sold)


@dataclass(frozen=True)
class _Reach:
    """How far the hours reach: shares of every bin that earn more than a level, and the minutes that they take."""

    basis: Basis
    values: Mapping[str, float]
    keep: Mapping[str, Any]
    own: Mapping[str, Any]
    keeping: Edges
    selling: Edges

    def at(self, level: float) -> Edges:
        """Return which part of every bin of both tables is called: who may be called to keep gets no other call."""
        drawn = 1 - self.basis["at"]["experiment.control_share"]
        free = (1 - self.values["experiment.control_share"]) / drawn if drawn > 0 else 0.0
        keep = above(*self.keeping, level)
        left = 1 - called_of(self.own["group"], self.keep, keep)
        return free * keep, free * left * above(*self.selling, level)

    def calls(self, level: float) -> float:
        return self._counted(*self.at(level))

    def _counted(self, keep: Floats, own: Floats) -> float:
        return float(keep @ self.keep["calls"] + own @ self.own["calls"])

    def fits(self, level: float) -> bool:
        keep, own = self.at(level)
        talked = "cross_sell" in self.basis["lines"] and self.values["cross_sell.uplift"] > 0
        talks = float(keep @ self.keep["talks"]) if talked else 0.0
        minutes = (
            self._counted(keep, own) * self.values["contact.minutes"] + talks * self.values["contact.offer_minutes"]
        )
        return minutes <= minutes_available(self.basis, self.values) + 1e-6

    def level(self) -> float:
        """Return the lowest level from the cost of a call up at which the calls fit; the run's where that is as good.

        Between two edges a bin may give a part of a call: less than two calls more than the run has are no reason to
        leave its level.
        """
        low = contact_cost(self.values)
        if self.fits(low):
            return low
        high = max([low, *(float(upper.max()) for upper, _ in (self.keeping, self.selling) if len(upper))]) + 1
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.fits(middle) else (middle, high)
        known: float = self.basis["level"]
        return known if self.fits(known) and self.calls(high) - self.calls(known) < 2 else high


def above(upper: Floats, lower: Floats, threshold: float) -> Floats:
    """Return which part of every bin lies above a threshold, as if its customers were spread evenly."""
    width = upper - lower
    reached = np.clip(upper - threshold, 0.0, width)  # so that a hair's width divides no large number
    share: Floats = np.divide(reached, width, out=(upper > threshold).astype(np.float64), where=width > 0)
    return share


def called_of(groups: Floats, table: Mapping[str, Any], share: Floats) -> Floats:
    """Return which part of each of these groups of Top Defend is called for retention; nobody of others.

    Parameters
    ----------
    groups
        (bins of another table,): the group of each.
    table, share
        The table of retention, and which part of each of its bins is called.
    """
    known, own = table["group"].astype(np.int64), groups.astype(np.int64)
    length = int(max(known.max(initial=-1), own.max(initial=-1))) + 1
    called = np.bincount(known, weights=share * table["calls"], minlength=length)
    calls = np.bincount(known, weights=table["calls"], minlength=length)
    parts: Floats = np.divide(called, calls, out=np.zeros(length), where=calls > 0)[own]
    return parts


def _edges(basis: Basis, values: Mapping[str, float], table: Mapping[str, Any], name: str) -> Edges:
    """Return what a call earns within the payback years at the edges of every bin under these values, cents."""
    effect = effect_of(basis, values, name) * stretches(basis, values, table, name)
    return effect * table["upper"], effect * table["lower"]
