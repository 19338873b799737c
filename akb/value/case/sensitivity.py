"""What the case depends on: all assumptions drawn at once, one at a time, and where the net turns.

The contacts stay those of the plan: what turns out differently is what they bring and cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.basis import LINES, YEAR, Span
from akb.value.case.numeric import normal_share, sign_change
from akb.value.types import BreakEven, SensitivityBand, TornadoRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.case.basis import CaseBasis, Cohort
    from akb.value.in_force import Floats
    from akb.value.targeting.planning.plan import OptionSums

DRAWS = 1000
_BAND = (0.05, 0.5, 0.95)
AGREED = ("price.per_customer",)
"""What is chosen, not guessed: it has no range of its own."""
EFFECT_OF = {
    "relation": "effect_relation",
    "policy": "effect_policy",
    "purchase": "effect_purchase",
}


def triangular(position: Floats, low: float, mode: float, high: float) -> Floats:
    """Return values of a triangular distribution at positions in (0, 1); a point where there is no
    range.

    Examples
    --------
    >>> triangular(np.array([0.5]), 0.0, 0.0, 1.0).round(4).tolist()
    [0.2929]
    """
    if high <= low:
        return np.full(len(position), mode)
    turn = (mode - low) / (high - low)
    down = low + np.sqrt(position * (high - low) * (mode - low))
    up = high - np.sqrt((1 - position) * (high - low) * (high - mode))
    return np.where(position < turn, down, up)


def positions(
    names: list[str], together: frozenset[str], correlation: float, seed: int
) -> dict[str, Floats]:
    """Return seeded positions in (0, 1) per name; those of `together` go up and down together.

    A Gaussian copula with one common factor: ``z = sqrt(r) common + sqrt(1 - r) own``.
    """
    return {name: _position(name, correlation if name in together else 0.0, seed) for name in names}


@lru_cache(maxsize=512)
def _position(name: str, shared: float, seed: int) -> Floats:
    """Return one name's positions: the same in every case of a run, and nobody's to change."""
    common = np.random.default_rng([seed, 0xCA5E]).standard_normal(DRAWS)
    own = np.random.default_rng([seed, 0xCA5E, *name.encode()]).standard_normal(DRAWS)
    drawn = normal_share(np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
    drawn.setflags(write=False)
    return drawn


@dataclass(frozen=True)
class Draws:
    """The register drawn `DRAWS` times; what nobody measured varies, the plan does not."""

    basis: CaseBasis
    seed: int

    @cached_property
    def names(self) -> list[str]:
        """Assumptions that are drawn, those of the contacts that are used and what the rest of the
        case asks.
        """
        used = sorted({each.key for each in self.basis.cohort.sums})
        fields = (*EFFECT_OF.values(), "minutes", "cost")
        own = [f"contacts.{key}.{field}" for key in used for field in fields]
        every = [*own, "cost.rate_office", "cost.rate_adviser", "price.per_customer"]
        return [name for name in every if name in self.basis.register]

    @cached_property
    def values(self) -> dict[str, Floats]:
        """Assumption, or ``level.LINE`` -> (draws,)."""
        levels = [f"level.{line}" for line in LINES]
        effects = frozenset(name for name in self.names if ".effect_" in name)
        at = positions(
            [*self.names, *levels], effects, self.basis.value("case.correlation"), self.seed
        )
        out = {}
        for name, position in at.items():
            if name in self.basis.register:
                entry = self.basis.register[name]
                out[name] = triangular(position, entry.low, entry.value, entry.high)
            else:
                span = self.basis.levels[name.removeprefix("level.")]
                out[name] = triangular(position, span.low, span.base, span.high)
        return out

    def benefit(self, cohort: Cohort) -> Floats:
        """Return (draws,): what a cohort brings, cents."""
        out: Floats = np.sum([self.line(cohort, line) for line in LINES], axis=0)
        return out

    def line(self, cohort: Cohort, line: str) -> Floats:
        """Return (draws,): one line of a cohort, cents."""
        out = np.zeros(DRAWS)
        for each in cohort.sums:
            out += line_at(each, self.basis, line, self.values)
        level: Floats = self.values[f"level.{line}"]
        return out * level

    def contacts(self, cohort: Cohort) -> Floats:
        """Return (draws,): what the contacts of a cohort cost, cents."""
        out = np.zeros(DRAWS)
        for each in cohort.sums:
            out += cost_at(each, self.basis, self.values)
        return out

    @cached_property
    def net(self) -> Floats:
        """(draws,): benefit less contacts less price of the cohort, cents."""
        price = 100 * self.values["price.per_customer"] * self.basis.customers
        out: Floats = self.benefit(self.basis.cohort) - self.contacts(self.basis.cohort) - price
        return out


def line_at(sums: OptionSums, basis: CaseBasis, line: str, values: Mapping[str, Any]) -> Any:
    """Return an option's line where its effect has other values: linear between low, base and high
    end.
    """
    entry = basis.register.get(f"contacts.{sums.key}.{EFFECT_OF[line]}")
    amounts = getattr(sums, line)
    if entry is None or entry.high <= entry.low:
        return amounts["base"]
    at = values.get(f"contacts.{sums.key}.{EFFECT_OF[line]}", entry.value)
    known = [entry.low, entry.value, entry.high]
    there = np.interp(at, known, [amounts["low"], amounts["base"], amounts["high"]])
    # The base is the base where it is an end of the range too: what the others get has ends of its
    # own.
    return np.where(np.asarray(at) == entry.value, amounts["base"], there)


def cost_at(sums: OptionSums, basis: CaseBasis, values: Mapping[str, Any]) -> Any:
    """Return what an option's contacts cost where minutes, rates or out-of-pocket costs have other
    values.
    """
    contact = basis.ladder[sums.key]
    pool = "cost.rate_adviser" if sums.pool == "adviser" else "cost.rate_office"
    rate = values.get(pool, basis.value(pool))
    minutes = values.get(f"contacts.{sums.key}.minutes", contact.minutes)
    paid = values.get(f"contacts.{sums.key}.cost", contact.cost)
    hourly = 0.0 if sums.pool == "automatic" else 100 / 60
    time = hourly * sums.reached * (minutes * rate - contact.minutes * basis.value(pool))
    return np.maximum(sums.cost + time + 100 * sums.reached * (paid - contact.cost), 0.0)


def band(draws: Draws) -> SensitivityBand:
    """Return the *gevoeligheidsband*: 5, 50 and 95 % of the cohort's net when every assumption is
    drawn.

    Never a confidence interval: nobody measured the ranges.
    """
    ordered = np.sort(draws.net)
    low, base, high = (float(ordered[round(share * (len(ordered) - 1))]) for share in _BAND)
    return SensitivityBand(
        draws=DRAWS,
        above_zero=float((draws.net > 0).mean()),
        net=Span(low, base, high).cents(),
    )


def tornado(draws: Draws) -> tuple[TornadoRow, ...]:
    """Return per assumption the cohort's net at its low and its high end, all others at their base;
    widest first.

    A price that is agreed has no range: it is a ``choice``, shown from half of it to double."""
    basis = draws.basis
    rows = []
    for name in draws.names:
        entry = basis.register[name]
        choice = name in AGREED and entry.high <= entry.low
        ends = (entry.value / 2, entry.value * 2) if choice else (entry.low, entry.high)
        low, high = (net_at(basis, {name: end}) for end in ends)
        if round(low) != round(high):
            rows.append(
                TornadoRow(name, ends[0], entry.value, ends[1], round(low), round(high), choice)
            )
    return tuple(sorted(rows, key=lambda row: (-abs(row.high - row.low), row.key)))


def net_at(basis: CaseBasis, values: Mapping[str, float]) -> float:
    """Return the cohort's net with other values of some assumptions and the same contacts,
    cents.
    """
    gained = sum(
        float(line_at(each, basis, line, values)) for each in basis.cohort.sums for line in LINES
    )
    spent = sum(float(cost_at(each, basis, values)) for each in basis.cohort.sums)
    price = (
        100 * values.get("price.per_customer", basis.value("price.per_customer")) * basis.customers
    )
    return gained - spent - price


def break_even(draws: Draws) -> tuple[BreakEven, ...]:
    """Return where the cohort's net is zero, all others at their base; None
    where nowhere.

    Looked for between the ends of what is possible: 0 to 1 for shares and effects, else 0 to ten
    times the high end. The net is monotone in each of them, so there is one such place at most.
    """
    basis = draws.basis
    rows = []
    for name in draws.names:
        entry = basis.register[name]
        far = 1.0 if entry.kind in ("share", "effect", "points") else 10 * max(entry.high, 1e-9)

        def excess(value: float, name: str = name) -> float:
            return _extended(basis, name, value)

        rows.append(BreakEven(name, entry.value, sign_change(excess, 0.0, far)))
    return tuple(rows)


def _extended(basis: CaseBasis, name: str, value: float) -> float:
    """Return the cohort's net at a value that may lie beyond the range: effects go on in a straight
    line.
    """
    entry = basis.register[name]
    if ".effect_" not in name or entry.low <= value <= entry.high or entry.value <= 0:
        return net_at(basis, {name: value})
    base, none = net_at(basis, {}), net_at(basis, {name: max(entry.low, 0.0)})
    step = entry.value - max(entry.low, 0.0)
    if step <= 0:
        other = net_at(basis, {name: entry.high})
        return base + (other - base) * (value - entry.value) / max(entry.high - entry.value, 1e-12)
    return base + (base - none) * (value - entry.value) / step


def yearly(amounts: Floats) -> Floats:
    """Return sums of every 12 months."""
    whole = len(amounts) // YEAR * YEAR
    out: Floats = amounts[:whole].reshape(-1, YEAR).sum(axis=1)
    return out
