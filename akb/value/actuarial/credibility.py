"""How much a cell's own experience counts: limited fluctuation, and Bühlmann–Straub."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FULL = (1.6449 / 0.05) ** 2
"""Lapses for full credibility: 1,082, with which chance alone moves the count by more than 5 % in
one case of ten.
"""


def limited_fluctuation(events: float) -> float:
    """Return the square-root rule: the weight of `events` independent lapses, 1 from `FULL` on."""
    return min(1.0, sqrt(max(events, 0.0) / FULL))


def effective(amounts: Floats) -> float:
    """Return how many equal, independent lapses weigh as much as these, one amount per customer.

    (Σ a)² / Σ a²: an office that loses three policies of each leaver has a third of the evidence
    that it counts, and one large policy is one lapse whatever it brought."""
    total = float(amounts.sum())
    squares = float((amounts**2).sum())
    return total * total / squares if squares > 0 else 0.0


@dataclass(frozen=True)
class Shrunk:
    """A ratio of actual to expected, drawn to one.

    Parameters
    ----------
    ratio
        Its mean.
    weight
        How much of it is the office's own.
    variance
        What it can miss, relative to the mean, squared.
    """

    ratio: float
    weight: float
    variance: float


def drawn(actual: float, expected: float, spread: float, dispersed: float = 1.0) -> Shrunk:
    """Return the posterior of a ratio of which the mean is one and the standard deviation `spread`.

    Parameters
    ----------
    actual, expected
        Lapses, and those expected by what the ratio is drawn to.
    dispersed
        By how much more lapses vary than independent ones.
    """
    prior = 1.0 / max(spread, 1e-6) ** 2
    seen, due = actual / dispersed, expected / dispersed
    return Shrunk((prior + seen) / (prior + due), due / (prior + due), 1.0 / (prior + seen))


@dataclass(frozen=True)
class Credibility:
    """Bühlmann–Straub over groups seen in several periods.

    Parameters
    ----------
    ratio
        (groups,): actual / expected over all periods; NaN where nothing was expected.
    weight
        (groups,): Z.
    estimate
        (groups,): Z · ratio + (1 − Z) · collective.
    collective
        The mean ratio that little experience is drawn to.
    within, between
        The variance of a ratio on one expected lapse, and that of the groups' true ratios.
    """

    ratio: Floats
    weight: Floats
    estimate: Floats
    collective: float
    within: float
    between: float

    def weight_of(self, expected: float) -> float:
        """Return Z of a cell of this kind on which so much was expected."""
        if self.between <= 0 or expected <= 0:
            return 0.0
        return expected / (expected + self.within / self.between)

    @property
    def uncertainty(self) -> Floats:
        """(groups,): variance of what an estimate misses of the true ratio: between · (1 − Z)."""
        return self.between * (1.0 - self.weight)


def buhlmann_straub(actual: Floats, expected: Floats, at_least: float = 0.0) -> Credibility:
    """Return the credibility of every group.

    Parameters
    ----------
    actual, expected
        (groups, periods): lapses, and those expected, which are the weights; cells of which nothing
        was expected tell nothing.
    at_least
        What the variance within a group cannot be under, because chance alone brings it; stands for
        it where no group was seen in two periods.
    """
    weight = np.where(expected > 0, expected, 0.0)
    seen = weight > 0
    ratios = np.divide(actual, weight, out=np.zeros_like(weight), where=seen)
    mass = weight.sum(axis=1)
    whole = float(mass.sum())
    groups = np.flatnonzero(mass > 0)
    own = np.full(len(mass), np.nan)
    own[groups] = (weight * ratios).sum(axis=1)[groups] / mass[groups]
    if not len(groups):
        nothing = np.zeros(len(mass))
        return Credibility(own, nothing, np.ones(len(mass)), 1.0, 0.0, 0.0)
    periods = int((seen.sum(axis=1)[groups] - 1).sum())
    apart = weight[groups] * (ratios[groups] - own[groups, None]) ** 2
    within = max(at_least, float(apart.sum()) / periods) if periods > 0 else at_least or inf
    mean = float((mass[groups] * own[groups]).sum()) / whole
    spread = float((mass[groups] * (own[groups] - mean) ** 2).sum())
    scale = whole - float((mass[groups] ** 2).sum()) / whole
    known = np.isfinite(within) and scale > 0
    between = max(0.0, (spread - (len(groups) - 1) * within) / scale) if known else 0.0
    z = np.zeros(len(mass))
    if between > 0:
        z[groups] = mass[groups] / (mass[groups] + within / between)
        mean = float((z[groups] * own[groups]).sum()) / float(z.sum())
    estimate = np.where(z > 0, z * np.nan_to_num(own) + (1.0 - z) * mean, mean)
    return Credibility(own, z, estimate, mean, within if np.isfinite(within) else 0.0, between)
