from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr
from synthetic import BRANCHES, GAP, LAG, BranchWorld, X, branch_world

from akb.config import Models, load_settings
from akb.features.types import Matrix
from akb.models.evidence.grading import gate, grade
from akb.models.evidence.metrics import weighted_auc
from akb.models.learners.boosting import Boosted, fit_boosting
from akb.models.learners.logistic import Logistic, fit_logistic
from akb.models.learners.rule import Rate, Rule, fit_rule
from akb.models.learners.sample import Sample
from akb.models.temporal.holdout import Holdout
from akb.models.temporal.level import between_years, level_factor, shift_for
from akb.models.temporal.problem import branch_problem, customer_problem, happened_within
from akb.models.temporal.splits import TemporalSplits, temporal_splits
from akb.models.temporal.target import FittedTarget, fit_target

SETTINGS: Models = load_settings(models__target_rows=30_000, models__trees=120).models


def roles(world: BranchWorld) -> TemporalSplits:
    return temporal_splits(world.matrix.dates, X, 12, GAP, LAG)


def any_lapse(world: BranchWorld, settings: Models = SETTINGS) -> FittedTarget:
    label = happened_within(world.targets.counts, "first_lapse", 12)
    return fit_target(customer_problem(world.matrix, "any", "binary", label), roles(world), settings)


@pytest.fixture(scope="module")
def curved() -> BranchWorld:
    return branch_world(4000, seed=3, noise=4)


@pytest.fixture(scope="module")
def outcome(curved: BranchWorld) -> FittedTarget:
    return any_lapse(curved)


def skill(truth: np.ndarray, score: np.ndarray) -> float:
    """Share of the oracle's expected AUC above chance."""
    return (weighted_auc(truth, score) - 0.5) / (weighted_auc(truth, truth) - 0.5)


def test_an_interaction_needs_trees_and_is_found(curved: BranchWorld, outcome: FittedTarget) -> None:
    assert outcome.winner == "boosting"
    assert skill(curved.any_lapse, outcome.expected) > 0.8
    assert outcome.competition is not None and outcome.competition.gain_significant


def test_level_is_that_of_the_truth(curved: BranchWorld, outcome: FittedTarget) -> None:
    assert outcome.expected.sum() == pytest.approx(curved.any_lapse.sum(), rel=0.10)
    proof = outcome.evidence[0]
    assert proof is not None and proof.calibration is not None
    assert proof.calibration.ci[0] < 1.05 and proof.calibration.ci[1] > 0.95
    assert grade(proof, gate(proof), proof.positives, len(proof.by_date), gain_significant=True) in ("strong", "usable")


def test_a_linear_truth_is_left_to_a_simple_model() -> None:
    world = branch_world(4000, seed=4, interaction=0.0, noise=4)
    found = any_lapse(world)
    assert found.winner in ("rule", "logistic")
    assert skill(world.any_lapse, found.expected) > 0.75


def test_shuffled_labels_show_chance_and_fall_back_to_the_base_rate() -> None:
    world = branch_world(2500, seed=5, shuffled=True)
    found = any_lapse(world)
    proof = found.evidence[0]
    assert proof is not None and proof.auc_ci is not None
    assert proof.auc_ci[0] <= 0.5
    assert grade(proof, gate(proof), proof.positives, 2, gain_significant=True) == "insufficient"
    assert found.winner == "rate" and np.ptp(found.expected) == 0.0


@pytest.mark.parametrize(("errors", "flat"), [(1.4, True), (1.9, False)])
def test_a_family_whose_gain_chance_alone_could_give_falls_back_to_its_rates(
    curved: BranchWorld, monkeypatch: pytest.MonkeyPatch, errors: float, flat: bool
) -> None:
    """The gain on the test date in standard errors: one in twenty says 1.645 without any signal."""
    holdout = sys.modules[Holdout.__module__]
    monkeypatch.setattr(holdout, "paired_difference", lambda *_: (errors * 0.01, 0.01))
    found = fit_target(branch_problem(curved.matrix, curved.targets.held, "held", BRANCHES), roles(curved), SETTINGS)
    assert (found.winner == "rate") is flat
    spread = [np.ptp(found.expected[found.problem.group[found.rows] == code]) for code in range(len(BRANCHES))]
    assert bool(max(spread) == 0) is flat


