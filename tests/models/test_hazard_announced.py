"""Announced ends are certain, and are taken off what is expected of the others (docs/architecture.md, Time 6)."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akb.models.churn.announced import announced_causes, announced_lags, with_announced
from akb.models.churn.causes import CAUSES
from akb.models.churn.hazard import incidence, stay

X = date(2025, 12, 31)


def _monthly(by_cause: np.ndarray) -> np.ndarray:
    return np.diff(incidence(by_cause).sum(axis=0), axis=0, prepend=0.0)


def _people(n: int, seed: int) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, 0.004, (n, 12, 3)) * np.array([0.6, 0.2, 1.5]), rng


def _certain(lag: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.eye(3)[rng.integers(0, 3, len(lag))]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 12))
def test_expectation_per_month_and_cause_stays(seed: int, told: int) -> None:
    by_cause, rng = _people(2000, seed)
    lag = np.zeros(2000, dtype=np.int64)
    lag[rng.choice(2000, told, replace=False)] = rng.integers(1, 14, told)
    split = _certain(lag, rng)
    after = with_announced(by_cause, lag, split)
    certain = np.array([[split[lag == m][:, c].sum() for c in range(3)] for m in range(1, 13)])
    kept = certain <= _monthly(by_cause)
    assert np.abs(_monthly(after) - _monthly(by_cause))[kept].max(initial=0) < 1e-9
    assert (after >= 0).all() and (after.sum(axis=2)[lag == 0] <= 0.95 + 1e-12).all()


def test_announced_leavers_leave_in_their_month_and_not_before() -> None:
    by_cause, rng = _people(300, 1)
    lag = np.zeros(300, dtype=np.int64)
    lag[:3] = (1, 5, 13)
    split = _certain(lag, rng)
    alive = stay(with_announced(by_cause, lag, split))
    assert alive[0, 0] == 0 and alive[1, 3] == 1 and alive[1, 4] == 0 and alive[2, 11] == 1
    assert np.allclose(incidence(with_announced(by_cause, lag, split))[1, -1], split[1])


def test_more_announced_than_expected_leaves_the_order_of_the_others() -> None:
    by_cause, _ = _people(50, 2)
    lag = np.zeros(50, dtype=np.int64)
    lag[:20] = 1
    after = with_announced(by_cause, lag, np.tile([0.0, 0.0, 1.0], (50, 1)))
    others, before = after[20:, 0, 2], by_cause[20:, 0, 2]
    assert (others > 0).all() and (np.argsort(others) == np.argsort(before)).all()


def test_nothing_announced_changes_nothing() -> None:
    by_cause, _ = _people(20, 3)
    assert with_announced(by_cause, np.zeros(20, dtype=np.int64), np.zeros((20, 3))) is by_cause


def test_month_of_an_announced_end() -> None:
    ends = {3: date(2026, 1, 1), 5: date(2026, 1, 31), 6: date(2026, 2, 1), 9: date(2026, 12, 31), 12: date(2027, 1, 1)}
    announced = pl.DataFrame(
        {
            "customer": pl.Series(list(ends), dtype=pl.UInt32),
            "end_date": list(ends.values()),
            "cause": ["natural", "unknown", "insurer", "preventable", None],
        }
    )
    customers = np.array([1, 3, 5, 6, 9, 12], dtype=np.uint32)
    assert announced_lags(announced, customers, X).tolist() == [0, 1, 1, 2, 12, 13]
    own = np.tile([0.2, 0.3, 0.5], (6, 1))
    split = announced_causes(announced, customers, CAUSES, own, known=True)
    assert split[1].tolist() == [1, 0, 0] and split[3].tolist() == [0, 1, 0]
    assert split[2] == pytest.approx([0.2, 0.3, 0.5])
    assert (announced_causes(announced, customers, CAUSES, own, known=False) == own).all()


def test_announced_of_someone_not_in_force_is_ignored() -> None:
    announced = pl.DataFrame(
        {"customer": pl.Series([7], dtype=pl.UInt32), "end_date": [date(2026, 3, 1)], "cause": ["natural"]}
    )
    assert not announced_lags(announced, np.array([1, 9], dtype=np.uint32), X).any()
