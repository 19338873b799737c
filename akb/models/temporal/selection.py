"""Candidates compared on the validation date: the simplest within one standard error of the best
one wins.

The rule of one standard error is that of Breiman, Friedman, Olshen & Stone 1984; here the error is
that of the paired difference, which is smaller than either's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.evidence import Z95, losses, paired_difference
from akb.models.learners import SIMPLEST_FIRST, Boosted, Objective, Sample, without_rows
from akb.models.types import Candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners import Fitter, Model
    from akb.models.temporal.answer import Answer


# Distinct events from which the documented default learns, where there was no validation date to
# choose on: trees split hairs below some hundreds, and the splines' 24 features want four events
# each.
ENOUGH_FOR_TREES, ENOUGH_FOR_SPLINES = 300, 100


@dataclass(frozen=True)
class Competition:
    """Who won on the validation date, by how much, and whether the gain over the best simpler rival
    is above zero at 95 %.
    """

    winner: str
    candidates: tuple[Candidate, ...]
    gain_significant: bool


def compare_candidates(
    expected: Mapping[str, NDArray[np.float64]],
    label: NDArray[np.float64],
    cluster: NDArray[Any],
    *,
    objective: Objective = "binary",
    weight: NDArray[np.float64] | None = None,
) -> Competition:
    """Choose among predictions for the same rows.

    The winner is the simplest rival whose loss lies within one standard error of the best one's;
    the standard error is that of the paired difference, clustered by customer. Order of simplicity:
    `SIMPLEST_FIRST`, then as given.

    Parameters
    ----------
    expected
        Name of the rival -> chance or expected count per row [n].
    """
    order = sorted(
        expected, key=lambda name: SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else 99
    )
    loss = {name: losses(objective, label, expected[name]) for name in order}
    w = np.ones(len(label)) if weight is None else weight
    mean = {name: float((w * loss[name]).sum() / w.sum()) for name in order}
    best = min(order, key=lambda name: mean[name])
    gaps = {name: paired_difference(loss[name], loss[best], cluster, w) for name in order}
    winner = next(name for name in order if name == best or gaps[name][0] <= gaps[name][1])
    table = tuple(Candidate(name, mean[name], *gaps[name], won=name == winner) for name in order)
    return Competition(winner, table, gains(loss, winner, cluster, w))


def best_size(
    model: Boosted, test: Sample, parts: Sequence[float], objective: Objective = "binary"
) -> tuple[NDArray[np.float64], int]:
    """Return the predictions with the number of trees that does best on `test`, and that number.

    Parameters
    ----------
    parts
        Of all trees, in (0, 1].
    """
    sizes = sorted({max(1, int(model.trees * part)) for part in parts})
    best, found, size_of = np.inf, np.empty(0), 0
    for size, expected in model.staged(test.x, test.offset, sizes):
        loss = float(test.weight @ losses(objective, test.label, expected))
        if loss < best:
            best, found, size_of = loss, expected, size
    return found, size_of


def best_simpler(competition: Competition) -> str | None:
    """Return the rival simpler than the winner with the lowest loss where the winner was chosen;
    None without one.
    """
    own = competition.winner not in SIMPLEST_FIRST  # the client's: all of akb's are simpler
    simpler = SIMPLEST_FIRST[: None if own else SIMPLEST_FIRST.index(competition.winner)]
    met = [each for each in competition.candidates if each.name in simpler]
    return min(met, key=lambda each: each.loss).name if met else None


def gains(
    loss: Mapping[str, NDArray[np.float64]],
    winner: str,
    cluster: NDArray[Any],
    weight: NDArray[np.float64] | None = None,
) -> bool:
    """Return whether the winner's gain over the best simpler rival on these rows is above zero at
    95 %.

    Parameters
    ----------
    loss
        Name of the rival -> loss per row [n].
    """
    order = sorted(
        loss, key=lambda name: SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else 99
    )
    simpler = order[: order.index(winner)]
    if not simpler or not len(cluster):
        return False
    w = np.ones(len(cluster)) if weight is None else weight
    rival = min(simpler, key=lambda name: float((w * loss[name]).sum()))
    gain, error = paired_difference(loss[rival], loss[winner], cluster, w)
    return gain > Z95 * error


@dataclass(frozen=True)
class Contest:
    """What the candidates showed on the validation date.

    models, expected
        Per candidate what it learned, and what it expected of the rows of the validation date.
    trees
        The number of trees that did best; 0 where none were grown.
    heaviest
        The columns that the trees leaned on most; all without trees.
    """

    competition: Competition
    models: dict[str, Model]
    expected: dict[str, NDArray[np.float64]]
    trees: int
    heaviest: tuple[str, ...]


def compete(
    fitters: Mapping[str, Fitter],
    train: Sample,
    validation: Sample,
    objective: Objective,
    *,
    sizes: Sequence[float],
    kept: int,
) -> Contest:
    """Fit every candidate on `train` and compare them on `validation`.

    Parameters
    ----------
    sizes
        Parts of all trees that the choice is among.
    kept
        How many columns the later fits of trees learn from at most.
    """
    models: dict[str, Model] = {}
    expected: dict[str, NDArray[np.float64]] = {}
    trees, heaviest = 0, train.names
    for name, fit in fitters.items():
        model = models[name] = without_rows(fit(train))
        if isinstance(model, Boosted):
            expected[name], trees = best_size(model, validation, sizes, objective)
            gain = model.importance()
            heaviest = tuple(sorted(gain, key=lambda column: (-gain[column], column))[:kept])
        else:
            expected[name] = model.predict(validation.x, validation.offset)
    competition = compare_candidates(
        expected,
        validation.label,
        validation.cluster,
        objective=objective,
        weight=validation.weight,
    )
    return Contest(competition, models, expected, trees, heaviest)


@dataclass(frozen=True)
class Selection:
    """The choices that every later fit keeps to.

    learner, trees, names
        The winner, how many trees, and the columns that it learns from.
    competition
        How it was chosen; None with a short history: then the documented default was taken.
    rival_names
        The columns that the other candidates learn from.
    validation
        What the winner expected on the validation date, by question.
    """

    learner: str
    trees: int
    names: tuple[str, ...]
    competition: Competition | None = None
    rival_names: tuple[str, ...] = ()
    validation: Mapping[str, Answer] = field(default_factory=dict)

    def rival(self) -> Selection | None:
        """Return the same choices for the best simpler candidate; None without one."""
        name = None if self.competition is None else best_simpler(self.competition)
        return None if name is None else replace(self, learner=name, names=self.rival_names)


def default_learner(events: int) -> str:
    """Return the documented default where the history is too short to choose on: by how many
    distinct events.
    """
    enough = [(ENOUGH_FOR_TREES, "boosting"), (ENOUGH_FOR_SPLINES, "logistic"), (0, "rate")]
    return next(name for least, name in enough if events >= least)
