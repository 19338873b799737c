"""The scale on which models add up: log-odds of a chance, logarithm of an expected count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners.sample import Objective


def from_link(objective: Objective, link: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return chances from log-odds, or expected counts from log rates.

    Examples
    --------
    >>> from_link("binary", np.array([0.0, np.log(4)])).round(3).tolist()
    [0.5, 0.8]
    """
    clipped = np.clip(link, -35, 35)
    return np.exp(clipped) if objective == "poisson" else np.asarray(1 / (1 + np.exp(-clipped)))


def to_link(objective: Objective, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log-odds of chances, or log rates of expected counts.

    Examples
    --------
    >>> to_link("binary", np.array([0.5, 0.8])).round(3).tolist()
    [0.0, 1.386]
    """
    if objective == "poisson":
        return np.log(np.maximum(expected, 1e-12))
    p = np.clip(expected, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(p) - np.log1p(-p))
