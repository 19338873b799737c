"""One card per prediction: what it is about, learnt from, showed on later data, and is not for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from akb.core.gates import FEW_EVENTS
from akb.value.types import ProfitMeasure

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.models.types import Calibration, Decile, Evidence, Prediction
    from akb.report.context import Context

_EVENTS, _ENOUGH = 100, 200
_PLAIN = (
    "test_date",
    "population",
    "auc",
    "auc_ci",
    "average_precision",
    "average_precision_ci",
    "brier_skill",
    "deviance_skill",
    "deviance",
    "gini",
    "auc_due",
    "auc_due_ci",
    "due",
)
_COUNTED = (
    "positives",
    "events",
    "base_rate",
    "lift_top_decile",
    "precision_top_decile",
    "precision_ci",
)


@dataclass(frozen=True)
class Training:
    """What a model learnt from."""

    dates: tuple[date, ...]
    rows: int


@dataclass(frozen=True)
class Rival:
    """A candidate and its loss."""

    name: str
    loss: float
    difference: float
    standard_error: float
    won: bool


@dataclass(frozen=True)
class LevelBand:
    """Predicted beside observed in a band."""

    lower: float
    upper: float
    customers: int | None
    predicted: float | None
    observed: float | None
    low: float | None
    high: float | None
    suppressed: bool


@dataclass(frozen=True)
class CardLevel:
    """Observed against expected, with its bands."""

    observed_expected: float
    ci: tuple[float, float]
    slope: float | None
    slope_ci: tuple[float, float] | None
    bands: tuple[LevelBand, ...]


@dataclass(frozen=True)
class CardDecile:
    """A tenth, predicted and observed."""

    decile: int | None
    customers: int | None
    predicted: float | None
    observed: float | None


@dataclass(frozen=True)
class LastYearAsForecast:
    """Last year's number as a forecast."""

    gini: float | None
    deviance_skill: float | None
    auc: float | None
    deciles: tuple[CardDecile, ...]


@dataclass(frozen=True)
class CardPart:
    """The level in a part of the population."""

    kind: str
    name: str
    population: int | None
    observed_expected: float | None
    ci: tuple[float, float] | None
    own_weight: float | None
    pooled: float | None


@dataclass(frozen=True)
class CardEvidence:
    """What a prediction showed on later data."""

    test_date: date
    population: int
    auc: float | None
    auc_ci: tuple[float, float] | None
    average_precision: float | None
    average_precision_ci: tuple[float, float] | None
    brier_skill: float | None
    deviance_skill: float | None
    deviance: str
    gini: float | None
    auc_due: float | None
    auc_due_ci: tuple[float, float] | None
    due: int | None
    positives: float | None
    events: int | None
    base_rate: float | None
    lift_top_decile: float | None
    precision_top_decile: float | None
    precision_ci: tuple[float, float] | None
    calibration: CardLevel | None
    deciles: tuple[CardDecile, ...]
    last_year: LastYearAsForecast | None
    by_date: date
    segments: tuple[CardPart, ...]


@dataclass(frozen=True)
class CardProfit:
    """The expected maximum profit."""

    empc: float
    random: float
    customers: int
    left: int
    from_: date
    alpha: float
    beta: float
    clv: float
    incentive: float
    contact: float


@dataclass(frozen=True)
class ModelCard:
    """The card of a prediction."""

    key: str
    name: str
    question: str
    population: str
    population_size: int | None
    kind: str
    unit: str
    section: str
    horizon_months: int | None
    tested_months: int | None
    needs: tuple[str, ...]
    status: str
    why: str
    constant: bool
    training: Training | None
    winner: str
    rivals: tuple[Rival, ...]
    pooled_weight: float | None
    evidence: CardEvidence | None
    profit: CardProfit | None
    gate: str
    grade: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]


