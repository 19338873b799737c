"""Which branch comes first: the model's order beside two plain rules, for the customers who took
something.

A rule ranks the branches that are open to a customer (`features.eligibility`):

- ``popularity``: the share of all customers that takes the branch, the same for everyone it is open
  to;
- ``co_ownership``: the mean over the branches held of P(holds this branch | holds that branch);
- ``model``: the chance that this customer takes it.

Measures over the first three places, a value per customer (golden figures of this kind: Bruun et
al. 2022): hit rate (was one of them taken), reciprocal rank of the first hit, and NDCG (Järvelin &
Kekäläinen 2002) with gain 1 for everything taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.models.learners import from_link
from akb.models.types import Ranking, RankScore

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.temporal import FittedTarget, Problem

    Floats = NDArray[np.float64]

PLACES = 3  # as many branches as the list names
DRAWS = 500  # of the bootstrap
FEWEST = 20
"""With fewer customers who took something, nothing is said of an order."""

CO_OWNERSHIP = "branch_co_ownership"
MEASURES = ("hit_rate", "reciprocal_rank", "ndcg")


@dataclass(frozen=True)
class Takers:
    """The rows of one date, sorted by customer, of those who took something; ``start`` is each
    one's first row.
    """

    rows: NDArray[np.int64]
    order: NDArray[np.int64]
    start: NDArray[np.int64]
    label: Floats
    code: NDArray[np.int16]

    @property
    def customers(self) -> int:
        """How many took something."""
        return len(self.start)


def takers(problem: Problem, rows: NDArray[np.int64]) -> Takers:
    """Return the rows of the customers to whom something happened, in the order of the customers
    and branches.
    """
    customer, label = problem.customer[rows], problem.label[rows] > 0
    mine = np.flatnonzero(np.isin(customer, customer[label]))
    order = mine[np.lexsort((problem.group[rows][mine], customer[mine]))]
    start = (
        np.flatnonzero(np.r_[True, np.diff(customer[order].astype(np.int64)) != 0])
        if len(order)
        else order
    )
    return Takers(
        rows[order], order, start, label[order].astype(np.float64), problem.group[rows][order]
    )


def measures(met: Takers, score: Floats) -> Floats:
    """Return hit rate, reciprocal rank and NDCG over the first three places, float64 [customers,
    3].

    Parameters
    ----------
    score
        Per row of `met`; of equal scores the branch that comes first in the taxonomy goes first.
    """
    size = np.diff(np.r_[met.start, len(score)])
    who = np.repeat(np.arange(met.customers), size)
    best = np.lexsort((met.code, -score, who))
    place = np.arange(len(score)) - np.repeat(met.start, size) + 1
    hit = met.label[best] * (place <= PLACES)
    gain = np.bincount(who, weights=hit / np.log2(place + 1), minlength=met.customers)
    taken = np.bincount(who, weights=met.label, minlength=met.customers).astype(np.int64)
    ideal = np.cumsum(1 / np.log2(np.arange(1, PLACES + 1) + 1))[np.minimum(taken, PLACES) - 1]
    first = np.maximum.reduceat(hit / place, met.start)
    return np.column_stack([first > 0, first, gain / ideal])


def ranking(fitted: FittedTarget, seed: int) -> Ranking | None:
    """Return how well the branches were ordered on the test date, and which order is delivered;
    None where that cannot tell.

    What is delivered was chosen on the validation date: the rule of popularity, unless the model's
    NDCG is more than one standard error higher. Without such a date it is the model.
    """
    if fitted.holdout is None or fitted.tested is None:
        return None
    test, problem = fitted.holdout, fitted.problem
    met = takers(problem, test.rows)
    if met.customers < FEWEST:
        return None
    found = {"popularity": measures(met, test.rate[met.order])}
    together = problem.extra(met.rows, CO_OWNERSHIP)
    if together is not None:
        found["co_ownership"] = measures(met, np.nan_to_num(together.astype(np.float64)))
    found["model"] = measures(met, fitted.tested[met.order])
    return _ranking(
        test.test_date, met, found, winner(fitted), np.random.default_rng([seed, met.customers])
    )


def winner(fitted: FittedTarget) -> str:
    """Return ``model`` or ``popularity``, by what both showed on the validation date: the simplest
    within one standard error.
    """
    chosen = fitted.validation
    if chosen is None:
        return "model"
    met = takers(fitted.problem, chosen.rows)
    if met.customers < FEWEST:
        return "model"
    plain = from_link("binary", chosen.base[met.code])
    gain = (measures(met, chosen.expected[met.order]) - measures(met, plain))[
        :, MEASURES.index("ndcg")
    ]
    error = float(gain.std(ddof=1)) / len(gain) ** 0.5
    return "model" if float(gain.mean()) > error else "popularity"


def _ranking(
    day: date, met: Takers, found: dict[str, Floats], delivered: str, rng: np.random.Generator
) -> Ranking:
    """Put means with 95 % bootstrap intervals beside each other; all rules are drawn with the same
    customers.
    """
    n = met.customers
    weight = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) / n

    def interval(values: Floats) -> tuple[float, float]:
        low, high = np.percentile(weight @ values, [2.5, 97.5])
        return float(low), float(high)

    scores = tuple(
        RankScore(
            rule,
            tuple(float(each) for each in table.mean(axis=0)),
            tuple(interval(table[:, place]) for place in range(len(MEASURES))),
        )
        for rule, table in found.items()
    )
    gain = (found["model"] - found["popularity"])[:, MEASURES.index("ndcg")]
    return Ranking(
        day, n, int(met.label.sum()), scores, float(gain.mean()), interval(gain), delivered
    )
