"""What a hazard says of those in force at X: taken together with causes and announced ends, as
scores and as files.

Fitting and scoring with a stored hazard end here, so that both say the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.models.churn.announced import announced_causes, announced_lags, with_announced
from akb.models.churn.causes import CAUSES
from akb.models.churn.evaluation import LIFETIME
from akb.models.churn.hazard import stay
from akb.models.churn.landmark import LAGS
from akb.models.churn.splits import CHURN, HORIZONS
from akb.models.churn.target import BY_CAUSE
from akb.models.evidence import MOST

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.features.types import Targets
    from akb.models.churn.causes import Causes
    from akb.models.churn.hazard import Hazard
    from akb.models.churn.landmark import Landmarks
    from akb.models.churn.survival import Continuation, SurvivalCurves

    Floats = NDArray[np.float64]

PEAK = "peak_risk_month"
STANDS_OUT = 1.5  # times the mean hazard of a customer from which a month is his peak


@dataclass(frozen=True)
class ComposedHazards:
    """The hazards at X.

    Parameters
    ----------
    lag
        In which month an announced end falls, see `announced_lags`.
    expected
        Leavers expected within 12 months before anything was announced.
    by_cause
        Reconciled hazards, float64 [n, 12, causes].
    peak
        The month 1..12 with the highest hazard; for announced ends theirs.
    stands_out
        Whose peak is a peak: announced, or `STANDS_OUT` times the customer's own mean month.
        Departures that are flat over the year have a highest month too, which says nothing.
    """

    customers: NDArray[np.uint32]
    lag: NDArray[np.int64]
    expected: float
    by_cause: Floats
    peak: NDArray[np.int64]
    stands_out: NDArray[np.bool_]


def compose(
    landmarks: Landmarks,
    targets: Targets,
    hazard: Hazard,
    split: Floats | None,
    now: NDArray[np.int64],
) -> ComposedHazards:
    """Hazards per month and cause of those in force at X, reconciled with what is announced.

    `split`, P(cause | end), is used up.
    """
    modelled = hazard.monthly(landmarks, now)
    known = split is not None
    if split is None:
        split = np.zeros((len(now), LAGS, len(CAUSES)))
        split[:, :, -1] = 1.0
    customers = landmarks.customer[now]
    lag = announced_lags(targets.announced, customers, hazard.day)
    ends = announced_causes(targets.announced, customers, CAUSES, split.mean(axis=1), known=known)
    announced = (lag > 0) & (lag <= LAGS)
    peak = np.where(announced, lag, modelled.argmax(axis=1) + 1)
    stands_out = announced | (modelled.max(axis=1) >= STANDS_OUT * modelled.mean(axis=1))
    expected = float((1 - stay(modelled)[:, -1]).sum())
    split *= modelled[:, :, None]  # in its place: of a million customers it is 300 MB
    return ComposedHazards(
        customers,
        lag,
        expected,
        with_announced(split, lag, ends),
        peak,
        stands_out,
    )


def churn_scores(
    composed: ComposedHazards, lifetime: SurvivalCurves, *, causes: bool, peak: bool
) -> pl.DataFrame:
    """Return customer and a Float32 column per key that can be told."""
    columns: dict[str, Floats | NDArray[np.int64]] = {}
    for key, months in zip(CHURN, HORIZONS, strict=True):
        columns[key] = 1 - lifetime.alive[:, months - 1]
    if causes:
        columns |= {key: lifetime.left[:, LAGS - 1, number] for number, key in enumerate(BY_CAUSE)}
    if peak:
        columns[PEAK] = np.where(composed.stands_out, composed.peak, np.nan)
    columns[LIFETIME] = lifetime.years
    stored = {key: value.astype(np.float32) for key, value in columns.items()}
    return pl.DataFrame({"customer": composed.customers, **stored}).with_columns(
        pl.col(stored).fill_nan(None)
    )


def highest(scores: pl.DataFrame) -> NDArray[np.int64]:
    """Return the places of the customers with the highest chance to leave, highest first, at most
    `MOST`: those who are explained.
    """
    chance, customers = scores[CHURN[-1]].to_numpy(), scores["customer"].to_numpy()
    return np.lexsort((customers, -chance))[:MOST]


def announced_later(
    announced: pl.DataFrame,
    customers: NDArray[np.uint32],
    as_of: date,
    lag: NDArray[np.int64],
    horizon: int,
) -> Floats:
    """After how many years an announced end after the first twelve months falls; NaN for none."""
    after = np.full(len(customers), np.nan)
    if announced.is_empty():
        return after
    end_of = dict(
        announced.select("customer", "end_date").sort("end_date", descending=True).iter_rows()
    )
    turns = [add_months(as_of, LAGS * year) for year in range(horizon + 1)]
    for place in np.flatnonzero(lag > LAGS).tolist():
        end = end_of[int(customers[place])]
        year = next((k for k in range(2, horizon + 1) if end <= turns[k]), 0)
        if year:
            after[place] = (
                year - 1 + (end - turns[year - 1]).days / (turns[year] - turns[year - 1]).days
            )
    return after


def churn_files(
    hazard: Hazard, causes: Causes | None, continuation: Continuation
) -> dict[str, bytes]:
    """The models as data: text and JSON only."""
    card = {
        "kind": "landmark hazard",
        "winner": hazard.name,
        "day": hazard.day.isoformat(),
        "rows": hazard.rows,
        "train_dates": [day.isoformat() for day in hazard.train_dates],
        "offset": hazard.offset.tolist(),
        "shift": hazard.shift.tolist(),
        "lifetime": {
            "attenuation": continuation.attenuation,
            "by_tenure": continuation.by_tenure.tolist(),
            "by_age": None if continuation.by_age is None else continuation.by_age.tolist(),
        },
    }
    files = {**hazard.model.files("models/churn"), "models/churn.level.json": _json(card)}
    return files if causes is None else {**files, **causes.model.files("models/churn_cause")}


def _json(card: dict[str, object]) -> bytes:
    return (json.dumps(card, indent=1, sort_keys=True) + "\n").encode()
