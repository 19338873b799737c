"""What a prediction showed on later data: rank, level, slope, bands, deciles, with customer-clustered intervals.

Intervals of ranks are 95 %, those of level and slope 90 % (the gate's). A customer may occur more than once, so
variances are sums over customers of squared summed influences; with one row per customer an AUC's is DeLong's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.candidates import cluster_sums, losses
from akb.models.types import Calibration, Evidence

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

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
    edge = 1 / (2 * (n1 * n0 + 1))
    inside = float(np.clip(auc, edge, 1 - edge))
    centre, width = np.log(inside / (1 - inside)), z * np.sqrt(variance) / (inside * (1 - inside))
    low, high = 1 / (1 + np.exp(-(centre - width))), 1 / (1 + np.exp(-(centre + width)))
    return auc, (float(min(low, auc)), float(max(high, auc)))


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


def _average_precision(label: Floats, score: Floats) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(label, score))


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
    precision = float(label[top(probability)].mean())
    ratio, ci = observed_expected(label, probability, cluster, between_year)
    slope, slope_ci = calibration_slope(label, probability, cluster)
    if not by_date and test_date is not None:
        by_date = ((test_date, n, events, auc),)
    return Evidence(
        **common,
        base_rate=base,
        auc=auc,
        auc_ci=auc_ci,
        average_precision=_average_precision(label, probability) if mixed else None,
        lift_top_decile=precision / base if events else None,
        precision_top_decile=precision,
        brier_skill=1 - float(((label - probability) ** 2).mean()) / (base * (1 - base)) if mixed else None,
        calibration=Calibration(ratio, ci, slope, slope_ci, bands(label, probability)),
        decile_table=decile_table(label, probability),
        by_date=by_date,
    )


def gini(label: Floats, expected: Floats) -> float | None:
    """Return the Gini of the ordering by `expected`, as a share of what a perfect ordering reaches."""

    def concentration(score: Floats) -> float:
        from scipy.stats import rankdata

        ranks = rankdata(score)  # mid-ranks: equal predictions share, so that a constant scores zero
        return float((label * (2 * ranks - len(label) - 1)).sum() / (len(label) * label.sum()))

    if len(label) == 0 or float(label.sum()) <= 0:
        return None
    perfect = concentration(label)
    return concentration(expected) / perfect if perfect > 0 else None


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
) -> Evidence:
    """Return what an expected count or amount showed on later data.

    ``positives`` is the total observed, ``base_rate`` its mean; the AUC asks whether rows with something rank above
    rows with nothing. The deviance skill is against the mean of the test date (Poisson).
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
    worst = float(losses("poisson", label, np.full(n, max(mean, 1e-9))).sum())
    ratio, ci = observed_expected(label, expected, cluster, between_year)
    if not by_date and test_date is not None:
        by_date = ((test_date, n, float(label.sum()), auc),)
    return Evidence(
        **common,
        base_rate=mean,
        auc=auc,
        auc_ci=auc_ci,
        deviance_skill=1 - float(losses("poisson", label, expected).sum()) / worst if worst > 0 else None,
        gini=gini(label, expected),
        calibration=Calibration(ratio, ci),
        decile_table=decile_table(label, expected),
        by_date=by_date,
    )
