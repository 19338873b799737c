"""How to ask the churn hazard of the test date what its columns did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.models.churn.landmark import LAGS
from akb.models.evidence import Probe, shares_of, some_rows
from akb.models.learners import from_link, to_link

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.churn.hazard import Hazard
    from akb.models.churn.landmark import Landmarks

    Floats = NDArray[np.float64]
    Rows = NDArray[np.float32]

ASKED_LAGS = (2, 6, 10)
"""Months of the hazard that stand for the twelve, each for four."""


def probe_of_churn(
    key: str, landmarks: Landmarks, hazard: Hazard, rows: NDArray[np.int64], day: date
) -> Probe:
    """Return how to ask the hazard of the test date about leaving within twelve months."""
    rows = rows[some_rows(landmarks.identity[rows], key)]
    base = landmarks.base(rows)
    lagged = [landmarks.lag_features(rows, np.full(len(rows), lag)) for lag in ASKED_LAGS]
    own = tuple(f"{name}@{lag}" for lag in ASKED_LAGS for name in landmarks.lag_names)
    first, width = base.shape[1], len(landmarks.lag_names)

    def predict(x: Rows) -> Floats:
        stay = np.ones(len(x))
        for place, lag in enumerate(ASKED_LAGS):
            start = first + place * width
            at = np.concatenate([x[:, :first], x[:, start : start + width]], axis=1)
            link = to_link(
                "binary", hazard.model.predict(at, np.full(len(x), hazard.offset[lag - 1]))
            )
            stay *= (1 - from_link("binary", link + hazard.shift[lag - 1])) ** (
                LAGS // len(ASKED_LAGS)
            )
        return 1 - stay

    label = (landmarks.event_lag[rows] <= LAGS).astype(np.float64)
    share = shares_of(hazard.model)
    x = np.concatenate([base, *lagged], axis=1)
    return Probe(key, day, landmarks.names + own, x, label, predict, share)
