"""Least squares with a sandwich that stays honest in small samples and with few clusters.

The variance is CR2 (Bell and McCaffrey, 2002; with clusters of one it is HC2), the interval a t
with Bell and McCaffrey's degrees of freedom (Imbens and Kolesár, 2016). Everything is worked out
with matrices of the number of columns, never of the number of rows or clusters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ALL_OF_IT = 1e-9
"""A cluster that alone decides a coefficient tells nothing of its variance."""


@dataclass(frozen=True)
class RobustFit:
    """Coefficients with the parts of their variance.

    Parameters
    ----------
    beta
        (columns,): the coefficients.
    design
        (rows, columns), sorted by cluster.
    weights
        (rows, columns): per row what its residual adds to each coefficient, corrected for leverage.
    starts
        The first row of every cluster.
    residual
        (rows,).
    bread
        (columns, columns): the inverse of X'X.
    """

    beta: Floats
    design: Floats
    weights: Floats
    starts: NDArray[np.int64]
    residual: Floats
    bread: Floats

    @cached_property
    def covariance(self) -> Floats:
        """(columns, columns): CR2."""
        scores = self.weights * self.residual[:, None]
        sums = np.add.reduceat(scores, self.starts, axis=0)
        out: Floats = sums.T @ sums
        return out

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return len(self.starts)

    def value(self, contrast: Floats) -> float:
        """Return a linear combination of the coefficients."""
        return float(contrast @ self.beta)

    def error(self, contrast: Floats) -> float:
        """Return its standard error."""
        return float(np.sqrt(max(float(contrast @ self.covariance @ contrast), 0.0)))

    def degrees(self, contrast: Floats) -> float:
        """Return Bell and McCaffrey's degrees of freedom of its variance; at least one."""
        weight = self.weights @ contrast
        squares = np.add.reduceat(weight**2, self.starts)
        moved = np.add.reduceat(self.design * weight[:, None], self.starts, axis=0)
        shared = np.einsum("gi,ij,gj->g", moved, self.bread, moved)
        inner = self.bread @ (moved.T @ moved)
        trace = float((squares - shared).sum())
        square = float((squares**2 - 2 * squares * shared).sum() + np.trace(inner @ inner))
        return max(1.0, trace**2 / square) if square > 0 else 1.0

    def interval(self, contrast: Floats, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of a linear combination."""
        from scipy.stats import t

        width = float(t.ppf((1 + level) / 2, self.degrees(contrast))) * self.error(contrast)
        middle = self.value(contrast)
        return middle - width, middle + width


def robust_fit(design: Floats, outcome: Floats, cluster: NDArray[Any]) -> RobustFit:
    """Return the least squares fit of `outcome` on `design`, its variance robust by `cluster`.

    Raises
    ------
    ValueError
        If the columns of the design are not independent.

    Examples
    --------
    Two groups of two, each row a cluster of its own: the variance of Welch's test.

    >>> design = np.column_stack([np.ones(4), [0.0, 0, 1, 1]])
    >>> fit = robust_fit(design, np.array([1.0, 3.0, 4.0, 8.0]), np.arange(4))
    >>> arm = np.array([0.0, 1.0])
    >>> round(fit.value(arm), 6), round(fit.error(arm), 6), round(fit.degrees(arm), 2)
    (4.0, 2.236068, 2.0)
    """
    order = np.argsort(cluster, kind="stable")
    x, y, ordered = design[order], outcome[order], np.asarray(cluster)[order]
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("the columns of the design are not independent")
    starts = np.r_[0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1].astype(np.int64)
    bread: Floats = np.asarray(np.linalg.inv(x.T @ x), dtype=np.float64)
    beta = bread @ (x.T @ y)
    return RobustFit(beta, x, _weights(x, starts, bread), starts, y - x @ beta, bread)


def _weights(x: Floats, starts: NDArray[np.int64], bread: Floats) -> Floats:
    """Return (rows, columns): A_g X_g (X'X)^-1, with A_g the inverse root of I - H_gg."""
    root: Floats = np.asarray(np.linalg.cholesky(bread), dtype=np.float64)
    scaled = x @ root
    if len(starts) == len(x):
        left = 1 - (scaled**2).sum(axis=1)
        single: Floats = (scaled @ root.T) * _inverse_root(left)[:, None]
        return single
    sizes = np.diff(np.r_[starts, len(x)])
    inner = np.stack([part.T @ part for part in np.split(scaled, starts[1:])])
    eigen, vectors = np.linalg.eigh(inner)
    middle = np.einsum("gik,gk,gjk->gij", vectors, _inverse_root(1 - eigen), vectors)
    out: Floats = np.einsum("ni,nij->nj", scaled, np.repeat(middle, sizes, axis=0)) @ root.T
    return out


def _inverse_root(left: Floats) -> Floats:
    safe = np.maximum(left, _ALL_OF_IT)
    return np.where(left > _ALL_OF_IT, 1 / np.sqrt(safe), 0.0)
