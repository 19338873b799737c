"""AKB-M001 to M006: a case that fires, one that must not, one where it does not apply."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from akb.features.types import Matrix
from akb.models.methods.checks import checks, taught_by
from akb.models.types import Calibration, Evidence, Gate, Grade, LastYear, Prediction, Status


def told(
    auc: float = 0.7,
    gate: Gate = "pass",
    grade: Grade = "usable",
    status: Status = "fitted",
    months: int = 12,
    events: float = 300,
    stood: float | None = None,
) -> Prediction:
    proof = Evidence(
        test_date=date(2024, 1, 1),
        positives=events,
        auc=auc,
        auc_ci=(auc - 0.03, auc + 0.03),
        calibration=Calibration(1.0, (0.9, 1.1)),
        last_year=None if stood is None else LastYear(None, None, auc=stood),
    )
    return Prediction("k", status, horizon_months=months, evidence=proof, gate=gate, grade=grade)


def codes(*predictions: Prediction) -> list[str]:
    return [finding.code for finding in checks(predictions, {"k": "Kans"})]


@pytest.mark.parametrize(
    ("code", "fires", "silent", "not_applicable"),
    [
        ("AKB-M001", told(gate="none"), told(), told(status="unavailable", gate="none")),
        ("AKB-M002", told(auc=0.97), told(auc=0.80), told(auc=0.97, months=1)),
        ("AKB-M003", told(gate="fail", grade="indicative"), told(), told(status="unavailable", gate="fail")),
    ],
)
def test_a_finding_fires_when_it_must_and_only_then(
    code: str, fires: Prediction, silent: Prediction, not_applicable: Prediction
) -> None:
    assert code in codes(fires, told())
    assert code not in codes(silent)
    assert code not in codes(not_applicable)


def test_too_good_needs_events_and_its_own_window() -> None:
    assert "AKB-M002" not in codes(told(auc=0.97, events=40))
    assert "AKB-M002" not in codes(told(auc=0.97, gate="none"))


def test_what_stood_already_explains_a_good_rank_but_not_a_perfect_one() -> None:
    assert "AKB-M002" not in codes(told(auc=0.95, stood=0.90))
    assert "AKB-M002" in codes(told(auc=0.95, stood=0.60))
    assert "AKB-M002" in codes(told(auc=0.99, stood=0.90))


def test_every_finding_has_its_words() -> None:
    for finding in checks([told(gate="none"), told(auc=0.97), told(gate="fail", grade="indicative")], {"k": "Kans"}):
        assert finding.sentence().endswith(".") and finding.remedy().endswith(".")
        assert "{" not in finding.sentence()


def test_a_panel_is_told_and_nothing_where_everybody_teaches() -> None:
    """AKB-M006 fires with a panel, not without one, and with nobody at all there is none."""
    frame = pl.DataFrame(
        {"as_of": [date(2024, 1, 1)], "customer": [1]}, schema={"as_of": pl.Date, "customer": pl.UInt32}
    )
    (found,) = taught_by(Matrix(frame, (), panel=np.array([True, False, True])))
    assert found.code == "AKB-M006" and found.count == 2
    assert "2 klanten" in found.sentence() and found.remedy()
    assert taught_by(Matrix(frame, ())) == []
    assert taught_by(Matrix(frame.clear(), ())) == []
