"""How much profit an order of customers makes: the expected maximum profit of the literature, and
our own curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Profit of contacting the first k customers of an order.

    Parameters
    ----------
    contacted
        k = 0, 1, ..., n.
    profit
        Cumulative, in the unit of what is earned.
    """

    contacted: NDArray[np.int64]
    profit: Floats

    @property
    def best(self) -> int:
        """How many to contact for the highest profit; the fewest if several make it."""
        return int(np.argmax(self.profit))


def profit_curve(scores: ArrayLike, earned: ArrayLike, cost: float) -> Curve:
    """Return the profit of contacting customers from the highest score down, each with his own
    earnings.

    Parameters
    ----------
    scores
        What the order is made by, (n,); ties keep their order.
    earned
        What a contact earns, gross of its cost: for a leaver the chance that he stays after it,
        times what is kept then, (n,).
    cost
        Of a contact.

    Examples
    --------
    Earnings of 30, 10 and 0 less 5 a contact: two contacts earn most.

    >>> curve = profit_curve([0.9, 0.1, 0.5], [30, 0, 10], 5.0)
    >>> curve.profit.tolist(), curve.best
    ([0.0, 25.0, 30.0, 25.0], 2)
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    gain = np.asarray(earned, dtype=np.float64) - cost
    return Curve(np.arange(len(order) + 1), np.concatenate([[0.0], np.cumsum(gain[order])]))


def empc(
    left: ArrayLike,
    scores: ArrayLike,
    *,
    alpha: float = 6.0,
    beta: float = 14.0,
    clv: float = 200.0,
    incentive: float = 10.0,
    contact: float = 1.0,
) -> float:
    """Return the expected maximum profit measure for churn (EMPC) per customer, in the unit of
    `clv`.

    A contacted leaver accepts an incentive with chance gamma ~ Beta(alpha, beta) and then stays; a
    stayer who is contacted takes it too. For every gamma the best cut-off is chosen; the profit is
    averaged over gamma. Everyone has the same `clv`, so this compares orders, and says nothing
    about one office's euros: use `profit_curve` for those.

    Source: Verbraken, Verbeke and Baesens (2013), A novel profit maximizing metric for measuring
    classification performance of customer churn prediction models. Exact: cut-offs lie on the
    convex hull of the ROC curve, and between two turning points of gamma the integral is a
    difference of incomplete beta functions.

    Examples
    --------
    Two of ten leave. Known in advance each brings .30 x (200 - 10) - 1 = 56; without any order it
    pays for some gamma only.

    >>> left = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    >>> round(empc(left, range(10, 0, -1)), 2), round(empc(left, [0] * 10), 2)
    (11.2, 2.96)
    """
    from scipy.stats import beta as beta_distribution

    churned = np.asarray(left, dtype=np.float64)
    prior = float(churned.mean())
    true, false = _roc_hull(churned, np.asarray(scores, dtype=np.float64))
    delta, phi = incentive / clv, contact / clv
    # profit(gamma) = gamma * slope + offset at every corner of the hull
    slope = clv * (1 - delta) * prior * true
    offset = -clv * (phi * prior * true + (delta + phi) * (1 - prior) * false)
    turns = np.clip(np.diff(-offset) / np.diff(slope), 0.0, 1.0) if len(slope) > 1 else np.zeros(0)
    bounds = np.concatenate([[0.0], np.maximum.accumulate(turns), [1.0]])
    mass = np.diff(beta_distribution.cdf(bounds, alpha, beta))
    weighted = np.diff(beta_distribution.cdf(bounds, alpha + 1, beta)) * alpha / (alpha + beta)
    return float((slope * weighted + offset * mass).sum())


def _roc_hull(churned: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Return true and false positive rates at the corners of the convex hull of the ROC curve, from
    (0, 0) up.
    """
    values, place = np.unique(-scores, return_inverse=True)
    hits = np.bincount(place, weights=churned, minlength=len(values))
    misses = np.bincount(place, weights=1 - churned, minlength=len(values))
    true = np.concatenate([[0.0], np.cumsum(hits) / max(hits.sum(), 1)])
    false = np.concatenate([[0.0], np.cumsum(misses) / max(misses.sum(), 1)])
    corners: list[int] = []
    for point in range(len(true)):
        while len(corners) > 1 and _turns_up(true, false, corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    kept = [corners[0]] + [b for a, b in pairwise(corners) if true[b] > true[a]]
    return true[kept], false[kept]


def _turns_up(true: Floats, false: Floats, first: int, middle: int, last: int) -> bool:
    """Whether the middle point lies on or below the line from the first to the last."""
    across = (false[middle] - false[first]) * (true[last] - true[first])
    return bool((true[middle] - true[first]) * (false[last] - false[first]) <= across)
