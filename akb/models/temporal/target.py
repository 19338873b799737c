"""One target or one family of targets: (T, customer) or (T, customer, branch) rows through
`choose_refit_evaluate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.core.draws.sampling import draw_key
from akb.core.gates import FEW_EVENTS
from akb.models.evidence import auc_with_interval
from akb.models.learners import STEP, fitters, screened
from akb.models.temporal.answer import Answer
from akb.models.temporal.calibrated import base_rates, distinct_events, fit_calibrated
from akb.models.temporal.holdout import Holdout
from akb.models.temporal.replay import choose_refit_evaluate, evaluate
from akb.models.temporal.selection import ENOUGH_FOR_SPLINES, Selection, compete, default_learner

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Models
    from akb.models.learners import Fitter, Objective
    from akb.models.temporal.calibrated import CalibratedModel
    from akb.models.temporal.holdout import Grouper
    from akb.models.temporal.problem import Problem
    from akb.models.temporal.replay import Evaluation
    from akb.models.temporal.selection import Competition
    from akb.models.temporal.splits import Split, TemporalSplits
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]

VALIDATION_ROWS = 30_000  # at most, on which candidates are compared: bounds the cost of the choice
TREES_SHARE = 2 / 9  # of the trees that the settings name, for the large steps of `STEP`
CHOICE_SHARE, TEST_SHARE = 0.4, 0.5  # of the rows of the final fit: choosing and proving need fewer
# of its final fit: one question per branch, of which the rare ones have few rows
FAMILY_STEP, FAMILY_SHARE = 0.12, 3.0
# columns that rivals choose among, by what each tells alone on the training dates: cost of the
# choice
SCREENED = 160
SIZES = (0.3, 0.5, 0.7, 1.0)  # parts of the trees that the validation date chooses among
# columns that trees keep after it, by gain: half of the time, and less noise to learn by heart
KEPT = 48
# standard errors of the gain over the base rates from which a model says something: 95 %, one-sided
SURE = 1.645


@dataclass(frozen=True)
class FitStage:
    """One fit: on which dates, with which part of ``target_rows`` and which steps; and the date
    that it predicts.

    role
        Names the draw.
    """

    role: str
    train: tuple[date, ...]
    share: float
    step: float
    day: date


@dataclass(frozen=True)
class TargetForecast:
    """A fit and what it expects of the eligible rows of a date."""

    problem: Problem
    model: CalibratedModel
    stage: FitStage

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The eligible rows of the date."""
        return self.problem.rows_on([self.stage.day])

    @cached_property
    def expected(self) -> Floats:
        """Per row the chance or expected count."""
        return self.model.predict(self.problem, self.rows)


@dataclass(frozen=True)
class ValidationForecast:
    """What the winner expected of some customers' rows on the validation date, beside the base
    rates known then.

    base
        Per group, on the link scale.
    """

    rows: NDArray[np.int64]
    expected: Floats
    base: Floats


@dataclass(frozen=True)
class ProblemSelection(Selection):
    """The choices for a problem; `forecast` is None where there was no validation date."""

    forecast: ValidationForecast | None = None


@dataclass(frozen=True)
class FittedTarget:
    """Everything that a target gave.

    rows, expected
        Rows at X and their chance or expected count.
    chosen, winner
        Who won on the validation date, and what is used after the test date had its say (``rate``
        where the chosen one proved nothing).
    evidence
        Per group, of what is delivered: of the base rate where a group falls back to it; None where
        nothing was closed.
    gains
        Per group the chance of such a gain over the best simpler rival on the test date (`gain_p`);
        None where it was not asked: too few events or dates for it to matter.
    holdout, tested
        The test date, and what is delivered for its rows.
    validation
        The validation date; None where there was none.
    """

    problem: Problem
    splits: TemporalSplits
    chosen: str
    winner: str
    competition: Competition | None
    evidence: tuple[Evidence | None, ...]
    model: CalibratedModel
    rows: NDArray[np.int64]
    expected: Floats
    gains: tuple[float | None, ...] = ()
    holdout: Holdout | None = None
    tested: Floats | None = None
    validation: ValidationForecast | None = None


