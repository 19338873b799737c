"""How a column was read, and how akb knows.

The client's settings, the heading, or the amounts themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from akb.core.wording.phrases import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

How = Literal["setting", "heading", "data", "unsure"]


@dataclass(frozen=True)
class Reading:
    """How something was read, how akb knows, and the rows that told it.

    Parameters
    ----------
    value
        ``year | instalment | month``, ``net | gross`` or ``amount | percentage``.
    how
        ``unsure``: nothing told it, `value` is assumed.
    why
        Key of the explanation in ``configs/text/<language>/money.toml``.
    numbers
        What the explanation counts.
    """

    value: str
    how: How
    why: str
    numbers: Mapping[str, int] = field(default_factory=dict)

    def because(self) -> Phrase:
        """Return why, to be said."""
        return Phrase(f"money.why.{self.why}", self.numbers)


def together(readings: Sequence[Reading]) -> Reading:
    """Return the same reading of several files, with the rows of all of them."""
    first = readings[0]
    return replace(
        first,
        numbers={name: sum(each.numbers[name] for each in readings) for name in first.numbers},
    )


@dataclass(frozen=True)
class MoneyConventions:
    """How the premium and the commission of one table were read; None where it has none.

    Parameters
    ----------
    rows
        Rows that could tell.
    premium, commission
        The column that was judged.
    """

    rows: int = 0
    premium: str | None = None
    commission: str | None = None
    premium_per: Reading | None = None
    premium_basis: Reading | None = None
    commission_per: Reading | None = None
    commission_basis: Reading | None = None

    def readings(self) -> dict[str, Reading]:
        """Return setting -> reading, of what there is."""
        names = ("premium_per", "premium_basis", "commission_per", "commission_basis")
        return {name: reading for name in names if (reading := getattr(self, name)) is not None}
