"""Annex B and D: every prediction with what it showed on later data. Accuracy is never shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from akb.models.types import Prediction
from akb.report.sections.cards import card

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.models.types import Calibration, Evidence
    from akb.report.context import Context

MADE = ("fitted", "derived")
PROVEN = ("strong", "usable")


def facts(context: Context) -> dict[str, Any]:
    """Return the predictions in catalogue order, the headline counts, and the calibration bands of churn."""
    rows = predictions(context)
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


def predictions(context: Context) -> list[dict[str, Any]]:
    """Return every prediction of the catalogue with what it showed and its card, in catalogue order."""
    made = context.bundle.predictions
    return [_row(context, entry, made.get(entry.key)) for entry in context.bundle.entries]


def _row(context: Context, entry: Entry, prediction: Prediction | None) -> dict[str, Any]:
    made = prediction or Prediction(entry.key, "unavailable", context.words.plain("evidence.not_made"))
    return {
        "key": entry.key,
        "name": context.words.reworded(entry.name_nl),
        "name_en": entry.name_en,
        "section": entry.section,
        "counts": entry.counts,
        "status": made.status,
        "why": context.words.why(made.why),
        "horizon_months": made.horizon_months or entry.horizon_months,
        "tested_months": made.tested_months if made.evidence else None,
        "order": made.order,
        **_proof(made.evidence, context.limit, made.population),
        "gate": made.gate,
        "grade": made.grade,
        "winner": made.winner,
        "pooled_weight": made.pooled_weight,
        "card": card(context, entry, made),
    }


def _proof(evidence: Evidence | None, limit: int, population: int = 0) -> dict[str, Any]:
    """The figures of the table and of summary.json; what tells of fewer customers than `limit` is None."""
    ranks = ("auc", "auc_ci", "average_precision", "average_precision_ci", "auc_due", "auc_due_ci")
    shown = (*ranks, "brier_skill", "deviance_skill", "gini")
    counted = ("positives", "base_rate", "lift_top_decile", "precision_top_decile", "precision_ci")
    few = evidence is not None and 0 < evidence.positives < limit
    calibration = evidence.calibration if evidence and not few else None
    return {
        "test_date": evidence.test_date if evidence else None,
        "population": evidence.population if evidence else population,
        **{name: getattr(evidence, name) if evidence else None for name in shown},
        **{name: getattr(evidence, name) if evidence and not few else None for name in counted},
        "calibration": _level(calibration) if calibration else None,
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
            rows = [asdict(band) for band in evidence.calibration.bands]
            return {
                "key": f"churn_{months}m",
                "months": prediction.tested_months if prediction else months,
                "test_date": evidence.test_date,
                "bands": context.suppressed(rows, keep=("lower", "upper"), parts=True),
            }
    return None
