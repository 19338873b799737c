"""How much evidence is enough, and the names and numbers that all questions about amounts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# insurance premium tax, a share of the net premium (Wet op belastingen van rechtsverkeer, art. 24)
TAX = 0.21
ENOUGH = 20  # rows that a comparison needs
CLEAR = 0.8  # share of rows on which two columns have to agree
NEAR = 0.35  # of the way from one reading to the other
INSTALMENTS = (1, 3, 6)  # months: terms of those who pay in parts
PREMIUMS = ("premium", "premium_gross", "premium_term", "premium_term_gross")
_CONVINCING, _AHEAD = (
    0.1,
    3.0,
)  # share of rows by which a rare pattern convinces, and how far it has to stay ahead


def ahead(counts: Mapping[str, int], rows: int) -> str | None:
    """Return the way that holds on so many more rows than the next one that it cannot be chance.

    >>> ahead({"net": 240, "gross": 30}, rows=1000)
    'net'
    >>> ahead({"net": 240, "gross": 90}, rows=1000)
    """
    best, other = sorted(counts.values(), reverse=True)[:2]
    if best < max(ENOUGH, _CONVINCING * rows, _AHEAD * other):
        return None
    return next(name for name, hits in counts.items() if hits == best)
