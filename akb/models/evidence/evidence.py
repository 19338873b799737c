"""What a prediction showed on later data: rank, level, slope, bands, deciles, with
customer-clustered intervals.

Intervals of ranks are 95 %, those of level and slope 90 % (the gate's). A customer may occur more
than once, so variances are sums over customers of squared summed influences; with one row per
customer an AUC's is DeLong's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.people import POOLING_EVENTS
from akb.core.scoring import gini
from akb.models.evidence.intervals import (
    BETWEEN_YEAR,
    Z95,
    auc_with_interval,
    average_precision_with_interval,
    calibration_slope,
    observed_expected,
    wilson,
)
from akb.models.evidence.metrics import decile_table, deviance_skill, top
from akb.models.types import Band, Calibration, DateResult, Evidence, LastYear, SegmentLevel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.evidence.segments import Parts

    Floats = NDArray[np.float64]

# the seed's bands; they only say something around a yearly rate of churn
SEED_BANDS = (0.05, 0.075, 0.10, 0.20)


def bands(label: Floats, probability: Floats) -> tuple[Band, ...]:
    """Return the band table: the seed's bands around a base rate of 4-20 %, else five equal
    groups.

    Examples
    --------
    Ten of the twenty with a chance of .30 left, and nobody else.

    >>> label = np.repeat([1.0, 0.0], [10, 90])
    >>> low, high = bands(label, np.where(np.arange(100) < 20, 0.30, 0.06))
    >>> (high.lower, high.customers, high.observed), (low.lower, low.customers, low.observed)
    ((0.2, 20, 0.5), (0.05, 80, 0.0))
    """
    base = float(label.mean()) if len(label) else 0.0
    inner = (
        SEED_BANDS
        if 0.04 <= base <= 0.20
        else tuple(np.quantile(probability, (0.2, 0.4, 0.6, 0.8)).tolist())
    )
    edges = sorted({float(edge) for edge in inner if 0 < edge < 1})
    group = np.digitize(probability, edges)
    table = []
    for index, (lower, upper) in enumerate(zip([0.0, *edges], [*edges, 1.0], strict=True)):
        inside = group == index
        n = int(inside.sum())
        if n:
            events = float(label[inside].sum())
            mean, low_high = float(probability[inside].mean()), wilson(events, n)
            table.append(Band(lower, upper, n, mean, events / n, *low_high))
    return tuple(table)


def errors(
    label: Floats,
    expected: Floats,
    cluster: NDArray[Any],
    parts: Iterable[Parts],
    between_year: float = BETWEEN_YEAR,
) -> tuple[SegmentLevel, ...]:
    """Return observed/expected in each part; figures over too few customers, or giving those away,
    are None.

    A part's own figure is drawn to that of everyone: with 100 customers to whom it happened, over
    all closed windows, both weigh the same.

    Examples
    --------
    From the first office 30 left where 20 were expected, from both 40 where 40 were: 30 events
    count for 30 / (30 + 100), so that 1.5 becomes 1.12.

    >>> from akb.core.people import Parts
    >>> label = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 70, 10, 90])
    >>> office = Parts("office", ("A", "B"), np.repeat([0, 1], 100), 5)
    >>> first, other = errors(label, np.full(200, 0.2), np.arange(200), [office])
    >>> round(first.observed_expected, 2), round(first.pooled, 2)
    (1.5, 1.12)
    """
    total = float(expected.sum())
    everyone = float(label.sum()) / total if total > 0 else 1.0
    found: list[SegmentLevel] = []
    for division in parts:
        masks = [division.code == code for code in range(len(division.names))]
        shown = division.shown(
            [int(mask.sum()) for mask in masks], [int((label[mask] > 0).sum()) for mask in masks]
        )
        for code, (name, mask, may) in enumerate(zip(division.names, masks, shown, strict=True)):
            if not may:
                if mask.any():
                    found.append(SegmentLevel(division.kind, name, None, None, None, None, None))
                continue
            ratio, interval = observed_expected(
                label[mask], expected[mask], cluster[mask], between_year
            )
            own = float(
                division.events[code]
                if division.events
                else len(np.unique(cluster[mask & (label > 0)]))
            )
            weight = own / (own + POOLING_EVENTS)
            pooled = weight * ratio + (1 - weight) * everyone
            found.append(
                SegmentLevel(division.kind, name, int(mask.sum()), ratio, interval, weight, pooled)
            )
    return tuple(found)


def binary_evidence(
    label: Floats,
    probability: Floats,
    cluster: NDArray[Any],
    *,
    test_date: date | None = None,
    train_dates: tuple[date, ...] = (),
    train_rows: int = 0,
    between_year: float = BETWEEN_YEAR,
    by_date: tuple[DateResult, ...] = (),
    due: NDArray[np.bool_] | None = None,
    parts: Iterable[Parts] = (),
) -> Evidence:
    """Return what a probability showed on later data.

    Parameters
    ----------
    label, probability, cluster
        0/1, chance and customer per row of the test date, all [n].
    between_year
        Spread of log(observed/expected) between years, where known; never taken below 5 %.
    by_date
        Every date that was judged; empty means: this one.
    due
        Whether something of the customer renews within the horizon, per row; None where that is not
        known.
    parts
        Divisions of the rows by which the error is shown.

    Notes
    -----
    The Brier skill is one less the Brier score (1950) over that of the base rate.

    Examples
    --------
    Ten of a hundred left, all among the twenty with the highest chance.

    >>> label = np.repeat([1.0, 0.0], [10, 90])
    >>> chance = np.where(np.arange(100) < 20, 0.30, 0.05)
    >>> found = binary_evidence(label, chance, np.arange(100))
    >>> round(found.auc, 3), round(found.brier_skill, 3)
    (0.944, 0.333)
    """
    n, events = len(label), float(label.sum())
    common: dict[str, Any] = {
        "test_date": test_date,
        "train_dates": train_dates,
        "train_rows": train_rows,
        "population": n,
        "positives": events,
    }
    if n == 0:
        return Evidence(**common)
    base = events / n
    mixed = 0 < events < n
    auc, auc_ci = auc_with_interval(label, probability, cluster) if mixed else (None, None)
    average, average_ci = (
        average_precision_with_interval(label, probability, cluster) if mixed else (None, None)
    )
    first = top(probability)
    precision = float(label[first].mean())
    ratio, ci = observed_expected(label, probability, cluster, between_year)
    slope, slope_ci = calibration_slope(label, probability, cluster)
    if not by_date and test_date is not None:
        by_date = (DateResult(test_date, n, events, auc),)
    return Evidence(
        **common,
        base_rate=base,
        auc=auc,
        auc_ci=auc_ci,
        average_precision=average,
        average_precision_ci=average_ci,
        lift_top_decile=precision / base if events else None,
        precision_top_decile=precision,
        precision_ci=wilson(float(label[first].sum()), len(first), Z95),
        brier_skill=1 - float(((label - probability) ** 2).mean()) / (base * (1 - base))
        if mixed
        else None,
        calibration=Calibration(ratio, ci, slope, slope_ci, bands(label, probability)),
        decile_table=decile_table(label, probability),
        by_date=by_date,
        events=len(np.unique(cluster[label > 0])),
        segments=errors(label, probability, cluster, parts, between_year),
        **_among_due(label, probability, cluster, due),
    )


def _among_due(
    label: Floats, probability: Floats, cluster: NDArray[Any], due: NDArray[np.bool_] | None
) -> dict[str, Any]:
    """The rank among those of whom something renews; with everyone due it says nothing new and
    stays away.
    """
    if due is None or due.all() or not 0 < float(label[due].sum()) < int(due.sum()):
        return {}
    auc, interval = auc_with_interval(label[due], probability[due], cluster[due])
    return {"auc_due": auc, "auc_due_ci": interval, "due": int(due.sum())}


def count_evidence(
    label: Floats,
    expected: Floats,
    cluster: NDArray[Any],
    *,
    test_date: date | None = None,
    train_dates: tuple[date, ...] = (),
    train_rows: int = 0,
    between_year: float = BETWEEN_YEAR,
    by_date: tuple[DateResult, ...] = (),
    last: Floats | None = None,
    followed: NDArray[np.bool_] | None = None,
    parts: Iterable[Parts] = (),
) -> Evidence:
    """Return what an expected count or amount showed on later data.

    ``positives`` is the total observed, ``base_rate`` its mean; the AUC asks whether rows with
    something rank above rows with nothing. The deviance skill is against the mean of the test date
    (Poisson).

    Parameters
    ----------
    last
        The latest value per row that was known on the test date, NaN unknown: the baseline.
    followed
        The rows of which it can be known: the baseline is shown on those. None: all.
    parts
        Divisions of the rows by which the error is shown.

    Examples
    --------
    >>> label = np.array([0.0, 2.0, 0.0, 2.0])
    >>> found = count_evidence(label, np.array([0.5, 1.5, 0.5, 1.5]), np.arange(4))
    >>> found.base_rate, found.auc, round(found.deviance_skill, 3), found.gini
    (1.0, 1.0, 0.585, 1.0)
    """
    n = len(label)
    common: dict[str, Any] = {
        "test_date": test_date,
        "train_dates": train_dates,
        "train_rows": train_rows,
        "population": n,
        "positives": float(label.sum()),
    }
    if n == 0:
        return Evidence(**common)
    mean = float(label.mean())
    some = (label > 0).astype(np.float64)
    auc, auc_ci = auc_with_interval(some, expected, cluster) if 0 < some.sum() < n else (None, None)
    ratio, ci = observed_expected(label, expected, cluster, between_year)
    if not by_date and test_date is not None:
        by_date = (DateResult(test_date, n, float(label.sum()), auc),)
    if last is not None and followed is not None:
        baseline = _last_year(label[followed], last[followed])
    else:
        baseline = None if last is None else _last_year(label, last)
    return Evidence(
        **common,
        base_rate=mean,
        auc=auc,
        auc_ci=auc_ci,
        deviance_skill=deviance_skill(label, expected),
        gini=gini(label, expected),
        calibration=Calibration(ratio, ci),
        decile_table=decile_table(label, expected),
        by_date=by_date,
        events=len(np.unique(cluster[label > 0])),
        segments=errors(label, expected, cluster, parts, between_year),
        last_year=baseline,
    )


def persistence_baseline(label: Floats, value: Floats, cluster: NDArray[Any]) -> LastYear:
    """Return how well what was so already on the day itself ranks what happened, in the better
    direction; unknown is median.

    Examples
    --------
    >>> label, stands = np.array([1.0, 0, 1, 0, 0, 0]), np.array([3.0, 2.0, np.nan, 0.0, 0.0, 0.0])
    >>> persistence_baseline(label, stands, np.arange(6)).auc
    0.6875
    """
    filled = np.where(
        np.isnan(value), np.nanmedian(value) if not np.isnan(value).all() else 0.0, value
    )
    auc = auc_with_interval(label, filled, cluster)[0]
    return LastYear(None, None, auc=max(auc, 1 - auc))


def _last_year(label: Floats, last: Floats) -> LastYear | None:
    """What last year's value would have shown: halfway to the mean, on the level of this year,
    unknown at the mean.

    The level and the mean are those of the very year that it forecasts, so the baseline is
    flattered rather than slighted.
    """
    known = ~np.isnan(last)
    if not known.any() or float(last[known].sum()) <= 0 or float(label.sum()) <= 0:
        return None
    filled = np.where(known, last, float(last[known].mean()))
    scaled = filled * float(label.sum()) / float(filled.sum())
    forecast = (scaled + float(label.mean())) / 2
    return LastYear(
        gini(label, forecast), deviance_skill(label, forecast), decile_table(label, forecast)
    )
