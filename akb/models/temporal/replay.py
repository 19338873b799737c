"""Choose, refit, evaluate: the order of work of every prediction, written once.

1. *Choose*: the candidates learn from what was known on the validation date and are compared on
what came after it. 2. *Evaluate*: the winner is refitted as it could have been on the test date and
judged on what came after that. 3. *Challenge*: where a prediction may turn out strong, the best
simpler candidate is asked the
same, and the winner is
   judged on one earlier date that chose nothing either.
4. *Refit*: with the choices frozen, on everything that is closed at X; where nothing was proven,
the base rate.

A `Target` says what each step means for its kind of rows: (T, customer) or (T, customer, branch) in
`target`, person-months of the churn hazard in `akb.models.churn.evaluation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from akb.models.evidence import STRONG_EVENTS, gain_p, losses
from akb.models.temporal.answer import Answer
from akb.models.types import DateResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners import Objective
    from akb.models.temporal.selection import Selection

    Floats = NDArray[np.float64]

Fitted = TypeVar("Fitted")
Stage = TypeVar("Stage")


class Target(Protocol[Stage, Fitted]):
    """What can be learned and judged from several days."""

    @property
    def objective(self) -> Objective:
        """Chance or count."""
        ...

    @property
    def always_earlier(self) -> bool:
        """Whether the earlier date is asked whatever comes of it; else only where it can make a
        prediction strong.
        """
        ...

    def select(self) -> Selection:
        """Compare the candidates on the validation date; with a short history return the documented
        default.
        """
        ...

    def tests(self) -> Sequence[Stage]:
        """Return what is judged; empty where nothing was closed."""
        ...

    def earlier(self, selection: Selection) -> Stage | None:
        """Return the test on a date before the validation date; None with less history."""
        ...

    def teaches(self, stage: Stage) -> bool:
        """Return whether enough had happened by then to learn from."""
        ...

    def final(self) -> Stage:
        """Return the fit as of X."""
        ...

    def fit(self, selection: Selection, stage: Stage) -> Fitted:
        """Fit the selected learner on what was known at a stage."""
        ...

    def answers(self, fitted: Fitted, stage: Stage) -> Mapping[str, Answer]:
        """Return what it expected at that stage, by question."""
        ...

    def unproven(self, evaluation: Evaluation[Fitted]) -> frozenset[str]:
        """Return the questions whose ranks may be chance: they give way to the base rate."""
        ...


@dataclass(frozen=True)
class Evaluation(Generic[Fitted]):
    """The choices, and what the winner expected on the test date.

    fits
        The winner as it could have been known at each test.
    """

    selection: Selection
    fits: tuple[Fitted, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Challenge:
    """How sure the gain over the best simpler candidate is, and what the winner showed on an
    earlier date.

    gains
        By question the chance of such a gain (`gain_p`); absent where it was not asked: too few
        events or dates for it to matter.
    earlier
        By question; empty where it was not asked.
    """

    gains: Mapping[str, float] = field(default_factory=dict)
    earlier: Mapping[str, DateResult] = field(default_factory=dict)


@dataclass(frozen=True)
class Replayed(Generic[Fitted]):
    """Everything that choosing, refitting and evaluating gave.

    learner
        What is used: the chosen one, or ``rate`` where it proved nothing at all.
    unproven
        The questions that give way to the base rate.
    final
        The fit as of X.
    """

    evaluation: Evaluation[Fitted]
    challenge: Challenge
    learner: str
    unproven: frozenset[str]
    final: Fitted

    @property
    def selection(self) -> Selection:
        """The choices."""
        return self.evaluation.selection


def choose_refit_evaluate(target: Target[Stage, Fitted]) -> Replayed[Fitted]:
    """Make a prediction as it could have been made on earlier days, judge it, and make it again as
    of X.
    """
    evaluation = evaluate(target)
    unproven = target.unproven(evaluation)
    nothing = bool(evaluation.answers) and unproven >= evaluation.answers.keys()
    challenged = challenge(target, evaluation, proven=not nothing)
    learner = "rate" if nothing else evaluation.selection.learner
    final = target.fit(replace(evaluation.selection, learner=learner), target.final())
    return Replayed(evaluation, challenged, learner, unproven, final)


def evaluate(target: Target[Stage, Fitted]) -> Evaluation[Fitted]:
    """Choose on the validation date and refit and judge on the test date, without scoring
    anyone.
    """
    selection = target.select()
    fits, answers = [], dict[str, Answer]()
    for test in target.tests():
        fits.append(target.fit(selection, test))
        answers |= target.answers(fits[-1], test)
    return Evaluation(selection, tuple(fits), answers)


def challenge(
    target: Target[Stage, Fitted], evaluation: Evaluation[Fitted], *, proven: bool
) -> Challenge:
    """Ask the best simpler candidate the same, and the winner of an earlier date, where that can
    make it strong.

    Parameters
    ----------
    proven
        Whether anything is left to be challenged.
    """
    selection, answers = evaluation.selection, evaluation.answers
    stage, rival = target.earlier(selection), selection.rival()
    strong = [key for key, answer in answers.items() if answer.events >= STRONG_EVENTS]
    worth = proven and rival is not None and bool(strong)
    if stage is None or not (worth or target.always_earlier):
        return Challenge()
    earlier: Mapping[str, Answer] = {}
    if target.teaches(stage):
        earlier = target.answers(target.fit(selection, stage), stage)
    theirs: dict[str, Answer] = {}
    if worth and rival is not None:
        for test in target.tests():
            theirs |= target.answers(target.fit(rival, test), test)
    return Challenge(
        {
            key: _gain(target.objective, answers[key], theirs[key])
            for key in strong
            if key in theirs
        },
        {key: answer.result() for key, answer in earlier.items()},
    )


def _gain(objective: Objective, mine: Answer, rival: Answer) -> float:
    lost, theirs = (losses(objective, mine.label, each.expected) for each in (mine, rival))
    return gain_p(lost, theirs, mine.customer)
