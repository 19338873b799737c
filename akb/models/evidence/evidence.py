"""What a prediction showed on later data: rank, level, slope, bands, deciles, with customer-clustered intervals.

Intervals of ranks are 95 %, those of level and slope 90 % (the gate's). A customer may occur more than once, so
variances are sums over customers of squared summed influences; with one row per customer an AUC's is DeLong's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.people import POOLING_EVENTS
from akb.core.scoring import gini
from akb.models.temporal.selection import cluster_sums, losses
from akb.models.types import Calibration, Evidence, LastYear, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.evidence.segments import Parts
    from akb.models.types import Interval

    Floats = NDArray[np.float64]

Z90, Z95 = 1.6448536269514722, 1.959963984540054
BETWEEN_YEAR = 0.05  # floor of the between-year spread of observed/expected (standard deviation of its logarithm)
SEED_BANDS = (0.05, 0.075, 0.10, 0.20)  # the seed's bands; they only say something around a yearly rate of churn
_TIES = 20261121


def auc_with_interval(label: Floats, score: Floats, cluster: NDArray[Any], z: float = Z95) -> tuple[float, Interval]:
    """Return the AUC and its interval (DeLong's variance, summed per customer; on the logit scale).

    Raises
    ------
    ValueError
        If one of the two classes is missing.
    """
    from scipy.stats import rankdata

    event = label > 0
    n1, n0 = int(event.sum()), int((~event).sum())
    if n1 == 0 or n0 == 0:
        raise ValueError("an AUC needs both classes")
    ranks = rankdata(score)
    influence = np.empty(len(score))
    influence[event] = (ranks[event] - rankdata(score[event])) / n0
    influence[~event] = 1 - (ranks[~event] - rankdata(score[~event])) / n1
    auc = float(influence[event].mean())
    influence[event] = (influence[event] - auc) / n1
    influence[~event] = (influence[~event] - auc) / n0
    sums = cluster_sums(influence, cluster)
    # a floor, so that a perfect ranking of a few events does not look certain
    variance = max(float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1), 0.25 / ((n1 + 1) * (n0 + 1)))
    # nearer to one than half its error, the log-odds say nothing: a leak's AUC of 1 would have the interval (0, 1)
    edge = min(max(1 / (2 * (n1 * n0 + 1)), np.sqrt(variance) / 2), 0.5)
    return auc, _on_logit(auc, variance, float(edge), z)


def _on_logit(value: float, variance: float, edge: float, z: float) -> Interval:
    """The interval of a share, symmetric in its log-odds; `edge` keeps zero and one finite."""
    from scipy.special import expit

    inside = float(np.clip(value, edge, 1 - edge))
    centre, width = np.log(inside / (1 - inside)), z * np.sqrt(variance) / (inside * (1 - inside))
    low, high = expit(centre - width), expit(centre + width)  # a rare event's width may be thousands
    return float(min(low, value)), float(max(high, value))


def average_precision_with_interval(
    label: Floats, score: Floats, cluster: NDArray[Any], z: float = Z95
) -> tuple[float, Interval]:
    """Return the average precision and its interval (infinitesimal jackknife over customers; on the logit scale).

    With precision P_i = TP_i / K_i at the rank of event i, AP is the mean of P over events. Giving row j a little more
    weight moves AP by (y_j P_j + sum over events i ranked at or below j of (y_j - P_i) / K_i - y_j AP) / events. Equal
    scores share one rank, as in scikit-learn.

    Raises
    ------
    ValueError
        If there is no event.
    """
    events = float(label.sum())
    if events <= 0:
        raise ValueError("average precision needs an event")
    order = np.argsort(-score, kind="stable")
    happened, ordered = label[order], score[order]
    ends = np.r_[np.flatnonzero(np.diff(ordered)), len(ordered) - 1]
    rank = np.repeat(np.arange(len(ends)), np.diff(np.r_[-1, ends]))
    found, reached = np.cumsum(happened)[ends], ends + 1.0
    precision, here = found / reached, np.diff(np.r_[0.0, found])
    value = float((here * precision).sum() / events)
    gained = np.cumsum((here / reached)[::-1])[::-1]
    lost = np.cumsum((here * precision / reached)[::-1])[::-1]
    influence = (happened * (precision[rank] + gained[rank] - value) - lost[rank]) / events
    sums = cluster_sums(influence, cluster[order])
    variance = max(float((sums**2).sum()), 0.25 / (events + 1) ** 2)
    return value, _on_logit(value, variance, 1 / (2 * (len(label) + 1)), z)


def weighted_auc(p_true: Floats, score: Floats) -> float:
    """Return the expected AUC when each row is an event with weight p and a non-event with weight 1 - p."""
    order = np.argsort(score, kind="stable")
    p, ordered = p_true[order], score[order]
    starts = np.r_[0, np.flatnonzero(np.diff(ordered)) + 1]
    events, others = np.add.reduceat(p, starts), np.add.reduceat(1 - p, starts)
    below = np.cumsum(others) - others
    return float((events * (below + others / 2)).sum() / (events.sum() * others.sum()))


def observed_expected(
    label: Floats, expected: Floats, cluster: NDArray[Any], between_year: float = BETWEEN_YEAR, z: float = Z90
) -> tuple[float, Interval]:
    """Return observed/expected and its interval: clustered by customer, plus a between-year term (floor 5 %)."""
    observed, total = float(label.sum()), float(expected.sum())
    if total <= 0:
        return float("inf") if observed else 1.0, (0.0, float("inf"))
    ratio = observed / total
    if observed <= 0:
        return 0.0, (0.0, 3.0 / total)
    sums = cluster_sums(label - expected * ratio, cluster)
    within = float((sums**2).sum()) / observed**2
    width = z * float(np.sqrt(within + max(between_year, BETWEEN_YEAR) ** 2))
    return ratio, (ratio * float(np.exp(-width)), ratio * float(np.exp(width)))


def calibration_slope(
    label: Floats, probability: Floats, cluster: NDArray[Any], z: float = Z90
) -> tuple[float | None, Interval | None]:
    """Return the slope of a logistic recalibration on the log-odds and its interval (sandwich, by customer).

    None where it cannot be estimated: no spread in the predictions, one class only, or perfect separation.
    """
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    link = np.log(p / (1 - p))
    if len(link) < 10 or float(np.ptp(link)) < 1e-6 or not 0 < float(label.sum()) < len(label):
        return None, None
    design = np.column_stack([np.ones(len(link)), link - link.mean()])
    beta = np.array([float(np.log(label.mean() / (1 - label.mean()))), 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        hessian = design.T @ (design * (fitted * (1 - fitted))[:, None])
        if np.linalg.cond(hessian) > 1e12:
            return None, None
        step = np.linalg.solve(hessian, design.T @ (label - fitted))
        beta = beta + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-9:
            break
    else:
        return None, None
    bread = np.linalg.inv(hessian)
    scores = design * (label - fitted)[:, None]
    sums = np.column_stack([cluster_sums(scores[:, column], cluster) for column in range(2)])
    error = float(np.sqrt((bread @ (sums.T @ sums) @ bread)[1, 1]))
    slope = float(beta[1])
    return slope, (slope - z * error, slope + z * error)


def _wilson(events: float, n: int, z: float = Z90) -> Interval:
    share = min(events / n, 1.0)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def bands(label: Floats, probability: Floats) -> tuple[tuple[float, float, int, float, float, float, float], ...]:
    """Return the band table: the seed's bands around a base rate of 4-20 %, else five equal groups."""
    base = float(label.mean()) if len(label) else 0.0
    inner = SEED_BANDS if 0.04 <= base <= 0.20 else tuple(np.quantile(probability, (0.2, 0.4, 0.6, 0.8)).tolist())
    edges = sorted({float(edge) for edge in inner if 0 < edge < 1})
    group = np.digitize(probability, edges)
    table = []
    for index, (lower, upper) in enumerate(zip([0.0, *edges], [*edges, 1.0], strict=True)):
        inside = group == index
        n = int(inside.sum())
        if n:
            events = float(label[inside].sum())
            mean, low_high = float(probability[inside].mean()), _wilson(events, n)
            table.append((lower, upper, n, mean, events / n, *low_high))
    return tuple(table)


def _descending(score: Floats) -> NDArray[np.int64]:
    """Return positions from the highest score down; ties in a fixed random order, for customer numbers tell tenure."""
    return np.lexsort((np.random.default_rng(_TIES).permutation(len(score)), -score))


def top(score: Floats) -> NDArray[np.int64]:
    """Return the positions of the tenth with the highest scores, at least one."""
    return _descending(score)[: max(1, round(len(score) / 10))]


def decile_table(label: Floats, expected: Floats) -> tuple[tuple[int, int, float, float], ...]:
    """Return (decile, n, mean predicted, observed mean); decile 1 holds the highest predictions."""
    parts = np.array_split(_descending(expected), 10)
    return tuple(
        (number, len(part), float(expected[part].mean()), float(label[part].mean()))
        for number, part in enumerate(parts, start=1)
        if len(part)
    )


def errors(
    label: Floats, expected: Floats, cluster: NDArray[Any], parts: Iterable[Parts], between_year: float = BETWEEN_YEAR
) -> tuple[Segment, ...]:
    """Return observed/expected in each part; figures over too few customers, or giving those away, are None.

    A part's own figure is drawn to that of everyone: with 100 customers to whom it happened, over all closed windows,
    both weigh the same.
    """
    total = float(expected.sum())
    everyone = float(label.sum()) / total if total > 0 else 1.0
    found: list[Segment] = []
    for division in parts:
        masks = [division.code == code for code in range(len(division.names))]
        shown = division.shown([int(mask.sum()) for mask in masks], [int((label[mask] > 0).sum()) for mask in masks])
        for code, (name, mask, may) in enumerate(zip(division.names, masks, shown, strict=True)):
            if not may:
                if mask.any():
                    found.append(Segment(division.kind, name, None, None, None, None, None))
                continue
            ratio, interval = observed_expected(label[mask], expected[mask], cluster[mask], between_year)
            own = float(division.events[code] if division.events else len(np.unique(cluster[mask & (label > 0)])))
            weight = own / (own + POOLING_EVENTS)
            pooled = weight * ratio + (1 - weight) * everyone
            found.append(Segment(division.kind, name, int(mask.sum()), ratio, interval, weight, pooled))
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
    by_date: tuple[tuple[date, int, float, float | None], ...] = (),
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
        (date, population, events, AUC) of every date that was judged; empty means: this one.
    due
        Whether something of the customer renews within the horizon, per row; None where that is not known.
    parts
        Divisions of the rows by which the error is shown.
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
    average, average_ci = average_precision_with_interval(label, probability, cluster) if mixed else (None, None)
    first = top(probability)
    precision = float(label[first].mean())
    ratio, ci = observed_expected(label, probability, cluster, between_year)
    slope, slope_ci = calibration_slope(label, probability, cluster)
    if not by_date and test_date is not None:
        by_date = ((test_date, n, events, auc),)
    return Evidence(
        **common,
        base_rate=base,
        auc=auc,
        auc_ci=auc_ci,
        average_precision=average,
        average_precision_ci=average_ci,
        lift_top_decile=precision / base if events else None,
        precision_top_decile=precision,
        precision_ci=_wilson(float(label[first].sum()), len(first), Z95),
        brier_skill=1 - float(((label - probability) ** 2).mean()) / (base * (1 - base)) if mixed else None,
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
    """The rank among those of whom something renews; with everyone due it says nothing new and stays away."""
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
    by_date: tuple[tuple[date, int, float, float | None], ...] = (),
    last: Floats | None = None,
    parts: Iterable[Parts] = (),
) -> Evidence:
    """Return what an expected count or amount showed on later data.

    ``positives`` is the total observed, ``base_rate`` its mean; the AUC asks whether rows with something rank above
    rows with nothing. The deviance skill is against the mean of the test date (Poisson).

    Parameters
    ----------
    last
        The latest value per row that was known on the test date, NaN unknown: the baseline.
    parts
        Divisions of the rows by which the error is shown.
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
        by_date = ((test_date, n, float(label.sum()), auc),)
    return Evidence(
        **common,
        base_rate=mean,
        auc=auc,
        auc_ci=auc_ci,
        deviance_skill=_skill(label, expected),
        gini=gini(label, expected),
        calibration=Calibration(ratio, ci),
        decile_table=decile_table(label, expected),
        by_date=by_date,
        events=len(np.unique(cluster[label > 0])),
        segments=errors(label, expected, cluster, parts, between_year),
        last_year=None if last is None else _last_year(label, last),
    )


def stood(label: Floats, value: Floats, cluster: NDArray[Any]) -> LastYear:
    """Return how well what stood on the day itself ranks what happened, in the better direction; unknown is median."""
    filled = np.where(np.isnan(value), np.nanmedian(value) if not np.isnan(value).all() else 0.0, value)
    auc = auc_with_interval(label, filled, cluster)[0]
    return LastYear(None, None, auc=max(auc, 1 - auc))


def _skill(label: Floats, expected: Floats) -> float | None:
    """The share of the Poisson deviance around the mean that an expectation takes away."""
    worst = float(losses("poisson", label, np.full(len(label), max(float(label.mean()), 1e-9))).sum())
    return 1 - float(losses("poisson", label, expected).sum()) / worst if worst > 0 else None


def _last_year(label: Floats, last: Floats) -> LastYear | None:
    """What last year's value would have shown: halfway to the mean, on the level of this year, unknown at the mean.

    The level and the mean are those of the year to be told, so the baseline is flattered rather than slighted.
    """
    known = ~np.isnan(last)
    if not known.any() or float(last[known].sum()) <= 0 or float(label.sum()) <= 0:
        return None
    filled = np.where(known, last, float(last[known].mean()))
    scaled = filled * float(label.sum()) / float(filled.sum())
    forecast = (scaled + float(label.mean())) / 2
    return LastYear(gini(label, forecast), _skill(label, forecast), decile_table(label, forecast))
