"""Annex B and D: every prediction with what it showed on later data. Accuracy is never shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from akb.models.types import Prediction

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.models.types import Calibration, Evidence
    from akb.report.context import Context

MADE = ("fitted", "derived")
PROVEN = ("strong", "usable")


def facts(context: Context) -> dict[str, Any]:
    """Return the predictions in catalogue order, the headline counts, and the calibration bands of churn."""
    made = context.bundle.predictions
    rows = [_row(context, entry, made.get(entry.key)) for entry in context.bundle.entries]
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


def _row(context: Context, entry: Entry, prediction: Prediction | None) -> dict[str, Any]:
    made = prediction or Prediction(entry.key, "unavailable", context.words.plain("evidence.not_made"))
    return {
        "key": entry.key,
        "name": entry.name_nl,
        "section": entry.section,
        "counts": entry.counts,
        "status": made.status,
        "why": made.why,
        "horizon_months": made.horizon_months or entry.horizon_months,
        **_proof(made.evidence, made.population),
        "gate": made.gate,
        "grade": made.grade,
        "winner": made.winner,
        "pooled_weight": made.pooled_weight,
        "candidates": [asdict(candidate) for candidate in made.candidates],
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
