"""Which as-of date teaches, chooses and proves the churn hazard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import date

    from akb.models.churn.landmark import Landmarks

HORIZONS = (1, 3, 6, 12)
CHURN = tuple(f"churn_{months}m" for months in HORIZONS)
ENOUGH = 100  # distinct leavers from which rivals can be compared and a later window can be judged


@dataclass(frozen=True)
class ChurnSplits:
    """Positions of as-of dates in their roles; None where the history is too short.

    Parameters
    ----------
    validation
        The date that chooses.
    tests
        The test date per horizon.
    early, late
        From which dates the models that are judged look.
    leavers
        Distinct relations whose end is known at X.
    """

    validation: int | None
    tests: dict[int, int]
    early: int | None
    late: int | None
    leavers: int

    def model_for(self, months: int) -> int | None:
        """Return the date from which the model looks that is judged on this horizon's test date."""
        test = self.tests.get(months)
        models = (self.late, self.early) if months <= 3 else (self.early,)
        return next(
            (each for each in models if each is not None and test is not None and each <= test),
            None,
        )


def churn_splits(landmarks: Landmarks, as_of: date) -> ChurnSplits:
    """Return which as-of date does what, as the history allows.

    A date can only judge a horizon, or choose over it, if by then leavers enough were known and at
    least one earlier date was closed over that horizon: a model that never saw month 12 proves
    nothing about month 12.
    """

    def can(position: int | None, months: int) -> bool:
        if position is None:
            return False
        day = landmarks.dates[position]
        return (
            int(landmarks.closed_lags(day).max()) >= months
            and known_leavers(landmarks, day) >= ENOUGH
        )

    tests = {months: landmarks.latest_closed(as_of, months) for months in HORIZONS}
    early = next((tests[months] for months in (12, 6) if can(tests[months], months)), None)
    late = tests[3] if can(tests[3], 3) else None
    proof = early if early is not None else late
    validation = None
    if proof is not None:
        day = landmarks.dates[proof]
        earlier = ((landmarks.latest_closed(day, months), months) for months in (12, 6, 3, 1))
        validation = next((position for position, months in earlier if can(position, months)), None)
    known = {months: test for months, test in tests.items() if test is not None}
    return ChurnSplits(validation, known, early, late, known_leavers(landmarks, as_of))


def known_leavers(landmarks: Landmarks, day: date) -> int:
    """Return how many relations are known on `day` to have ended."""
    closed = landmarks.closed_lags(day)[landmarks.date_of]
    ended = (landmarks.event_lag <= closed) & landmarks.teaches
    return len(np.unique(np.stack([landmarks.customer[ended], landmarks.end_day[ended]]), axis=1).T)
