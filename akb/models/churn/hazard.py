"""The landmark hazard: rivals, choice, level per lag band, and what it composes to.

One model gives the chance of leaving in each of the next twelve months; everything about churn is
composed of it, so that horizons nest and causes add up by construction. A hazard in discrete time
(Singer & Willett 1993), fitted on several landmark dates together (van Houwelingen 2007).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.core.draws.sampling import draw_key
from akb.models.churn.landmark import (
    BANDS,
    DRAWS,
    LAGS,
    NEVER,
    Landmarks,
    PersonMonths,
    band_of,
    base_offset,
    parts_of,
)
from akb.models.evidence import BETWEEN_YEAR
from akb.models.learners import SCAN_ROWS, Boosted, scan, screened, without_rows
from akb.models.temporal import Contest, compete, level_factor, shift_for, year_on_year

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.learners import Fitter, Model, Sample

    Floats = NDArray[np.float64]

_YEARS = 3  # closed years that set the level
# columns that later fits learn from: as good as all 230 on a simulated office, in half the time
_KEPT = 80
_ADDED = 32  # columns that became known after the choice, beside them
_SIZES = (0.2, 0.4, 0.6, 0.8, 1.0)  # parts of the trees that the choice is among
SCREENED = 160  # columns that the rivals choose among, see `screened`
_LATER = 0.2  # share of rows in which a column has become known since
_CELL = 8_000  # person-months per lag band and year for the level: bounds its cost


@dataclass(frozen=True)
class Hazard:
    """A fitted hazard with its level.

    Parameters
    ----------
    name, model
        The winner and what it learned; it predicts the chance of leaving in one month.
    offset
        Log-odds per lag that the model starts from, float64 [12].
    shift
        Correction of the log-odds per lag, so that the level is that of the last closed windows,
        float64 [12].
    day
        The day from which it looked: every row it learned from was closed on it.
    between_year
        By how much (log) the coming year may lie off the level: see `year_on_year`; at least 5 %.
    """

    name: str
    model: Model
    offset: Floats
    shift: Floats
    day: date
    rows: int
    train_dates: tuple[date, ...]
    between_year: float = BETWEEN_YEAR

    def predict(self, sample: Sample, lag: NDArray[np.int64]) -> Floats:
        """Return the chance of leaving in the month of `lag` per row, level corrected, float64 [n]
        in (0, 1).
        """
        return _shifted(self.model.predict(sample.x, sample.offset), self.shift[lag - 1])

    def monthly(self, landmarks: Landmarks, rows: NDArray[np.int64], lags: int = LAGS) -> Floats:
        """Return the chance of leaving in month 1..`lags` given the months before, float64 [n,
        lags].
        """
        chances = np.empty((len(rows), lags))
        first = len(landmarks.names)
        for part in parts_of(rows):
            some = rows[part]
            x = landmarks.design(some, np.ones(len(some), dtype=np.int64))
            for lag in range(1, lags + 1):
                months = np.full(len(some), lag)
                x[:, first:] = landmarks.lag_features(some, months)
                p = self.model.predict(x, np.full(len(some), self.offset[lag - 1]))
                chances[part, lag - 1] = _shifted(p, self.shift[months - 1])
        return chances


def _shifted(p: Floats, shift: Floats) -> Floats:
    p = np.clip(np.asarray(p, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(1 / (1 + (1 - p) / p * np.exp(-shift)))


@dataclass(frozen=True)
class HazardContest:
    """Who won on the validation date, and what every candidate knew on that day.

    Parameters
    ----------
    offset
        The log-odds per lag that they started from.
    landmarks
        With the columns that they chose among.
    later
        Columns that are much better known at the latest date than in these rows: look-back windows
        of old dates reach before the recorded history.
    """

    contest: Contest
    offset: Floats
    landmarks: Landmarks
    later: tuple[str, ...]

    def hazard(self, day: date, rows: int) -> Hazard:
        """Return the winner as a hazard without a level, with the number of trees that did best."""
        name = self.contest.competition.winner
        model = self.contest.models[name]
        if isinstance(model, Boosted):
            model = replace(
                model, text=model.booster.model_to_string(num_iteration=self.contest.trees)
            )
        return Hazard(name, model, self.offset, np.zeros(LAGS), day, rows, ())


def select(
    landmarks: Landmarks,
    fitters: Mapping[str, Fitter],
    train: PersonMonths,
    validation: PersonMonths,
) -> HazardContest:
    """Fit every candidate on `train` and compare them on later person-months."""
    offset = base_offset(train)
    whole = landmarks.sample(train, offset)
    later = _better_known(landmarks, whole)
    learned = screened(whole, "binary", SCREENED, landmarks.lag_names)
    landmarks = landmarks.narrowed(learned.names)
    judged = landmarks.sample(validation, offset)
    return HazardContest(
        compete(fitters, learned, judged, "binary", sizes=_SIZES, kept=_KEPT),
        offset,
        landmarks,
        later,
    )


def _better_known(landmarks: Landmarks, train: Sample) -> tuple[str, ...]:
    latest = landmarks.rows_of(len(landmarks.dates) - 1)
    now = landmarks.base(latest[landmarks.teaches[latest]])
    then = train.x[:, : now.shape[1]]
    known = np.isnan(then).mean(axis=0) - np.isnan(now).mean(axis=0) > _LATER
    return tuple(name for name, better in zip(landmarks.names, known, strict=True) if better)


def with_later(
    landmarks: Landmarks, chosen: tuple[str, ...], later: tuple[str, ...], day: date, seed: int
) -> Landmarks:
    """Return `landmarks` with the chosen columns and the best of `later`, by what each tells alone
    of what `day` knew.

    Nobody could choose among the later ones on the validation date, where they were unknown; a few
    of them are enough.
    """
    if not later:
        return landmarks.narrowed(chosen)
    months = landmarks.known_on(day, SCAN_ROWS, draw_key(seed, DRAWS, "later"))
    sample = landmarks.narrowed(later).sample(months, base_offset(months))
    ranked = [sample.names[column] for column in scan(sample, "binary")]
    return landmarks.narrowed(
        (*chosen, *[name for name in ranked if name not in landmarks.lag_names][:_ADDED])
    )


def fit_hazard(
    landmarks: Landmarks, fit: Fitter, name: str, *, day: date, size: int, seed: int
) -> Hazard:
    """Fit one candidate on everything that was known on `day` and set its level on the last closed
    years.

    Parameters
    ----------
    size
        How many person-months to learn from at most.
    """
    months = landmarks.known_on(day, size, draw_key(seed, DRAWS, "fit"))
    offset = base_offset(months)
    model = without_rows(fit(landmarks.sample(months, offset)))
    return levelled(
        landmarks, Hazard(name, model, offset, np.zeros(LAGS), day, len(months), ()), seed
    )


def levelled(landmarks: Landmarks, hazard: Hazard, seed: int) -> Hazard:
    """Return a hazard whose level per lag band is that of the years closed on its day."""
    closed = landmarks.closed_lags(hazard.day)
    dates = tuple(each for each, lags in zip(landmarks.dates, closed, strict=True) if lags)
    by_band = np.zeros(len(BANDS))
    for number, band in enumerate(BANDS):
        # lags that no date has closed yet (a short history) follow the band before
        found = _band_shift(landmarks, hazard, band, seed)
        by_band[number] = by_band[max(number - 1, 0)] if found is None else found
    return replace(
        hazard,
        shift=by_band[band_of(np.arange(1, NEVER))],
        train_dates=dates,
        between_year=year_on_year(*landmarks.yearly_rates(hazard.day)),
    )


def _band_shift(
    landmarks: Landmarks,
    hazard: Hazard,
    band: tuple[int, int],
    seed: int,
) -> float | None:
    """The shift of the log-odds that brings one lag band to the level of the last closed years;
    None without any.
    """
    predicted, weights, observed, expected, leavers = [], [], [], [], []
    for back in range(_YEARS):
        key = draw_key(seed, DRAWS, f"level:{band[0]}:{back}")
        months = landmarks.year(hazard.day, back, band, _CELL, key)
        if not len(months):
            break
        p = hazard.predict(landmarks.sample(months, hazard.offset), months.lag)
        observed.append(float(months.weight[months.event].sum()))
        expected.append(float(months.weight @ p))
        leavers.append(float(landmarks.distinct(months)))
        predicted.append(p)
        weights.append(months.weight)
    if not predicted:
        return None
    factor = level_factor(observed, expected, leavers)
    return shift_for("binary", np.concatenate(predicted), np.concatenate(weights), factor)


def stay(hazards: Floats) -> Floats:
    """Return the chance of still being a customer after month 1..m: the product of one minus the
    hazards.

    Parameters
    ----------
    hazards
        float64 [n, m], or [n, m, causes]: then per cause, adding up to the hazard.

    Examples
    --------
    >>> stay(np.array([[0.1, 0.2]])).round(3).tolist()
    [[0.9, 0.72]]
    """
    total = hazards.sum(axis=2) if hazards.ndim == 3 else hazards
    return np.asarray(
        np.cumprod(np.maximum(1 - total, 0), axis=1)
    )  # causes of a certain leaver may add up past one


def incidence(by_cause: Floats) -> Floats:
    """Return the chance of having left by each cause within month 1..m, float64 [n, m, causes].

    Together with `stay` these add up to one: what leaves in a month is the hazard times those still
    there.

    Examples
    --------
    >>> incidence(np.array([[[0.1, 0.0], [0.1, 0.1]]])).round(3).tolist()
    [[[0.1, 0.0], [0.19, 0.09]]]
    """
    before = np.concatenate([np.ones((len(by_cause), 1)), stay(by_cause)[:, :-1]], axis=1)
    return np.asarray(np.cumsum(before[:, :, None] * by_cause, axis=1))
