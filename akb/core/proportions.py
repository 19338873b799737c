"""How sure a share is that was counted."""

from __future__ import annotations

from math import sqrt

Z90 = 1.6449


def interval(events: float, of: float, z: float = Z90) -> tuple[float, float]:
    """Return Wilson's interval (1927) of a share, of 90 % unless `z` says otherwise.

    Examples
    --------
    >>> [round(bound, 3) for bound in interval(3, 20)]
    [0.062, 0.322]
    """
    if of <= 0:
        return 0.0, 1.0
    share, extra = events / of, z * z / of
    middle = (share + extra / 2) / (1 + extra)
    half = z / (1 + extra) * sqrt(share * (1 - share) / of + extra / (4 * of))
    return middle - half, middle + half
