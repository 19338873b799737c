"""Which as-of date teaches, chooses and proves the churn hazard, and what it showed.

Who learns from what, at most four fits (`akb.models.temporal.replay` holds the order of work):

- *validation*: the candidates learn from what was known on that date and are compared on the
  person-months after it, as far as the test date knew them. The winner of that day also scores its
  own date for the lifetime, the only date that can be followed beyond a year;
- *early*: the winner learns from what was known on the test date of 12 months and is judged on the
  12- and 6-month windows; on the 6-month window alone, from the test date of 6 months, where that
  of 12 knew too little;
- *late*: the same from the test date of 3 months, for the 3- and 1-month windows: a model never
  younger than the test date;
- *final*: everything that is closed at X. Its level is that of the last closed years, so it is
  gated on none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.models.churn.causes import CAUSES
from akb.models.churn.cohorts import fit_retention
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.probe import probe_of_churn
from akb.models.churn.splits import CHURN, ChurnSplits
from akb.models.churn.survival import (
    ATTENUATION,
    ages,
    fit_continuation,
    fit_lifetime,
    observed_months,
    tenures,
)
from akb.models.churn.target import (
    ChurnTarget,
    HazardFit,
    HazardForecast,
    HazardSelection,
    evidence_of,
    followed,
)
from akb.models.temporal import (
    Answer,
    choose_refit_evaluate,
    compare_candidates,
    day_number,
    with_dates,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Settings
    from akb.models.evidence import Probe
    from akb.models.temporal import Competition
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]

LIFETIME = "remaining_lifetime_years"
_FOLLOWED = 18  # months that a lifetime has to be followed before it counts as evidence


@dataclass(frozen=True)
class ChurnEvaluation:
    """What choosing, refitting and evaluating gave.

    Parameters
    ----------
    learner
        What is used: a winner whose ranks may be chance gives way to the base rate.
    selection
        The choices.
    final
        The fit as of X.
    evidence
        By key.
    judged
        Rows of the test date and their chance to leave within 12 months as a model of that day had
        it.
    lifetime
        How the remaining lifetime compares with one constant rate and with sBG, on the same rows.
    year
        The test date of the twelve months and what a model of that day said of everyone in force on
        it.
    probe
        How to ask the model of that day what its columns did.
    gains
        By key how likely the gain over the best simpler rival on the test date is by chance, see
        `gain_p`.
    """

    learner: str
    selection: HazardSelection
    final: HazardFit
    evidence: Mapping[str, Evidence]
    judged: tuple[NDArray[np.int64], Floats] | None = None
    lifetime: Competition | None = None
    year: tuple[date, HazardForecast] | None = None
    probe: Probe | None = None
    gains: Mapping[str, float] = field(default_factory=dict)


def evaluate_churn(
    landmarks: Landmarks,
    settings: Settings,
    splits: ChurnSplits,
    as_of: date,
    *,
    challenged: bool = True,
) -> ChurnEvaluation:
    """Let the candidates compete, judge the winner as it would have been on its day, and fit it as
    of X.
    """
    target = ChurnTarget(landmarks, settings, splits, as_of, challenged=challenged)
    made = choose_refit_evaluate(target)
    selection = made.selection
    assert isinstance(selection, HazardSelection)
    evidence: dict[str, Evidence] = {}
    judged = year = probe = None
    for fitted, stage in zip(made.evaluation.fits, target.tests(), strict=True):
        for key, answer in target.answers(fitted, stage).items():
            own = target.evidence(key, answer, fitted, stage)
            evidence[key] = with_dates(
                own, selection.validation.get(key), made.challenge.earlier.get(key)
            )
        if LAGS in stage.horizons:
            day = landmarks.dates[stage.position]
            judged = (
                landmarks.rows_of(stage.position, LAGS),
                made.evaluation.answers[CHURN[-1]].expected,
            )
            year = day, target.forecast(fitted, stage)
            probe = probe_of_churn(CHURN[-1], fitted.landmarks, fitted.hazard, judged[0], day)
    of_lifetime, lifetime = _judge_lifetime(target, selection)
    return ChurnEvaluation(
        learner=made.learner,
        selection=selection,
        final=made.final,
        evidence=evidence | of_lifetime,
        judged=judged,
        lifetime=lifetime,
        year=year,
        probe=None if made.learner == "rate" else probe,
        gains=made.challenge.gains,
    )


def _judge_lifetime(
    target: ChurnTarget, selection: HazardSelection
) -> tuple[dict[str, Evidence], Competition | None]:
    """Evidence on the share gone over the longest closed window, as the validation date would have
    said it, beside sBG.
    """
    landmarks, settings, position = target.landmarks, target.settings, target.splits.validation
    if selection.chosen is None or position is None:
        return {}, None
    hazard, chances = selection.chosen
    horizon = settings.models.lifetime_horizon_years
    months = min(observed_months(landmarks, position, target.as_of), LAGS * horizon)
    if months < _FOLLOWED:
        return {}, None
    rows, chances = followed(landmarks, position, chances, months)
    by_cause = np.zeros((*chances.shape, len(CAUSES)))
    by_cause[:, :, -1] = chances
    assumed = settings.assumed()[ATTENUATION].value
    continuation = fit_continuation(landmarks, hazard.day, causes=False, assumed=assumed)
    lifetime = fit_lifetime(
        continuation,
        by_cause,
        tenure_years=tenures(landmarks, rows),
        age=ages(landmarks, rows),
        horizon_years=horizon,
    )
    last = day_number(add_months(landmarks.dates[position], months))
    label = np.asarray(landmarks.end_day[rows] <= last, dtype=np.float64)
    answer = Answer(
        landmarks.dates[position], label, lifetime.gone_within(months), landmarks.customer[rows]
    )
    retention = fit_retention(landmarks, hazard.day)
    if retention is not None and len(rows):
        by_sbg = retention.gone_within(tenures(landmarks, rows), months)
        rate = np.full(len(rows), retention.constant_within(months))
        rivalry = compare_candidates(
            {"rate": rate, "sbg": by_sbg, "survival": answer.expected}, label, answer.customer
        )
    else:
        rivalry = None
    return {LIFETIME: evidence_of(landmarks, hazard, rows, answer)}, rivalry
