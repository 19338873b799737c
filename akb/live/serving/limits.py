"""How often somebody may ask: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 4096
"""Buckets that are remembered; who has not asked longest has a full one again."""


class RateLimit:
    """At most `burst` requests at once, and `per_second` in the long run, of each one who asks.

    Examples
    --------
    >>> limit = RateLimit(per_second=1, burst=2, clock=lambda: 0.0)
    >>> [limit.wait("a") for _ in range(3)], limit.wait("b")
    ([0.0, 0.0, 1.0], 0.0)
    """

    def __init__(
        self, *, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_second, burst, clock
        self._buckets: dict[object, tuple[float, float]] = {}

    def wait(self, who: object) -> float:
        """Take one and return 0; where there is none, return in how many seconds there is."""
        now = self._clock()
        left, before = self._buckets.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - before) * self._rate)
        enough = left >= 1
        self._buckets[who] = (left - 1 if enough else left, now)
        if len(self._buckets) > _MOST:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if enough else (1 - left) / self._rate
