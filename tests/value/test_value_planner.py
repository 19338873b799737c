"""The planner: its optimum is that of a general solver, and its lists are possible and nearly as good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from akb.value.targeting.planning.planner import NONE, Choices, optimum, rounded


def problem(seed: int, n: int = 40, *, k: int = 4, weighted: bool = True) -> Choices:
    """A random problem: negative values, options that are not allowed, zero minutes, limits that bind or do not."""
    rng = np.random.default_rng(seed)
    value = rng.normal(200, 400, (n, k))
    value[rng.random((n, k)) < 0.2] = -np.inf
    value[rng.random(n) < 0.1] = -np.inf  # may not be contacted at all
    minutes = rng.uniform(2, 60, (n, k, 2)) * (rng.random((n, k, 2)) < 0.6)
    weight = rng.integers(1, 9, n).astype(np.float64) if weighted else np.ones(n)
    share = rng.choice([0.0, 0.05, 0.3, 2.0, np.inf], 2)
    available = np.where(np.isfinite(share), share * 15 * weight.sum(), np.inf)
    group = np.array([0, 1, 2, 1][:k], dtype=np.int64)
    most = np.where(rng.random(3) < 0.5, np.inf, np.floor(rng.random(3) * weight.sum() / 3))
    return Choices(value, minutes, available, group, most, weight)


def solved(choices: Choices) -> float:
    """The optimum as one linear programme by HiGHS."""
    place, column = np.nonzero(np.isfinite(choices.value))
    if not len(place):
        return 0.0
    weight = choices.weight[place]
    limits = [*choices.available, *choices.most]
    takes = np.zeros((len(choices.value) + len(limits), len(place)))
    takes[place, np.arange(len(place))] = 1.0
    for pool in range(len(choices.available)):
        takes[len(choices.value) + pool] = weight * choices.minutes[place, column, pool]
    for group in range(len(choices.most)):
        takes[len(choices.value) + len(choices.available) + group] = weight * (choices.group[column] == group)
    most = np.concatenate([np.ones(len(choices.value)), limits])
    bound = np.isfinite(most)
    found = linprog(-weight * choices.value[place, column], A_ub=takes[bound], b_ub=most[bound], method="highs")
    return -float(found.fun)


def possible(choices: Choices, share: np.ndarray) -> None:
    """Nobody gets more than one contact or one that is not allowed, and every limit holds."""
    assert (share >= 0).all()
    assert (share.sum(axis=1) <= 1 + 1e-9).all()
    assert not share[~np.isfinite(choices.value)].any()
    weight = share * choices.weight[:, None]
    used = np.einsum("nk,nkp->p", weight, choices.minutes)
    assert (used <= choices.available * (1 + 1e-7) + 1e-6).all()
    counts = np.bincount(choices.group, weights=weight.sum(axis=0), minlength=len(choices.most))
    assert (counts <= choices.most * (1 + 1e-7) + 1e-6).all()


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 60))
@example(seed=0, n=1)  # at the right price of a minute nothing is left of any value
def test_the_optimum_is_that_of_a_general_solver(seed: int, n: int) -> None:
    choices = problem(seed, n)
    best = optimum(choices)
    possible(choices, best.share)
    told = float((np.where(best.share > 0, choices.value, 0.0) * best.share).sum(axis=1) @ choices.weight)
    assert best.total == pytest.approx(told, abs=0.01)
    assert best.total == pytest.approx(solved(choices), rel=1e-7, abs=0.02)
    assert (best.pool_price >= 0).all()
    assert (best.place_price >= 0).all()


def test_nobody_who_may_be_contacted_and_no_options() -> None:
    choices = problem(1)
    nobody = optimum(replace(choices, value=np.full_like(choices.value, -np.inf)))
    assert nobody.total == 0
    assert not nobody.share.any()
    assert not nobody.pool_price.any()
    empty = replace(choices, value=choices.value[:0], minutes=choices.minutes[:0], weight=choices.weight[:0])
    assert optimum(empty).total == 0
    assert optimum(replace(choices, value=-np.abs(choices.value))).total == 0  # nothing pays


def test_whoever_takes_no_minutes_is_contacted_where_that_pays() -> None:
    choices = problem(2)
    free = replace(choices, minutes=np.zeros_like(choices.minutes), available=np.zeros(2), most=np.full(3, np.inf))
    best = optimum(free)
    pays = np.maximum(np.max(free.value, axis=1), 0.0)
    assert best.total == pytest.approx(float(free.weight @ pays))
    assert np.array_equal(best.share.sum(axis=1) > 0, pays > 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_weight_is_so_many_copies(seed: int) -> None:
    choices = problem(seed, 30)
    times = choices.weight.astype(np.int64)
    copies = replace(
        choices,
        value=np.repeat(choices.value, times, axis=0),
        minutes=np.repeat(choices.minutes, times, axis=0),
        weight=np.ones(times.sum()),
    )
    assert optimum(copies).total == pytest.approx(optimum(choices).total, rel=1e-9, abs=0.02)


def office(seed: int, n: int = 2500) -> Choices:
    """A book of customers with scarce hours."""
    rng = np.random.default_rng(seed)
    churn, stake = rng.beta(1, 12, n), rng.gamma(1.5, 300_000, n)
    takes = np.array([[0.0, 0.3], [6.0, 3.0], [15.0, 3.0], [0.0, 60.0]])
    effect, cost = np.array([0.02, 0.08, 0.15, 0.25]), np.array([60.0, 700.0, 1700.0, 8000.0])
    value = (churn * stake)[:, None] * effect * rng.uniform(0.8, 1.2, (n, 4)) - cost
    value[rng.random((n, 4)) < 0.1] = -np.inf
    minutes = np.broadcast_to(takes, (n, 4, 2)) * rng.uniform(0.9, 1.1, (n, 1, 1))
    most = np.array([np.inf, 20.0, np.inf, np.inf])
    return Choices(value, minutes, np.array([2400.0, 1800.0]), np.arange(4), most, np.ones(n))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_lists_are_possible_and_lose_at_most_half_a_percent(seed: int) -> None:
    choices = office(seed)
    best = optimum(choices)
    option = rounded(choices, best)
    rows = np.flatnonzero(option != NONE)
    whole = np.zeros(choices.value.shape)
    whole[rows, option[rows]] = 1.0
    possible(choices, whole)
    total = float(choices.value[rows, option[rows]].sum())
    assert 0.995 * best.total <= total <= best.total + 0.01
    assert ((best.share > 1e-9) & (best.share < 1 - 1e-9)).any(axis=1).sum() <= 3  # no more than limits that bind
    assert (best.pool_price > 0).all()


def test_any_order_of_customers_gets_the_same() -> None:
    choices = office(3)
    order = np.random.default_rng(1).permutation(len(choices.value))
    other = replace(choices, value=choices.value[order], minutes=choices.minutes[order])
    here, there = optimum(choices), optimum(other)
    assert there.total == pytest.approx(here.total, rel=1e-9)
    assert np.allclose(there.share, here.share[order], atol=1e-6)
    assert np.array_equal(rounded(other, there), rounded(choices, here)[order])


@pytest.mark.parametrize("pool", [0, 1])
def test_the_price_of_a_minute_is_what_one_more_brings(pool: int) -> None:
    choices = office(4)
    best = optimum(choices)
    more = choices.available.copy()
    more[pool] += 0.5
    brings = optimum(replace(choices, available=more)).total - best.total
    more[pool] -= 1.0
    costs = best.total - optimum(replace(choices, available=more)).total
    assert brings - 0.02 <= 0.5 * best.pool_price[pool] <= costs + 0.02
    assert brings == pytest.approx(costs, rel=0.02)


def test_a_place_more_brings_its_price_and_an_hour_that_nobody_needs_nothing() -> None:
    choices = office(5)
    best = optimum(choices)
    most = choices.most.copy()
    most[1] += 0.02
    gained = optimum(replace(choices, most=most)).total - best.total
    assert best.place_price[1] > 0
    assert gained == pytest.approx(0.02 * best.place_price[1], rel=0.01)
    roomy = optimum(replace(choices, available=np.array([1e7, np.inf])))
    assert (roomy.pool_price == 0).all()
    assert not best.place_price[[0, 2, 3]].any()
