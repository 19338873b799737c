from datetime import date

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from akb.models.evidence.evidence import bands, binary_evidence, count_evidence, gini
from akb.models.evidence.intervals import (
    auc_with_interval,
    average_precision_with_interval,
    calibration_slope,
    observed_expected,
)
from akb.models.evidence.metrics import decile_table, weighted_auc
from akb.models.types import DateResult

RNG = np.random.default_rng(7)


def drawn(n: int = 4000, base: float = -2.0, spread: float = 0.8, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(base + spread * rng.normal(size=n))))
    return p, (rng.random(n) < p).astype(float)


def test_auc_is_that_of_scikit_learn_with_ties() -> None:
    p, label = drawn()
    score = np.round(p, 1)
    assert auc_with_interval(label, score, np.arange(len(p)))[0] == pytest.approx(
        roc_auc_score(label, score), abs=1e-12
    )


def test_unclustered_interval_is_de_longs() -> None:
    p, label = drawn(1500)
    event, other = p[label > 0], p[label <= 0]
    psi = (event[:, None] > other).astype(float) + 0.5 * (event[:, None] == other)
    variance = psi.mean(axis=1).var(ddof=1) / len(event) + psi.mean(axis=0).var(ddof=1) / len(other)
    auc, (low, high) = auc_with_interval(label, p, np.arange(len(p)))
    assert (high - low) / (2 * 1.96) == pytest.approx(np.sqrt(variance), rel=0.02)
    assert low < auc < high


def test_interval_agrees_with_the_bootstrap_over_customers() -> None:
    p, label = drawn(1200, seed=3)
    customer = np.repeat(np.arange(400), 3)
    p, label = np.repeat(p[:400], 3), np.repeat(label[:400], 3)  # every customer three times the same
    rng, aucs = np.random.default_rng(1), []
    rows = np.arange(1200).reshape(400, 3)
    for _ in range(400):
        take = rows[rng.integers(0, 400, 400)].ravel()
        aucs.append(roc_auc_score(label[take], p[take]))
    low, high = auc_with_interval(label, p, customer)[1]
    naive = auc_with_interval(label, p, np.arange(1200))[1]
    assert (high - low) / 3.92 == pytest.approx(np.std(aucs), rel=0.15)
    assert (high - low) > 1.5 * (naive[1] - naive[0])


def test_few_perfectly_ranked_events_are_not_certain() -> None:
    low, high = auc_with_interval(np.array([1.0, 1, 0, 0, 0]), np.arange(5)[::-1].astype(float), np.arange(5))[1]
    assert low < 0.9 and high == 1.0


def test_weighted_auc_is_the_mean_over_many_futures() -> None:
    p, _ = drawn(600)
    score = p + 0.05 * RNG.normal(size=len(p))
    rng = np.random.default_rng(2)
    mean = np.mean([roc_auc_score(rng.random(len(p)) < p, score) for _ in range(300)])
    assert weighted_auc(p, score) == pytest.approx(mean, abs=0.005)
    assert weighted_auc(p, np.zeros(len(p))) == pytest.approx(0.5)
    whole = (p > np.median(p)).astype(float)
    assert weighted_auc(whole, score) == pytest.approx(roc_auc_score(whole, score))


def test_level_interval_covers_the_truth_and_keeps_the_between_year_floor() -> None:
    inside = 0
    for seed in range(60):
        p, label = drawn(3000, seed=seed)
        inside += (
            observed_expected(label, p, np.arange(3000))[1][0]
            <= 1
            <= observed_expected(label, p, np.arange(3000))[1][1]
        )
    assert inside >= 52
    p, label = drawn(200_000)
    _, (low, high) = observed_expected(label, p, np.arange(len(p)))
    assert np.log(high / low) / 2 == pytest.approx(1.645 * 0.05, rel=0.05)


def test_level_without_events_or_expectation_is_finite_or_open() -> None:
    assert observed_expected(np.zeros(10), np.full(10, 0.1), np.arange(10))[1] == (0.0, pytest.approx(3.0))
    assert observed_expected(np.zeros(3), np.zeros(3), np.arange(3))[0] == 1.0