@dataclass(frozen=True)
class ProblemTarget:
    """A problem and the roles of its dates, as `choose_refit_evaluate` asks for them; a question
    per group.
    """

    problem: Problem
    splits: TemporalSplits
    settings: Models
    always_earlier: bool = False  # two fits that most problems need not pay for

    @property
    def objective(self) -> Objective:
        """Chance or count."""
        return self.problem.objective

    def select(self) -> ProblemSelection:
        """Let the candidates compete on the validation date; with a short history take the
        documented default.
        """
        problem, settings, split = self.problem, self.settings, self.splits.validation
        trees = max(20, round(settings.trees * TREES_SHARE))
        rows = problem.rows_on([split.day]) if split else np.empty(0, dtype=np.int64)
        if split is None or not len(rows) or not (problem.label[rows] > 0).any():
            events = int(distinct_events(problem, problem.training_rows(self.splits.train)).sum())
            return ProblemSelection(default_learner(events), trees, problem.names)
        known = problem.training_rows(split.train)
        base = base_rates(problem, known)
        key = draw_key(settings.seed, problem.name, "choice")
        picked, weight = problem.draw(known, int(CHOICE_SHARE * settings.target_rows), key)
        train = screened(problem.sample(picked, weight, base), problem.objective, SCREENED)
        problem = problem.only(train.names)
        judges = draw_key(settings.seed, problem.name, "validation")
        rows = problem.some_customers(rows, VALIDATION_ROWS, judges)
        held_out = problem.sample(rows, np.ones(len(rows)), base)
        learners = fitters(problem.objective, settings, trees)
        contest = compete(learners, train, held_out, problem.objective, sizes=SIZES, kept=KEPT)
        winner = contest.competition.winner
        expected = contest.expected[winner]
        return ProblemSelection(
            winner,
            contest.trees or trees,
            contest.heaviest if winner == "boosting" else problem.names,
            contest.competition,
            problem.names,
            _by_group(problem, rows, expected, split.day),
            ValidationForecast(rows, expected, base),
        )

    def tests(self) -> tuple[FitStage, ...]:
        """Return the fit that the test date judges; empty where nothing was closed."""
        split = self.splits.test
        if split is None or not len(self.problem.rows_on([split.day])):
            return ()
        return (_stage("proof", split),)

    def earlier(self, selection: Selection) -> FitStage | None:
        """Return the fit that a date before the validation date judges."""
        return None if self.splits.earlier is None else _stage("earlier", self.splits.earlier)

    def teaches(self, stage: FitStage) -> bool:
        """Return whether enough had happened by then to learn from."""
        return (
            int(distinct_events(self.problem, self.problem.training_rows(stage.train)).sum())
            >= ENOUGH_FOR_SPLINES
        )

    def final(self) -> FitStage:
        """Return the fit as of X."""
        share, step = (FAMILY_SHARE, FAMILY_STEP) if len(self.problem.groups) > 1 else (1.0, STEP)
        return FitStage("final", self.splits.train, share, step, self.splits.as_of)

    def fit(self, selection: Selection, stage: FitStage) -> TargetForecast:
        """Fit the selected learner and set its level, on what was known at that stage."""
        problem = self.problem.only(selection.names)
        fit = self._fitter(selection, stage)
        model = fit_calibrated(
            problem, stage.train, fit, self.settings, share=stage.share, role=stage.role
        )
        return TargetForecast(problem, model, stage)

    def _fitter(self, selection: Selection, stage: FitStage) -> Fitter:
        """With more rows than on the validation date trees may be more: their number grows with the
        cube root.
        """
        trees = selection.trees
        if selection.competition is not None:
            trees = round(trees * (stage.share / CHOICE_SHARE) ** (1 / 3) * STEP / stage.step)
        return fitters(self.objective, self.settings, trees, stage.step)[selection.learner]

    def answers(self, fitted: TargetForecast, stage: FitStage) -> dict[str, Answer]:
        """Return what was expected of each group."""
        if not len(fitted.rows):
            return {}
        return _by_group(fitted.problem, fitted.rows, fitted.expected, stage.day)

    def unproven(self, evaluation: Evaluation[TargetForecast]) -> frozenset[str]:
        """Return the groups whose ranks may be chance on the test date.

        Of a family that as a whole does not beat its base rates all; else a branch that ranks worse
        than chance: one with few events keeps what it learnt from the others, and its grade says
        how little that proves. A single target also where it cannot be set apart from chance for
        lack of events.
        """
        if not evaluation.answers:
            return frozenset()
        if not holdout_of(evaluation.fits[0]).beats_rate(SURE):
            return frozenset(evaluation.answers)
        alone = len(self.problem.groups) == 1
        return frozenset(
            key for key, answer in evaluation.answers.items() if _by_chance(answer, alone=alone)
        )


