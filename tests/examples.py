"""How many examples a property is tried on: few in ``make test``, more in ``make bench`` (``AKB_EXAMPLES=4``)."""

from __future__ import annotations

import os


def examples(few: int) -> int:
    """Return so many examples, times what the environment asks."""
    return few * int(os.environ.get("AKB_EXAMPLES", "1"))
