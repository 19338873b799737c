from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from synthetic import BRANCHES, BranchWorld, X, branch_world

from akb.catalogue.entries import Entry, entries, templates
from akb.config import Settings, load_settings
from akb.core.dates import add_months
from akb.core.wording.reasons import Reason
from akb.ingest.types import History
from akb.models import run_models
from akb.models.context import some, why
from akb.models.evidence.explain import REASONS
from akb.models.methods import METHODS
from akb.models.types import ModelRun, Prediction

SMALL = {"models__target_rows": 12_000, "models__hazard_rows": 12_000, "models__trees": 60}
SETTINGS = load_settings(**SMALL, models__jobs=2)


def catalogue(branches: tuple[str, ...] = BRANCHES) -> list[Entry]:
    return [entry for entry in entries([(branch, branch) for branch in branches]) if entry.room == "models"]


def run(
    world: BranchWorld,
    settings: Settings = SETTINGS,
    history: History | None = None,
    branches: tuple[str, ...] = BRANCHES,
) -> ModelRun:
    return run_models(
        world.matrix,
        world.targets,
        catalogue(branches),
        settings,
        as_of=X,
        history=history or History(date(2020, 12, 31), 60, True, "given"),
        progress=lambda words: None,
    )


@pytest.fixture(scope="module")
def world() -> BranchWorld:
    return branch_world(1500, seed=11, noise=2)


@pytest.fixture(scope="module")
def result(world: BranchWorld) -> ModelRun:
    return run(world)


def worded(prediction: Prediction) -> str:
    """Why a prediction is what it is, as the report says it."""
    assert isinstance(prediction.why, Reason)
    return prediction.why.sentence()


def test_every_method_of_this_room_is_registered() -> None:
    assert {entry.method for entry in templates() if entry.room == "models"} <= METHODS.keys()


def test_one_prediction_per_entry_in_catalogue_order(result: ModelRun) -> None:
    assert [p.key for p in result.predictions] == [entry.key for entry in catalogue()]
    former = {entry.key for entry in catalogue() if entry.rows == "former"}
    for p in result.predictions:
        assert (p.key in result.scores.columns) == (p.status != "unavailable" and p.key not in former)
        assert p.status != "unavailable" or worded(p).endswith(".")


def test_the_chances_told_of_the_test_date_are_those_that_were_proven(world: BranchWorld, result: ModelRun) -> None:
    told = result.backtest
    assert told is not None and told.branch_purchase is not None
    open_then = world.targets.eligible.frame.filter(pl.col("as_of") == told.as_of)
    pairs = told.branch_purchase.select("customer", "branch")
    assert pairs.rows() == open_then.select("customer", "branch").sort("customer", "branch").rows()
    assert told.branch_purchase["probability"].is_between(0, 1).all()
    proven = {p.key: p.evidence for p in result.predictions}
    for entry in catalogue():
        evidence = proven[entry.key]
        if entry.method != "family_purchase" or evidence is None or evidence.calibration is None:
            continue
        expected = told.branch_purchase.filter(pl.col("branch") == entry.branch)["probability"].sum()
        assert expected * evidence.calibration.observed_expected == pytest.approx(evidence.positives)


def test_everyone_in_force_is_scored_and_every_score_is_a_number(world: BranchWorld, result: ModelRun) -> None:
    now = world.matrix.frame.filter(pl.col("as_of") == X)["customer"]
    assert result.scores["customer"].to_list() == now.to_list()
    for name in result.scores.columns[1:]:
        column = result.scores[name]
        assert column.dtype == pl.Float32
        assert not column.is_nan().any() and column.drop_nulls().is_finite().all()
    held = world.targets.held.frame.filter(pl.col("as_of") == X)
    for branch in BRANCHES:
        eligible = held.filter(pl.col("branch") == branch)["customer"]
        scored = result.scores.filter(pl.col(f"lapse_{branch}_12m").is_not_null())["customer"]
        assert scored.to_list() == sorted(eligible.to_list())


def test_who_cannot_be_asked_has_no_score(result: ModelRun) -> None:
    asked = result.scores["customer"] % 10 > 0
    assert (result.scores["commission_drop_12m"].is_not_null() == asked).all()
    by_key = {each.key: each for each in result.predictions}
    assert by_key["commission_drop_12m"].population == asked.sum()
    assert by_key["upsell_12m"].status == "unavailable"  # no dated premiums
    assert by_key["upsell_12m"].why == why("needs_premiums")


