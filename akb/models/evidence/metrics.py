"""How good an expectation is, in one number or one table, without saying how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.models.types import Decile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners import Objective

    Floats = NDArray[np.float64]

_TINY = 1e-9


def losses(
    objective: Objective, label: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log loss (binary) or Poisson deviance (poisson) per row."""
    if objective == "binary":
        p = np.clip(expected, _TINY, 1 - _TINY)
        return np.asarray(-(label * np.log(p) + (1 - label) * np.log1p(-p)))
    mu = np.maximum(expected, _TINY)
    ratio = np.where(label > 0, label / mu, 1.0)
    return np.asarray(2 * (label * np.log(ratio) - (label - mu)))


_TIES = 20261121


def weighted_auc(p_true: Floats, score: Floats) -> float:
    """Return the expected AUC when each row is an event with weight p and a non-event with
    weight 1 - p.
    """
    order = np.argsort(score, kind="stable")
    p, ordered = p_true[order], score[order]
    starts = np.r_[0, np.flatnonzero(np.diff(ordered)) + 1]
    events, others = np.add.reduceat(p, starts), np.add.reduceat(1 - p, starts)
    below = np.cumsum(others) - others
    return float((events * (below + others / 2)).sum() / (events.sum() * others.sum()))


def _descending(score: Floats) -> NDArray[np.int64]:
    """Return positions from the highest score down; ties in a fixed random order, for customer
    numbers tell tenure.
    """
    return np.lexsort((np.random.default_rng(_TIES).permutation(len(score)), -score))


def top(score: Floats) -> NDArray[np.int64]:
    """Return the positions of the tenth with the highest scores, at least one."""
    return _descending(score)[: max(1, round(len(score) / 10))]


def decile_table(label: Floats, expected: Floats) -> tuple[Decile, ...]:
    """Return what was expected and observed per tenth; the first holds the highest predictions."""
    parts = np.array_split(_descending(expected), 10)
    return tuple(
        Decile(number, len(part), float(expected[part].mean()), float(label[part].mean()))
        for number, part in enumerate(parts, start=1)
        if len(part)
    )


def deviance_skill(label: Floats, expected: Floats) -> float | None:
    """The share of the Poisson deviance around the mean that an expectation takes away."""
    worst = float(
        losses("poisson", label, np.full(len(label), max(float(label.mean()), 1e-9))).sum()
    )
    return 1 - float(losses("poisson", label, expected).sum()) / worst if worst > 0 else None
