"""Texts of others as they may be shown: nothing that steers a terminal, turns a line round or
hides; not endless.
"""

from __future__ import annotations

import re

LONGEST = 200
"""Signs of a text that is shown; no name of an insurer, a product, an office or a person has more.
"""

# As patterns for Python and for Polars alike, so with the signs themselves and nothing that one of
# them lacks.
_ESCAPES = "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[PX\\]^_][^\x07\x1b]*(?:\x07|\x1b\\\\)"
_HIDDEN = (
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_BREAK = "[\t\n\x0b\x0c\r\x85\u2028\u2029]"
UNSEEN = f"{_ESCAPES}|{_HIDDEN}"
"""Escape sequences, control signs, signs that turn a line round, and signs without width."""

_UNSEEN = re.compile(UNSEEN)
_BREAKS = re.compile(_BREAK)


def printable(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line, without signs that nobody sees, cut at `longest` signs."""
    seen = _BREAKS.sub(" ", _UNSEEN.sub("", text[: 10 * longest]))
    return seen if len(seen) <= longest and len(text) <= 10 * longest else f"{seen[: longest - 1]}…"
