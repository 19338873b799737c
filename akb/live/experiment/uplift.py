"""How many more contacts a model of who gains most from contact would need.

Such a model is worth something only when the effect differs between customers. The least that has
to be shown is that the half with the highest predicted effect gains more than the other half: an
interaction, which takes four times the customers that an effect of the same size takes."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from akb.live.experiment.effect import Measured

ALPHA, POWER = 0.05, 0.80
DIFFERENCES = (1.0, 0.5)
"""How far the halves may differ, in units of the effect itself."""


def uplift_needs(measured: Measured, effect: float, share: float) -> list[dict[str, Any]]:
    """Return per difference between the halves how many customers and contacts it takes.

    Parameters
    ----------
    effect
        What is believed of the effect now, in the units of the outcome.
    share
        The part of the customers that is contacted.

    Returns
    -------
    Rows {``difference``: in units of the effect, ``customers``, ``contacts``, ``more``: contacts
    beyond those of this experiment; None each where there is no effect to differ in}."""
    from scipy.stats import norm

    residual = measured.fit.residual
    variance = float(np.mean(residual**2))
    spread = float(norm.ppf(1 - ALPHA / 2) + norm.ppf(POWER)) ** 2
    inflation = _inflation(measured)
    rows: list[dict[str, Any]] = []
    for difference in DIFFERENCES:
        gap = difference * effect
        row: dict[str, Any] = {"difference": difference}
        if abs(gap) < 1e-9 or variance <= 0:
            rows.append({**row, "customers": None, "contacts": None, "more": None})
            continue
        # each half has its own two arms: the variance of a difference of differences
        needed = ceil(spread * inflation * 4 * variance / (share * (1 - share)) / gap**2)
        contacts = ceil(needed * share)
        more = max(0, contacts - measured.treated_customers)
        rows.append({**row, "customers": needed, "contacts": contacts, "more": more})
    return rows


def _inflation(measured: Measured) -> float:
    """Return by what clusters blow the variance up: one where customers were assigned."""
    n = measured.treated_customers + measured.control_customers
    if measured.clusters == n:
        return 1.0
    z = measured.treated_customers / n
    plain = float(np.mean(measured.fit.residual**2)) / (n * z * (1 - z))
    return max(1.0, float(measured.fit.covariance[1, 1]) / plain) if plain > 0 else 1.0
