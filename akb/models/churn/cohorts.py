"""Retention by how long a relation exists: what sBG and one constant rate say, beside the model and
what came true.

A benchmark that anyone can check: sBG sees nothing but tenure and who left. All three look from the
same day and know no more than that day; what happened in the year after it is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.churn import sbg
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.survival import spells, tenures

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.churn.survival import Spells

    Floats = NDArray[np.float64]

# Bands of tenure in years.
EDGES = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, np.inf)
SCHEMA = {
    "test_date": pl.Date,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "customers": pl.Int64,
    "left": pl.Int64,
    "model": pl.Float64,
    "sbg": pl.Float64,
    "constant": pl.Float64,
    "customers_now": pl.Int64,
    "years_model": pl.Float64,
    "years_sbg": pl.Float64,
}
_ENOUGH = 50  # ends: two parameters of sBG on fewer say nothing
_LONGEST = 60  # years of tenure


@dataclass(frozen=True)
class Retention:
    """What tenure alone says on one day.

    Parameters
    ----------
    model
        sBG over years of tenure.
    yearly
        The chance to leave within a year if it were the same for everybody, always.
    """

    model: sbg.Sbg
    yearly: float

    def gone_within(self, tenure_years: Floats, months: int) -> Floats:
        """Return the chance by sBG to have left within so many months, per tenure; unknown tenure
        as new.
        """
        since = np.nan_to_num(tenure_years)
        return np.asarray(
            1 - self.model.survival(since + months / LAGS) / self.model.survival(since)
        )

    def constant_within(self, months: int) -> float:
        """Return the same by the constant rate."""
        return float(1 - (1 - self.yearly) ** (months / LAGS))


def fit_retention(landmarks: Landmarks, day: date) -> Retention | None:
    """Return what the relations known on `day` say by tenure alone; None with fewer than 50
    ends.
    """
    lives = spells(landmarks, day)
    if int(lives.ended.sum()) < _ENOUGH:
        return None
    exposure, ends = _by_year(lives)
    rate = -np.expm1(-ends / np.maximum(exposure, 1e-9))
    rate = np.where(exposure > 0, np.minimum(rate, 0.999), 0.0)
    try:
        model = sbg.fit(exposure, exposure * rate)
    except ValueError:
        return None
    return Retention(model, float(-np.expm1(-ends.sum() / exposure.sum())))


def _by_year(lives: Spells) -> tuple[Floats, Floats]:
    """Years under observation and ends per year of tenure: delayed entry counts from where it was
    seen.
    """
    start = np.arange(_LONGEST, dtype=np.float64)
    entry, leave = np.sort(lives.entry), np.sort(lives.leave)

    def lived(upto: Floats, edge: Floats) -> Floats:
        """The sum over lives of min(value, edge)."""
        at = np.searchsorted(upto, edge)
        return np.concatenate([[0.0], np.cumsum(upto)])[at] + edge * (len(upto) - at)

    edges = np.append(start, _LONGEST)
    exposure = np.diff(lived(leave, edges) - lived(entry, edges))
    ends, _ = np.histogram(lives.leave[lives.ended], bins=np.append(start, _LONGEST))
    return np.maximum(exposure, 0.0), ends.astype(np.float64)


def cohort_table(
    landmarks: Landmarks,
    *,
    judged: tuple[NDArray[np.int64], Floats] | None,
    now: NDArray[np.int64],
    years: Floats,
    as_of: date,
    horizon: int,
) -> pl.DataFrame:
    """Return one row per band of tenure, see `ModelRun.cohorts`.

    Parameters
    ----------
    judged
        Rows of the test date and the chance to leave within 12 months as a model of that day had
        it; None without a test date.
    now, years
        Rows at X and their remaining lifetime by the model, restricted to `horizon` years.
    """
    if judged is None or not len(judged[0]):
        return pl.DataFrame(schema=SCHEMA)
    rows, expected = judged
    test_date = landmarks.dates[int(landmarks.date_of[rows[0]])]
    then, today = fit_retention(landmarks, test_date), fit_retention(landmarks, as_of)
    if then is None or today is None:
        return pl.DataFrame(schema=SCHEMA)
    tenure, tenure_now = (np.nan_to_num(tenures(landmarks, each)) for each in (rows, now))
    band, band_now = (
        np.searchsorted(EDGES, each, side="right") - 1 for each in (tenure, tenure_now)
    )
    left, by_sbg = landmarks.event_lag[rows] <= LAGS, then.gone_within(tenure, LAGS)
    years_sbg = today.model.expected_periods(tenure_now, horizon)
    table = []
    for number, (lower, upper) in enumerate(pairwise(EDGES)):
        here, there = band == number, band_now == number
        if not here.any():
            continue
        table.append(
            {
                "test_date": test_date,
                "lower": lower,
                "upper": None if np.isinf(upper) else upper,
                "customers": int(here.sum()),
                "left": int(left[here].sum()),
                "model": float(expected[here].mean()),
                "sbg": float(by_sbg[here].mean()),
                "constant": then.yearly,
                "customers_now": int(there.sum()),
                "years_model": float(years[there].mean()) if there.any() else None,
                "years_sbg": float(years_sbg[there].mean()) if there.any() else None,
            }
        )
    return pl.DataFrame(table, schema=SCHEMA)
