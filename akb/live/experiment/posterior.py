"""What is believed of an effect after an experiment: the register's range, then what was measured.

The prior is the triangle that the case draws from (`akb.value.case.sensitivity`); what the
experiment says of a value is how well it agrees with the two measured means together, so that a
share of few ends is not taken for more than it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.config import Assumption
    from akb.live.experiment.effect import Measured

    Floats = NDArray[np.float64]

POINTS = 2001
ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class Posterior:
    """An effect with its interval of 90 %, in the units of the register."""

    low: float
    mean: float
    high: float


def posterior(entry: Assumption, measured: Measured) -> Posterior:
    """Return what is believed of the share of ends that a contact prevents.

    Parameters
    ----------
    entry
        The register's range of that share.
    """
    grid = np.linspace(entry.low, entry.high, POINTS)
    if entry.high <= entry.low:
        return Posterior(entry.low, entry.value, entry.high)
    v = measured.fit.covariance
    gap = measured.difference + grid * measured.control
    variance = np.maximum(v[1, 1] + 2 * grid * v[0, 1] + grid**2 * v[0, 0], 1e-300)
    weight = triangle(grid, entry.low, entry.value, entry.high)
    # a t and no normal: with few advisers the variance itself is hardly known
    freedom = measured.fit.degrees(np.eye(len(v))[1])
    logarithm = -(freedom + 1) / 2 * np.log1p(gap**2 / (freedom * variance))
    weight = weight * np.exp(logarithm - logarithm[weight > 0].max())
    return summarised(grid, weight / weight.sum())


def prior(entry: Assumption) -> Posterior:
    """Return what is believed before any experiment."""
    grid = np.linspace(entry.low, entry.high, POINTS)
    if entry.high <= entry.low:
        return Posterior(entry.low, entry.value, entry.high)
    weight = triangle(grid, entry.low, entry.value, entry.high)
    return summarised(grid, weight / weight.sum())


def triangle(grid: Floats, low: float, mode: float, high: float) -> Floats:
    """Return a triangle's height over `grid`, not scaled; its ends may lie on its mode."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(mode > low, (grid - low) / (mode - low), 1.0)
        down = np.where(high > mode, (high - grid) / (high - mode), 1.0)
    out: Floats = np.clip(np.where(grid <= mode, up, down), 0.0, None)
    return out


def summarised(grid: Floats, share: Floats) -> Posterior:
    """Return mean and interval of a distribution over `grid`."""
    ends = np.interp(ENDS, np.cumsum(share) - share / 2, grid)
    return Posterior(float(ends[0]), float(share @ grid), float(ends[1]))
