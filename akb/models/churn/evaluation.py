"""Which as-of date teaches, chooses and proves the churn hazard, and what it showed.

Who learns from what, at most four fits (`akb.models.temporal.replay` holds the order of work):

- *validation*: the candidates learn from what was known on that date and are compared on the
  person-months after it, as
  far as the test date knew them. The winner of that day also scores its own date for the lifetime,
  the only date that can be followed beyond a year;
- *early*: the winner learns from what was known on the test date of 12 months and is judged on the
  12- and 6-month
  windows; on the 6-month window alone, from the test date of 6 months, where that of 12 knew too
  little;
- *late*: the same from the test date of 3 months, for the 3- and 1-month windows: a model never
  younger than the test
  date;
- *final*: everything that is closed at X. Its level is that of the last closed years, so it is
  gated on none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.models.churn.causes import CAUSES, ended_by, fit_causes
from akb.models.churn.cohorts import fit_retention
from akb.models.churn.hazard import Hazard, fit_hazard, incidence, levelled, stay, with_later
from akb.models.churn.hazard import select as select_hazard
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.probe import probe_of_churn
from akb.models.churn.survival import (
    ATTENUATION,
    ages,
    fit_continuation,
    fit_lifetime,
    observed_months,
    tenures,
)
from akb.models.evidence import auc_with_interval, binary_evidence, with_events
from akb.models.learners import fitters
from akb.models.temporal import (
    RENEWAL,
    Answer,
    Selection,
    choose_refit_evaluate,
    compare_candidates,
    day_number,
    default_learner,
    with_dates,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Settings
    from akb.models.churn.causes import Causes
    from akb.models.evidence import Probe
    from akb.models.learners import Fitter, Objective
    from akb.models.temporal import Competition, Evaluation
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]

HORIZONS = (1, 3, 6, 12)
CHURN = tuple(f"churn_{months}m" for months in HORIZONS)
BY_CAUSE = tuple(f"churn_{cause}_12m" for cause in CAUSES)
LIFETIME = "remaining_lifetime_years"
ENOUGH = 100  # distinct leavers from which rivals can be compared and a later window can be judged
PART = 3  # choosing and proving learn from a third of the rows of the final fit
_JUDGED = 40_000  # person-months at most on which candidates are compared: bounds its cost
# Small steps, for the same customers come back from many dates and lags.
_STEP, _TREES_SHARE = 0.12, 1 / 3
_FOLLOWED = 18  # months that a lifetime has to be followed before it counts as evidence


@dataclass(frozen=True)
class ChurnSplits:
    """Positions of as-of dates in their roles; None where the history is too short.

    Parameters
    ----------
    validation
        The date that chooses.
    tests
        The test date per horizon.
    early, late
        From which dates the models that are judged look.
    leavers
        Distinct relations whose end is known at X.
    """

    validation: int | None
    tests: dict[int, int]
    early: int | None
    late: int | None
    leavers: int

    def model_for(self, months: int) -> int | None:
        """Return the date from which the model looks that is judged on this horizon's test date."""
        test = self.tests.get(months)
        models = (self.late, self.early) if months <= 3 else (self.early,)
        return next(
            (each for each in models if each is not None and test is not None and each <= test),
            None,
        )


def churn_splits(landmarks: Landmarks, as_of: date) -> ChurnSplits:
    """Return which as-of date does what, as the history allows.

    A date can only judge a horizon, or choose over it, if by then leavers enough were known and at
    least one earlier date was closed over that horizon: a model that never saw month 12 proves
    nothing about month 12.
    """

    def can(position: int | None, months: int) -> bool:
        if position is None:
            return False
        day = landmarks.dates[position]
        return (
            int(landmarks.closed_lags(day).max()) >= months
            and known_leavers(landmarks, day) >= ENOUGH
        )

    tests = {months: landmarks.latest_closed(as_of, months) for months in HORIZONS}
    early = next((tests[months] for months in (12, 6) if can(tests[months], months)), None)
    late = tests[3] if can(tests[3], 3) else None
    proof = early if early is not None else late
    validation = None
    if proof is not None:
        day = landmarks.dates[proof]
        earlier = ((landmarks.latest_closed(day, months), months) for months in (12, 6, 3, 1))
        validation = next((position for position, months in earlier if can(position, months)), None)
    known = {months: test for months, test in tests.items() if test is not None}
    return ChurnSplits(validation, known, early, late, known_leavers(landmarks, as_of))


def known_leavers(landmarks: Landmarks, day: date) -> int:
    """Return how many relations are known on `day` to have ended."""
    closed = landmarks.closed_lags(day)[landmarks.date_of]
    ended = landmarks.event_lag <= closed
    return len(np.unique(np.stack([landmarks.customer[ended], landmarks.end_day[ended]]), axis=1).T)


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
        day, rng = landmarks.dates[splits.validation], np.random.default_rng(seed)
        train = landmarks.known_on(day, self._size, rng)
        validation = landmarks.after(splits.validation, landmarks.dates[until], _JUDGED, rng)
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
        """What the winner expected of its own date, by question; only those who can be followed
        are asked.
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
        if validation is None or selection.learner == "rate":
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
        """Return what it expected of those who can be followed, per horizon and, at twelve
        months, per cause.
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
        return _evidence(landmarks, fitted.hazard, rows, answer, months=question.months, ever=ever)

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
    landmarks: Landmarks, settings: Settings, splits: ChurnSplits, as_of: date
) -> ChurnEvaluation:
    """Let the candidates compete, judge the winner as it would have been on its day, and fit it
    as of X.
    """
    target = ChurnTarget(landmarks, settings, splits, as_of)
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
    return {LIFETIME: _evidence(landmarks, hazard, rows, answer)}, rivalry


def followed(
    landmarks: Landmarks, position: int, values: Floats, months: int
) -> tuple[NDArray[np.int64], Floats]:
    """Return the rows of one date that can be followed for so many months, and their part of
    `values`.
    """
    rows = landmarks.rows_of(position, months)
    return rows, values[rows - landmarks.start[position]]


def _evidence(
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
