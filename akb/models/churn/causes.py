"""Why a relation ends when it ends: P(cause | end, features, lag) for natural, insurer-made and preventable ends.

Times the hazard this gives one hazard per cause, so that the causes add up to churn. Ends without a known reason are
split as the known ones are; how much rests on that is said with both extremes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from akb.models.churn.landmark import BANDS, LAGS, NEVER, Landmarks, band_of
from akb.models.learners.boosting import Boosted, fit_boosting
from akb.models.learners.rule import scan
from akb.models.learners.sample import Sample

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CAUSES = ("natural", "insurer", "preventable")
FEW, MANY = 60, 400  # distinct leavers with a known cause: below FEW shares, from MANY trees, between a logistic model
_ROWS, _SCANNED, _KEPT = 10_000, 4_000, 24
_TREES = 50
_PRIOR = 2.0


class CauseModel(Protocol):
    """Anything that splits an end over the causes and can be written down without pickle."""

    @property
    def name(self) -> str:
        """How it was made: rate, logistic or boosting."""
        ...

    def predict(self, x: NDArray[np.float32]) -> Floats:
        """Return P(cause | end), float64 [n, causes], rows adding up to one."""
        ...

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the model as text files by name."""
        ...


@dataclass(frozen=True)
class Causes:
    """What is known about causes on one day.

    Parameters
    ----------
    shares
        Share of each cause among distinct leavers with a known cause, float64 [causes].
    known, unknown
        Distinct leavers with and without a known cause.
    names
        The columns that the model learned from, without those of the lag.
    """

    model: CauseModel
    shares: Floats
    known: int
    unknown: int
    names: tuple[str, ...] = ()

    @property
    def unknown_share(self) -> float:
        """The share of leavers without a known cause."""
        return self.unknown / max(self.known + self.unknown, 1)

    def extremes(self, cause: str) -> tuple[float, float]:
        """Return the share of a cause if none, and if all, of the unknown ends were of that cause."""
        known = float(self.shares[CAUSES.index(cause)]) * (1 - self.unknown_share)
        return known, known + self.unknown_share

    def split(self, landmarks: Landmarks, rows: NDArray[np.int64], lags: int = LAGS) -> Floats:
        """Return P(cause | end in month 1..`lags`), float64 [n, lags, causes]; asked once per lag band."""
        result = np.empty((len(rows), lags, len(CAUSES)))
        landmarks = landmarks.narrowed(self.names)
        x = landmarks.design(rows, np.ones(len(rows), dtype=np.int64))
        first = len(landmarks.names)
        band = band_of(np.arange(1, NEVER))[:lags]
        for number in np.unique(band):
            middle = (BANDS[number][0] + BANDS[number][1]) // 2
            x[:, first:] = landmarks.lag_features(rows, np.full(len(rows), middle))
            result[:, band == number] = self.model.predict(x)[:, None, :]
        return result


@dataclass(frozen=True)
class Shares:
    """The same split for everyone."""

    shares: Floats
    name: str = "rate"

    def predict(self, x: NDArray[np.float32]) -> Floats:
        """Return P(cause | end), float64 [n, causes]."""
        return np.tile(self.shares, (len(x), 1))

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the model as text files by name."""
        return {f"{stem}.json": json.dumps({"kind": "shares", "shares": self.shares.tolist()}).encode()}


@dataclass(frozen=True)
class Multinomial:
    """Multinomial logistic regression on standardised features, unknown at the mean."""

    centre: Floats
    scale: Floats
    weight: Floats
    intercept: Floats
    names: tuple[str, ...] = ()
    name: str = "logistic"

    def predict(self, x: NDArray[np.float32]) -> Floats:
        """Return P(cause | end), float64 [n, causes]."""
        link = _standard(x, self.centre, self.scale) @ self.weight.T + self.intercept
        raised = np.exp(link - link.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the model as text files by name."""
        told = {name: getattr(self, name).tolist() for name in ("centre", "scale", "weight", "intercept")}
        card = {"kind": "multinomial", "columns": list(self.names), **told}
        return {f"{stem}.json": json.dumps(card).encode()}


