"""How long a relation still lasts: the composed hazard for twelve months, and what is known of
longer ones after it.

Month 1..12 are exactly the composed hazard, so S(12 months) = 1 - churn_12m. After it a customer's
yearly hazard is the survivors' level times (own hazard / level) ** attenuation, for a high risk
today says less about later years. The attenuation is estimated by a Cox model (1972) with delayed
entry at month 12 on an old as-of date, scored by a model that knew no more than that day. Natural
ends then rise with age and the others change with tenure, as cumulative hazards with delayed entry
(Nelson 1972, Aalen 1978) show: the recorded history holds old relations only if they survived to
its start.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months, months_between
from akb.models.churn.causes import CAUSES
from akb.models.churn.competing import aalen_johansen
from akb.models.churn.hazard import incidence, stay
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.temporal import day_number

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AGES = ("age", "age_years")
ATTENUATION = "lifetime.attenuation"
# Bins in years, narrow where the hazard changes fast (the first years, old age) and wide where few
# are seen.
_TENURE_EDGES = np.array([0, 1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 40, 90], dtype=np.float64)
_AGE_EDGES = np.array([0, 25, 35, 45, 55, 65, 70, 75, 80, 85, 90, 120], dtype=np.float64)
# yearly growth of mortality with age (Gompertz), a prior worth `_PRIOR` events per age band
_MORTALITY = 0.09
_PRIOR = 10.0  # events of the overall rate mixed into each bin
_DEFAULT_SPREAD = 0.2  # how sure we are of the assumed attenuation (standard deviation)
_SPREAD = 3.0  # log hazards further than this from the mean say no more than this
_DAYS = 365.25  # in a year
# customers that have to be followed to a tenure for the portfolio curve to go on to it
AT_RISK = 10


@dataclass(frozen=True)
class Spells:
    """Every relation in the recorded history, from the first as-of date that saw it.

    Parameters
    ----------
    entry, leave
        Years since the relation began at entry under observation and at its end or the last known
        day, float64 [n].
    age
        Years at entry; NaN unknown or a business.
    ended, natural
        Bool [n]: it ended under observation; by a natural cause.
    cause
        What ended it, [n]; empty where it did not end or nobody knows.
    """

    entry: Floats
    leave: Floats
    age: Floats
    ended: NDArray[np.bool_]
    natural: NDArray[np.bool_]
    cause: NDArray[np.str_]


@dataclass(frozen=True)
class Continuation:
    """What is known about the years after the first.

    Parameters
    ----------
    attenuation, error
        How much of a customer's log hazard stays, in [0.1, 1], and the standard error of what the
        data said (None: assumed).
    by_tenure
        Yearly hazard of ends that are not natural per bin of tenure; of every end without reasons.
    by_age
        Yearly hazard of natural ends per bin of age; None without reasons or ages: then natural
        ends do not age.
    """

    attenuation: float
    error: float | None
    by_tenure: Floats
    by_age: Floats | None


@dataclass(frozen=True)
class SurvivalCurves:
    """Survival per customer on a grid of months 1..12, 24, 36, ...: float64 [n, grid] and [n, grid,
    causes].
    """

    months: NDArray[np.int64]
    alive: Floats
    left: Floats
    years: Floats
    """Expected years that the relation still lasts, restricted to the last month of the grid."""

    def gone_within(self, months: int) -> Floats:
        """Return the chance of having left within `months`; between grid points at a constant
        hazard.
        """
        points = np.concatenate([[0], self.months])
        logs = np.log(
            np.maximum(np.concatenate([np.ones((len(self.alive), 1)), self.alive], axis=1), 1e-300)
        )
        at = int(np.clip(np.searchsorted(points, months), 1, len(points) - 1))
        part = min((months - points[at - 1]) / (points[at] - points[at - 1]), 1.0)
        return np.asarray(-np.expm1(logs[:, at - 1] + part * (logs[:, at] - logs[:, at - 1])))


def spells(landmarks: Landmarks, day: date) -> Spells:
    """Return the relations as they were known on `day`: ends of the last gap and registration lag
    are not.
    """
    last = day_number(day) - landmarks.gap_days - landmarks.lag_days
    begin = landmarks.bound[:, 0][landmarks.date_of]
    seen = np.flatnonzero((begin < last) & landmarks.teaches)
    ends = landmarks.end_day[seen], landmarks.censor_day[seen]
    relation = np.stack([landmarks.customer[seen].astype(np.int64), *ends])
    order = np.lexsort((seen, relation[2], relation[1], relation[0]))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(relation[:, order], axis=1) != 0).any(axis=0)
    row = np.sort(seen[order[new]])
    tenure = np.nan_to_num(tenures(landmarks, row))
    ended = landmarks.end_day[row] <= last
    stop = np.minimum(np.minimum(landmarks.end_day[row], landmarks.censor_day[row]), last)
    watched = np.maximum(stop - begin[row], 1) / _DAYS
    cause = landmarks.cause.gather(row).fill_null("").to_numpy().astype(str)
    return Spells(
        np.maximum(tenure, 0),
        np.maximum(tenure, 0) + watched,
        ages(landmarks, row),
        ended,
        ended & (cause == CAUSES[0]),
        np.where(ended, cause, ""),
    )


def fit_continuation(
    landmarks: Landmarks,
    day: date,
    *,
    causes: bool,
    assumed: float,
    measured: tuple[float, float] | None = None,
) -> Continuation:
    """Return what relations known on `day` say about later years.

    Parameters
    ----------
    causes
        Whether causes are known.
    assumed
        The attenuation where nothing was measured; what was measured is averaged with it by
        precision.
    measured
        Estimate and standard error of the attenuation, see `attenuation`.
    """
    lives = spells(landmarks, day)
    other = lives.ended & ~lives.natural if causes else lives.ended
    by_tenure = _yearly(lives.entry, lives.leave, other, _TENURE_EDGES, None)
    by_age = None
    aged = np.isfinite(lives.age)
    if causes and aged.sum() >= 100 and lives.natural[aged].sum() >= 20:
        middle = np.minimum((_AGE_EDGES[1:] + _AGE_EDGES[:-1]) / 2, 95)
        # half of the natural ends have nothing to do with age (object or business gone), half
        # follow mortality
        shape = 0.5 + 0.5 * np.exp(_MORTALITY * (middle - float(np.mean(lives.age[aged]))))
        leave = lives.age[aged] + (lives.leave - lives.entry)[aged]
        by_age = _yearly(lives.age[aged], leave, lives.natural[aged], _AGE_EDGES, shape)
    kept, error = assumed, None
    if measured is not None:
        estimate, error = measured
        own, prior = 1 / max(error, 1e-3) ** 2, 1 / _DEFAULT_SPREAD**2
        kept = (estimate * own + assumed * prior) / (own + prior)
    return Continuation(float(np.clip(kept, 0.1, 1.0)), error, by_tenure, by_age)


def _yearly(
    entry: Floats, leave: Floats, event: NDArray[np.bool_], edges: Floats, shape: Floats | None
) -> Floats:
    """The yearly hazard per bin: increments of Nelson-Aalen with delayed entry, shrunk to the
    overall rate.
    """
    exposure = float((leave - entry).sum())
    overall = (float(event.sum()) + 0.5) / (exposure + 10.0)
    prior = np.full(len(edges) - 1, overall) if shape is None else overall * shape
    if not event.any():
        return prior
    from lifelines import NelsonAalenFitter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(
            leave, event, entry=np.maximum(entry, 0)
        )
    seen = np.clip(edges, entry.min(), leave.max())  # before and after it nothing was observed
    cumulative = np.nan_to_num(
        np.asarray(fitted.cumulative_hazard_at_times(seen), dtype=np.float64)
    )
    events, _ = np.histogram(leave[event], bins=edges)
    raw = np.diff(cumulative) / np.maximum(np.diff(seen), 1.0)
    return np.asarray((raw * events + prior * _PRIOR) / (events + _PRIOR))


def attenuation(
    landmarks: Landmarks, rows: NDArray[np.int64], hazards: Floats, day: date
) -> tuple[float, float] | None:
    """Return how much of a log hazard is left after a year: a Cox model with delayed entry at month
    12.

    Parameters
    ----------
    rows
        The rows of one old as-of date.
    hazards
        Their monthly hazards by a model of that day, float64 [n, 12]: out of sample for what comes
        after.
    day
        The day from which we look: ends of the last gap and registration lag are not known yet.

    Returns
    -------
    Coefficient of the log cumulative 12-month hazard and its standard error; None with fewer than
    50 leavers or 3 months of follow-up after month 12.
    """
    since = landmarks.dates[int(landmarks.date_of[rows[0]])]
    begin, start = day_number(since), day_number(add_months(since, LAGS)) - day_number(since)
    follow = day_number(day) - landmarks.gap_days - landmarks.lag_days - begin
    if follow < start + 90:
        return None
    time = np.minimum(landmarks.end_day[rows] - begin, follow + 1)
    stop = np.minimum(np.minimum(time, landmarks.censor_day[rows] - begin), follow)
    there = stop > start
    event = there & (time <= follow)
    log_hazard = _centred(hazards)
    if event.sum() < 50 or float(log_hazard[there].std()) < 0.05:
        return None
    import pandas as pd
    from lifelines import CoxPHFitter

    table = pd.DataFrame(
        {
            "time": stop[there].astype(np.float64),
            "ended": event[there],
            "entry": float(start),
            "log_hazard": log_hazard[there],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = CoxPHFitter().fit(table, "time", "ended", entry_col="entry")
    return float(fitted.params_["log_hazard"]), float(fitted.standard_errors_["log_hazard"])


def _centred(hazards: Floats) -> Floats:
    """The log of the cumulative 12-month hazard, minus its mean, within `_SPREAD`."""
    cumulative = -np.log1p(-np.minimum(hazards, 0.999999)).sum(axis=1)
    logs = np.log(np.maximum(cumulative, 1e-9))
    return np.asarray(np.clip(logs - logs.mean(), -_SPREAD, _SPREAD))


def fit_lifetime(
    continuation: Continuation,
    by_cause: Floats,
    *,
    tenure_years: Floats,
    age: Floats,
    horizon_years: int,
    certain: Floats | None = None,
) -> SurvivalCurves:
    """Continue the composed hazard of twelve months to the horizon.

    Parameters
    ----------
    by_cause
        Hazards per month and cause, float64 [n, 12, causes].
    tenure_years, age
        Per customer, float64 [n]; NaN unknown.
    certain
        After how many years an announced end after the first twelve months falls, float64 [n]; NaN
        for none.
    """
    months = np.concatenate([np.arange(1, LAGS + 1), LAGS * np.arange(2, horizon_years + 1)])
    alive, left = (
        np.empty((len(by_cause), len(months))),
        np.empty((len(by_cause), len(months), len(CAUSES))),
    )
    alive[:, :LAGS], left[:, :LAGS] = stay(by_cause), incidence(by_cause)
    level = _level(continuation.attenuation, by_cause, alive[:, LAGS - 1])
    share = _cause_share(left[:, LAGS - 1])
    area = np.concatenate([np.ones((len(alive), 1)), alive[:, : LAGS - 1]], axis=1)
    years = (area + alive[:, :LAGS]).sum(axis=1) / (2 * LAGS)
    certain = np.full(len(alive), np.nan) if certain is None else certain
    for year in range(2, horizon_years + 1):
        growth = _growth(continuation, tenure_years, age, year - 1)
        yearly = level[:, None] * share * growth
        hazard = np.minimum(yearly.sum(axis=1), 5.0)
        leave = -np.expm1(-hazard)
        ends = np.ceil(certain) == year
        lived = alive[:, LAGS + year - 3] * leave / np.maximum(hazard, 1e-12)
        years += np.where(ends, alive[:, LAGS + year - 3] * (certain - (year - 1)), lived)
        leave = np.where(ends, 1.0, leave)
        at, part = LAGS + year - 2, yearly / np.maximum(yearly.sum(axis=1, keepdims=True), 1e-300)
        alive[:, at] = alive[:, at - 1] * (1 - leave)
        left[:, at] = left[:, at - 1] + (alive[:, at - 1] * leave)[:, None] * part
    return SurvivalCurves(months, alive, left, years)


def _level(kept: float, by_cause: Floats, still: Floats) -> Floats:
    """The attenuated yearly hazard per customer; its mean over those still there is the survivors'
    own mean.
    """
    total = by_cause.sum(axis=2)
    cumulative = -np.log1p(-np.minimum(total, 0.999999)).sum(axis=1)
    relative = np.exp(kept * _centred(total))
    here = float((still * relative).sum())
    scale = float((still * cumulative).sum()) / here if here > 0 else 0.0
    return np.asarray(scale * relative)


def _cause_share(left: Floats) -> Floats:
    total = left.sum(axis=1, keepdims=True)
    even = np.full_like(left, 1 / left.shape[1])
    return np.where(total > 1e-12, left / np.maximum(total, 1e-12), even)


def _growth(continuation: Continuation, tenure_years: Floats, age: Floats, ahead: int) -> Floats:
    """How the hazard per cause has changed `ahead` years on, float64 [n, causes]: with age, or with
    tenure.
    """
    growth = np.empty((len(age), len(CAUSES)))
    growth[:] = _ratio(continuation.by_tenure, _TENURE_EDGES, tenure_years, ahead)[:, None]
    if continuation.by_age is not None:
        growth[:, 0] = _ratio(continuation.by_age, _AGE_EDGES, age, ahead)
    return growth


def _ratio(rates: Floats, edges: Floats, at: Floats, ahead: int) -> Floats:
    """The hazard `ahead` years on over the hazard now, interpolated between the middles of the
    bins; 1 if unknown.
    """
    middle = (edges[1:] + edges[:-1]) / 2
    logs = np.log(np.maximum(rates, 1e-6))
    ratio = np.exp(np.interp(at + ahead, middle, logs) - np.interp(at, middle, logs))
    return np.where(np.isfinite(at), ratio, 1.0)


def survival_frame(customers: NDArray[np.uint32], lifetime: SurvivalCurves) -> pl.DataFrame:
    """Return `ModelRun.survival`: customer, month, alive, natural, insurer, preventable
    (cumulative).
    """
    points = len(lifetime.months)
    return pl.DataFrame(
        {
            "customer": np.repeat(customers, points),
            "month": np.tile(lifetime.months.astype(np.int32), len(customers)),
            "alive": lifetime.alive.ravel(),
            **{cause: lifetime.left[:, :, number].ravel() for number, cause in enumerate(CAUSES)},
        }
    )


def portfolio_curve(landmarks: Landmarks, day: date, horizon_years: int) -> pl.DataFrame:
    """Return by tenure the share still a customer and the shares that left by each cause, as in
    `ModelRun.curve`.

    Aalen-Johansen with delayed entry; the 95 % interval of who is still there is Kaplan-Meier's. A
    handful of customers may leave nobody at risk early on; the Breslow estimate bridges that. It
    stops where the data stop: at the last tenure that `AT_RISK` customers were followed to. Empty
    without any recorded end.
    """
    lives = spells(landmarks, day)
    schema = dict.fromkeys(("years", "share", "low", "high", *CAUSES, "unknown"), pl.Float64)
    if not lives.ended.any():
        return pl.DataFrame(schema=schema)
    years = followed_years(lives, horizon_years)
    known = np.isin(lives.cause, CAUSES)
    cause = np.where(lives.ended, np.where(known, lives.cause, "unknown"), "")
    found = aalen_johansen(lives.leave, cause, causes=(*CAUSES, "unknown"), entry=lives.entry)
    share, left = found.at(years)
    low, high = _interval(lives, years)
    columns = {
        "years": years,
        "share": share,
        "low": np.minimum(low, share),
        "high": np.maximum(high, share),
    }
    columns |= {name: left[:, number] for number, name in enumerate(found.causes)}
    return pl.DataFrame(columns, schema=schema)


def followed_years(lives: Spells, horizon_years: int) -> Floats:
    """Return the whole years of tenure, from 0, up to the last that `AT_RISK` customers were
    followed to.
    """
    years = np.arange(horizon_years + 1, dtype=np.float64)
    followed = [(lives.entry < year) & (lives.leave >= year) for year in years[1:].tolist()]
    seen = np.flatnonzero([int(each.sum()) >= AT_RISK for each in followed])
    return years[: 1 + (int(seen[-1]) + 1 if len(seen) else 0)]


def _interval(lives: Spells, years: Floats) -> tuple[Floats, Floats]:
    """The 95 % interval of the share still a customer."""
    from lifelines import BreslowFlemingHarringtonFitter, KaplanMeierFitter
    from lifelines.exceptions import StatError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = KaplanMeierFitter().fit(lives.leave, lives.ended, entry=lives.entry)
        except StatError:  # so few early entries that the product would stay at zero
            fitted = BreslowFlemingHarringtonFitter().fit(
                lives.leave, lives.ended, entry=lives.entry
            )
    interval = fitted.confidence_interval_survival_function_
    times = np.asarray(interval.index, dtype=np.float64)
    at = np.maximum(np.searchsorted(times, years, side="right") - 1, 0)
    low, high = (
        np.nan_to_num(interval.iloc[:, column].to_numpy()[at], nan=1.0) for column in (0, 1)
    )
    return low, high


def ages(landmarks: Landmarks, rows: NDArray[np.int64]) -> Floats:
    """Return the age in years per row, float64 [n]; NaN unknown or a business."""
    return np.asarray(landmarks.column(*AGES)[rows], dtype=np.float64)


def tenures(landmarks: Landmarks, rows: NDArray[np.int64]) -> Floats:
    """Return the years that the relation existed at T per row, float64 [n]; NaN unknown."""
    return np.asarray(landmarks.tenure_months[rows], dtype=np.float64) / 12


def observed_months(landmarks: Landmarks, position: int, day: date) -> int:
    """Return over how many whole months the relations of one as-of date can be followed on
    `day`.
    """
    return months_between(
        landmarks.dates[position], day - timedelta(days=landmarks.gap_days + landmarks.lag_days)
    )