def _stage(role: str, split: Split) -> FitStage:
    return FitStage(role, split.train, TEST_SHARE, STEP, split.day)


def _by_chance(answer: Answer, *, alone: bool) -> bool:
    happened = (answer.label > 0).astype(np.float64)
    if not 0 < happened.sum() < len(happened):
        return alone
    auc, interval = auc_with_interval(happened, answer.expected, answer.customer)
    if alone:
        return float(happened.sum()) < FEW_EVENTS or interval[0] <= 0.5
    return auc <= 0.5


def _by_group(
    problem: Problem, rows: NDArray[np.int64], expected: Floats, day: date
) -> dict[str, Answer]:
    found = {}
    for code, name in enumerate(problem.groups):
        here = problem.group[rows] == code
        label = problem.label[rows][here].astype(np.float64)
        found[name] = Answer(day, label, expected[here], problem.customer[rows][here])
    return found


def holdout_of(forecast: TargetForecast) -> Holdout:
    """Return a forecast of a closed date as what it can be judged on."""
    problem, model, rows = forecast.problem, forecast.model, forecast.rows
    rate = replace(model, flat=np.ones(len(problem.groups), dtype=bool)).predict(problem, rows)
    return Holdout(
        problem, forecast.stage.day, model, rows, forecast.expected, rate, forecast.stage.train
    )


def fit_target(
    problem: Problem, splits: TemporalSplits, settings: Models, grouper: Grouper | None = None
) -> FittedTarget:
    """Choose on the validation date, prove on the test date, refit on everything closed by X, and
    score X.

    Parameters
    ----------
    grouper
        How the rows of the test date are looked at by group; None: not at all.
    """
    made = choose_refit_evaluate(ProblemTarget(problem, splits, settings))
    groups = problem.groups
    flat = np.array([name in made.unproven for name in groups], dtype=np.bool_)
    final = replace(made.final, model=replace(made.final.model, flat=made.final.model.flat | flat))
    evidence: tuple[Evidence | None, ...] = (None,) * len(groups)
    holdout = tested = None
    if made.evaluation.fits:
        holdout = replace(
            holdout_of(made.evaluation.fits[0]),
            validation=made.selection.validation,
            earlier=made.challenge.earlier,
        )
        own = holdout.problem
        tested = np.where(flat[own.group[holdout.rows]], holdout.rate, holdout.expected)
        evidence = holdout.evidence(tested, grouper(own, holdout.rows) if grouper else None)
    selection = made.selection
    return FittedTarget(
        problem=final.problem,
        splits=splits,
        chosen=selection.learner,
        winner=made.learner,
        competition=selection.competition,
        evidence=evidence,
        model=final.model,
        rows=final.rows,
        expected=final.expected,
        gains=tuple(made.challenge.gains.get(name) for name in groups),
        holdout=holdout,
        tested=tested,
        validation=selection.forecast if isinstance(selection, ProblemSelection) else None,
    )


def evaluate_target(
    problem: Problem, splits: TemporalSplits, settings: Models
) -> tuple[Evidence | None, ...]:
    """Choose on the validation date and return the evidence on the test date per group, without
    scoring anyone.
    """
    made = evaluate(ProblemTarget(problem, splits, settings))
    if not made.fits:
        return (None,) * len(problem.groups)
    holdout = replace(holdout_of(made.fits[0]), validation=made.selection.validation)
    return holdout.evidence(holdout.expected)
