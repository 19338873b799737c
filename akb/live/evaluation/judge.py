"""A prediction beside what happened: level, order, and an alarm where neither is chance any more.

Intervals are 95 % and by customer, those of the level with what years differ anyway (5 %). An alarm
asks 99 %, for a run has dozens of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.live.evaluation.happened import label
from akb.live.experiment.registration import closing_day
from akb.models.evidence import Z95, auc_with_interval
from akb.models.evidence.intervals import (
    BETWEEN_YEAR,
    calibration_slope,
    cluster_sums,
    observed_expected,
)
from akb.models.evidence.metrics import decile_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.live.evaluation.happened import Followed

    Floats = NDArray[np.float64]

Z99 = 2.5758293035489004
_UNKNOWN = dict.fromkeys(
    ("slope", "slope_interval", "auc", "auc_interval", "lift", "promised_auc", "order_alarm")
)
FEW = 10
"""Events, expected or observed, under which there is no alarm and no order."""


def judged(
    followed: Followed, promised: Mapping[str, Mapping[str, Any]], as_of: date
) -> list[dict[str, Any]]:
    """Return a row per prediction of which an export can show the outcome.

    Parameters
    ----------
    promised
        The run's own evidence by key, of its summary.
    as_of
        X of the export: a window that it does not close has a row that says when it closes.
    """
    rows = []
    for entry in followed.entries:
        if entry.key not in followed.scores.columns or entry.horizon_months is None:
            continue
        closes = closing_day(followed.as_of, entry.horizon_months, followed.days)
        about = {
            "key": entry.key,
            "name": entry.name_nl,
            "name_en": entry.name_en,
            "months": entry.horizon_months,
        }
        if closes > as_of:
            if entry.kind in ("probability", "count"):
                rows.append({**about, "status": "open", "closes": closes.isoformat()})
            continue
        found = label(followed, entry)
        if found is None:
            continue
        rows.append({**about, **_row(followed, entry, found, promised.get(entry.key, {}))})
    return rows


def _row(
    followed: Followed, entry: Entry, found: pl.DataFrame, promised: Mapping[str, Any]
) -> dict[str, Any]:
    both = (
        followed.scores.select("number", expected=pl.col(entry.key).cast(pl.Float64))
        .join(found, on="number", how="inner")
        .filter(pl.col("expected").is_not_null())
        .sort("number")
    )
    happened, expected = both["label"].to_numpy(), both["expected"].to_numpy()
    cluster = both["number"].to_numpy()
    if not len(happened):
        return {"status": "nobody"}
    ratio, ends = observed_expected(happened, expected, cluster, z=Z95)
    row: dict[str, Any] = {
        "status": "judged",
        "customers": len(happened),
        "expected": float(expected.sum()),
        "observed": float(happened.sum()),
        "observed_expected": _finite(ratio),
        "interval": [_finite(each) for each in ends],
        "alarm": level_alarm(happened, expected, cluster),
        "deciles": [
            {"customers": each.customers, "predicted": each.predicted, "observed": each.observed}
            for each in decile_table(happened, expected)
        ],
    }
    unknown = {**_UNKNOWN, "promised_auc": promised.get("auc")}
    if entry.kind != "probability":
        return {**row, **unknown}
    return {**row, **unknown, **_order(happened, expected, cluster, promised)}


def level_alarm(happened: Floats, expected: Floats, cluster: NDArray[Any]) -> str | None:
    """Return ``more`` or ``fewer`` where so many events are no chance any more, else None.

    Compared at the expected level, so that the interval is that of a forecast which is right:
    within it lies what happens when nothing is wrong."""
    total, seen = float(expected.sum()), float(happened.sum())
    if max(total, seen) < FEW:
        return None
    variance = _variance(happened, expected, cluster) + (BETWEEN_YEAR * total) ** 2
    away = (seen - total) / float(np.sqrt(variance))
    if abs(away) <= Z99:
        return None
    return "more" if away > 0 else "fewer"


def _variance(happened: Floats, expected: Floats, cluster: NDArray[Any]) -> float:
    """Return that of the number of events, by customer: of chances their own, of counts what is
    seen.
    """
    if expected.max() <= 1 and len(np.unique(cluster)) == len(cluster) and happened.max() <= 1:
        return float((expected * (1 - expected)).sum())
    sums = cluster_sums(happened - expected, cluster)
    return float(max((sums**2).sum(), expected.sum()))


def _order(
    happened: Floats, expected: Floats, cluster: NDArray[Any], promised: Mapping[str, Any]
) -> dict[str, Any]:
    events = float(happened.sum())
    slope, slope_ends = calibration_slope(happened, expected, cluster, z=Z95)
    figures: dict[str, Any] = {
        "slope": slope,
        "slope_interval": None if slope_ends is None else list(slope_ends),
    }
    if events < FEW or len(happened) - events < FEW:
        return figures
    auc, ends = auc_with_interval(happened, expected, cluster)
    best = decile_table(happened, expected)[0]
    before = promised.get("auc_ci")
    return {
        **figures,
        "auc": auc,
        "auc_interval": list(ends),
        "lift": best.observed / float(happened.mean()),
        "order_alarm": "worse" if before and ends[1] < before[0] else None,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
