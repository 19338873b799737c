"""Leavers expected: corrected by the last test, the announced left alone, in a band round it that the book can hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.models.types import Calibration, Evidence, Prediction
from akb.report.chapters.levels import corrected, level_range

MADE = Prediction("churn_12m", "fitted", evidence=Evidence(positives=80.0, calibration=Calibration(0.9, (0.8, 1.3))))


def level(ratio: float, ci: tuple[float, float], positives: float = 80.0) -> Prediction:
    return replace(MADE, evidence=Evidence(positives=positives, calibration=Calibration(ratio, ci)))


def test_the_last_test_corrects_what_is_not_announced() -> None:
    assert corrected(100.0, MADE, 1000.0, 40.0) == pytest.approx((40 + 0.9 * 60, 40 + 0.8 * 60, 40 + 1.3 * 60))
    assert corrected(393.0, level(0.92, (0.85, 1.0)), 5000.0)[0] == pytest.approx(361.56)
    assert corrected(40.0, MADE, 1000.0, 40.0) == pytest.approx((40.0, 40.0, 40.0))
    assert corrected(100.0, None, 1000.0, 40.0) == (100.0, None, None)


def test_under_twenty_events_nothing_is_corrected_and_no_band_is_named() -> None:
    assert corrected(100.0, level(0.5, (0.2, 0.9), positives=19.0), 1000.0) == (100.0, None, None)
    found = corrected(100.0, level(0.5, (0.2, 0.9), positives=20.0), 1000.0)
    assert found == pytest.approx((50.0, 20.0, 90.0))


def test_a_level_over_a_shorter_horizon_says_nothing_of_this_one() -> None:
    assert corrected(100.0, replace(MADE, evidence_months=3), 1000.0) == (100.0, None, None)
    assert level_range(100.0, replace(MADE, evidence_months=3), 1000.0) is None


def test_no_band_is_wider_than_the_book() -> None:
    wide = level(1.0, (0.4, 2.5))
    assert level_range(3451.0, wide, 7662.0) == pytest.approx((0.4 * 3451, 7662.0))
    assert corrected(3451.0, wide, 7662.0)[2] == pytest.approx(7662.0)


@given(
    n=st.integers(1, 9000),
    share=st.floats(0.0, 1.0),
    announced=st.floats(0.0, 1.0),
    ratio=st.floats(0.0, 4.0),
    spread=st.tuples(st.floats(0.1, 1.0), st.floats(1.0, 3.0)),
    events=st.sampled_from([20.0, 500.0]),
)
def test_every_band_lies_round_its_point_and_in_the_book(
    n: int, share: float, announced: float, ratio: float, spread: tuple[float, float], events: float
) -> None:
    made = level(ratio, (ratio * spread[0], ratio * spread[1]), events)
    modelled = share * n
    point, low, high = corrected(modelled, made, float(n), announced * modelled)
    assert low is not None
    assert high is not None
    assert 0.0 <= low <= point <= high <= n + 1e-6
    found = level_range(modelled, made, float(n))
    assert found is not None
    assert 0.0 <= found[0] <= modelled <= found[1] <= n + 1e-6