def card(context: Context, entry: Entry, made: Prediction) -> dict[str, Any]:
    """Return the card of one prediction; figures over too few customers are None."""
    words, proof = context.words, made.evidence
    constant = _constant(context, entry.key)
    return {
        "key": entry.key,
        "name": context.of_entry(entry, "name"),
        "question": context.of_entry(entry, "question"),
        "population": context.of_entry(entry, "population") or words.plain("card.everyone"),
        "population_size": made.population or None,
        "kind": entry.kind,
        "unit": context.of_entry(entry, "unit"),
        "section": entry.section,
        "horizon_months": made.horizon_months or entry.horizon_months,
        "tested_months": made.evidence_months,
        "needs": entry.needs,
        "status": made.status,
        "why": words.why(made.why),
        "constant": constant,
        "training": {"dates": proof.train_dates, "rows": proof.train_rows}
        if proof and proof.train_dates
        else None,
        "winner": made.winner,
        "rivals": [asdict(candidate) for candidate in made.candidates],
        "pooled_weight": made.pooled_weight,
        "evidence": _shown(context, proof) if proof else None,
        "profit": _profit(context, entry.key),
        "gate": made.gate,
        "grade": made.grade,
        "limits": [words.plain(f"card.limit.{name}") for name in _limits(made, constant=constant)]
        + [words.why(each) for each in made.limits],
        "not_for": [
            words.plain(f"card.not_for.{name}") for name in ("acceptance", "premium", "effect")
        ],
    }


def _constant(context: Context, key: str) -> bool:
    """Whether there are scores and every eligible customer gets the same one."""
    for run in (context.bundle.models, context.bundle.value):
        if run is not None and key in run.scores.columns:
            known = run.scores[key].drop_nulls()
            return known.len() > 0 and bool((known == known[0]).all())
    return False


def _profit(context: Context, key: str) -> ProfitMeasure | None:
    """Return the expected maximum profit of a prediction, where the value room measured it."""
    value = context.bundle.value
    return value.figures.empc.get(key) if value else None


def _limits(made: Prediction, *, constant: bool) -> list[str]:
    """What a reader has to know before leaning on it; every card has the first."""
    proof = made.evidence
    if made.status == "unavailable":
        return []
    events = 0.0 if proof is None else proof.tested
    holds = {
        "past": True,
        "constant": constant,
        "unproven": proof is None,
        "one_date": proof is not None
        and (proof.test_dates or len(proof.by_date)) == 1
        and made.grade != "none",
        "too_few": proof is not None and events < FEW_EVENTS,
        "few": proof is not None and FEW_EVENTS <= events < _EVENTS,
        "some": proof is not None and _EVENTS <= events < _ENOUGH,
        "provisional": made.gate == "provisional",
        "fail": made.gate == "fail" and events >= FEW_EVENTS and made.order == "proven",
        "fail_both": made.gate == "fail" and events >= FEW_EVENTS and made.order != "proven",
        "pooled": made.pooled_weight is not None and made.pooled_weight > 0.5,
        "shared": made.pooled_weight is not None and made.pooled_weight <= 0.5,
    }
    return [name for name, passed in holds.items() if passed]


def _shown(context: Context, proof: Evidence) -> dict[str, Any]:
    limit = context.limit
    few = 0 < proof.positives < limit
    return {
        **{name: getattr(proof, name) for name in _PLAIN},
        **{name: None if few else getattr(proof, name) for name in _COUNTED},
        "calibration": None
        if few or proof.calibration is None
        else _level(context, proof.calibration),
        "deciles": _deciles(proof.decile_table, limit),
        "last_year": None
        if proof.last_year is None
        else {
            "gini": proof.last_year.gini,
            "deviance_skill": proof.last_year.deviance_skill,
            "auc": proof.last_year.auc,
            "deciles": _deciles(proof.last_year.decile_table, limit),
        },
        "by_date": [
            {
                "date": each.day,
                "population": each.population,
                "positives": None if 0 < each.positives < limit else each.positives,
                "auc": each.auc,
            }
            for each in proof.by_date
        ],
        "segments": [asdict(segment) for segment in proof.segments],
    }


def _level(context: Context, calibration: Calibration) -> dict[str, Any]:
    rows = [asdict(band) for band in calibration.bands]
    return {
        "observed_expected": calibration.observed_expected,
        "ci": calibration.ci,
        "slope": calibration.slope,
        "slope_ci": calibration.slope_ci,
        "bands": context.suppressed(rows, keep=("lower", "upper"), parts=True),
    }


def _deciles(table: tuple[Decile, ...], limit: int) -> list[dict[str, Any]]:
    return [asdict(row) for row in table if row.customers >= limit]
