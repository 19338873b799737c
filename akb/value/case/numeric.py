"""Two pieces of numerics that the case needs; SciPy has both, and takes longer to import than the
case to work out.
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.value.in_force import Floats

NEAR = 1e-9
_ROUNDS = 100


def normal_share(z: Floats) -> Floats:
    """Return the share of a standard normal below each value.

    Examples
    --------
    >>> normal_share(np.array([0.0, 1.959964])).round(3).tolist()
    [0.5, 0.975]
    """
    return np.array([0.5 * erfc(-each / sqrt(2)) for each in z.tolist()])


def sign_change(function: Callable[[float], float], low: float, high: float) -> float | None:
    """Return where a continuous function goes through zero between two places, by Ridders' method.

    None where it has the same sign at both, or is zero at one.

    Examples
    --------
    >>> sign_change(lambda x: x**3 - 0.125, 0.0, 1.0)
    0.5
    >>> sign_change(lambda x: x + 1.0, 0.0, 1.0)
    """
    below, above = function(low), function(high)
    if not below * above < 0:
        return None
    last = low
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        at = function(middle)
        if at == 0:
            return middle
        place = middle + (middle - low) * (1 if below > above else -1) * at / sqrt(
            at * at - below * above
        )
        there = function(place)
        if there == 0 or abs(place - last) <= NEAR:
            return place
        last = place
        (left, f_left), (right, f_right) = sorted([(middle, at), (place, there)])
        if below * f_left < 0:
            high, above = left, f_left
        elif f_left * f_right < 0:
            low, below, high, above = left, f_left, right, f_right
        else:
            low, below = right, f_right
    return last
