"""Statistics with their intervals, customer-clustered.

Intervals of ranks are 95 %, those of level and slope 90 % (the gate's). A customer may occur more
than once, so variances are sums over customers of squared summed influences; with one row per
customer an AUC's is DeLong's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.proportions import interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.types import Interval

    Floats = NDArray[np.float64]

Z90, Z95 = 1.6448536269514722, 1.959963984540054
# floor of the between-year spread of observed/expected (standard deviation of its logarithm)
BETWEEN_YEAR = 0.05


def auc_with_interval(
    label: Floats, score: Floats, cluster: NDArray[Any], z: float = Z95
) -> tuple[float, Interval]:
    """Return the AUC and its interval (DeLong's variance, summed per customer; on the logit scale).

    Raises
    ------
    ValueError
        If one of the two classes is missing.

    Notes
    -----
    DeLong, DeLong & Clarke-Pearson 1988; summed per cluster as Obuchowski 1997 does; the interval
    on the logit scale as Pepe 2003 advises for an AUC near one.

    Examples
    --------
    Seven of the eight pairs of an event and a non-event are in the right order.

    >>> label, score = np.array([1.0, 0, 1, 0, 0, 0]), np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1])
    >>> auc, (low, high) = auc_with_interval(label, score, np.arange(6))
    >>> auc, round(low, 2), round(high, 2)
    (0.875, 0.31, 0.99)
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
    variance = max(
        float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1), 0.25 / ((n1 + 1) * (n0 + 1))
    )
    # nearer to one than half its error, the log-odds say nothing: a leak's AUC of 1 would have the
    # interval (0, 1)
    edge = min(max(1 / (2 * (n1 * n0 + 1)), np.sqrt(variance) / 2), 0.5)
    return auc, _on_logit(auc, variance, float(edge), z)


def _on_logit(value: float, variance: float, edge: float, z: float) -> Interval:
    """The interval of a share, symmetric in its log-odds; `edge` keeps zero and one finite."""
    from scipy.special import expit

    inside = float(np.clip(value, edge, 1 - edge))
    centre, width = np.log(inside / (1 - inside)), z * np.sqrt(variance) / (inside * (1 - inside))
    # a rare event's width may be thousands
    low, high = expit(centre - width), expit(centre + width)
    return float(min(low, value)), float(max(high, value))


def average_precision_with_interval(
    label: Floats, score: Floats, cluster: NDArray[Any], z: float = Z95
) -> tuple[float, Interval]:
    """Return the average precision and its interval (infinitesimal jackknife over customers; on the
    logit scale).

    With precision P_i = TP_i / K_i at the rank of event i, AP is the mean of P over events. Giving
    row j a little more weight moves AP by (y_j P_j + sum over events i ranked at or below j of (y_j
    - P_i) / K_i - y_j AP) / events (infinitesimal jackknife: Jaeckel 1972). Equal scores share one
    rank, as in scikit-learn.

    Raises
    ------
    ValueError
        If there is no event.

    Examples
    --------
    The events stand first and third: the mean of 1/1 and 2/3.

    >>> label, score = np.array([1.0, 0, 1, 0, 0, 0]), np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1])
    >>> value, (low, high) = average_precision_with_interval(label, score, np.arange(6))
    >>> round(value, 3), round(low, 2), round(high, 2)
    (0.833, 0.28, 0.98)
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


def observed_expected(
    label: Floats,
    expected: Floats,
    cluster: NDArray[Any],
    between_year: float = BETWEEN_YEAR,
    z: float = Z90,
) -> tuple[float, Interval]:
    """Return observed/expected and its interval: clustered by customer, plus a between-year term
    (floor 5 %).

    The interval is that of the logarithm; without any event the upper bound is 3 / expected (the
    rule of three, Hanley & Lippman-Hand 1983).

    Examples
    --------
    >>> label, expected = np.repeat([1.0, 0.0], [90, 910]), np.full(1000, 0.1)
    >>> ratio, (low, high) = observed_expected(label, expected, np.arange(1000))
    >>> round(ratio, 2), round(low, 2), round(high, 2)
    (0.9, 0.75, 1.08)
    """
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
    """Return the slope of a logistic recalibration on the log-odds and its interval (sandwich, by
    customer).

    None where it cannot be estimated: no spread in the predictions, one class only, or perfect
    separation.

    Notes
    -----
    Cox 1958: a slope under one says that the predictions are too extreme. The variance is the
    sandwich of Liang & Zeger 1986.

    Examples
    --------
    >>> link = np.linspace(-3, 1, 200)
    >>> label = (np.arange(200) % 7 < np.round(7 / (1 + np.exp(-link)))).astype(float)
    >>> slope, (low, high) = calibration_slope(label, 1 / (1 + np.exp(-link)), np.arange(200))
    >>> round(slope, 2), round(low, 2), round(high, 2)
    (1.08, 0.8, 1.36)
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


def wilson(events: float, n: int, z: float = Z90) -> Interval:
    """Return the interval of a share (Wilson 1927), which stays within 0 and 1 for few events
    too.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(3, 20)]
    [0.062, 0.322]
    """
    low, high = interval(min(events, n), n, z)
    return max(0.0, low), min(1.0, high)


def cluster_sums(values: NDArray[np.float64], cluster: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of `values` per cluster, in ascending order of the cluster.

    Examples
    --------
    >>> cluster_sums(np.array([1.0, 2.0, 3.0]), np.array([7, 7, 9])).tolist()
    [3.0, 3.0]
    """
    _, position = np.unique(cluster, return_inverse=True)
    return np.bincount(position, weights=values).astype(np.float64)


def paired_difference(
    loss: NDArray[np.float64],
    other: NDArray[np.float64],
    cluster: NDArray[Any],
    weight: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Return the mean of ``loss - other`` per row and its standard error, clustered by customer.

    Notes
    -----
    The sandwich of Liang & Zeger 1986 for a mean.

    Examples
    --------
    >>> loss, other = np.array([0.5, 0.4, 0.6, 0.5]), np.full(4, 0.4)
    >>> mean, error = paired_difference(loss, other, np.arange(4))
    >>> round(mean, 3), round(error, 3)
    (0.1, 0.041)
    """
    w = np.ones(len(loss)) if weight is None else weight
    total = float(w.sum())
    if total <= 0:
        return 0.0, 0.0
    gap = loss - other
    mean = float((w * gap).sum() / total)
    sums = cluster_sums(w * (gap - mean), cluster)
    correction = len(sums) / max(len(sums) - 1, 1)
    return mean, float(np.sqrt(correction * (sums**2).sum()) / total)


def gain_p(loss: NDArray[np.float64], rival: NDArray[np.float64], cluster: NDArray[Any]) -> float:
    """Return how likely a gain as large as that of `loss` on `rival` is by chance, two-sided; 1
    where there is none.

    Examples
    --------
    A gain of .100 with a standard error of .041 is 2.45 of them.

    >>> round(gain_p(np.full(4, 0.4), np.array([0.5, 0.4, 0.6, 0.5]), np.arange(4)), 3)
    0.014
    """
    from scipy.stats import norm

    gain, error = paired_difference(rival, loss, cluster)
    if gain <= 0:
        return 1.0
    return float(2 * norm.sf(gain / error)) if error > 0 else 0.0
