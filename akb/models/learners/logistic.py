"""Regularised logistic (or Poisson) regression with linear splines on the most telling features.

Splines as Harrell 2015 advises, with a ridge penalty (le Cessie & van Houwelingen 1992).

Its slopes are free: a direction of which the field is sure (``configs/directions.toml``) binds the
trees only.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.models.learners.link import from_link
from akb.models.learners.rule import Rate, scan, sorted_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners.sample import Objective, Sample

FEATURES = 24  # the time that hundreds of spline columns would take
ROW_CAP = 20_000  # rows: the solver is cubic in columns and linear in these
STRENGTH = 0.1  # inverse of the ridge on standardised columns
OFFSET_SCALE = 10.0  # the offset enters as a column that the ridge hardly touches
_PART = 4_096  # rows written at a time: their columns stay in the processor's cache
_TWINS = 0.98  # rank correlation above which two features say the same


@dataclass(frozen=True)
class Spline:
    """One feature: clipped to [low, high], a slope that may change at the knots, and a level for
    unknown.
    """

    column: int
    low: float
    high: float
    knots: tuple[float, ...]
    fill: float

    @property
    def width(self) -> int:
        """Number of columns that it becomes: value, hinges, unknown or not."""
        return 2 + len(self.knots)

    def write(self, x: NDArray[np.float32], out: NDArray[np.float64]) -> None:
        """Write its columns into `out`, [n, width]."""
        value = x[:, self.column].astype(np.float64)
        unknown = np.isnan(value)
        value[unknown] = self.fill
        np.minimum(np.maximum(value, self.low, out=value), self.high, out=value)
        value -= self.low
        value /= self.high - self.low
        out[:, 0] = value
        for place, knot in enumerate(self.knots, start=1):
            np.maximum(value - (knot - self.low) / (self.high - self.low), 0, out=out[:, place])
        out[:, -1] = unknown


@dataclass(frozen=True)
class Logistic:
    """Coefficients of the standardised spline columns and of the offset."""

    objective: Objective
    names: tuple[str, ...]
    splines: tuple[Spline, ...]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    offset_slope: float
    intercept: float

    def predict(self, x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance or expected count per row."""
        link = np.empty(len(x))
        for start in range(0, len(x), _PART):
            z = _design(self.splines, x[start : start + _PART])
            z -= self.centre
            z /= self.scale
            np.matmul(z, self.coefficients, out=link[start : start + _PART])
        return from_link(self.objective, link + self.offset_slope * offset + self.intercept)

    def contributions(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return each column's contribution on the link scale against the average row, [n, f]."""
        z = (_design(self.splines, x) - self.centre) / self.scale * self.coefficients
        found, start = np.zeros((len(x), len(self.names))), 0
        for spline in self.splines:
            stop = start + spline.width
            found[:, spline.column] = z[:, start:stop].sum(axis=1)
            start = stop
        return found

    def narrowed(self) -> Logistic:
        """Return the same model on the columns that its splines look at: it chose them among
        many.
        """
        used = sorted({spline.column for spline in self.splines})
        splines = tuple(replace(each, column=used.index(each.column)) for each in self.splines)
        return replace(self, names=tuple(self.names[column] for column in used), splines=splines)

    def importance(self) -> dict[str, float]:
        """Return each used feature's share of the absolute standardised coefficients."""
        sizes, start = {}, 0
        for spline in self.splines:
            stop = start + spline.width
            sizes[self.names[spline.column]] = float(np.abs(self.coefficients[start:stop]).sum())
            start = stop
        total = sum(sizes.values())
        return {name: size / total for name, size in sizes.items()} if total else {}

    def files(self, stem: str) -> dict[str, bytes]:
        """Return everything that scoring needs as JSON."""
        card = {
            "kind": "logistic",
            "objective": self.objective,
            "columns": list(self.names),
            "splines": [
                {
                    "feature": self.names[s.column],
                    "low": s.low,
                    "high": s.high,
                    "knots": s.knots,
                    "fill": s.fill,
                }
                for s in self.splines
            ],
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
            "coefficients": self.coefficients.tolist(),
            "offset_slope": self.offset_slope,
            "intercept": self.intercept,
        }
        return {f"{stem}.json": (json.dumps(card, indent=1, sort_keys=True) + "\n").encode()}


def _design(
    splines: tuple[Spline, ...], x: NDArray[np.float32], out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    stops = np.cumsum([spline.width for spline in splines]).tolist()
    found = np.empty((len(x), stops[-1])) if out is None else out
    for start in range(0, len(x), _PART):
        some, here = x[start : start + _PART], found[start : start + _PART]
        for spline, stop in zip(splines, stops, strict=True):
            spline.write(some, here[:, stop - spline.width : stop])
    return found


def _spline(column: int, values: NDArray[np.float32]) -> Spline | None:
    known = values[~np.isnan(values)]
    if len(known) < 20:
        return None
    known = np.sort(known).astype(np.float64)  # once for all that is asked of it
    low, *inner, high = sorted_quantiles(
        known[None], np.array([len(known)]), (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)
    )[0].tolist()
    if high <= low:
        low, high, inner = float(known[0]), float(known[-1]), []
    if high <= low:
        return None
    knots = tuple(knot for knot in sorted(set(inner)) if low < knot < high)
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2 + 0.0  # no -0.0
    return Spline(column, low, high, knots, float(middle))


def _telling(sample: Sample, objective: Objective, most: int) -> tuple[Spline, ...]:
    """The features with the strongest single rules, without twins (rank correlation above .98), as
    splines.
    """
    from scipy.stats import rankdata

    chosen: list[Spline] = []
    ranks: list[NDArray[np.float64]] = []
    take = np.linspace(0, len(sample) - 1, min(len(sample), 2_000)).astype(np.int64)
    for column in scan(sample, objective):
        if column in sample.categorical:
            continue
        spline = _spline(column, sample.x[:, column])
        if spline is None:
            continue
        rank = rankdata(np.nan_to_num(sample.x[take, column], nan=spline.fill)).astype(np.float64)
        rank = rank - rank.mean()
        size = float(np.sqrt((rank**2).sum()))
        if size == 0 or any(abs(float(rank @ other)) / size > _TWINS for other in ranks):
            continue
        ranks.append(rank / size)
        chosen.append(spline)
        if len(chosen) == most:
            break
    return tuple(chosen)


def fit_logistic(
    sample: Sample, objective: Objective, *, seed: int = 0, features: int = FEATURES
) -> Logistic | Rate:
    """Fit on at most `ROW_CAP` rows, evenly spread over the sample; the base rate where nothing can
    be learnt.

    Parameters
    ----------
    sample
        Training rows; its offset enters as a column of its own.
    features
        The most columns it may use; the default is for the time that hundreds of columns would
        take.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, PoissonRegressor

    if len(sample) == 0 or len(np.unique(sample.label)) < 2:
        return Rate(objective)
    splines = _telling(sample, objective, features)
    if not splines:
        return Rate(objective)
    take = np.linspace(0, len(sample) - 1, min(len(sample), ROW_CAP)).astype(np.int64)
    z = np.empty((len(take), sum(spline.width for spline in splines) + 1))
    z[:, -1] = OFFSET_SCALE * sample.offset[take]
    design = _design(splines, sample.x[take], z[:, :-1])
    centre, spread = design.mean(axis=0), design.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    design -= centre
    design /= scale
    weight = sample.weight[take] / sample.weight[take].mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if objective == "poisson":
            model = PoissonRegressor(
                alpha=1 / (STRENGTH * len(take)),
                solver="newton-cholesky",
                max_iter=30,
                tol=1e-5,
                warm_start=True,
            )
        else:
            model = LogisticRegression(
                C=STRENGTH,
                solver="newton-cholesky",
                max_iter=30,
                tol=1e-4,
                random_state=seed,
                warm_start=True,
            )
        # from the base rate: a step of Newton's costs all rows, and from zero half of them go
        # into how seldom it happens
        start = np.zeros(z.shape[1])
        start[-1] = 1 / OFFSET_SCALE
        model.coef_ = start if objective == "poisson" else start[None]
        model.intercept_ = 0.0 if objective == "poisson" else np.zeros(1)
        model.fit(z, sample.label[take], sample_weight=weight)
    coefficients = np.asarray(model.coef_, dtype=np.float64).ravel()
    return Logistic(
        objective,
        sample.names,
        splines,
        centre,
        scale,
        coefficients[:-1],
        float(coefficients[-1]) * OFFSET_SCALE,
        float(np.asarray(model.intercept_).ravel()[0]),
    )
