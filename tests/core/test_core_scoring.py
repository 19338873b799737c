"""Amounts judged: the Tweedie deviance against scikit-learn's, and a baseline that is flattered."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_tweedie_deviance

from akb.core.scoring import POWER, gini, last_value, tweedie_deviance, tweedie_skill


def amounts(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Expected amounts, and compound Poisson-gamma draws around them: zero for many."""
    rng = np.random.default_rng(3)
    expected = np.exp(4 + rng.normal(size=n))
    counts = rng.poisson(0.8, n)
    return expected, rng.gamma(2.0 * np.maximum(counts, 1), expected / 1.6) * (counts > 0)


def test_the_deviance_is_that_of_scikit_learn() -> None:
    expected, amount = amounts()
    assert (amount == 0).any()
    found = float(tweedie_deviance(amount, expected).mean())
    assert found == pytest.approx(mean_tweedie_deviance(amount, expected, power=POWER))


def test_skill_is_one_for_what_happened_and_none_for_the_mean() -> None:
    expected, amount = amounts()
    assert tweedie_skill(amount, np.full(len(amount), amount.mean())) == pytest.approx(0.0)
    assert tweedie_skill(amount, amount) == pytest.approx(1.0, abs=0.03)
    best = tweedie_skill(amount, expected)
    assert best is not None and best > 0.1
    for factor in (0.7, 1.4):
        worse = tweedie_skill(amount, factor * expected)
        assert worse is not None and worse < best
    assert tweedie_skill(np.zeros(5), np.ones(5)) is None
    assert tweedie_skill(np.array([-5.0, 10.0]), np.array([0.0, 10.0])) is not None


def test_last_years_value_is_drawn_to_the_mean_as_far_as_does_best() -> None:
    rng = np.random.default_rng(1)
    expected, amount = amounts()
    noise = rng.permutation(amount)  # last year says nothing: the mean does best
    flat, own = last_value(amount, noise), last_value(amount, amount * 2)
    assert flat is not None and own is not None
    assert own == pytest.approx(amount)
    assert np.std(flat) < 0.3 * np.std(noise)
    assert flat.sum() == pytest.approx(amount.sum())
    unknown = np.where(np.arange(len(amount)) < 100, np.nan, expected)
    told = last_value(amount, unknown)
    assert told is not None and np.ptp(told[:100]) == 0
    assert last_value(amount, np.full(len(amount), np.nan)) is None
    assert gini(amount, np.ones(len(amount))) == pytest.approx(0.0, abs=1e-9)
