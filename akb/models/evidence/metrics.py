"""How good an expectation is, in one number or one table, without saying how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.models.types import Decile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners import Objective

    Floats = NDArray[np.float64]

_TINY = 1e-9  # keeps a logarithm finite
_TIES = 20261121  # the seed of the order among equal scores


def losses(
    objective: Objective, label: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log loss (binary) or Poisson deviance (poisson) per row.

    Notes
    -----
    The deviance of McCullagh & Nelder 1989; that of a chance is twice the log loss.

    Examples
    --------
    >>> losses("binary", np.array([1.0, 0.0]), np.array([0.8, 0.2])).round(3).tolist()
    [0.223, 0.223]
    >>> losses("poisson", np.array([0.0, 2.0]), np.array([0.5, 1.0])).round(3).tolist()
    [1.0, 0.773]
    """
    if objective == "binary":
        p = np.clip(expected, _TINY, 1 - _TINY)
        return np.asarray(-(label * np.log(p) + (1 - label) * np.log1p(-p)))
    mu = np.maximum(expected, _TINY)
    ratio = np.where(label > 0, label / mu, 1.0)
    return np.asarray(2 * (label * np.log(ratio) - (label - mu)))


def weighted_auc(p_true: Floats, score: Floats) -> float:
    """Return the expected AUC when each row is an event with weight p and a non-event with
    weight 1 - p.

    Notes
    -----
    The chance that an event scores above a non-event, ties for a half (Hanley & McNeil 1982), with
    chances for what happened.

    Examples
    --------
    An event is the first row with weight .5 and the second with .1, a non-event with .5 and .9.

    >>> round(weighted_auc(np.array([0.5, 0.1]), np.array([2.0, 1.0])), 3)
    0.738
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
    """Return the positions of the tenth with the highest scores, at least one.

    Examples
    --------
    >>> top(np.arange(20.0)).tolist()
    [19, 18]
    """
    return _descending(score)[: max(1, round(len(score) / 10))]


def decile_table(label: Floats, expected: Floats) -> tuple[Decile, ...]:
    """Return what was expected and observed per tenth; the first holds the highest predictions.

    Examples
    --------
    >>> first, *_, last = decile_table(np.repeat([1.0, 0.0], [10, 10]), np.linspace(0.9, 0.1, 20))
    >>> first.customers, round(first.predicted, 2), first.observed, last.observed
    (2, 0.88, 1.0, 0.0)
    """
    parts = np.array_split(_descending(expected), 10)
    return tuple(
        Decile(number, len(part), float(expected[part].mean()), float(label[part].mean()))
        for number, part in enumerate(parts, start=1)
        if len(part)
    )


def deviance_skill(label: Floats, expected: Floats) -> float | None:
    """The share of the Poisson deviance around the mean that an expectation takes away.

    The R² of Cameron & Windmeijer 1996.

    Examples
    --------
    >>> label = np.array([0.0, 2.0, 0.0, 2.0])
    >>> round(deviance_skill(label, np.array([0.5, 1.5, 0.5, 1.5])), 3)
    0.585
    >>> deviance_skill(label, np.ones(4))
    0.0
    """
    worst = float(
        losses("poisson", label, np.full(len(label), max(float(label.mean()), 1e-9))).sum()
    )
    return 1 - float(losses("poisson", label, expected).sum()) / worst if worst > 0 else None