@dataclass(frozen=True)
class CauseTrees:
    """Small multiclass trees."""

    booster: Boosted
    name: str = "boosting"

    def predict(self, x: NDArray[np.float32]) -> Floats:
        """Return P(cause | end), float64 [n, causes]."""
        return self.booster.predict(x)

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the model as text files by name."""
        return self.booster.files(stem)


def fit_causes(landmarks: Landmarks, day: date, *, seed: int) -> Causes | None:
    """Learn P(cause | end) from every end that was known on `day`; None where under half has a known cause.

    Each relation weighs one, however many as-of dates saw it end.
    """
    closed = landmarks.closed_lags(day)[landmarks.date_of]
    ended = np.flatnonzero(landmarks.event_lag <= closed)
    cause = landmarks.cause.gather(ended).to_numpy() if len(ended) else np.empty(0, dtype=object)
    known = np.isin(cause.astype(str), CAUSES)
    identity = _relation(landmarks, ended)
    distinct, unknown = len(np.unique(identity[known])), len(np.unique(identity[~known]))
    if distinct == 0 or distinct < unknown:
        return None
    row = ended[known]
    code = np.array([CAUSES.index(str(each)) for each in cause[known]], dtype=np.int64)
    _, place, seen = np.unique(identity[known], return_inverse=True, return_counts=True)
    weight = 1.0 / seen[place]
    counts = np.bincount(code, weights=weight, minlength=len(CAUSES))
    shares = (counts + _PRIOR / len(CAUSES)) / (counts.sum() + _PRIOR)
    if len(row) > _ROWS:
        picked = np.sort(np.random.default_rng(seed).choice(len(row), _ROWS, replace=False))
        row, code, weight = row[picked], code[picked], weight[picked]
    if distinct >= MANY:
        landmarks = landmarks.narrowed(_telling(landmarks, row, code, weight, shares))
    model = _fit(landmarks, row, code, weight, shares, distinct, seed)
    return Causes(model, shares, distinct, unknown, landmarks.names)


def _telling(
    landmarks: Landmarks, row: NDArray[np.int64], code: NDArray[np.int64], weight: Floats, shares: Floats
) -> tuple[str, ...]:
    """The columns that tell each cause from the others best on their own."""
    at = np.linspace(0, len(row) - 1, min(len(row), _SCANNED)).astype(np.int64)
    x, found = landmarks.base(row[at]), set()
    for number, share in enumerate(shares):
        label = (code[at] == number).astype(np.float64)
        offset = np.full(len(at), np.log(share / (1 - share)))
        sample = Sample(x, label, weight[at], offset, landmarks.customer[row[at]], landmarks.names)
        found |= {landmarks.names[column] for column in scan(sample, "binary")[:_KEPT]}
    return tuple(sorted(found))


def _relation(landmarks: Landmarks, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number per (customer, end): a relation that ended."""
    return landmarks.customer[rows].astype(np.int64) * 1_000_000 + landmarks.end_day[rows]


def _fit(
    landmarks: Landmarks,
    row: NDArray[np.int64],
    code: NDArray[np.int64],
    weight: Floats,
    shares: Floats,
    distinct: int,
    seed: int,
) -> CauseModel:
    if distinct < FEW or len(np.unique(code)) < len(CAUSES):
        return Shares(shares)
    x = landmarks.design(row, landmarks.event_lag[row])
    if distinct < MANY:
        return _fit_logistic(x, code, weight, landmarks.names + landmarks.lag_names)
    return _fit_trees(x, code, weight, landmarks.names + landmarks.lag_names, seed)


def _fit_logistic(
    x: NDArray[np.float32], code: NDArray[np.int64], weight: Floats, names: tuple[str, ...]
) -> CauseModel:
    from sklearn.linear_model import LogisticRegression

    filled = np.isfinite(x)
    count = np.maximum(filled.sum(axis=0), 1)
    centre = np.where(filled, x, 0).sum(axis=0, dtype=np.float64) / count
    spread = np.sqrt(np.where(filled, (x - centre) ** 2, 0).sum(axis=0) / count)
    scale = np.where(spread > 1e-6, spread, np.inf)
    fitted = LogisticRegression(C=0.02, max_iter=200).fit(_standard(x, centre, scale), code, sample_weight=weight)
    return Multinomial(centre, np.where(np.isfinite(scale), scale, 1e30), fitted.coef_, fitted.intercept_, names)


def _standard(x: NDArray[np.float32], centre: Floats, scale: Floats) -> Floats:
    return np.asarray(np.clip(np.nan_to_num((x - centre) / scale, nan=0.0), -5, 5))


def _fit_trees(
    x: NDArray[np.float32], code: NDArray[np.int64], weight: Floats, names: tuple[str, ...], seed: int
) -> CauseModel:
    booster = fit_boosting(
        x,
        code,
        weight=weight,
        names=names,
        objective="multiclass",
        classes=len(CAUSES),
        seed=seed,
        jobs=1,
        trees=_TREES,
    )
    return CauseTrees(booster)


def ended_by(landmarks: Landmarks, rows: NDArray[np.int64], lags: int, cause: str) -> Floats:
    """Return 1 where the relation ended within `lags` months with this recorded cause, else 0, float64 [n]."""
    told = landmarks.cause.gather(rows).fill_null("").to_numpy() == cause
    return np.asarray((landmarks.event_lag[rows] <= lags) & told, dtype=np.float64)