@pytest.mark.parametrize("stretch", [0.5, 1.0, 2.0])
def test_slope_finds_the_stretch(stretch: float) -> None:
    p, label = drawn(60_000)
    link = np.log(p / (1 - p))
    told = 1 / (1 + np.exp(-(link.mean() + stretch * (link - link.mean()))))
    slope, interval = calibration_slope(label, told, np.arange(len(p)))
    assert slope == pytest.approx(1 / stretch, rel=0.05)
    assert interval is not None and interval[0] < 1 / stretch < interval[1]


def test_no_slope_of_a_constant_or_a_perfect_separation() -> None:
    _, label = drawn(500)
    assert calibration_slope(label, np.full(500, 0.1), np.arange(500)) == (None, None)
    assert calibration_slope(label, np.where(label > 0, 0.9, 0.1), np.arange(500)) == (None, None)


def test_bands_are_the_seeds_near_ten_percent_and_quantiles_elsewhere() -> None:
    p, label = drawn(5000)
    table = bands(label, p)
    assert [row.lower for row in table] == [0.0, 0.05, 0.075, 0.10, 0.20]
    assert sum(row.customers for row in table) == 5000
    assert all(row.low <= row.observed <= row.high for row in table)
    rare = bands((label > 0) & (RNG.random(5000) < 0.05), p / 20)
    assert [row.customers for row in rare] == [1000] * 5


def test_deciles_and_lift_do_not_depend_on_ties() -> None:
    _, label = drawn(2000)
    ordered = np.sort(label)[::-1]  # all events first: a tie broken by position would look like skill
    table = decile_table(ordered, np.full(2000, 0.1))
    assert [row.customers for row in table] == [200] * 10
    assert max(row.observed for row in table) < 2 * label.mean()


def test_binary_evidence_of_the_truth() -> None:
    p, label = drawn(20_000)
    found = binary_evidence(label, p, np.arange(len(p)), test_date=date(2024, 1, 1))
    assert found.population == 20_000 and found.positives == label.sum()
    assert found.brier_skill is not None and 0 < found.brier_skill < 0.3
    assert found.lift_top_decile == pytest.approx(found.precision_top_decile / found.base_rate)
    assert found.calibration is not None and found.calibration.ci[0] < 1 < found.calibration.ci[1]
    assert found.by_date == (DateResult(date(2024, 1, 1), 20_000, label.sum(), found.auc),)


@pytest.mark.parametrize("label", [np.zeros(20), np.ones(20), np.zeros(0)])
def test_one_class_or_nobody_gives_no_auc_and_no_crash(label: np.ndarray) -> None:
    p = np.full(len(label), 0.2)
    assert binary_evidence(label, p, np.arange(len(label))).auc is None
    assert count_evidence(label, p, np.arange(len(label))).auc in (None,)


def test_counts_have_deviance_skill_and_gini() -> None:
    rng = np.random.default_rng(5)
    mu = np.exp(-1.5 + 0.8 * rng.normal(size=20_000))
    label = rng.poisson(mu).astype(float)
    found = count_evidence(label, mu, np.arange(len(mu)))
    flat = count_evidence(label, np.full(len(mu), label.mean()), np.arange(len(mu)))
    assert found.deviance_skill is not None and 0.1 < found.deviance_skill < 0.6
    assert flat.deviance_skill == pytest.approx(0.0, abs=1e-12)
    assert found.gini is not None and 0.2 < found.gini < 1.0
    assert flat.gini == pytest.approx(0.0, abs=1e-12)
    assert gini(label, label) == pytest.approx(1.0)


def test_one_event_among_many_has_a_wide_interval_and_no_overflow() -> None:
    label = np.zeros(200_000)
    label[-1] = 1.0
    with np.errstate(over="raise", invalid="raise"):
        value, (low, high) = average_precision_with_interval(label, -np.arange(200_000.0), np.arange(200_000))
    assert value < 1e-5
    assert low == pytest.approx(0.0, abs=1e-9) and high == pytest.approx(1.0)
