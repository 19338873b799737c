from dataclasses import replace

import pytest

from akb.models.grading import gate, grade
from akb.models.types import Calibration, Evidence


def proof(ci: tuple[float, float], slope_ci: tuple[float, float] | None = (0.9, 1.1)) -> Evidence:
    return Evidence(auc=0.7, auc_ci=(0.65, 0.75), calibration=Calibration(1.0, ci, 1.0, slope_ci))


@pytest.mark.parametrize(
    ("ci", "slope_ci", "expected"),
    [
        ((0.80, 1.25), (0.9, 1.1), "pass"),
        ((0.79, 1.25), (0.9, 1.1), "provisional"),
        ((0.80, 1.26), (0.9, 1.1), "provisional"),
        ((1.10, 1.20), (0.9, 1.1), "pass"),
        ((1.101, 1.20), (0.9, 1.1), "fail"),
        ((0.82, 0.899), (0.9, 1.1), "fail"),
        ((0.70, 0.90), (0.9, 1.1), "provisional"),
        ((0.95, 1.05), (0.5, 0.79), "fail"),
        ((0.95, 1.05), (0.5, 0.80), "pass"),
        ((0.95, 1.05), (1.21, 1.4), "fail"),
        ((0.95, 1.05), None, "pass"),
    ],
)
def test_gate_at_its_boundaries(ci: tuple[float, float], slope_ci: tuple[float, float] | None, expected: str) -> None:
    assert gate(proof(ci, slope_ci)) == expected


def test_no_evidence_no_gate() -> None:
    assert gate(None) == "none"
    assert gate(Evidence()) == "none"


@pytest.mark.parametrize(
    ("events", "dates", "barrier", "gain", "expected"),
    [
        (200, 2, "pass", True, "strong"),
        (199, 2, "pass", True, "usable"),
        (200, 1, "pass", True, "usable"),
        (200, 2, "provisional", True, "usable"),
        (200, 2, "pass", False, "usable"),
        (100, 1, "provisional", False, "usable"),
        (99, 2, "pass", True, "indicative"),
        (500, 2, "fail", True, "indicative"),
        (50, 1, "none", False, "indicative"),
        (49, 2, "pass", True, "insufficient"),
    ],
)
def test_grade_at_its_boundaries(events: float, dates: int, barrier: str, gain: bool, expected: str) -> None:
    given = grade(proof((0.9, 1.1)), barrier, events, dates, gain_significant=gain)  # type: ignore[arg-type]
    assert given == expected


def test_a_rank_that_may_be_chance_is_insufficient() -> None:
    chance = replace(proof((0.9, 1.1)), auc_ci=(0.5, 0.8))
    assert grade(chance, "pass", 1000, 2, gain_significant=True) == "insufficient"
    assert grade(replace(chance, auc_ci=(0.501, 0.8)), "pass", 1000, 2, gain_significant=True) == "strong"
    assert grade(None, "none", 1000, 2, gain_significant=True) == "none"
