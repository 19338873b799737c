"""Annex B and D: every prediction with what it showed on later data. Accuracy is never shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.core.typed import made
from akb.models.types import Prediction
from akb.report.chapters.evidence.card import LevelBand, ModelCard, card
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.models.types import Calibration, Evidence
    from akb.report.context import Context

MADE = ("fitted", "derived")
PROVEN = ("strong", "usable")


@dataclass(frozen=True)
class LevelTest:
    """Observed against expected."""

    observed_expected: float
    ci: tuple[float, float]
    slope: float | None
    slope_ci: tuple[float, float] | None


@dataclass(frozen=True)
class PredictionRow:
    """A prediction and what it showed."""

    key: str
    name: str
    name_en: str
    section: str
    counts: bool
    status: str
    why: str
    horizon_months: int | None
    tested_months: int | None
    order: str
    test_date: date | None
    population: int
    auc: float | None
    auc_ci: tuple[float, float] | None
    average_precision: float | None
    average_precision_ci: tuple[float, float] | None
    auc_due: float | None
    auc_due_ci: tuple[float, float] | None
    brier_skill: float | None
    deviance_skill: float | None
    gini: float | None
    positives: float | None
    base_rate: float | None
    lift_top_decile: float | None
    precision_top_decile: float | None
    precision_ci: tuple[float, float] | None
    calibration: LevelTest | None
    gate: str
    grade: str
    winner: str
    pooled_weight: float | None
    card: ModelCard


@dataclass(frozen=True)
class ChurnLevel:
    """The bands of churn."""

    key: str
    months: int
    test_date: date
    bands: tuple[LevelBand, ...]


@dataclass(frozen=True)
class EvidenceFacts(Facts):
    """Every prediction and its proof."""

    KEY: ClassVar[str] = "evidence"

    predictions: tuple[PredictionRow, ...]
    made: int
    proven: int
    strong: int
    usable: int
    total: int
    calibration: ChurnLevel | None


def facts(context: Context) -> EvidenceFacts:
    """Return the predictions in catalogue order, the headline counts, and the calibration bands of
    churn.
    """
    rows = predictions(context)
    counted = [row for row in rows if row["counts"]]
    given = {
        "predictions": rows,
        "made": sum(row["status"] in MADE for row in counted),
        "proven": sum(row["grade"] in PROVEN for row in counted),
        "strong": sum(row["grade"] == "strong" for row in counted),
        "usable": sum(row["grade"] == "usable" for row in counted),
        "total": len(counted),
        "calibration": _churn_bands(context),
    }
    return made(EvidenceFacts, given)


def predictions(context: Context) -> list[dict[str, Any]]:
    """Return every prediction of the catalogue with what it showed and its card, in catalogue
    order.
    """
    known = context.bundle.predictions
    return [_row(context, entry, known.get(entry.key)) for entry in context.bundle.entries]


def _row(context: Context, entry: Entry, prediction: Prediction | None) -> dict[str, Any]:
    shown = prediction or Prediction(
        entry.key, "unavailable", context.words.plain("evidence.not_made")
    )
    return {
        "key": entry.key,
        "name": context.words.reworded(context.of_entry(entry, "name")),
        "name_en": entry.name_en,
        "section": entry.section,
        "counts": entry.counts,
        "status": shown.status,
        "why": context.words.why(shown.why),
        "horizon_months": shown.horizon_months or entry.horizon_months,
        "tested_months": shown.tested_months if shown.evidence else None,
        "order": shown.order,
        **_proof(shown.evidence, context.limit, shown.population),
        "gate": shown.gate,
        "grade": shown.grade,
        "winner": shown.winner,
        "pooled_weight": shown.pooled_weight,
        "card": card(context, entry, shown),
    }


def _proof(evidence: Evidence | None, limit: int, population: int = 0) -> dict[str, Any]:
    """The figures of the table and of summary.json; what tells of fewer customers than `limit` is
    None.
    """
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


FACTS = (facts,)
