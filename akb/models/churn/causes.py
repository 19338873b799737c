"""Why a relation ends when it ends: P(cause | end, features, lag) for natural, insurer-made and
preventable ends.

Times the hazard this gives one hazard per cause, so that the causes add up to churn. Ends without a
known reason are split as the known ones are; how much rests on that is said with both extremes.
That a cause-specific hazard is the hazard times this share is Prentice et al. 1978.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from akb.core.draws.sampling import draw_key, lots, lowest
from akb.models.churn.landmark import BANDS, DRAWS, LAGS, NEVER, Landmarks, band_of, parts_of
from akb.models.learners import Boosted, Sample, fit_boosting, scan

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CAUSES = ("natural", "insurer", "preventable")
# Distinct leavers with a known cause: below FEW only shares, from MANY trees, between them a
# logistic model.
FEW, MANY = 60, 400
# rows to learn from and to compare columns on, at most: bounds the cost
_ROWS, _SCANNED = 10_000, 4_000
_KEPT = 24  # columns per cause that trees learn from, by what each tells alone
_TREES = 50  # rounds, each of which grows a tree per cause
# inverse of the ridge on standardised columns: some hundreds of them against 60 to 400 ends
_STRENGTH = 0.02
_PRIOR = 2.0  # ends, divided evenly over the causes, mixed into the shares: none is ever impossible


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
        """Return the share of a cause if none, and if all, of the unknown ends were of that
        cause.
        """
        known = float(self.shares[CAUSES.index(cause)]) * (1 - self.unknown_share)
        return known, known + self.unknown_share

    def split(self, landmarks: Landmarks, rows: NDArray[np.int64], lags: int = LAGS) -> Floats:
        """Return P(cause | end in month 1..`lags`), float64 [n, lags, causes]; asked once per lag
        band.
        """
        result = np.empty((len(rows), lags, len(CAUSES)))
        landmarks = landmarks.narrowed(self.names)
        first = len(landmarks.names)
        band = band_of(np.arange(1, NEVER))[:lags]
        for part in parts_of(rows):
            some = rows[part]
            x = landmarks.design(some, np.ones(len(some), dtype=np.int64))
            for number in np.unique(band):
                middle = (BANDS[number][0] + BANDS[number][1]) // 2
                x[:, first:] = landmarks.lag_features(some, np.full(len(some), middle))
                result[part, band == number] = self.model.predict(x)[:, None, :]
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
        return {
            f"{stem}.json": json.dumps({"kind": "shares", "shares": self.shares.tolist()}).encode()
        }


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
        arrays = {
            name: getattr(self, name).tolist()
            for name in ("centre", "scale", "weight", "intercept")
        }
        card = {"kind": "multinomial", "columns": list(self.names), **arrays}
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


@dataclass(frozen=True)
class _Ends:
    """Rows at which a relation ended with a known cause: the code of the cause, and a weight that
    counts each once.
    """

    row: NDArray[np.int64]
    code: NDArray[np.int64]
    weight: Floats


def fit_causes(landmarks: Landmarks, day: date, *, seed: int) -> Causes | None:
    """Learn P(cause | end) from every end that was known on `day`; None where under half has a
    known cause.

    Each relation weighs one, however many as-of dates saw it end.
    """
    closed = landmarks.closed_lags(day)[landmarks.date_of]
    ended = np.flatnonzero((landmarks.event_lag <= closed) & landmarks.teaches)
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
        picked = _lowest(landmarks, row, _ROWS, draw_key(seed, DRAWS, "causes"))
        row, code, weight = row[picked], code[picked], weight[picked]
    ends = _Ends(row, code, weight)
    if distinct >= MANY:
        landmarks = landmarks.narrowed(_telling(landmarks, ends, shares, seed))
    if distinct < FEW or len(np.unique(code)) < len(CAUSES):
        return Causes(Shares(shares), shares, distinct, unknown, landmarks.names)
    model = (
        _fit_trees(landmarks, ends, seed) if distinct >= MANY else _fit_logistic(landmarks, ends)
    )
    return Causes(model, shares, distinct, unknown, landmarks.names)


def _lowest(landmarks: Landmarks, row: NDArray[np.int64], size: int, key: int) -> NDArray[np.int64]:
    """The positions of at most so many of these rows: the lowest of a draw, ascending."""
    lot = lots(key, landmarks.identity[row], landmarks.bound[landmarks.date_of[row], 0])
    return lowest(lot, np.zeros(len(row), dtype=np.int64), size)[0]


def _telling(landmarks: Landmarks, ends: _Ends, shares: Floats, seed: int) -> tuple[str, ...]:
    """The columns that tell each cause from the others best on their own."""
    at = _lowest(landmarks, ends.row, _SCANNED, draw_key(seed, DRAWS, "causes scanned"))
    rows, weight = ends.row[at], ends.weight[at]
    x, found = landmarks.base(rows), set()
    for number, share in enumerate(shares):
        label = (ends.code[at] == number).astype(np.float64)
        offset = np.full(len(at), np.log(share / (1 - share)))
        sample = Sample(x, label, weight, offset, landmarks.customer[rows], landmarks.names)
        found |= {landmarks.names[column] for column in scan(sample, "binary")[:_KEPT]}
    return tuple(sorted(found))


def _relation(landmarks: Landmarks, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number per (customer, end): a relation that ended."""
    return landmarks.customer[rows].astype(np.int64) * 1_000_000 + landmarks.end_day[rows]


def _design(landmarks: Landmarks, ends: _Ends) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The features in the month of the end, and their names."""
    x = landmarks.design(ends.row, landmarks.event_lag[ends.row])
    return x, landmarks.names + landmarks.lag_names


def _fit_logistic(landmarks: Landmarks, ends: _Ends) -> CauseModel:
    from sklearn.linear_model import LogisticRegression

    x, names = _design(landmarks, ends)
    filled = np.isfinite(x)
    count = np.maximum(filled.sum(axis=0), 1)
    centre = np.where(filled, x, 0).sum(axis=0, dtype=np.float64) / count
    spread = np.sqrt(np.where(filled, (x - centre) ** 2, 0).sum(axis=0) / count)
    scale = np.where(spread > 1e-6, spread, np.inf)
    standard = _standard(x, centre, scale)
    fitted = LogisticRegression(C=_STRENGTH, max_iter=200).fit(
        standard, ends.code, sample_weight=ends.weight
    )
    return Multinomial(
        centre, np.where(np.isfinite(scale), scale, 1e30), fitted.coef_, fitted.intercept_, names
    )


def _standard(x: NDArray[np.float32], centre: Floats, scale: Floats) -> Floats:
    return np.asarray(np.clip(np.nan_to_num((x - centre) / scale, nan=0.0), -5, 5))


def _fit_trees(landmarks: Landmarks, ends: _Ends, seed: int) -> CauseModel:
    x, names = _design(landmarks, ends)
    booster = fit_boosting(
        x,
        ends.code,
        weight=ends.weight,
        names=names,
        objective="multiclass",
        classes=len(CAUSES),
        seed=seed,
        jobs=1,
        trees=_TREES,
    )
    return CauseTrees(booster)


def ended_by(landmarks: Landmarks, rows: NDArray[np.int64], lags: int, cause: str) -> Floats:
    """Return 1 where the relation ended within `lags` months with this recorded cause, else 0,
    float64 [n].
    """
    with_cause = landmarks.cause.gather(rows).fill_null("").to_numpy() == cause
    return np.asarray((landmarks.event_lag[rows] <= lags) & with_cause, dtype=np.float64)
