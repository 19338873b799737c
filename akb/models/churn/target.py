"""The churn hazard as `choose_refit_evaluate` asks for it: its fits, what they are asked, and the
answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from akb.core.draws.sampling import draw_key
from akb.models.churn.causes import CAUSES, ended_by, fit_causes
from akb.models.churn.hazard import Hazard, fit_hazard, incidence, levelled, stay, with_later
from akb.models.churn.hazard import select as select_hazard
from akb.models.churn.landmark import DRAWS, LAGS, Landmarks
from akb.models.churn.splits import CHURN, ENOUGH, HORIZONS, ChurnSplits, known_leavers
from akb.models.evidence import auc_with_interval, binary_evidence, with_events
from akb.models.learners import fitters
from akb.models.temporal import RENEWAL, Answer, Selection, default_learner

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Settings
    from akb.models.churn.causes import Causes
    from akb.models.learners import Fitter, Objective
    from akb.models.temporal import Evaluation
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]

BY_CAUSE = tuple(f"churn_{cause}_12m" for cause in CAUSES)
PART = 3  # choosing and proving learn from a third of the rows of the final fit
_JUDGED = 40_000  # person-months at most on which candidates are compared: bounds its cost
# Small steps, for the same customers come back from many dates and lags.
_STEP, _TREES_SHARE = 0.12, 1 / 3


@dataclass(frozen=True)
class Question:
    """What is asked of a date: does the relation end within so many months, and with this cause
    (None: any).
    """

    months: int
    cause: str | None = None

    def label(self, landmarks: Landmarks, rows: NDArray[np.int64]) -> Floats:
        """Return 1 where it happened, else 0; an unknown reason is none of the causes."""
        if self.cause is None:
            return np.asarray(landmarks.event_lag[rows] <= self.months, dtype=np.float64)
        return ended_by(landmarks, rows, self.months, self.cause)


QUESTIONS = {
    **{key: Question(months) for key, months in zip(CHURN, HORIZONS, strict=True)},
    **{key: Question(LAGS, cause) for key, cause in zip(BY_CAUSE, CAUSES, strict=True)},
}


@dataclass(frozen=True)
class HazardSelection(Selection):
    """The choices for the hazard.

    later
        Columns that became known since the validation date: see `with_later`.
    chosen
        The winner on the validation date and its monthly hazards there, float64 [n, 12].
    """

    later: tuple[str, ...] = ()
    chosen: tuple[Hazard, Floats] | None = None


@dataclass(frozen=True)
class HazardStage:
    """A model that looks from a day and learns from at most so many person-months, and what it is
    asked.

    position
        Of the as-of date whose customers are asked.
    horizons
        In months, the longest first; at twelve also by cause.
    """

    day: date
    size: int
    position: int
    horizons: tuple[int, ...] = ()


@dataclass(frozen=True)
class HazardFit:
    """A fitted hazard, and the person-months with the columns that it expects."""

    landmarks: Landmarks
    hazard: Hazard


@dataclass(frozen=True)
class HazardForecast:
    """Of everyone in force on a date the hazard per month, and the chance of an end within a year
    per recorded cause.

    by_cause
        float64 [n, causes]; None where causes are unknown or the horizon is shorter.
    """

    monthly: Floats
    by_cause: Floats | None


@dataclass
class ChurnTarget:
    """Person-months and the roles of their dates, as `choose_refit_evaluate` asks for them.

    A fit serves every horizon that is judged from its day, so fits, forecasts and causes are kept.
    """

    landmarks: Landmarks
    settings: Settings
    splits: ChurnSplits
    as_of: date
    objective: Objective = "binary"
    always_earlier: bool = True
    challenged: bool = True
    _fits: dict[tuple[str, date, int], HazardFit] = field(default_factory=dict)
    _forecasts: dict[tuple[int, HazardStage], HazardForecast] = field(default_factory=dict)
    _causes: dict[date, Causes | None] = field(default_factory=dict)

    @property
    def _size(self) -> int:
        """Person-months that choosing and proving learn from."""
        return self.settings.models.hazard_rows // PART

    def select(self) -> HazardSelection:
        """Let the candidates compete on the person-months after the validation date; else take the
        documented default.
        """
        landmarks, splits, seed = self.landmarks, self.splits, self.settings.models.seed
        trees = max(20, round(self.settings.models.trees * _TREES_SHARE))
        until = splits.early if splits.early is not None else splits.late
        if splits.validation is None or until is None:
            return HazardSelection(default_learner(splits.leavers), trees, landmarks.names)
        day = landmarks.dates[splits.validation]
        train = landmarks.known_on(day, self._size, draw_key(seed, DRAWS, "choice"))
        judges = draw_key(seed, DRAWS, "validation")
        validation = landmarks.after(splits.validation, landmarks.dates[until], _JUDGED, judges)
        met = select_hazard(landmarks, learners(self.settings, trees), train, validation)
        hazard = levelled(met.landmarks, met.hazard(day, len(train)), seed)
        monthly = hazard.monthly(met.landmarks, met.landmarks.rows_of(splits.validation))
        names = met.contest.heaviest
        return HazardSelection(
            met.contest.competition.winner,
            met.contest.trees or trees,
            names,
            met.contest.competition,
            names,
            self._on_validation(splits.validation, hazard, monthly),
            met.later,
            (hazard, monthly),
        )

    def _on_validation(self, position: int, hazard: Hazard, monthly: Floats) -> dict[str, Answer]:
        """What the winner expected of its own date, by question; only those who can be followed are
        asked.
        """
        found = {}
        for key, months in zip(CHURN, HORIZONS, strict=True):
            rows, chances = self._followed(position, monthly, months)
            found[key] = self._answer(key, rows, 1 - stay(chances)[:, months - 1])
        rows, chances = self._followed(position, monthly, LAGS)
        by_cause = self._by_cause(hazard, rows, chances)
        if by_cause is not None:
            found |= {
                key: self._answer(key, rows, by_cause[:, number])
                for number, key in enumerate(BY_CAUSE)
            }
        return {key: answer for key, answer in found.items() if len(answer.label)}

    def tests(self) -> tuple[HazardStage, ...]:
        """Return a model and a test date per horizon, the longest horizon first."""
        found = []
        for months in sorted(self.splits.tests, reverse=True):
            position = self.splits.model_for(months)
            if position is not None:
                day = self.landmarks.dates[position]
                found.append(HazardStage(day, self._size, self.splits.tests[months], (months,)))
        return tuple(found)

    def earlier(self, selection: Selection) -> HazardStage | None:
        """Return the latest date closed by the validation date, which chose nothing; None without
        enough known on it.
        """
        landmarks, validation = self.landmarks, self.splits.validation
        if validation is None or selection.learner == "rate" or not self.challenged:
            return None
        test = landmarks.latest_closed(landmarks.dates[validation], LAGS)
        if test is None or known_leavers(landmarks, landmarks.dates[test]) < ENOUGH:
            return None
        day = landmarks.dates[test]
        if int(landmarks.closed_lags(day).max()) < LAGS:
            return None
        return HazardStage(day, self._size, test, tuple(reversed(HORIZONS)))

    def teaches(self, stage: HazardStage) -> bool:
        """Return True: `earlier` has counted the leavers."""
        return True

    def final(self) -> HazardStage:
        """Return the fit as of X."""
        return HazardStage(
            self.as_of, self.settings.models.hazard_rows, len(self.landmarks.dates) - 1
        )

    def fit(self, selection: Selection, stage: HazardStage) -> HazardFit:
        """Fit the selected learner on what was known on a day."""
        known = (selection.learner, stage.day, stage.size)
        if known not in self._fits:
            self._fits[known] = fit_selected(
                self.landmarks, self.settings, selection, stage.day, stage.size
            )
        return self._fits[known]

    def forecast(self, fitted: HazardFit, stage: HazardStage) -> HazardForecast:
        """Return what a fit says of everyone in force on the date that it is asked about."""
        known = (id(fitted), stage)
        if known not in self._forecasts:
            rows, months = self.landmarks.rows_of(stage.position), max(stage.horizons)
            monthly = fitted.hazard.monthly(fitted.landmarks, rows, months)
            by_cause = self._by_cause(fitted.hazard, rows, monthly) if months == LAGS else None
            self._forecasts[known] = HazardForecast(monthly, by_cause)
        return self._forecasts[known]

    def answers(self, fitted: HazardFit, stage: HazardStage) -> dict[str, Answer]:
        """Return what it expected of those who can be followed, per horizon and, at twelve months,
        per cause.
        """
        forecast = self.forecast(fitted, stage)
        found = {}
        for months in stage.horizons:
            rows, chances = self._followed(stage.position, forecast.monthly[:, :months], months)
            found[f"churn_{months}m"] = self._answer(
                f"churn_{months}m", rows, 1 - stay(chances)[:, -1]
            )
        if forecast.by_cause is not None:
            rows, left = self._followed(stage.position, forecast.by_cause, LAGS)
            found |= {
                key: self._answer(key, rows, left[:, number]) for number, key in enumerate(BY_CAUSE)
            }
        return found

    def unproven(self, evaluation: Evaluation[HazardFit]) -> frozenset[str]:
        """Return every question where no horizon ranks better than chance on its test date, else
        none.
        """
        judged = [evaluation.answers[key] for key in CHURN if key in evaluation.answers]
        return (
            frozenset(evaluation.answers)
            if judged and all(map(_by_chance, judged))
            else frozenset()
        )

    def evidence(self, key: str, answer: Answer, fitted: HazardFit, stage: HazardStage) -> Evidence:
        """Return the evidence of one question on its test date."""
        question, landmarks = QUESTIONS[key], self.landmarks
        rows = landmarks.rows_of(stage.position, question.months)
        seen = np.arange(
            landmarks.stop[stage.position]
        )  # in any closed window, for the errors by group
        ever = np.unique(landmarks.customer[seen[question.label(landmarks, seen) > 0]])
        return evidence_of(
            landmarks, fitted.hazard, rows, answer, months=question.months, ever=ever
        )

    def _answer(self, key: str, rows: NDArray[np.int64], expected: Floats) -> Answer:
        day = (
            self.landmarks.dates[int(self.landmarks.date_of[rows[0]])] if len(rows) else self.as_of
        )
        return Answer(
            day, QUESTIONS[key].label(self.landmarks, rows), expected, self.landmarks.customer[rows]
        )

    def _followed(
        self, position: int, values: Floats, months: int
    ) -> tuple[NDArray[np.int64], Floats]:
        return followed(self.landmarks, position, values, months)

    def _by_cause(self, hazard: Hazard, rows: NDArray[np.int64], monthly: Floats) -> Floats | None:
        """The chance of an end with each recorded cause within twelve months, as known on the
        hazard's day.
        """
        if hazard.day not in self._causes:
            self._causes[hazard.day] = fit_causes(
                self.landmarks, hazard.day, seed=self.settings.models.seed
            )
        causes = self._causes[hazard.day]
        if causes is None:
            return None
        by_cause = monthly[:, :, None] * causes.split(self.landmarks, rows)
        return np.asarray(incidence(by_cause)[:, -1] * (1 - causes.unknown_share))


def _by_chance(answer: Answer) -> bool:
    if not 0 < float(answer.label.sum()) < len(answer.label):
        return True
    return auc_with_interval(answer.label, answer.expected, answer.customer)[1][0] <= 0.5


def learners(settings: Settings, trees: int) -> dict[str, Fitter]:
    """Return the candidates by name, simplest first.

    Each fit uses one thread: other targets are fitted beside it, and threads that wait for each
    other on a busy machine took eight times as long.
    """
    return fitters("binary", settings.models, trees, _STEP)


def fit_selected(
    landmarks: Landmarks, settings: Settings, selection: Selection, day: date, size: int
) -> HazardFit:
    """Fit the selected learner on at most `size` person-months of what was known on `day`."""
    seed = settings.models.seed
    later = selection.later if isinstance(selection, HazardSelection) else ()
    lean = with_later(landmarks, selection.names, later, day, seed)
    learn = learners(settings, selection.trees)[selection.learner]
    return HazardFit(
        lean, fit_hazard(lean, learn, selection.learner, day=day, size=size, seed=seed)
    )


def followed(
    landmarks: Landmarks, position: int, values: Floats, months: int
) -> tuple[NDArray[np.int64], Floats]:
    """Return the rows of one date that can be followed for so many months, and their part of
    `values`.
    """
    rows = landmarks.rows_of(position, months)
    return rows, values[rows - landmarks.start[position]]


def evidence_of(
    landmarks: Landmarks,
    hazard: Hazard,
    rows: NDArray[np.int64],
    answer: Answer,
    *,
    months: int | None = None,
    ever: NDArray[np.uint32] | None = None,
) -> Evidence:
    """Evidence on one date; with a horizon in months also of those of whom something renews within
    it.

    `ever`: to whom it happened in any closed window; None: as on this date.
    """
    people, customers = landmarks.people, answer.customer
    day = answer.day if len(rows) else None
    renewal = landmarks.column(RENEWAL)[rows]
    happened = np.unique(customers[answer.label > 0]) if ever is None else ever
    parts = (
        with_events(lambda who: people.parts(who, day), customers, happened)
        if people and day
        else ()
    )
    return binary_evidence(
        answer.label,
        answer.expected,
        customers,
        test_date=day,
        train_dates=hazard.train_dates,
        train_rows=hazard.rows,
        between_year=hazard.between_year,
        due=None if months is None or bool(np.isnan(renewal).all()) else renewal <= months,
        parts=parts,
    )