def test_counts_follow_the_truth(curved: BranchWorld) -> None:
    label = curved.targets.counts["lapses_12m"].to_numpy()
    found = fit_target(customer_problem(curved.matrix, "lost", "poisson", label), roles(curved), SETTINGS)
    assert found.expected.sum() == pytest.approx(curved.lost.sum(), rel=0.10)
    assert np.corrcoef(found.expected, curved.lost)[0, 1] > 0.6
    proof = found.evidence[0]
    assert proof is not None and proof.deviance_skill is not None and proof.deviance_skill > 0.02


@pytest.mark.parametrize("family", ["held", "eligible"])
def test_one_model_serves_every_branch_at_its_own_level(curved: BranchWorld, family: str) -> None:
    rows, truth = (curved.targets.held, curved.lapse) if family == "held" else (curved.targets.eligible, curved.buy)
    found = fit_target(branch_problem(curved.matrix, rows, family, BRANCHES), roles(curved), SETTINGS)
    told = pl.DataFrame(
        {
            "customer": found.problem.customer[found.rows],
            "branch": np.array(BRANCHES)[found.problem.group[found.rows]],
            "told": found.expected,
        }
    ).join(truth, on=["customer", "branch"])
    assert told.height == truth.height
    skills = []
    for code, branch in enumerate(BRANCHES):
        own = told.filter(pl.col("branch") == branch)
        skills.append(skill(own["p"].to_numpy(), own["told"].to_numpy()))
        tolerance = 0.10 + 2 / np.sqrt(max(int(found.model.events[code]), 1))
        assert own["told"].sum() == pytest.approx(own["p"].sum(), rel=tolerance)
        assert 0 < found.model.pooled_weight[code] < 1
    assert np.mean(skills) > 0.8
    order = np.argsort(found.model.events)
    assert (np.diff(found.model.pooled_weight[order]) <= 0.05).all()  # more events, less borrowed


def test_any_number_of_jobs_and_any_order_of_rows_give_the_same_bytes() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4000, 12)).astype(np.float32)
    x[:, 6] = x[:, 0] > 0
    x[:, 7] = x[:, 0] <= 0  # twins tie in every split
    x[:, 8] = rng.integers(0, 5, 4000)
    label = (rng.random(4000) < 1 / (1 + np.exp(2 - x[:, 0] * x[:, 1]))).astype(float)
    weight = rng.uniform(0.5, 9.7, 4000)
    names = tuple(f"c{k}" for k in range(12))
    one, two = (
        fit_boosting(x, label, weight=weight, names=names, seed=1, jobs=jobs, trees=40, categorical=(8,))
        for jobs in (1, 2)
    )
    assert one.text == two.text and "num_threads" not in one.text
    assert (one.predict(x) == replace(two, jobs=2).predict(x)).all()


def test_a_model_file_is_the_model(curved: BranchWorld, outcome: FittedTarget) -> None:
    model = outcome.model.model
    assert isinstance(model, Boosted)
    files = outcome.model.files(outcome.problem)
    again = Boosted(files["models/any.txt"].decode(), model.names, "binary")
    x = outcome.problem.features(outcome.rows[:50])
    assert (again.raw(x) == model.raw(x)).all()
    assert set(files) == {"models/any.txt", "models/any.json", "models/any.level.json"}


def test_a_noise_column_changes_little(curved: BranchWorld, outcome: FittedTarget) -> None:
    """Sanity of the competition: what is decided does not hang on columns that say nothing."""
    frame = curved.matrix.frame.drop("noise0", "noise1")
    slim = replace(
        curved,
        matrix=Matrix(frame, tuple(f for f in curved.matrix.features if f.name not in ("noise0", "noise1"))),
    )
    found = any_lapse(slim)
    assert found.winner == outcome.winner
    assert np.corrcoef(found.expected, outcome.expected)[0, 1] > 0.9


def sample(n: int = 6000, seed: int = 1, objective: str = "binary") -> Sample:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    x[rng.random(n) < 0.2, 2] = np.nan
    eta = -2 + 0.9 * np.abs(x[:, 1]) + 0.7 * np.isnan(x[:, 2])
    mean = np.exp(eta) if objective == "poisson" else 1 / (1 + np.exp(-eta))
    label = rng.poisson(mean) if objective == "poisson" else rng.random(n) < mean
    base = np.log(label.mean()) if objective == "poisson" else np.log(label.mean() / (1 - label.mean()))
    return Sample(x, label.astype(float), np.ones(n), np.full(n, base), np.arange(n), tuple("abcde"))


