"""Rivals for one prediction, and the rule that chooses: the simplest within one standard error of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.evidence.intervals import Z95, paired_difference
from akb.models.evidence.metrics import losses
from akb.models.learners.rivals import SIMPLEST_FIRST
from akb.models.learners.sample import Objective, Sample
from akb.models.types import Candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners.boosting import Boosted


@dataclass(frozen=True)
class Competition:
    """Who won on T1, by how much, and whether the gain over the best simpler rival is above zero at 95 %."""

    winner: str
    candidates: tuple[Candidate, ...]
    gain_significant: bool


def judge(
    expected: Mapping[str, NDArray[np.float64]],
    label: NDArray[np.float64],
    cluster: NDArray[Any],
    *,
    objective: Objective = "binary",
    weight: NDArray[np.float64] | None = None,
) -> Competition:
    """Choose among predictions for the same rows.

    The winner is the simplest rival whose loss lies within one standard error of the best one's; the standard error is
    that of the paired difference, clustered by customer. Order of simplicity: `SIMPLEST_FIRST`, then as given.

    Parameters
    ----------
    expected
        Name of the rival -> chance or expected count per row [n].
    """
    order = sorted(expected, key=lambda name: SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else 99)
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
    """Return the rival simpler than the winner with the lowest loss where the winner was chosen; None without one."""
    simpler = SIMPLEST_FIRST[: SIMPLEST_FIRST.index(competition.winner)]
    met = [each for each in competition.candidates if each.name in simpler]
    return min(met, key=lambda each: each.loss).name if met else None


def gains(
    loss: Mapping[str, NDArray[np.float64]],
    winner: str,
    cluster: NDArray[Any],
    weight: NDArray[np.float64] | None = None,
) -> bool:
    """Return whether the winner's gain over the best simpler rival on these rows is above zero at 95 %.

    Parameters
    ----------
    loss
        Name of the rival -> loss per row [n].
    """
    order = sorted(loss, key=lambda name: SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else 99)
    simpler = order[: order.index(winner)]
    if not simpler or not len(cluster):
        return False
    w = np.ones(len(cluster)) if weight is None else weight
    rival = min(simpler, key=lambda name: float((w * loss[name]).sum()))
    gain, error = paired_difference(loss[rival], loss[winner], cluster, w)
    return gain > Z95 * error
