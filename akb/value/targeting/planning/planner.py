"""Which contact everybody gets: a multiple-choice knapsack, solved to its linear optimum and
rounded down for lists.

Every row (a customer, or a weighted bin of customers) gets at most one option; options take minutes
of pools that are limited, and some may reach only so many a year. The linear optimum gives every
euro of the business case and the price of an hour; the whole-number plan gives the lists, and the
gap between both is shown.

Insight: for given prices of a minute every row chooses by itself, so the problem is one of a few
prices (Sinha and Zoltners, 1979). Prices are found by cutting planes over whole plans (Dantzig and
Wolfe, 1960); the few rows that are indifferent at those prices are then settled by an exact linear
programme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

NONE = -1
"""The option of a row that is not contacted."""
_ROUNDS = 300
_EXACT = 1e-10  # relative: far below a cent in any portfolio
_INDIFFERENT = (
    1e-7  # of the largest value: rows that near to two choices go into the exact programme
)
_OPEN_ROWS = 4000  # an exact programme of more rows costs more than it can bring
_FILLED = 2000  # rows that are tried in the minutes that rounding leaves: a few contacts' worth


@dataclass(frozen=True)
class Choices:
    """The problem.

    Parameters
    ----------
    value
        (n, k): benefit less cost of every option for one customer of the row, cents; ``-inf`` where
        it is not allowed.
    minutes
        (n, k, p): what it takes of every pool.
    available
        (p,): minutes of every pool; infinite without a limit.
    group, most
        (k,) the group of every option, and (g,): how many customers a group may reach; infinite
        without a limit.
    weight
        (n,): customers of the row.
    """

    value: Floats
    minutes: Floats
    available: Floats
    group: Rows
    most: Floats
    weight: Floats

    def used(self, option: Rows, rows: Rows | None = None) -> Floats:
        """Return (p + g,): minutes of the pools and customers per group, if every row gets
        `option`.
        """
        chosen = np.flatnonzero(option != NONE) if rows is None else rows[option[rows] != NONE]
        picked, weight = option[chosen], self.weight[chosen]
        minutes = weight @ self.minutes[chosen, picked]
        counts = np.bincount(self.group[picked], weights=weight, minlength=len(self.most))
        return np.concatenate([minutes, counts])


@dataclass(frozen=True)
class Optimum:
    """The linear optimum.

    Parameters
    ----------
    share
        (n, k): which part of the row gets the option; a row sums to at most 1. Few rows are split.
    total
        Its value, cents; no plan is better.
    pool_price
        (p,): cents that one more minute of the pool would bring.
    place_price
        (g,): cents that one more customer within a group's limit would bring.
    """

    share: Floats
    total: float
    pool_price: Floats
    place_price: Floats


def optimum(choices: Choices) -> Optimum:
    """Return the linear optimum: the most that any plan can bring within the minutes."""
    limits = np.concatenate([choices.available, choices.most])
    bound = np.flatnonzero(np.isfinite(limits))
    prices = np.zeros(len(limits))
    prices[bound] = _prices(choices, limits, bound)
    share, total = _settled(choices, limits, bound, prices)
    pools = len(choices.available)
    return Optimum(share, total, prices[:pools], prices[pools:])


def reduced_values(choices: Choices, prices: Floats) -> Floats:
    """Return (n, k): value less what the option takes at these prices, (p + g,) cents."""
    pools = len(choices.available)
    out: Floats = choices.value - choices.minutes @ prices[:pools] - prices[pools:][choices.group]
    return out


def _best(reduced: Floats) -> tuple[Rows, Floats]:
    """Return every row's best option at given prices, `NONE` where nothing pays, and what it
    brings.
    """
    if not reduced.size:
        return np.full(len(reduced), NONE, dtype=np.int64), np.zeros(len(reduced))
    option = reduced.argmax(axis=1)
    brings = reduced[np.arange(len(reduced)), option]
    return np.where(brings > 0, option, NONE), np.maximum(brings, 0.0)


def _total(choices: Choices, option: Rows) -> float:
    chosen = np.flatnonzero(option != NONE)
    return float(choices.weight[chosen] @ choices.value[chosen, option[chosen]])


def _prices(choices: Choices, limits: Floats, bound: Rows) -> Floats:
    """Return the prices of the limits that bind, by cutting planes over whole plans."""
    if not len(bound):
        return np.zeros(0)
    totals, uses = [0.0], [np.zeros(len(bound))]  # nobody contacted is always a plan
    at, best = np.zeros(len(bound)), np.inf
    incumbent = at
    for _ in range(_ROUNDS):
        prices = np.zeros(len(limits))
        prices[bound] = at
        option, brings = _best(reduced_values(choices, prices))
        dual = float(choices.weight @ brings) + float(at @ limits[bound])
        if dual < best:
            best, incumbent = dual, at
        used = choices.used(option)[bound]
        if not at.any() and (used <= limits[bound] * (1 + 1e-12)).all():
            return at  # everything that pays fits
        from scipy.optimize import (
            linprog,
        )  # a third of the waiting for `akb case`, where it is needed

        totals.append(_total(choices, option))
        uses.append(used)
        solved = linprog(
            -np.array(totals),
            A_ub=np.array(uses).T,
            b_ub=limits[bound],
            A_eq=np.ones((1, len(totals))),
            b_eq=[1.0],
            method="highs-ds",
        )
        if best + solved.fun <= _EXACT * max(abs(best), 1.0):
            break
        at = np.maximum(-solved.ineqlin.marginals, 0.0)
    return incumbent


def _settled(choices: Choices, limits: Floats, bound: Rows, prices: Floats) -> tuple[Floats, float]:
    """Return shares and total of the optimum: rows with one clear choice get it, the others an
    exact programme.

    Which rows are clear is widened until the plan is worth what the prices promise.
    """
    reduced = reduced_values(choices, prices)
    option, brings = _best(reduced)
    promised = float(choices.weight @ brings) + float(prices[bound] @ limits[bound])
    if not prices.any() and (choices.used(option)[bound] <= limits[bound] * (1 + 1e-12)).all():
        share = np.zeros(choices.value.shape)
        chosen = np.flatnonzero(option != NONE)
        share[chosen, option[chosen]] = 1.0
        return share, promised  # everything that pays fits
    ordered = np.sort(np.concatenate([reduced, np.zeros((len(reduced), 1))], axis=1), axis=1)
    lead = (
        ordered[:, -1] - ordered[:, -2] if ordered.shape[1] > 1 else np.full(len(reduced), np.inf)
    )
    # Of the values, not of what is left of them at these prices: that may be nothing but rounding.
    scale = float(np.max(choices.value, initial=0.0, where=np.isfinite(choices.value))) or 1.0
    width = _INDIFFERENT * scale
    while True:
        open_rows = np.flatnonzero((lead <= width) & np.isfinite(choices.value).any(axis=1))
        clear = np.setdiff1d(np.arange(len(option)), open_rows)
        width *= 10
        if (choices.used(option, clear)[bound] > limits[bound] * (1 + 1e-9) + 1e-9).any():
            continue  # prices that are not quite right: once every row is open it fits
        share, total = _exact(choices, limits, bound, option, (clear, open_rows))
        if (
            promised - total <= 1e-9 * max(promised, 1.0) + 0.01
            or len(open_rows) >= _OPEN_ROWS
            or width > 10 * scale
        ):
            return share, total


def _exact(
    choices: Choices, limits: Floats, bound: Rows, option: Rows, rows: tuple[Rows, Rows]
) -> tuple[Floats, float]:
    """Return shares and their total: clear rows as chosen, open ones by a linear programme within
    what is left.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, csr_array, vstack

    clear, free = rows
    share = np.zeros(choices.value.shape)
    taken = clear[option[clear] != NONE]
    share[taken, option[taken]] = 1.0
    total = float(choices.weight[taken] @ choices.value[taken, option[taken]])
    if not len(free):
        return share, total
    place, column = np.nonzero(np.isfinite(choices.value[free]))
    row = free[place]
    weight = choices.weight[row]
    takes = np.zeros((len(limits), len(row)))
    pools = len(choices.available)
    takes[:pools] = (weight[:, None] * choices.minutes[row, column]).T
    takes[pools + choices.group[column], np.arange(len(row))] = weight
    left = np.maximum(limits[bound] - choices.used(option, clear)[bound], 0.0)
    once = coo_array((np.ones(len(row)), (place, np.arange(len(row)))), shape=(len(free), len(row)))
    solved = linprog(
        -(weight * choices.value[row, column]),
        A_ub=vstack([once.tocsr(), csr_array(takes[bound])]),
        b_ub=np.concatenate([np.ones(len(free)), left]),
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    if solved.x is None:  # nobody contacted is always allowed, so this is an error of the solver
        raise RuntimeError(f"the linear programme of the plan was not solved: {solved.message}")
    share[row, column] = np.where(solved.x < 1e-12, 0.0, solved.x)
    return share, total - float(solved.fun)


def rounded(choices: Choices, best: Optimum) -> Rows:
    """Return the option of every row in whole customers: split rows are left out, what fits is
    filled up again.

    Every weight has to be 1. What comes back fits every limit; the best per minute at the optimum's
    prices comes first."""
    whole = best.share >= 1 - 1e-9
    option = np.where(whole.any(axis=1), whole.argmax(axis=1), NONE)
    limits = np.concatenate([choices.available, choices.most])
    left = limits - choices.used(option)
    prices = np.concatenate([best.pool_price, best.place_price])
    reduced = reduced_values(choices, prices)
    waiting = np.flatnonzero(
        (option == NONE) & (np.max(choices.value, axis=1, initial=-np.inf) > 0)
    )
    order = waiting[np.lexsort((waiting, -np.max(reduced[waiting], axis=1, initial=-np.inf)))]
    pools = len(choices.available)
    for row in order[:_FILLED].tolist():
        for column in np.argsort(-reduced[row], kind="stable").tolist():
            takes = choices.minutes[row, column]
            place = pools + int(choices.group[column])
            fits = (takes <= left[:pools] + 1e-9).all() and left[place] >= 1
            if choices.value[row, column] > 0 and fits:
                option[row] = column
                left[:pools] -= takes
                left[place] -= 1
                break
    return option
