"""Annex B and D: every prediction with what it showed on later data. Accuracy is never shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from akb.models.types import Calibration, Evidence, Prediction
    from akb.report.context import Context

MADE = ("fitted", "derived")
PROVEN = ("strong", "usable")


def facts(context: Context) -> dict[str, Any]:
    """Return the predictions in catalogue order, the headline counts, and the calibration bands of churn."""
    made = context.bundle.predictions
    rows = [
        _row(entry.key, entry.name_nl, entry.section, entry.counts, made.get(entry.key))
        for entry in context.bundle.entries
    ]
    counted = [row for row in rows if row["counts"]]
    return {
        "predictions": rows,
        "made": sum(row["status"] in MADE for row in counted),
        "proven": sum(row["grade"] in PROVEN for row in counted),
        "strong": sum(row["grade"] == "strong" for row in counted),
        "usable": sum(row["grade"] == "usable" for row in counted),
        "total": len(counted),
        "calibration": _churn_bands(context),
    }


def _row(key: str, name: str, section: str, counts: bool, prediction: Prediction | None) -> dict[str, Any]:
    if prediction is None:
        return {
            "key": key,
            "name": name,
            "section": section,
            "counts": counts,
            "status": "unavailable",
            "why": "",
            **_proof(None),
            "gate": "none",
            "grade": "none",
            "horizon_months": None,
            "winner": "",
            "pooled_weight": None,
            "candidates": [],
        }
    return {
        "key": key,
        "name": name,
        "section": section,
        "counts": counts,
        "status": prediction.status,
        "why": prediction.why,
        "horizon_months": prediction.horizon_months,
        **_proof(prediction.evidence, prediction.population),
        "gate": prediction.gate,
        "grade": prediction.grade,
        "winner": prediction.winner,
        "pooled_weight": prediction.pooled_weight,
        "candidates": [asdict(candidate) for candidate in prediction.candidates],
    }


def _proof(evidence: Evidence | None, population: int = 0) -> dict[str, Any]:
    shown = ("auc", "auc_ci", "lift_top_decile", "precision_top_decile", "brier_skill", "deviance_skill", "gini")
    return {
        "test_date": evidence.test_date if evidence else None,
        "population": evidence.population if evidence else population,
        "positives": evidence.positives if evidence else None,
        "base_rate": evidence.base_rate if evidence else None,
        **{name: getattr(evidence, name) if evidence else None for name in shown},
        "calibration": _level(evidence.calibration) if evidence and evidence.calibration else None,
    }


def _level(calibration: Calibration) -> dict[str, Any]:
    return {
        "observed_expected": calibration.observed_expected,
        "ci": calibration.ci,
        "slope": calibration.slope,
        "slope_ci": calibration.slope_ci,
    }


def _churn_bands(context: Context) -> dict[str, Any] | None:
    """Return predicted beside observed per band of the longest churn horizon that has evidence."""
    for months in (12, 6, 3, 1):
        prediction = context.bundle.predictions.get(f"churn_{months}m")
        evidence = prediction.evidence if prediction else None
        if evidence and evidence.calibration and evidence.calibration.bands:
            names = ("lower", "upper", "customers", "predicted", "observed", "low", "high")
            rows = [dict(zip(names, band, strict=True)) for band in evidence.calibration.bands]
            return {
                "key": f"churn_{months}m",
                "months": months,
                "test_date": evidence.test_date,
                "bands": context.suppressed(rows, keep=("lower", "upper"), parts=True),
            }
    return None
