"""Churn and what follows from it as of X: one hazard, four horizons, three causes and the
lifetime.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.findings import Finding
from akb.core.gates import FEW_EVENTS
from akb.core.wording.reasons import Reason
from akb.models.churn.causes import CAUSES, Causes, fit_causes
from akb.models.churn.cohorts import SCHEMA as COHORTS
from akb.models.churn.cohorts import cohort_table
from akb.models.churn.composed import (
    PEAK,
    ComposedHazards,
    announced_later,
    churn_files,
    churn_scores,
    compose,
    highest,
)
from akb.models.churn.evaluation import LIFETIME, ChurnEvaluation, evaluate_churn
from akb.models.churn.hazard import Hazard, stay
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.splits import CHURN, HORIZONS, ChurnSplits, churn_splits
from akb.models.churn.survival import (
    ATTENUATION,
    Continuation,
    ages,
    attenuation,
    fit_continuation,
    fit_lifetime,
    portfolio_curve,
    survival_frame,
    tenures,
)
from akb.models.churn.target import BY_CAUSE
from akb.models.context import some, why
from akb.models.evidence import gate, grade, significant
from akb.models.temporal import ENOUGH_FOR_SPLINES, months_to_evaluate
from akb.models.types import Backtest, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Settings
    from akb.features.types import Matrix, Targets
    from akb.models.evidence import People, Probe
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]
    Progress = Callable[[str], None]

KEYS = (*CHURN, *BY_CAUSE, PEAK, LIFETIME)
_MONTHS = {**dict(zip(CHURN, HORIZONS, strict=True)), **dict.fromkeys((*BY_CAUSE, PEAK), LAGS)}
_UNKNOWN = 0.05  # share of unknown reasons from which both extremes are worth a finding
_SHORTEST = 3  # months: the shortest window on which a model is judged, also over one month


@dataclass(frozen=True)
class ChurnResult:
    """What the churn models say as of X.

    Parameters
    ----------
    scores
        customer u32 ascending, then one Float32 column per available key of `KEYS`. Causes add up
        to churn_12m to 1e-9 before they become Float32, to 2e-7 after it.
    survival, curve, cohorts
        As in `ModelRun`. Without known reasons everything stands under ``preventable`` and the
        cause keys are unavailable: the column then means "left".
    predictions
        By key, one for each of `KEYS`.
    hazard
        The fitted hazard; None if the export cannot teach churn.
    names, explained, x
        For explanations: the columns of the hazard, the places in `scores` of those who are
        explained, and their rows in the month in which their risk is highest, float32 [n, f].
    tested
        The latest closed date and the chance, as it would have been then, of leaving within 12
        months of every customer in force on it (ascending): what the other predictions for that
        date have to cohere with.
    backtest
        The same with its preventable part, see `ModelRun.backtest`.
    probe
        How to ask the model of that date what its columns did, for the determinants.
    """

    scores: pl.DataFrame
    survival: pl.DataFrame
    curve: pl.DataFrame
    predictions: dict[str, Prediction]
    hazard: Hazard | None = None
    names: tuple[str, ...] = ()
    explained: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    x: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    findings: tuple[Finding, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    tested: tuple[date, Floats] | None = None
    probe: Probe | None = None
    cohorts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COHORTS))
    backtest: Backtest | None = None


def fit_churn(
    matrix: Matrix,
    targets: Targets,
    settings: Settings,
    *,
    as_of: date,
    progress: Progress | None = None,
    people: People | None = None,
    challenged: bool = True,
) -> ChurnResult:
    """Fit, prove and compose the churn hazard as of X.

    Parameters
    ----------
    matrix, targets
        As they leave the features room.
    progress
        Hears what is being done, in a few words.
    people
        Who the customers are, to show errors by group.
    challenged
        See `FitContext.challenged`.
    """
    started = perf_counter()
    say = progress or (lambda words: None)
    landmarks = Landmarks(matrix, targets, people)
    now = landmarks.rows_of(len(landmarks.dates) - 1)
    splits = churn_splits(landmarks, as_of)
    if not splits.leavers or not len(now):
        return _unavailable(landmarks, now)
    say("churn: choosing, refitting and evaluating on later data")
    made = evaluate_churn(landmarks, settings, splits, as_of, challenged=challenged)
    say("churn: composing")
    lean, hazard = made.final.landmarks, made.final.hazard
    causes = fit_causes(landmarks, as_of, seed=settings.models.seed)
    split = causes.split(landmarks, now) if causes is not None else None
    composed = compose(lean, targets, hazard, split, now)
    del split
    continuation = _continuation(landmarks, settings, splits, made, causes=causes is not None)
    horizon = settings.models.lifetime_horizon_years
    lifetime = fit_lifetime(
        continuation,
        composed.by_cause,
        tenure_years=tenures(landmarks, now),
        age=ages(landmarks, now),
        horizon_years=horizon,
        certain=announced_later(
            targets.announced, composed.customers, as_of, composed.lag, horizon
        ),
    )
    leavers = _Leavers(splits.leavers, settings.report.suppress_below)
    scores = churn_scores(
        composed, lifetime, causes=causes is not None, peak=made.learner != "rate"
    )
    explained = highest(scores)
    return ChurnResult(
        scores=scores,
        survival=survival_frame(composed.customers, lifetime),
        curve=portfolio_curve(landmarks, as_of, horizon),
        cohorts=cohort_table(
            landmarks,
            judged=made.judged,
            now=now,
            years=lifetime.years,
            as_of=as_of,
            horizon=horizon,
        ),
        predictions=_with_peaks(
            _predictions(made, len(now), causes, perf_counter() - started, leavers),
            int(composed.stands_out.sum()),
        ),
        hazard=hazard,
        names=lean.names + lean.lag_names,
        explained=explained,
        x=lean.design(now[explained], composed.peak[explained]),
        findings=_findings(splits, made, composed, causes),
        files=churn_files(hazard, causes, continuation),
        tested=_year(made),
        backtest=_backtest(landmarks, splits, made),
        probe=made.probe,
    )


def _year(made: ChurnEvaluation) -> tuple[date, Floats] | None:
    """The test date of the twelve months and the chance to leave of everyone in force on it."""
    return None if made.year is None else (made.year[0], 1 - stay(made.year[1].monthly)[:, -1])


def _backtest(landmarks: Landmarks, splits: ChurnSplits, made: ChurnEvaluation) -> Backtest | None:
    """What was said of everyone in force on the test date; a base rate has no list to make."""
    year = _year(made)
    if year is None or made.year is None or made.learner == "rate":
        return None
    (day, gone), by_cause = year, made.year[1].by_cause
    own = np.full(len(gone), np.nan) if by_cause is None else by_cause[:, -1]
    customers = landmarks.customer[landmarks.rows_of(splits.tests[LAGS])]
    scores = pl.DataFrame({"customer": customers, "churn_12m": gone, "churn_preventable_12m": own})
    return Backtest(day, scores.with_columns(pl.col("churn_preventable_12m").fill_nan(None)))


def _continuation(
    landmarks: Landmarks,
    settings: Settings,
    splits: ChurnSplits,
    made: ChurnEvaluation,
    *,
    causes: bool,
) -> Continuation:
    measured, as_of, chosen = None, made.final.hazard.day, made.selection.chosen
    if chosen is not None and splits.validation is not None:
        measured = attenuation(landmarks, landmarks.rows_of(splits.validation), chosen[1], as_of)
    assumed = settings.assumed()[ATTENUATION].value
    return fit_continuation(landmarks, as_of, causes=causes, assumed=assumed, measured=measured)


@dataclass(frozen=True)
class _Leavers:
    """How many relations are known to have ended, and below how many customers a number stays
    hidden.
    """

    count: int
    limit: int


def _predictions(
    made: ChurnEvaluation, population: int, causes: Causes | None, seconds: float, leavers: _Leavers
) -> dict[str, Prediction]:
    found = {key: _prediction(made, key, population, seconds / len(KEYS), leavers) for key in KEYS}
    if causes is None:
        found |= {
            key: Prediction(key, "unavailable", why("needs_reasons"), LAGS) for key in BY_CAUSE
        }
    if made.learner == "rate":  # a base rate has no month that stands out
        found[PEAK] = Prediction(PEAK, "unavailable", _why_rate(made, leavers), LAGS)
    return found


def _with_peaks(made: dict[str, Prediction], customers: int) -> dict[str, Prediction]:
    """Return the predictions with how many customers have a month that stands out; unavailable
    where nobody has.
    """
    if made[PEAK].status == "unavailable":
        return made
    peak = replace(made[PEAK], population=customers)
    return {
        **made,
        PEAK: peak if customers else Prediction(PEAK, "unavailable", why("no_peak"), LAGS),
    }


def _prediction(
    made: ChurnEvaluation, key: str, population: int, seconds: float, leavers: _Leavers
) -> Prediction:
    """One verdict. A horizon that was never seen whole borrows the evidence of a shorter one: ranks
    at most.
    """
    evidence, shorter = made.evidence.get(key), None
    barrier = gate(evidence)
    if evidence is None and key in CHURN:
        earlier = reversed(CHURN[: CHURN.index(key)])
        shorter = next((each for each in earlier if each in made.evidence), None)
        evidence = made.evidence[shorter] if shorter else None
    rate = made.learner == "rate"
    reason = _why_rate(made, leavers) if rate else _why(made, key, evidence, shorter, leavers.limit)
    won = made.lifetime if key == LIFETIME else made.selection.competition
    level = grade(
        evidence,
        barrier,
        evidence.tested if evidence else 0.0,
        evidence.test_dates if evidence else 0,
        gain_significant=significant(made.gains.get(key)),
    )
    return Prediction(
        key=key,
        status="derived"
        if key == PEAK
        else "baseline"
        if made.learner in ("rate", "rule")
        else "fitted",
        why="" if key == PEAK else reason,
        horizon_months=_MONTHS.get(key),
        population=population,
        evidence=evidence,
        gate=barrier,
        grade="insufficient" if made.learner == "rate" else level,
        winner=made.learner,
        candidates=won.candidates if won is not None and key in (*CHURN, LIFETIME) else (),
        seconds=seconds,
        evidence_months=_MONTHS[shorter] if shorter else None,
        gain_p=None if rate else made.gains.get(key),
    )


def _why_rate(made: ChurnEvaluation, leavers: _Leavers) -> Reason:
    """Nothing set leavers apart, or too few were known to try."""
    if made.selection.competition is None and not made.evidence:
        return why(
            "few_leavers", events=some(leavers.count, leavers.limit), least=ENOUGH_FOR_SPLINES
        )
    return why("base_rate")


def _why(
    made: ChurnEvaluation, key: str, evidence: Evidence | None, shorter: str | None, limit: int
) -> Reason | str:
    if evidence is None:
        return why("no_evidence", months=months_to_evaluate(max(_MONTHS.get(key, LAGS), _SHORTEST)))
    if shorter is not None:
        return why("shorter", months=_MONTHS[key], shorter=_MONTHS[shorter])
    if evidence.tested < FEW_EVENTS:
        return why("few_to_prove", events=some(evidence.tested, limit))
    if gate(evidence) == "fail":
        return why("off_level", proof=evidence.shown(_MONTHS.get(key), "fail"))
    return why("rule") if made.learner == "rule" else ""


def _findings(
    splits: ChurnSplits, made: ChurnEvaluation, composed: ComposedHazards, causes: Causes | None
) -> tuple[Finding, ...]:
    found = []
    if made.learner == "rate":
        found.append(Finding("AKB-M020", "issue", splits.leavers))
    if causes is not None and causes.unknown_share > _UNKNOWN:
        low, high = causes.extremes("preventable")
        found.append(
            Finding(
                "AKB-M021", "tip", causes.unknown, causes.unknown_share, {"low": low, "high": high}
            )
        )
    leaving = int(((composed.lag > 0) & (composed.lag <= LAGS)).sum())
    if leaving > composed.expected:
        found.append(
            Finding("AKB-M022", "issue", leaving, None, {"expected": round(composed.expected)})
        )
    return tuple(found)


def _unavailable(landmarks: Landmarks, now: NDArray[np.int64]) -> ChurnResult:
    """What is left where no ended relation is known: the customers, and why there is no more."""
    customers = landmarks.customer[now]
    survival = pl.DataFrame(
        schema={
            "customer": pl.UInt32,
            "month": pl.Int32,
            "alive": pl.Float64,
            **dict.fromkeys(CAUSES, pl.Float64),
        }
    )
    curve = pl.DataFrame(
        schema=dict.fromkeys(("years", "share", "low", "high", *CAUSES, "unknown"), pl.Float64)
    )
    predictions = {
        key: Prediction(key, "unavailable", why("no_leavers"), _MONTHS.get(key)) for key in KEYS
    }
    return ChurnResult(pl.DataFrame({"customer": customers}), survival, curve, predictions)
