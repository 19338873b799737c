"""The shape that claims, contacts and payments share: how often in windows, how long ago, and
whether it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, since, within

if TYPE_CHECKING:
    from akb.features.registry import Events

_ANY = pl.lit(value=True)


@dataclass(frozen=True)
class Windows:
    """Adds windowed features over one source of dated events to a group.

    Parameters
    ----------
    group
        Gets the features.
    source
        Where the events are; its recorded history limits the look-back.
    unit
        What is counted.
    """

    group: Group
    source: Events
    unit: str

    def count(
        self, stem: str, words: str, windows: tuple[int, ...], where: pl.Expr = _ANY
    ) -> dict[int, pl.Expr]:
        """Add ``{stem}_{w}m``, how many events in the last w months satisfy `where`; return them
        per window.
        """
        found = {window: self.total(stem, window, where) for window in windows}
        for window, number in found.items():
            span = "month" if window == 1 else f"{window} months"
            meaning = words.format(span=f"in the last {span}")
            self.group.add(
                f"{stem}_{window}m", meaning, self.unit, number, back=window, record=self.source
            )
        return found

    def total(self, stem: str, window: int, where: pl.Expr = _ANY) -> pl.Expr:
        """Return how many events in the last `window` months satisfy `where`, without making it a
        feature.
        """
        return self.group.count(f"_{stem}_{window}", self.source, within("date", window) & where)

    def since(self, stem: str, words: str, caps: tuple[int, ...], where: pl.Expr = _ANY) -> pl.Expr:
        """Add ``months_since_{stem}_{cap}m``; return the days since the latest event within reach
        (null: none).
        """
        latest = self.group.least(
            f"_since_{stem}", self.source, pl.when(where).then(pl.col("since"))
        )
        for cap in caps:
            name, meaning = (
                f"months_since_{stem}_{cap}m",
                f"months since the last {words}, at most {cap}",
            )
            self.group.add(
                name, meaning, "months", since(latest, cap), back=cap, record=self.source
            )
        return latest

    def trends(self, stem: str, words: str, count: dict[int, pl.Expr]) -> None:
        """Add the pace of the last 3 months against 12, and that of the last 12 against 36, per
        year.
        """
        recent = f"{words} of the last 3 months at a yearly pace, minus those of 12 months"
        slow = f"{words} of the last 12 months minus the yearly mean of 36 months"
        self.group.add(
            f"{stem}_trend",
            recent,
            self.unit,
            4 * count[3] - count[12],
            back=12,
            record=self.source,
        )
        if 36 in count:
            self.group.add(
                f"{stem}_trend_36m",
                slow,
                self.unit,
                count[12] - count[36] / 3,
                back=36,
                record=self.source,
            )
