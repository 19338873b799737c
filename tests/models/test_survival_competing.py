"""Aalen-Johansen against lifelines, against a known truth, and with delayed entry in whole periods."""

from __future__ import annotations

import numpy as np
import pytest

from akb.models.churn.competing import aalen_johansen


def _drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Durations with two causes (rates .05 and .10) and censoring."""
    rng = np.random.default_rng(seed)
    first, second, stop = (rng.exponential(1 / rate, n) for rate in (0.05, 0.10, 0.04))
    time = np.minimum(np.minimum(first, second), stop)
    return time, np.select([time == first, time == second], [1, 2], 0), rng.uniform(0, 12, n)


def test_it_equals_lifelines_without_truncation() -> None:
    from lifelines import AalenJohansenFitter

    time, cause, _ = _drawn(400, 1)
    mine = aalen_johansen(time, cause, causes=(1, 2))
    for number, code in enumerate((1, 2)):
        theirs = AalenJohansenFitter(calculate_variance=False).fit(time, cause, code).cumulative_density_
        _, left = mine.at(theirs.index.to_numpy())
        assert left[:, number] == pytest.approx(theirs.iloc[:, 0].to_numpy(), abs=1e-12)


def test_it_equals_lifelines_survival_with_delayed_entry() -> None:
    from lifelines import KaplanMeierFitter

    time, cause, entry = _drawn(3000, 2)
    seen = (entry < time) & (entry > 0.2) | (np.arange(len(time)) < 300)
    entry = np.where(np.arange(len(time)) < 300, 0.0, entry)
    mine = aalen_johansen(time[seen], cause[seen], causes=(1, 2), entry=entry[seen])
    theirs = KaplanMeierFitter().fit(time[seen], cause[seen] > 0, entry=entry[seen])
    days = np.linspace(0, 30, 61)
    assert mine.at(days)[0] == pytest.approx(theirs.survival_function_at_times(days).to_numpy(), abs=1e-9)


def test_delayed_entry_undoes_left_truncation() -> None:
    time, cause, entry = _drawn(60_000, 3)
    seen = entry < time
    at = np.array([5.0, 10.0])
    truth = (1 - np.exp(-0.15 * at))[:, None] * np.array([1 / 3, 2 / 3])
    _, honest = aalen_johansen(time[seen], cause[seen], causes=(1, 2), entry=entry[seen]).at(at)
    _, naive = aalen_johansen(time[seen], cause[seen], causes=(1, 2)).at(at)
    assert honest == pytest.approx(truth, abs=0.02)
    assert (naive < truth - 0.05).all()


def test_whole_periods_and_ties_are_taken_as_they_are() -> None:
    time, cause = np.array([1, 1, 2, 2, 2, 3, 3, 3, 3, 3]), np.array(["a", "b", "a", "", "", "b", "b", "a", "", ""])
    found = aalen_johansen(time, cause, causes=("a", "b"))
    assert found.alive == pytest.approx([0.8, 0.7, 0.7 * 2 / 5])
    assert found.left == pytest.approx(np.array([[0.1, 0.1], [0.2, 0.1], [0.2 + 0.7 / 5, 0.1 + 0.7 * 2 / 5]]))
    late = aalen_johansen(np.array([2, 2, 3]), np.array(["a", "b", "a"]), causes=("a", "b"), entry=np.array([0, 2, 0]))
    assert late.alive == pytest.approx([0.5, 0.0])  # who enters in period 2 is not at risk in it


@pytest.mark.parametrize("seed", range(6))
def test_everything_adds_up_to_one_even_when_a_risk_set_empties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    entry = np.concatenate([[0.0], rng.integers(2, 9, 40)])
    time = np.concatenate([[1.0], entry[1:] + rng.integers(1, 9, 40)])
    cause = rng.integers(0, 3, 41)
    cause[0] = 1  # the only one there leaves before the others enter
    found = aalen_johansen(time, cause, causes=(1, 2), entry=entry)
    assert found.alive + found.left.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (np.diff(found.left, axis=0) >= 0).all() and found.alive[0] > 0
    weighted = aalen_johansen(time, cause, causes=(1, 2), entry=entry, weight=np.full(41, 3.0))
    assert weighted.left == pytest.approx(found.left)
