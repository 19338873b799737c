"""The collector of cyclic garbage, for a short run that makes millions of small objects and next to
no cycles.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SELDOM = (100_000, 50, 100)
"""New objects before the youngest are looked at, and how often the older ones are: 700, 10 and 10
are the usual.
"""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cyclic garbage seldom within the block; what lies in no cycle is freed at once all
    the same.

    On 66,768 policies the usual pace costs `akb eda` 1.3 CPU seconds, this one 0.4; there is next
    to nothing to find."""
    usual = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
