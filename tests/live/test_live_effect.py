"""The measured effect: covers what is true as often as it says, is no wider than it need be, and beats the prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from akb.config import load_settings
from akb.live.experiment.effect import Measured, intention_to_treat, within_clusters
from akb.live.experiment.posterior import Posterior, posterior, prior
from akb.live.experiment.robust import robust_fit

SEEDS = 400
ENTRY = load_settings().assumed()["contacts.call.effect_relation"]


@dataclass(frozen=True)
class Result:
    """One simulated experiment: what was measured, what was true, how wide the plain interval is."""

    measured: Measured
    truth: float
    prevented: float
    plain: float


def simulated(customers: int, base: float, *, advisers: int, icc: float, seed: int) -> Result:
    """Draw a true effect from the register's range, a book with risks that a forecast knows a part of, and lots."""
    rng = np.random.default_rng([9, seed])
    prevented = rng.triangular(ENTRY.low, ENTRY.value, ENTRY.high)
    seen = rng.normal(size=customers)
    risk = 1 / (1 + np.exp(-(np.log(base / (1 - base)) + 0.8 * seen)))
    risk *= base / risk.mean()
    unit = np.arange(customers)
    if advisers:
        unit = unit % advisers
        risk = np.clip(risk + rng.normal(size=advisers)[unit] * np.sqrt(icc * base * (1 - base)), 0.001, 0.95)
        treated = (rng.permutation(advisers) < advisers // 2)[unit]
    else:
        treated = rng.random(customers) < 0.5
    left = rng.random(customers) < np.where(treated, risk * (1 - prevented), risk)
    forecast = 1 / (1 + np.exp(-seen))
    found = intention_to_treat(
        left.astype(float), treated, forecast, cluster=unit, stratum=np.arange(customers) % 4
    )  # fmt: skip
    variances = [left[arm].mean() * (1 - left[arm].mean()) / arm.sum() for arm in (treated, ~treated)]
    effect = 1 + (customers / advisers - 1) * icc if advisers else 1.0
    return Result(found, float(-(risk * prevented).mean()), prevented, float(1.96 * np.sqrt(effect * sum(variances))))


SHAPES = {
    "customers": (800, 0.09, 0, 0.0),
    "rare": (1500, 0.03, 0, 0.0),
    "often": (300, 0.27, 0, 0.0),
    "advisers": (1200, 0.09, 24, 0.02),
    "few advisers": (600, 0.15, 10, 0.03),
}


@cache
def results(shape: str) -> list[Result]:
    customers, base, advisers, icc = SHAPES[shape]
    return [simulated(customers, base, advisers=advisers, icc=icc, seed=seed) for seed in range(SEEDS)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_interval_covers_as_often_as_it_says(shape: str) -> None:
    covers = [each.measured.interval[0] <= each.truth <= each.measured.interval[1] for each in results(shape)]
    assert 0.915 <= np.mean(covers) <= 0.98  # 3 standard errors of 400 seeds are 3.3 points


@pytest.mark.parametrize("shape", SHAPES)
def test_the_interval_is_no_wider_than_that_of_two_proportions(shape: str) -> None:
    ratio = [np.ptp(each.measured.interval) / 2 / each.plain for each in results(shape)]
    # ten advisers leave eight degrees of freedom: t is 2.31 where two proportions say 1.96
    assert np.mean(ratio) <= 1.25
    if not SHAPES[shape][2]:
        assert max(ratio) <= 1.25


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_believed_afterwards_is_nearer_than_what_was_believed_before(shape: str) -> None:
    believed = [(posterior(ENTRY, each.measured), each.prevented) for each in results(shape)]
    after = np.mean([(now.mean - truth) ** 2 for now, truth in believed])
    before = np.mean([(prior(ENTRY).mean - truth) ** 2 for _, truth in believed])
    assert after < before
    assert 0.86 <= np.mean([now.low <= truth <= now.high for now, truth in believed]) <= 0.94


@pytest.mark.parametrize("shape", ["customers", "often"])
def test_a_part_prevented_has_an_interval_of_its_own(shape: str) -> None:
    ends = [(each.measured.prevented_interval(), each.prevented) for each in results(shape)]
    covers = [interval is None or interval[0] <= truth <= interval[1] for interval, truth in ends]
    assert 0.925 <= np.mean(covers) <= 0.98


def test_a_plain_variance_would_be_too_sure_of_advisers() -> None:
    # the same experiments, advisers forgotten: the test above can fail
    customers, base, advisers, icc = 4000, 0.15, 20, 0.05
    covers = []
    for seed in range(200):
        each = simulated(customers, base, advisers=advisers, icc=icc, seed=seed)
        width = np.ptp(each.measured.interval) / np.sqrt(1 + (customers / advisers - 1) * icc)
        covers.append(abs(each.measured.difference - each.truth) <= width / 2)
    assert np.mean(covers) < 0.85


def test_the_forecast_narrows_the_interval() -> None:
    rng = np.random.default_rng(3)
    forecast = rng.normal(size=2000)
    treated = rng.random(2000) < 0.5
    outcome = 2 * forecast + rng.normal(size=2000)
    common = {"cluster": np.arange(2000), "stratum": np.zeros(2000)}
    with_it = intention_to_treat(outcome, treated, forecast, **common)
    without = intention_to_treat(outcome, treated, np.full(2000, np.nan), **common)
    assert np.ptp(with_it.interval) < 0.5 * np.ptp(without.interval)
    assert not with_it.distinguishable


@pytest.mark.parametrize("size", [1, 3])
def test_the_variance_is_that_of_the_definition(size: int) -> None:
    # CR2 and its degrees of freedom by their definitions, with matrices of rows by rows
    rng = np.random.default_rng(5)
    n = 24
    cluster = np.arange(n) // size
    x = np.column_stack([np.ones(n), (cluster % 2).astype(float), rng.normal(size=n)])
    y = rng.normal(size=n)
    fit = robust_fit(x, y, cluster)
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    left = np.eye(n) - hat
    residual = left @ y
    contrast = np.array([0.0, 1.0, 0.0])
    meat, columns = np.zeros((3, 3)), []
    for name in np.unique(cluster):
        own = cluster == name
        value, vector = np.linalg.eigh(left[np.ix_(own, own)])
        root = (vector / np.sqrt(value)) @ vector.T
        score = x[own].T @ root @ residual[own]
        meat += np.outer(score, score)
        columns.append(left[:, own] @ root @ x[own] @ bread @ contrast)
    inner = np.column_stack(columns).T @ np.column_stack(columns)
    assert fit.covariance == pytest.approx(bread @ meat @ bread)
    assert fit.degrees(contrast) == pytest.approx(np.trace(inner) ** 2 / np.trace(inner @ inner))


def test_two_arms_are_needed() -> None:
    with pytest.raises(ValueError, match="two arms"):
        intention_to_treat(np.ones(4), np.ones(4, dtype=bool), np.ones(4), cluster=np.arange(4), stratum=np.zeros(4))
    with pytest.raises(ValueError, match="two arms of two units"):
        intention_to_treat(np.ones(4), np.array([True, True, True, False]), np.ones(4), cluster=np.arange(4),
                           stratum=np.zeros(4))  # fmt: skip


def test_where_nothing_happens_nothing_is_learned() -> None:
    quiet = intention_to_treat(np.zeros(40), np.arange(40) % 2 == 0, np.arange(40.0), cluster=np.arange(40),
                               stratum=np.zeros(40))  # fmt: skip
    assert not quiet.distinguishable
    assert quiet.prevented is None
    assert quiet.prevented_interval() is None


def test_a_sharp_experiment_leaves_the_prior_behind() -> None:
    rng = np.random.default_rng(1)
    treated = np.arange(400_000) % 2 == 0
    left = (rng.random(400_000) < np.where(treated, 0.2 * 0.75, 0.2)).astype(float)
    sharp = intention_to_treat(left, treated, np.full(400_000, np.nan), cluster=np.arange(400_000),
                               stratum=np.zeros(400_000))  # fmt: skip
    now = posterior(ENTRY, sharp)
    assert now.low < 0.25 < now.high
    assert now.high - now.low < 0.03
    assert isinstance(prior(ENTRY), Posterior)


def test_customers_of_one_adviser_are_as_alike_as_was_drawn() -> None:
    rng = np.random.default_rng(8)
    cluster = np.arange(20_000) % 200
    outcome = np.sqrt(0.05) * rng.normal(size=200)[cluster] + np.sqrt(0.95) * rng.normal(size=20_000)
    assert within_clusters(outcome, cluster) == pytest.approx(0.05, abs=0.015)
