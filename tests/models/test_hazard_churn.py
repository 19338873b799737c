"""Churn in a world with known hazards: level, rank, coherence, evidence, short histories, determinism."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hazard_world import World, simulate

from akb.config import Settings, load_settings
from akb.core.dates import add_months
from akb.models.churn.causes import CAUSES, fit_causes
from akb.models.churn.fit import BY_CAUSE, CHURN, KEYS, ChurnResult, fit_churn
from akb.models.churn.landmark import Landmarks
from akb.models.churn.splits import churn_splits
from akb.models.context import why
from akb.models.evidence.metrics import weighted_auc
from akb.models.learners.boosting import fit_boosting

MONTHS = (1, 3, 6, 12)


def _settings(jobs: int = 2, rows: int = 40_000) -> Settings:
    return load_settings(models__hazard_rows=rows, models__trees=100, models__jobs=jobs)


def _fit(world: World, **options: int) -> ChurnResult:
    return fit_churn(world.matrix, world.targets, _settings(**options), as_of=world.as_of)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(5000, seed=11, history=48, level=-5.3, announced=25)


@pytest.fixture(scope="module")
def result(world: World) -> ChurnResult:
    return _fit(world)


def _score(result: ChurnResult, key: str) -> np.ndarray:
    return result.scores[key].to_numpy().astype(np.float64)


def test_expected_churn_is_the_truth_within_ten_percent(world: World, result: ChurnResult) -> None:
    assert (result.scores["customer"].to_numpy() == world.customers).all()
    for key, months in zip(CHURN[2:], MONTHS[2:], strict=True):
        assert _score(result, key).sum() == pytest.approx(world.truth[:, months - 1].sum(), rel=0.10)


def test_rank_is_near_that_of_the_same_trees_fitted_to_the_truth(world: World, result: ChurnResult) -> None:
    other = simulate(12_000, seed=99, history=48, level=-5.3)
    elsewhere, here = (Landmarks(each.matrix, each.targets) for each in (other, world))
    rows, own = elsewhere.rows_of(len(elsewhere.dates) - 1), here.rows_of(len(here.dates) - 1)
    x, p = elsewhere.design(rows, np.full(len(rows), 6)), other.truth[:, 11]
    oracle = fit_boosting(
        np.concatenate([x, x]),
        np.repeat([1.0, 0.0], len(x)),
        weight=np.concatenate([p, 1 - p]),
        names=elsewhere.names,
        seed=1,
        jobs=1,
        trees=100,
    )
    told = np.isin(world.customers, world.targets.announced["customer"].to_numpy())
    truth = world.truth[~told, 11]
    best = weighted_auc(truth, oracle.predict(here.design(own, np.full(len(own), 6)))[~told])
    assert best > 0.62
    assert weighted_auc(truth, _score(result, "churn_12m")[~told]) > best - 0.03


def test_horizons_nest_causes_add_up_and_survival_agrees(world: World, result: ChurnResult) -> None:
    chances = np.stack([_score(result, key) for key in CHURN], axis=1)
    assert (np.diff(chances, axis=1) >= 0).all() and (chances >= 0).all() and (chances <= 1).all()
    causes = sum(_score(result, key) for key in BY_CAUSE)
    assert np.abs(causes - chances[:, 3]).max() < 2e-7  # float32; to 1e-9 before it:
    survival = result.survival
    assert (survival.select(pl.sum_horizontal("alive", *CAUSES) - 1).to_series().abs() < 1e-9).all()
    year = survival.filter(pl.col("month") == 12)
    assert (year["customer"].to_numpy() == world.customers).all()
    assert ((1 - year["alive"].to_numpy()).astype(np.float32) == result.scores["churn_12m"].to_numpy()).all()
    for key, cause in zip(BY_CAUSE, CAUSES, strict=True):
        assert (year[cause].to_numpy().astype(np.float32) == result.scores[key].to_numpy()).all()
    assert sorted(survival["month"].unique().to_list()) == [*range(1, 13), *range(24, 241, 12)]


def test_every_score_is_finite_and_typed(result: ChurnResult) -> None:
    assert set(result.scores.columns) == {"customer", *KEYS}
    for key in KEYS:
        assert result.scores[key].dtype == pl.Float32 and result.scores[key].is_finite().all()
    assert set(result.scores["peak_risk_month"].unique().to_list()) <= set(range(1, 13))
    assert result.scores["remaining_lifetime_years"].is_between(0, 20).all()
    assert result.x.shape == (len(result.explained), len(result.names))
    assert set(result.predictions) == set(KEYS)


def test_announced_leavers_are_certain(world: World, result: ChurnResult) -> None:
    told = result.scores.join(world.targets.announced.select("customer"), on="customer", how="semi")
    assert told.height == 25 and (told["churn_6m"] == 1).all()
    assert (told["remaining_lifetime_years"] < 0.5).all()


def test_peak_month_is_the_renewal(world: World, result: ChurnResult) -> None:
    """In this world a renewal multiplies the hazard by five: it should be the peak for nearly everyone."""
    now = world.matrix.frame.filter(pl.col("as_of") == world.as_of)
    renewal = now.select(f"renewals_in_month_{j}" for j in range(1, 13)).to_numpy().argmax(axis=1) + 1
    assert (_score(result, "peak_risk_month") == renewal).mean() > 0.9


def test_evidence_is_out_of_time_and_says_what_it_should(world: World, result: ChurnResult) -> None:
    for key, months in zip(CHURN, MONTHS, strict=True):
        evidence = result.predictions[key].evidence
        assert evidence is not None and evidence.test_date is not None and evidence.auc is not None
        assert max(evidence.train_dates) < evidence.test_date < world.as_of
        assert len(evidence.by_date) == 2
        truth = world.truth[:, months - 1]
        assert evidence.auc == pytest.approx(weighted_auc(truth, _score(result, key)), abs=0.09)
    year = result.predictions["churn_12m"]
    assert year.status == "fitted" and year.grade in ("strong", "usable") and year.gate in ("pass", "provisional")
    assert {c.name for c in year.candidates} == {"rate", "rule", "logistic", "boosting"}
    assert result.predictions["churn_natural_12m"].evidence is not None


def test_what_was_said_a_year_ago_is_what_was_judged(world: World, result: ChurnResult) -> None:
    told, year = result.backtest, result.tested
    assert told is not None
    assert year is not None
    assert told.as_of == year[0]
    scores = told.scores
    assert scores["customer"].is_sorted()
    assert np.array_equal(scores["churn_12m"].to_numpy(), year[1])
    assert (scores["churn_preventable_12m"] < scores["churn_12m"]).all()
    there = world.matrix.frame.filter(pl.col("as_of") == told.as_of)["customer"].sort()
    assert scores["customer"].equals(there, check_dtypes=False)
    evidence = result.predictions["churn_12m"].evidence
    assert evidence is not None
    assert evidence.test_date == told.as_of
    assert max(evidence.train_dates) < add_months(told.as_of, -1)
    expected = evidence.positives / evidence.calibration.observed_expected if evidence.calibration else 0.0
    assert scores["churn_12m"].sum() == pytest.approx(expected, rel=0.02)


def test_natural_ends_are_told_apart(world: World, result: ChurnResult) -> None:
    assert weighted_auc(world.natural, _score(result, "churn_natural_12m")) > 0.68
    assert _score(result, "churn_natural_12m").sum() == pytest.approx(world.natural.sum(), rel=0.2)


def test_jobs_change_nothing(world: World, result: ChurnResult) -> None:
    one = _fit(world, jobs=1)
    assert one.scores.equals(result.scores) and one.survival.equals(result.survival)
    assert one.files == result.files
    assert {k: replace(p, seconds=0) for k, p in one.predictions.items()} == {
        k: replace(p, seconds=0) for k, p in result.predictions.items()
    }


def test_shuffled_outcomes_prove_nothing() -> None:
    """Who leaves is drawn by lot: whatever the model finds must not survive on later data."""
    world = simulate(2500, seed=5, history=40, noise=10)
    rng = np.random.default_rng(0)
    names = list(world.matrix.names)
    mixed = rng.permutation(world.matrix.frame.height)
    frame = pl.concat(
        [world.matrix.frame.select("as_of", "customer"), world.matrix.frame.select(names)[mixed]], how="horizontal"
    )
    result = fit_churn(replace(world.matrix, frame=frame), world.targets, _settings(rows=20_000), as_of=world.as_of)
    year = result.predictions["churn_12m"]
    assert year.grade in ("insufficient", "indicative")
    evidence = year.evidence
    assert evidence is not None and evidence.auc is not None and abs(evidence.auc - 0.5) < 0.06


def test_a_short_history_borrows_the_evidence_of_a_shorter_horizon() -> None:
    world = simulate(4000, seed=6, history=20, level=-4.6)
    roles = churn_splits(Landmarks(world.matrix, world.targets), world.as_of)
    assert roles.model_for(12) is None and roles.model_for(3) is not None
    result = _fit(world, rows=20_000)
    year, quarter = result.predictions["churn_12m"], result.predictions["churn_3m"]
    assert year.evidence == quarter.evidence or year.evidence == result.predictions["churn_6m"].evidence
    assert year.gate == "none" and year.grade in ("indicative", "insufficient") and year.why
    assert result.predictions["remaining_lifetime_years"].evidence is None
    assert _score(result, "churn_12m").sum() == pytest.approx(world.truth[:, 11].sum(), rel=0.25)


def test_a_handful_of_leavers_gives_the_base_rate() -> None:
    world = simulate(60, seed=7, history=36)
    result = _fit(world)
    assert [f.code for f in result.findings if f.severity == "issue"] == ["AKB-M020"]
    assert result.predictions["churn_12m"].status == "baseline"
    assert result.predictions["churn_12m"].grade == "insufficient"
    # nothing was tried, so nothing is said of what tells leavers apart
    known = result.findings[0].count
    for key in ("churn_12m", "peak_risk_month"):
        assert result.predictions[key].why == why("few_leavers", events=known, least=100)
    assert result.predictions["peak_risk_month"].status == "unavailable"
    assert "peak_risk_month" not in result.scores.columns
    assert result.scores["churn_12m"].n_unique() == 1 and result.scores["churn_12m"].is_finite().all()
    assert result.survival["alive"].is_finite().all()


def test_without_ended_relations_nothing_is_made_up() -> None:
    world = simulate(60, seed=7, history=24)
    nothing = world.targets.relation.with_columns(
        end_date=pl.lit(None, dtype=pl.Date), cause=pl.lit(None, dtype=pl.String)
    )
    result = fit_churn(world.matrix, replace(world.targets, relation=nothing), _settings(), as_of=world.as_of)
    assert {p.status for p in result.predictions.values()} == {"unavailable"}
    # without any ended policy `run_models` says so; here there may be ends before the record, or of policies only
    assert all(p.why == why("no_leavers") for p in result.predictions.values())
    assert result.scores.columns == ["customer"] and result.survival.is_empty() and not result.findings


def test_without_reasons_causes_are_unavailable() -> None:
    world = simulate(300, seed=8, history=36, reasons=0.0)
    assert fit_causes(Landmarks(world.matrix, world.targets), world.as_of, seed=1) is None
    result = _fit(world)
    assert {result.predictions[key].status for key in BY_CAUSE} == {"unavailable"}
    assert not set(BY_CAUSE) & set(result.scores.columns)
    year = result.survival.filter(pl.col("month") == 12)
    assert np.allclose(1 - year["alive"], year["preventable"]) and (year["natural"] == 0).all()


def test_unknown_reasons_are_split_and_both_extremes_said() -> None:
    world = simulate(1200, seed=9, history=36, reasons=0.7, level=-4.8)
    landmarks = Landmarks(world.matrix, world.targets)
    causes = fit_causes(landmarks, world.as_of, seed=1)
    assert causes is not None and 0.2 < causes.unknown_share < 0.4
    low, high = causes.extremes("preventable")
    assert low < causes.shares[2] < high and high - low == pytest.approx(causes.unknown_share)
    split = causes.split(landmarks, landmarks.rows_of(0))
    assert np.abs(split.sum(axis=2) - 1).max() < 1e-12 and (split > 0).all()
