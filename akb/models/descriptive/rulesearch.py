"""Beam search over conjunctions of conditions: which groups had far more events than their share?

Subgroup discovery as in Klösgen 1996 and Lavrač et al. 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Rule = tuple[int, ...]


@dataclass(frozen=True)
class Counts:
    """Customers on one date: `masks` (customers, conditions) of 0 and 1, and `event` of 0 and 1 per
    customer.
    """

    masks: NDArray[np.float32]
    event: Floats


@dataclass(frozen=True)
class Search:
    """Rules as positions of conditions, the surest lift first, and how many rules were looked
    at.
    """

    rules: tuple[Rule, ...]
    looked: int


@dataclass(frozen=True)
class _Measured:
    """Per rule over all dates: customers, events, events expected at each date's own rate, and
    their variance.
    """

    customers: Floats
    events: Floats
    expected: Floats
    variance: Floats

    @property
    def lift(self) -> Floats:
        out: Floats = np.divide(
            self.events, self.expected, out=np.zeros_like(self.events), where=self.expected > 0
        )
        return out

    @property
    def z(self) -> Floats:
        spread = np.sqrt(self.variance)
        off = self.events - self.expected
        out: Floats = np.divide(off, spread, out=np.zeros_like(off), where=spread > 1e-9)
        return out

    @property
    def sure(self) -> Floats:
        """Lift minus two standard errors (Poisson)."""
        out: Floats = self.lift * (1 - 2 / np.sqrt(np.maximum(self.events, 1)))
        return out


def search(dates: Sequence[Counts], about: Sequence[str], settings: Mapping[str, Any]) -> Search:
    """Return at most ``found_at_most`` rules that stand out on all dates together and are no copies
    of each other.

    Parameters
    ----------
    dates
        The training dates, the first of which decides which groups overlap.
    about
        What each condition is about; a rule has one condition about a thing.
    settings
        ``configs/profiles.toml`` [search].
    """
    count = len(about)
    if not count or not any(day.event.sum() for day in dates):
        return Search((), 0)
    singles: list[Rule] = [(place,) for place in range(count)]
    pairs: list[Rule] = [
        pair for pair in combinations(range(count), 2) if about[pair[0]] != about[pair[1]]
    ]
    levels = [singles, pairs if settings["depth"] > 1 else []]
    measured = {1: _measure(dates, levels[0]), 2: _measure(dates, levels[1])}
    if settings["depth"] > 2 and pairs:
        order = sorted(
            range(len(pairs)), key=lambda place: (-float(measured[2].sure[place]), pairs[place])
        )
        beam = [pairs[place] for place in order[: settings["beam"]]]
        levels.append(_extended(beam, about))
        measured[3] = _measure(dates, levels[2])
    looked = sum(len(level) for level in levels)
    lifts = {
        rule: float(lift)
        for number, level in enumerate(levels, start=1)
        for rule, lift in zip(level, measured[number].lift, strict=True)
    }
    found = [
        (sure, rule)
        for number, level in enumerate(levels, start=1)
        for rule, sure in _standing_out(
            level, measured[number], lifts, dates=len(dates), looked=looked, settings=settings
        )
    ]
    found.sort(key=lambda each: (-each[0], each[1]))
    return Search(_different([rule for _, rule in found], dates[0], settings), looked)


def _extended(beam: Sequence[Rule], about: Sequence[str]) -> list[Rule]:
    rules = {
        tuple(sorted((*pair, place)))
        for pair in beam
        for place in range(len(about))
        if about[place] not in (about[pair[0]], about[pair[1]])
    }
    return sorted(rules)


def _measure(dates: Sequence[Counts], rules: Sequence[Rule]) -> _Measured:
    """Count every rule on every date, a bit per customer; counts are exact in any order."""
    sums = np.zeros((4, len(rules)))
    if not rules:
        return _Measured(*sums)
    table = np.array(rules)
    for day in dates:
        everyone = max(len(day.event), 1)
        rate = float(day.event.sum()) / everyone
        bits = np.packbits(day.masks.T > 0, axis=1)
        met = bits[table[:, 0]]
        for column in range(1, table.shape[1]):
            met &= bits[table[:, column]]
        inside = np.bitwise_count(met).sum(axis=1, dtype=np.float64)
        events = np.bitwise_count(met & np.packbits(day.event > 0)).sum(axis=1, dtype=np.float64)
        expected = inside * rate
        sums += (inside, events, expected, expected * (1 - rate) * (1 - inside / everyone))
    return _Measured(*sums)


def _standing_out(
    rules: Sequence[Rule],
    measured: _Measured,
    lifts: Mapping[Rule, float],
    *,
    dates: int,
    looked: int,
    settings: Mapping[str, Any],
) -> list[tuple[Rule, float]]:
    limit = NormalDist().inv_cdf(1 - settings["significance"] / looked)
    enough = (
        (measured.z > limit)
        & (measured.lift >= settings["minimum_lift"])
        & (measured.events >= settings["minimum_events"])
        & (measured.customers >= settings["minimum_customers"] * dates)
    )
    out = []
    for place in np.flatnonzero(enough).tolist():
        rule = rules[place]
        simpler = [
            lifts.get(part, 0.0)
            for size in range(1, len(rule))
            for part in combinations(rule, size)
        ]
        if measured.lift[place] >= settings["minimum_gain"] * max(simpler, default=0.0):
            out.append((rule, float(measured.sure[place])))
    return out


def _different(rules: Sequence[Rule], day: Counts, settings: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the first rules of which no two share too many customers."""
    chosen: list[Rule] = []
    groups: list[NDArray[np.bool_]] = []
    for rule in rules:
        if len(chosen) == settings["found_at_most"]:
            break
        group: NDArray[np.bool_] = np.asarray(day.masks[:, rule].all(axis=1))
        smaller = [max(1, min(int(group.sum()), int(other.sum()))) for other in groups]
        shared = [
            int((group & other).sum()) / size for other, size in zip(groups, smaller, strict=True)
        ]
        if max(shared, default=0.0) <= settings["overlap"]:
            chosen.append(rule)
            groups.append(group)
    return tuple(chosen)
