"""Models that were written and read back score to the same bytes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hazard_world import World, simulate
from synthetic import BRANCHES, GAP, LAG, X, branch_world

from akb.config import load_settings
from akb.core.errors import RefusedError
from akb.models.churn.causes import fit_causes
from akb.models.churn.fit import BY_CAUSE, ChurnResult, fit_churn
from akb.models.churn.landmark import Landmarks
from akb.models.learners.candidates import fitters
from akb.models.learners.sample import Sample
from akb.models.saved import COLUMNS, feature_table, saved_causes, saved_hazard, saved_model, score_problem
from akb.models.temporal.problem import branch_problem, customer_problem, happened_within
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import FittedTarget, fit_target
from akb.store.models import read_models, sealed

SETTINGS = load_settings(models__target_rows=8_000, models__hazard_rows=10_000, models__trees=40)


def through_disk(files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    for name, content in sealed(files).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return read_models(folder)


@pytest.fixture(scope="module")
def churn_world() -> World:
    return simulate(2500, seed=11, history=60, level=-4.9)


@pytest.fixture(scope="module")
def churn(churn_world: World) -> ChurnResult:
    return fit_churn(churn_world.matrix, churn_world.targets, SETTINGS, as_of=churn_world.as_of)


def test_churn_scores_to_the_same_bytes(churn_world: World, churn: ChurnResult, tmp_path: Path) -> None:
    files = through_disk(churn.files, tmp_path)
    hazard, lean = saved_hazard(files, Landmarks(churn_world.matrix, churn_world.targets))
    rows = lean.rows_of(len(lean.dates) - 1)
    chances = hazard.monthly(lean, rows)
    assert churn.hazard is not None
    assert chances.tobytes() == churn.hazard.monthly(lean, rows).tobytes()
    gone = (1 - np.cumprod(1 - chances, axis=1)[:, -1]).astype(np.float32)
    assert np.array_equal(gone, churn.scores["churn_12m"].to_numpy())  # nothing is announced in this world


def test_causes_split_to_the_same_bytes(churn_world: World, churn: ChurnResult) -> None:
    landmarks = Landmarks(churn_world.matrix, churn_world.targets)
    causes = fit_causes(landmarks, churn_world.as_of, seed=SETTINGS.models.seed)
    assert causes is not None
    rows = landmarks.rows_of(len(landmarks.dates) - 1)
    for made in (causes, fit_causes(_fewer(landmarks, churn_world, 300), churn_world.as_of, seed=1)):
        assert made is not None
        model, lean = saved_causes(made.model.files("models/churn_cause"), landmarks)
        again = replace(made, model=model).split(lean, rows)
        assert again.tobytes() == made.split(landmarks, rows).tobytes()


def _fewer(landmarks: Landmarks, world: World, keep: int) -> Landmarks:
    """The same world in which only a few leavers have a known cause: a simpler model is then fitted."""
    some = pl.when(pl.col("customer") < keep)
    known = world.targets.relation.with_columns(end_date=some.then("end_date"), cause=some.then("cause"))
    return Landmarks(world.matrix, replace(world.targets, relation=known))


@pytest.mark.parametrize("name", ["lapse", "purchase", "any", "lost"])
def test_targets_and_families_score_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    world = branch_world(700, seed=5, noise=2)
    if name in ("lapse", "purchase"):
        rows = world.targets.held if name == "lapse" else world.targets.eligible
        problem = branch_problem(world.matrix, rows, name, BRANCHES)
    elif name == "any":
        label = happened_within(world.targets.counts, "first_lapse", 12)
        problem = customer_problem(world.matrix, name, "binary", label)
    else:
        label = world.targets.counts["lapses_12m"].fill_null(0.0).to_numpy()
        problem = customer_problem(world.matrix, name, "poisson", label)
    outcome: FittedTarget = fit_target(problem, temporal_splits(world.matrix.dates, X, 12, GAP, LAG), SETTINGS.models)
    files = through_disk(outcome.model.files(outcome.problem), tmp_path)
    assert score_problem(files, problem, outcome.rows).tobytes() == outcome.expected.tobytes()
    assert np.ptp(outcome.expected) > 0


@pytest.mark.parametrize("objective", ["binary", "poisson"])
@pytest.mark.parametrize("name", ["rate", "rule", "logistic", "boosting"])
def test_every_rival_survives_writing(name: str, objective: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 4)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    label = (rng.random(3000) < 1 / (1 + np.exp(1 - np.nan_to_num(x[:, 1])))).astype(float)
    offset, who = np.full(3000, -1.0), np.arange(3000)
    sample = Sample(x, label, np.ones(3000), offset, who, ("a", "b", "c", "d"))
    model = fitters(objective, SETTINGS.models, 20)[name](sample)  # type: ignore[arg-type]
    again, columns = saved_model(model.files("models/any"), "models/any")
    assert again.predict(x, offset).tobytes() == model.predict(x, offset).tobytes()
    assert columns == (() if name == "rate" else sample.names)


def test_a_model_of_another_kind_or_for_other_columns_is_refused(churn_world: World, churn: ChurnResult) -> None:
    with pytest.raises(RefusedError):
        saved_model({"models/any.json": b'{"kind": "pickle"}'}, "models/any")
    with pytest.raises(RefusedError):
        saved_model({}, "models/any")
    frame = churn_world.matrix.frame
    kept = tuple(each for each in churn_world.matrix.features[1:])
    lean = replace(churn_world.matrix, frame=frame.drop(churn_world.matrix.features[0].name), features=kept)
    used = json.loads(churn.files["models/churn.json"])["columns"]
    assert churn_world.matrix.features[0].name in used
    with pytest.raises(RefusedError, match="1 features"):
        saved_hazard(churn.files, Landmarks(lean, churn_world.targets))


def test_the_feature_table_names_every_column_in_order(churn: ChurnResult) -> None:
    table = pl.read_parquet(io.BytesIO(feature_table(churn.files)))
    own = table.filter(pl.col("model") == "churn").sort("position")["feature"].to_list()
    assert own == json.loads(churn.files["models/churn.json"])["columns"]
    assert COLUMNS.endswith(".parquet")


def test_causes_are_judged_on_two_dates_and_the_year_on_everyone(churn_world: World, churn: ChurnResult) -> None:
    for key in BY_CAUSE:
        proof = churn.predictions[key].evidence
        assert proof is not None
        chose = [each.day == proof.choice_date for each in proof.by_date]
        assert chose == [False, True, False]  # T0, the date that chose, and one before it
        assert proof.test_dates == 2
        assert proof.by_date[0].day > proof.by_date[1].day
    assert churn.tested is not None
    day, chance = churn.tested
    assert len(chance) == churn_world.matrix.frame.filter(pl.col("as_of") == day).height


@pytest.mark.parametrize("name", ["rule", "logistic"])
def test_a_model_on_the_columns_that_it_looks_at_says_the_same_to_the_byte(name: str) -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(2_000, 40)).astype(np.float32)
    x[rng.random(len(x)) < 0.2, 5] = np.nan
    offset = np.full(len(x), -2.0)
    label = np.asarray(rng.random(len(x)) < 0.1 + 0.3 * (x[:, 9] > 0), dtype=np.float64)
    names = tuple(f"c{number}" for number in range(40))
    sample = Sample(x, label, np.ones(len(x)), offset, np.arange(len(x)), names)
    model = fitters("binary", SETTINGS.models, 20)[name](sample)
    lean = model.narrowed()  # type: ignore[attr-defined]
    assert "c9" in lean.names and len(lean.names) < 40
    own = x[:, [names.index(each) for each in lean.names]]
    assert lean.predict(own, offset).tobytes() == model.predict(x, offset).tobytes()