def test_scores_agree_with_one_another(result: ModelRun) -> None:
    s = result.scores
    lapse = s.select(pl.sum_horizontal(pl.col("^lapse_.*$").cast(pl.Float64)).alias("sum"))["sum"]
    highest = s.select(pl.max_horizontal("^lapse_.*$").alias("max"))["max"]
    assert (s["churn_1m"] <= s["churn_3m"]).all() and (s["churn_6m"] <= s["churn_12m"]).all()
    assert (s["churn_12m"] <= s["policy_lapse_any_12m"]).all()
    assert (highest <= s["policy_lapse_any_12m"]).all()
    assert (s["policy_lapse_any_12m"] <= lapse * (1 + 1e-6)).all()
    assert (s["policies_lost_12m"] >= s["policy_lapse_any_12m"]).all()


def test_totals_survive_the_agreement(world: BranchWorld, result: ModelRun) -> None:
    assert result.scores["policy_lapse_any_12m"].sum() == pytest.approx(world.any_lapse.sum(), rel=0.15)
    assert result.scores["policies_lost_12m"].sum() == pytest.approx(world.lost.sum(), rel=0.15)
    assert result.branch_lapse["probability"].sum() == pytest.approx(world.lapse["p"].sum(), rel=0.15)


def test_jobs_change_no_byte(world: BranchWorld, result: ModelRun) -> None:
    other = run(world, load_settings(**SMALL, models__jobs=1))
    assert other.files == result.files
    assert other.scores.equals(result.scores) and other.branch_purchase.equals(result.branch_purchase)
    strip = [replace(p, seconds=0.0) for p in result.predictions]
    assert [replace(p, seconds=0.0) for p in other.predictions] == strip
    assert other.importance == result.importance and other.reasons == result.reasons


def test_reasons_raise_the_score_and_importance_is_a_share(result: ModelRun) -> None:
    assert result.reasons
    assert all(reason.contribution > 0 and reason.key == "churn_12m" for reason in result.reasons)
    per_customer = pl.Series([reason.customer for reason in result.reasons]).value_counts()["count"]
    assert per_customer.max() <= REASONS
    assert all(0 < share <= 1 for _, _, share in result.importance)


def test_announced_leavers_are_certain(world: BranchWorld, result: ModelRun) -> None:
    who = world.matrix.frame.filter(pl.col("as_of") == X)["customer"].to_list()[:5]
    told = pl.DataFrame(
        {"customer": who, "end_date": [add_months(X, 2)] * 5, "cause": ["preventable"] * 5},
        schema=world.targets.announced.schema,
    )
    found = run(replace(world, targets=replace(world.targets, announced=told)))
    leaving = found.scores.filter(pl.col("customer").is_in(who))
    assert (leaving["policy_lapse_any_12m"] == 1).all() and (leaving["cross_sell_any_12m"] == 0).all()
    assert (leaving["commission_drop_12m"].drop_nulls() == 0).all()  # who leaves does not stay
    own = found.branch_lapse.filter(pl.col("customer").is_in(who))
    assert (own["probability"] == 1).all()
    assert (leaving["policies_lost_12m"] >= own.group_by("customer").len().sort("customer")["len"]).all()
    assert (found.branch_purchase.filter(pl.col("customer").is_in(who))["probability"] == 0).all()
    before, after = (each.scores["policy_lapse_any_12m"].sum() for each in (result, found))
    assert after == pytest.approx(before, rel=0.03)


def test_without_ended_policies_cross_sell_still_runs(world: BranchWorld) -> None:
    none = pl.lit(None, dtype=pl.Date)
    targets = replace(
        world.targets,
        relation=world.targets.relation.with_columns(end_date=none, cause=pl.lit(None, dtype=pl.String)),
        counts=world.targets.counts.with_columns(first_lapse=none, lapses_12m=pl.lit(0.0, dtype=pl.Float32)),
        held=replace(
            world.targets.held,
            frame=world.targets.held.frame.with_columns(event_date=none, label=pl.lit(0.0, dtype=pl.Float32)),
        ),
    )
    found = run(replace(world, targets=targets), history=History(None, 0, False, "none"))
    by_key = {p.key: p for p in found.predictions}
    assert by_key["churn_12m"].status == by_key["lapse_auto_12m"].status == "unavailable"
    assert by_key["churn_12m"].why == why("needs_ended")
    assert by_key["cross_sell_any_12m"].status == "fitted"
    assert by_key["next_policy_auto_12m"].status in ("fitted", "baseline")
    assert "churn_12m" not in found.scores.columns


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((0, 5, None), 0),
        ((4, 5, None), why("under", limit=5)),
        ((5, 5, 5), 5),
        ((9, 5, 4), why("under", limit=5)),
        ((3, 2, 3), 3),
    ],
)
def test_a_reason_hides_how_few_it_happened_to(told: tuple[float, int, int | None], said: float | Reason) -> None:
    assert some(*told) == said


