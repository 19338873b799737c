"""What lapse did over the years and within the year: a trend by weighted least squares, and the
months against their share of the days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.relations import OPEN
from akb.describe.relations import is_lapse
from akb.value.actuarial.basis import BETWEEN_YEARS, FEW
from akb.value.actuarial.credibility import effective

if TYPE_CHECKING:
    from datetime import date

    from akb.value.actuarial.credibility import Floats

Z90 = 1.6449
YEARS = 3  # closed years below which a line through them says nothing


@dataclass(frozen=True)
class Trend:
    """Change of actual / expected per year, relative to its mean, with a 90 % interval."""

    per_year: float
    low: float
    high: float
    years: int


def trend(actual: Floats, expected: Floats, spread: float) -> Trend | None:
    """Return the trend of actual / expected over closed years; None under `YEARS` years or `FEW`
    lapses.

    Parameters
    ----------
    actual, expected
        Per closed year, oldest first.
    spread
        By how much more lapses vary than independent ones.
    """
    seen = np.flatnonzero(expected > 0)
    if len(seen) < YEARS or actual.sum() < FEW:
        return None
    ratio = actual[seen] / expected[seen]
    mean = float(actual[seen].sum()) / float(expected[seen].sum())
    variance = mean * spread / expected[seen] + (BETWEEN_YEARS * mean) ** 2
    weight = 1.0 / variance
    time = seen - float((weight * seen).sum()) / float(weight.sum())
    moment = float((weight * time**2).sum())
    slope = float((weight * time * ratio).sum()) / moment
    middle = float((weight * ratio).sum()) / float(weight.sum())
    left = ratio - middle - slope * time
    excess = max(1.0, float((weight * left**2).sum()) / (len(seen) - 2))
    width = Z90 * float(np.sqrt(excess / moment))
    return Trend(slope / mean, (slope - width) / mean, (slope + width) / mean, len(seen))


def months(policies: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return what the months of the year did in (first, last], whole years.

    Returns
    -------
    DataFrame
        month 1 to 12, ``lapses``, ``customers`` (with one), ``index`` (lapses per day at risk,
        against the whole), ``low``, ``high`` (90 %), ``index_cents`` (the same in revenue).
    """
    days = (last - first).days
    held = policies.select(
        *("customer", "start_date", "end_date", "cause", "replaced_on", "level_cents"),
        until=pl.col("end_date").fill_null(OPEN),
    ).filter(
        (pl.col("until") > first)
        & (pl.col("start_date") < last)
        & (pl.col("until") > pl.col("start_date"))
    )
    entry = _day(held["start_date"].clip(first, None), first)
    leave = _day(held["until"].clip(None, last), first)
    gone = held.filter(is_lapse(last) & (pl.col("until") <= last))
    of_day = np.array([(first + timedelta(days=day)).month for day in range(1, days + 1)])
    found = {}
    for name, cents in (("index", None), ("index_cents", "level_cents")):
        weights = _amounts(held, cents)
        at_risk = np.zeros(days + 2)
        np.add.at(at_risk, entry + 1, weights)
        np.add.at(at_risk, leave + 1, -weights)
        exposed = np.bincount(of_day, weights=at_risk.cumsum()[1 : days + 1], minlength=13)[1:]
        ended = np.bincount(
            gone["until"].dt.month().to_numpy(), weights=_amounts(gone, cents), minlength=13
        )[1:]
        whole = ended.sum() / exposed.sum() if exposed.sum() and ended.sum() else np.nan
        found[name] = np.divide(ended, exposed * whole, out=np.zeros(12), where=exposed > 0)
    per_month = gone.group_by(month=pl.col("until").dt.month(), customer="customer").len("n")
    rows = []
    for month in range(1, 13):
        own = per_month.filter(pl.col("month") == month)["n"].cast(pl.Float64).to_numpy()
        low, high = count_interval(effective(np.sort(own)), float(own.sum()))
        index = float(found["index"][month - 1])
        scale = index / float(own.sum()) if own.sum() else 0.0
        rows.append(
            {
                "month": month,
                "lapses": int(own.sum()),
                "customers": len(own),
                "index": index,
                "low": low * scale,
                "high": high * scale if own.sum() else None,
                "index_cents": float(found["index_cents"][month - 1]),
            }
        )
    return pl.DataFrame(rows).with_columns(pl.col("index", "index_cents").fill_nan(None))


def count_interval(independent: float, count: float) -> tuple[float, float]:
    """Return the 90 % interval of a count that weighs as much as so many independent events."""
    scale = count / independent if independent > 0 else 1.0
    low = max(0.0, np.sqrt(independent) - Z90 / 2) ** 2
    high = (np.sqrt(independent + 1.0) + Z90 / 2) ** 2
    return float(low) * scale, float(high) * scale


def _day(days: pl.Series, first: date) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return (days - first).dt.total_days().to_numpy().astype(np.int64)


def _amounts(policies: pl.DataFrame, column: str | None) -> Floats:
    if column is None:
        return np.ones(policies.height)
    return policies[column].fill_null(0).cast(pl.Float64).to_numpy()
