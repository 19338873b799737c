"""The interval around leavers expected: that of the level, of those whose end is not announced."""

from __future__ import annotations

import pytest

from akb.models.types import Calibration, Evidence
from akb.report.sections.risk import level_range

EVIDENCE = Evidence(calibration=Calibration(1.0, (0.8, 1.3)))


def test_the_interval_of_the_level_does_not_scale_what_is_announced() -> None:
    assert level_range(100.0, EVIDENCE, 40.0) == pytest.approx((40 + 0.8 * 60, 40 + 1.3 * 60))
    assert level_range(100.0, EVIDENCE) == pytest.approx((80.0, 130.0))
    assert level_range(40.0, EVIDENCE, 40.0) == pytest.approx((40.0, 40.0))
    assert level_range(100.0, None, 40.0) is None


def test_the_interval_contains_what_is_expected() -> None:
    high = Evidence(calibration=Calibration(1.2, (1.1, 1.3)))
    assert level_range(100.0, high, 40.0) == pytest.approx((100.0, 40 + 1.3 * 60))
