"""Expected numbers as the last test corrected them, and what the highest tenth of a prediction
showed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from akb.models.types import Calibration, Prediction
    from akb.report.context import Context

LEVEL_EVENTS = 20  # from here a correction errs by less (22 %, Poisson) than the level often does


@dataclass(frozen=True)
class TopTenth:
    """What the tenth with the highest chance showed on later data."""

    key: str
    months: int | None
    test_date: date | None
    population: int
    listed: int
    precision: float
    base_rate: float
    lift: float
    grade: str


def level_range(
    total: float, prediction: Prediction | None, most: float
) -> tuple[float, float] | None:
    """Return a range of 90 % round `total`, as wide in proportion as the interval of observed /
    expected on the last test, in [0, `most`].

    The models were fitted again on that test's outcomes, so `total` stands in the middle of what it
    leaves possible. None where the level was not tested over its own horizon.
    """
    level = own_level(prediction)
    if level is None:
        return None
    low, high = (bound / (level.observed_expected or 1.0) for bound in level.ci)
    return total * min(1.0, low), max(total, min(most, total * high))


def corrected(
    modelled: float, prediction: Prediction | None, most: float, certain: float = 0.0
) -> tuple[float, float | None, float | None]:
    """Return an expected number as the last test corrected it, and its 90 % interval: round it, in
    [0, `most`].

    Parameters
    ----------
    certain
        The part of `modelled` that is announced: it comes whatever the level of the others is.
    """
    ratio, level = correction(prediction), own_level(prediction)
    left, room = modelled - certain, most - certain
    point = min(room, left if ratio is None else left * ratio)
    if level is None or ratio is None:
        return certain + point, None, None
    low, high = (left * bound for bound in level.ci)
    return certain + point, certain + min(point, low), certain + max(point, min(room, high))


def own_level(prediction: Prediction | None) -> Calibration | None:
    """Return the level that was tested over the prediction's own horizon: one over a shorter one
    says nothing of it.
    """
    if prediction is None or prediction.evidence is None or prediction.evidence_months is not None:
        return None
    return prediction.evidence.calibration


def correction(prediction: Prediction | None) -> float | None:
    """Return observed / expected of the last test, where enough happened in it to correct a figure
    by.
    """
    level = own_level(prediction)
    if level is None or prediction is None or prediction.shown.events < LEVEL_EVENTS:
        return None
    return level.observed_expected


def proof(context: Context, keys: list[str]) -> TopTenth | None:
    """Return what the first of `keys` with a proven order showed: of 100 in its top tenth, and of
    100 at random.
    """
    for key in keys:
        prediction = context.bundle.predictions.get(key)
        evidence = prediction.evidence if prediction else None
        if prediction is None or evidence is None or prediction.order != "proven":
            continue
        if evidence.precision_top_decile is not None and evidence.base_rate:
            return TopTenth(
                key=key,
                months=prediction.tested_months,
                test_date=evidence.test_date,
                population=evidence.population,
                listed=round(evidence.population / 10),
                precision=evidence.precision_top_decile,
                base_rate=evidence.base_rate,
                lift=evidence.precision_top_decile / evidence.base_rate,
                grade=prediction.grade,
            )
    return None
