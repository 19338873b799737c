from dataclasses import replace

import pytest

from akb.models.evidence.grading import gate, grade
from akb.models.types import Calibration, Evidence


def proof(ci: tuple[float, float], slope_ci: tuple[float, float] | None = (0.9, 1.1)) -> Evidence:
    return Evidence(auc=0.7, auc_ci=(0.65, 0.75), calibration=Calibration(1.0, ci, 1.0, slope_ci), positives=500.0)


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


@pytest.mark.parametrize("ci", [(0.80, 1.25), (0.5, 2.0), (0.999, 1.001)])
@pytest.mark.parametrize("slope_ci", [(0.9, 1.1), None])
def test_under_fifty_events_in_the_test_window_no_gate_opens(
    ci: tuple[float, float], slope_ci: tuple[float, float] | None
) -> None:
    enough = proof(ci, slope_ci)
    for few in (0, 1, 49):
        assert gate(replace(enough, positives=float(few))) == "fail"
        assert gate(replace(enough, events=few)) == "fail"  # customers count, not policies or euros
    opened = gate(enough)
    assert opened in ("pass", "provisional")
    assert gate(replace(enough, positives=50.0)) == gate(replace(enough, positives=3.0, events=50)) == opened


def test_amounts_and_costs_have_the_same_gate() -> None:
    from akb.value.revenue.euro_evidence import gate_of

    for events in (0, 49, 50, 500):
        for ci in ((0.80, 1.25), (0.5, 2.0), (1.2, 1.4)):
            one = replace(proof(ci, None), positives=float(events))
            assert gate_of(one) == gate(one)


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