def test_thirty_customers_and_one_branch_get_a_base_rate_at_most() -> None:
    world = branch_world(30, seed=2, branches=1, noise=2)
    found = run(world, branches=BRANCHES[:1])
    for p in found.predictions:
        assert p.status in ("baseline", "derived", "unavailable"), p
        assert p.grade in ("insufficient", "none")
    for name in found.scores.columns[1:]:
        assert not found.scores[name].is_nan().any()


def test_a_short_history_speaks_through_a_shorter_horizon(world: BranchWorld) -> None:
    start = add_months(X, -21)
    found = run(world, history=History(start, 21, True, "given"))
    p = {each.key: each for each in found.predictions}["policy_lapse_any_12m"]
    assert p.evidence is not None and p.evidence.test_date is not None
    assert p.evidence.test_date > add_months(X, -12)
    assert p.gate == "none" and p.grade in ("indicative", "insufficient")
    assert p.why == why("shorter", months=12, shorter=p.evidence_months)
    assert any(finding.code == "AKB-M001" for finding in found.findings)
    lost = {each.key: each for each in found.predictions}["policies_lost_12m"]
    assert lost.evidence is not None and lost.evidence.test_date == p.evidence.test_date
    assert lost.evidence.deviance_skill is not None and lost.gate == "none" and lost.why == p.why
    drop = {each.key: each for each in found.predictions}["commission_drop_12m"]
    assert drop.evidence is None, "a fall over a year cannot be seen sooner"


def test_a_family_with_fewer_dates_than_the_matrix_still_competes(world: BranchWorld) -> None:
    days = world.matrix.dates
    kept = [*days[:-1:2], days[-1]]
    frame = world.targets.eligible.frame.filter(pl.col("as_of").is_in(kept))
    found = run(replace(world, targets=replace(world.targets, eligible=replace(world.targets.eligible, frame=frame))))
    p = {each.key: each for each in found.predictions}["next_policy_auto_12m"]
    assert p.candidates and p.evidence is not None and p.evidence.test_date in kept


def test_no_model_file_is_a_pickle(result: ModelRun) -> None:
    assert result.files
    for name, data in result.files.items():
        assert name.startswith("models/") and name.endswith((".txt", ".json", ".parquet"))
        if not name.endswith(".parquet"):
            data.decode("utf-8")


def test_a_branch_too_rare_for_rows_tells_how_often_it_happened(world: BranchWorld) -> None:
    held = world.targets.held
    rare, rarer = BRANCHES[:2]
    rows = held.frame.filter(~pl.col("branch").is_in([rare, rarer]))
    few = replace(held, frame=rows, seldom={rare: 17, rarer: 3})
    found = run(replace(world, targets=replace(world.targets, held=few)))
    said = {p.key: worded(p) for p in found.predictions if p.status == "unavailable"}
    assert said[f"lapse_{rare}_12m"].startswith("Er zijn 17 gebeurtenissen bekend")
    assert said[f"lapse_{rarer}_12m"].startswith("Er zijn minder dan 5 gebeurtenissen bekend")


def test_an_unlucky_branch_is_unavailable_and_still_counts_in_the_sum() -> None:
    world = branch_world(400, seed=6, noise=1)
    found = run(world, load_settings(**{**SMALL, "models__min_events": 60}))
    gone = [p for p in found.predictions if p.key.startswith("lapse_") and p.status == "unavailable"]
    assert gone and all("60" in worded(p) for p in gone)
    assert set(found.branch_lapse["branch"]) == set(BRANCHES)
    assert np.isfinite(found.branch_lapse["probability"].to_numpy()).all()
    assert any(finding.code == "AKB-M004" and finding.sentence() for finding in found.findings)
