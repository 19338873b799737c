"""What unknown reasons of ending leave open: the preventable share if none, and if all, of them
were preventable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from akb.value.in_force import InForce

PRIOR_ENDS = (
    2.0  # spread over the three causes, as the model of causes does: no share is exactly zero
)
CAUSES = 3


@dataclass(frozen=True)
class EndCounts:
    """Ends by what is known of their cause: preventable, any known one, unknown."""

    preventable: int
    known: int
    unknown: int

    @property
    def unknown_share(self) -> float:
        """The share of the ends without a known cause."""
        ends = self.known + self.unknown
        return self.unknown / ends if ends else 0.0

    @property
    def preventable_share(self) -> float:
        """The preventable share of the ends with a known cause."""
        return (self.preventable + PRIOR_ENDS / CAUSES) / (self.known + PRIOR_ENDS)


def extremes(share: float, unknown: float) -> tuple[float, float, float]:
    """Return the preventable share (low, base, high): none, the usual part, or all of the unknown
    ends are preventable.

    Parameters
    ----------
    share
        Preventable share of the ends with a known cause: the base, for unknown ends are taken to be
        like the others.
    unknown
        Share of all ends without a known cause.
    """
    low = share * (1.0 - unknown)
    return low, share, low + unknown


def relation_extremes(base: InForce) -> tuple[float, float]:
    """Return by what churn_preventable_12m is multiplied if none, and if all, of the unknown ends
    were preventable.

    Counted over every relation that ended since ends are recorded, as far as they are fully
    registered. ``(1, 1)`` without reasons: there the preventable share is an assumption with a
    range of its own. The high factor is of the portfolio's sum: it may lift a single customer above
    his churn_12m, so whoever uses it caps it there."""
    recorded, time = base.portfolio.history.recorded_from, base.settings.time
    if recorded is None or not base.portfolio.history.reasons:
        return 1.0, 1.0
    until = base.as_of - timedelta(days=time.gap_days + time.registration_lag_days)
    ended = base.spells.filter(
        pl.col("end") >= recorded, pl.col("end") <= until, pl.col("cause") != "technical"
    )
    counts = count_ends(ended["cause"])
    if not counts.known:
        return 1.0, 1.0
    low, share, high = extremes(counts.preventable_share, counts.unknown_share)
    return low / share, high / share


def count_ends(cause: pl.Series) -> EndCounts:
    """Return the counts of a series of causes."""
    text = cause.cast(pl.String).fill_null("unknown")
    unknown = int((text == "unknown").sum())
    return EndCounts(int((text == "preventable").sum()), len(text) - unknown, unknown)
