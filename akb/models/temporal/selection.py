"""Rivals for one prediction, and the rule that chooses: the simplest within one standard error of the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from akb.models.types import Candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners.boosting import Boosted

Objective = Literal["binary", "poisson"]
SIMPLEST_FIRST = ("rate", "rule", "logistic", "boosting")
_TINY = 1e-9
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Sample:
    """Rows to learn from or to judge on.

    Parameters
    ----------
    x
        Float32 [n, f]; unknown is NaN.
    label
        [n]; 0/1 or a count.
    weight
        [n]; the inverse of the chance that the row was sampled.
    offset
        [n]; what is known beforehand on the link scale (log-odds or log rate), for instance the branch's base.
    cluster
        [n]; the customer.
    names
        Column names of `x`.
    categorical
        Positions in `x` that hold codes.
    ranked
        Positions in `x` by what each column tells alone, best first; empty where nobody looked yet.
    monotone
        Per column +1 or -1 where the label is sure to rise or fall with it, else 0; empty: all are free.
    """

    x: NDArray[np.float32]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    offset: NDArray[np.float64]
    cluster: NDArray[Any]
    names: tuple[str, ...]
    categorical: tuple[int, ...] = ()
    ranked: tuple[int, ...] = ()
    monotone: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.label)


class Model(Protocol):
    """Anything that gives an expectation per row and can be written down without pickle."""

    def predict(self, x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance or expected count per row."""
        ...

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the model as text files by name."""
        ...


Fitter = Callable[[Sample], Model]


@dataclass(frozen=True)
class Competition:
    """Who won on T1, by how much, and whether the gain over the best simpler rival is above zero at 95 %."""

    winner: str
    candidates: tuple[Candidate, ...]
    gain_significant: bool


def losses(objective: Objective, label: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log loss (binary) or Poisson deviance (poisson) per row."""
    if objective == "binary":
        p = np.clip(expected, _TINY, 1 - _TINY)
        return np.asarray(-(label * np.log(p) + (1 - label) * np.log1p(-p)))
    mu = np.maximum(expected, _TINY)
    ratio = np.where(label > 0, label / mu, 1.0)
    return np.asarray(2 * (label * np.log(ratio) - (label - mu)))


def cluster_sums(values: NDArray[np.float64], cluster: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of `values` per cluster, in ascending order of the cluster."""
    _, position = np.unique(cluster, return_inverse=True)
    return np.bincount(position, weights=values).astype(np.float64)


def paired_difference(
    loss: NDArray[np.float64],
    other: NDArray[np.float64],
    cluster: NDArray[Any],
    weight: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Return the mean of ``loss - other`` per row and its standard error, clustered by customer."""
    w = np.ones(len(loss)) if weight is None else weight
    total = float(w.sum())
    if total <= 0:
        return 0.0, 0.0
    gap = loss - other
    mean = float((w * gap).sum() / total)
    sums = cluster_sums(w * (gap - mean), cluster)
    correction = len(sums) / max(len(sums) - 1, 1)
    return mean, float(np.sqrt(correction * (sums**2).sum()) / total)


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


def gain_p(loss: NDArray[np.float64], rival: NDArray[np.float64], cluster: NDArray[Any]) -> float:
    """Return how likely a gain as large as that of `loss` on `rival` is by chance, two-sided; 1 where there is none."""
    from scipy.stats import norm

    gain, error = paired_difference(rival, loss, cluster)
    if gain <= 0:
        return 1.0
    return float(2 * norm.sf(gain / error)) if error > 0 else 0.0


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