@pytest.mark.parametrize("objective", ["binary", "poisson"])
def test_splines_see_a_bend_and_what_is_unknown(objective: str) -> None:
    train, test = sample(seed=1, objective=objective), sample(seed=2, objective=objective)
    model = fit_logistic(train, objective)  # type: ignore[arg-type]
    assert isinstance(model, Logistic)
    told = model.predict(test.x, test.offset)
    eta = -2 + 0.9 * np.abs(test.x[:, 1]) + 0.7 * np.isnan(test.x[:, 2])
    truth = np.exp(eta) if objective == "poisson" else 1 / (1 + np.exp(-eta))
    assert spearmanr(told, truth)[0] > 0.93
    assert told.mean() == pytest.approx(truth.mean(), rel=0.05)
    link = np.log(told) if objective == "poisson" else np.log(told / (1 - told))
    parts = model.contributions(test.x)
    assert np.ptp(link - parts.sum(axis=1)) < 1e-6  # contributions add up to the score


def test_a_rule_names_the_strongest_feature_and_shrinks_small_bins() -> None:
    train = sample()
    rule = fit_rule(train, "binary")
    assert isinstance(rule, Rule) and rule.feature == "b"
    expected = rule.predict(train.x, train.offset)
    assert expected.sum() == pytest.approx(train.label.sum(), rel=0.02)
    few = Sample(train.x[:30], np.r_[1.0, np.zeros(29)], np.ones(30), np.full(30, -3.0), np.arange(30), train.names)
    small = fit_rule(few, "binary")
    assert isinstance(small, Rule) and 0.8 < min(small.ratios) <= max(small.ratios) < 1.3


@pytest.mark.parametrize("label", [np.zeros(40), np.r_[1.0, np.zeros(39)]])
def test_next_to_nothing_to_learn_from_crashes_nothing(label: np.ndarray) -> None:
    x = np.full((40, 3), np.nan, dtype=np.float32)
    little = Sample(x, label, np.ones(40), np.full(40, -3.0), np.arange(40), ("a", "b", "c"))
    assert isinstance(fit_logistic(little, "binary"), Rate)
    for model in (fit_rule(little, "binary"), fit_logistic(little, "binary"), Rate("binary")):
        assert np.isfinite(model.predict(x, little.offset)).all()
    trees = fit_boosting(x, label, names=("a", "b", "c"), seed=1, jobs=1, trees=5)
    assert np.isfinite(trees.predict(x)).all()


def test_level_is_the_mean_of_three_windows_shrunk_by_events() -> None:
    assert level_factor([105, 100, 95], [100, 100, 100], [1e3] * 3) == pytest.approx(1.0)
    assert level_factor([105, 103, 101], [100] * 3, [1e3] * 3, prior=0.0) == pytest.approx(1.03)
    assert level_factor([12, 12, 12], [10, 10, 10], [50, 0, 0], prior=50) == pytest.approx(1.1)
    assert level_factor([12], [10], [100], parent=0.9, prior=100) == pytest.approx(1.05)
    assert level_factor([], [], [], parent=0.8) == 0.8


def test_the_newest_window_counts_alone_only_when_the_level_has_moved() -> None:
    moved = level_factor([200, 100, 100], [100, 100, 100], [2000, 1000, 1000], prior=0.0)
    assert moved == pytest.approx(2.0)
    wobble = level_factor([105, 100, 100], [100, 100, 100], [1000] * 3, prior=0.0)
    assert wobble == pytest.approx(305 / 300)
    one_agrees = level_factor([200, 195, 100], [100, 100, 100], [2000] * 3, prior=0.0)
    assert one_agrees == pytest.approx(495 / 300)


def test_between_years_is_at_least_five_percent_and_sees_a_real_spread() -> None:
    assert between_years([100, 100], [100, 100], [1e6, 1e6]) == 0.05
    assert between_years([100, 150, 70], [100, 100, 100], [1e6] * 3) > 0.2
    assert between_years([12, 8], [10, 10], [10, 10]) == 0.05  # chance explains it


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_a_shift_reaches_the_total(factor: float) -> None:
    rng = np.random.default_rng(1)
    p, weight = rng.uniform(0.01, 0.5, 500), rng.uniform(1, 9, 500)
    shift = shift_for("binary", p, weight, factor)
    moved = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    assert (weight * moved).sum() == pytest.approx(factor * (weight * p).sum(), rel=1e-8)
