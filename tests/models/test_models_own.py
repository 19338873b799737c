"""A candidate of the client's own: it competes under the same windows and evidence, and wins only on merit."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import polars as pl
import pytest
from synthetic import GAP, LAG, BranchWorld, X, branch_world

from akb.config import Models, load_settings
from akb.core import candidates
from akb.core.candidates import check_candidates, make_candidate, registered
from akb.core.errors import AkbError, RefusedError
from akb.models.learners import Sample, fitters
from akb.models.learners.own import OwnModel
from akb.models.saved import saved_model
from akb.models.temporal.problem import customer_problem, happened_within
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import FittedTarget, fit_target


class Oracle:
    """Knows what drives the world, and how strong: a regression on the right two columns."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Oracle:
        from sklearn.linear_model import LogisticRegression

        self.model = LogisticRegression().fit(self.columns(X), y, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: Any) -> Any:
        return self.model.predict_proba(self.columns(X))

    def columns(self, X: Any) -> Any:
        """Return the index of the world (`synthetic`), and all columns beside it."""
        return np.nan_to_num(np.column_stack([0.5 * X[:, 0] + 0.8 * X[:, 1] * X[:, 2], X]))


class Guess(Oracle):
    """Knows nothing."""

    def predict_proba(self, X: Any) -> Any:
        p = np.random.default_rng(1).random(len(X))
        return np.column_stack([1 - p, p])


def settings(*names: str) -> Models:
    return load_settings(tables={"models": {"target_rows": 20_000, "trees": 60, "candidates": list(names)}}).models


def fitted(world: BranchWorld, given: Models) -> FittedTarget:
    label = happened_within(world.targets.counts, "first_lapse", 12)
    splits = temporal_splits(world.matrix.dates, X, 12, GAP, LAG)
    return fit_target(customer_problem(world.matrix, "any", "binary", label), splits, given)


@pytest.fixture(scope="module")
def world() -> BranchWorld:
    return branch_world(3000, seed=3, noise=2)


def test_a_better_one_wins_and_is_judged_like_every_other(world: BranchWorld) -> None:
    without = fitted(world, settings())
    with registered({"oracle": Oracle}):
        found = fitted(world, settings("oracle"))
    assert found.competition is not None
    assert [each.name for each in found.competition.candidates] == ["rate", "rule", "logistic", "boosting", "oracle"]
    assert found.winner == "oracle"
    assert found.gains[0] is not None  # against the best simpler one, which is one of akb's own
    [proof], [usual] = found.evidence, without.evidence
    assert proof is not None and usual is not None
    assert (proof.test_date, proof.positives, proof.population) == (usual.test_date, usual.positives, usual.population)
    assert proof.auc is not None and usual.auc is not None and proof.auc > usual.auc
    assert found.expected.sum() == pytest.approx(world.any_lapse.sum(), rel=0.15)


def test_one_that_knows_nothing_changes_nothing(world: BranchWorld) -> None:
    without = fitted(world, settings())
    with registered({"guess": Guess}):
        found = fitted(world, settings("guess"))
    assert found.winner == without.winner
    assert np.array_equal(found.expected, without.expected)


def test_counts_are_not_asked_of_it() -> None:
    with registered({"oracle": Oracle}):
        assert "oracle" in fitters("binary", settings("oracle"), 10)
        assert "oracle" not in fitters("poisson", settings("oracle"), 10)


def test_an_installed_package_can_bring_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(**asked: str) -> list[EntryPoint]:
        here = EntryPoint("theirs", "sklearn.naive_bayes:GaussianNB", candidates.GROUP)
        return [here] if asked.get("name", "theirs") == "theirs" else []

    monkeypatch.setattr(candidates, "entry_points", found)
    check_candidates(["theirs"])
    assert type(make_candidate("theirs")).__name__ == "GaussianNB"
    with pytest.raises(AkbError, match="did you mean 'theirs'"):
        load_settings(tables={"models": {"candidates": ["their"]}})


@pytest.mark.parametrize("name", ["boosting", "Own", "../own", "1st", ""])
def test_a_name_is_a_name_of_its_own(name: str) -> None:
    with pytest.raises(AkbError, match="cannot be the name"):
        load_settings(tables={"models": {"candidates": [name]}})
    with pytest.raises(AkbError, match="cannot be the name"), registered({name: Oracle}):
        pass


class NoChances(Oracle):
    def predict_proba(self, X: Any) -> Any:
        return np.full(len(X), 0.5)


class Stumbles(Oracle):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Oracle:
        raise ValueError("Jansen, relation 0012345")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (NoChances, "returned no chances"),
        (Stumbles, "could not learn"),
        (object, "no fit and predict_proba"),
        (lambda: 1 / 0, "could not be made"),
    ],
)
def test_one_that_fails_is_a_sentence_without_data(world: BranchWorld, kind: Any, says: str) -> None:
    with registered({"own": kind}), pytest.raises(AkbError, match=says) as failed:
        fitted(world, settings("own"))
    assert "Jansen" not in str(failed.value)


def test_names_are_free_again_afterwards() -> None:
    with registered({"own": Oracle}), pytest.raises(AkbError, match="already"), registered({"own": Oracle}):
        pass
    with pytest.raises(AkbError, match="there is no candidate"):
        settings("own")


def test_a_run_keeps_its_name_and_not_its_state(world: BranchWorld) -> None:
    with registered({"oracle": Oracle}):
        found = fitted(world, settings("oracle"))
    files = found.model.files(found.problem)
    assert json.loads(files["models/any.json"])["candidate"] == "oracle"
    with pytest.raises(RefusedError, match="whose state no run keeps"):
        saved_model(files, "models/any")


def test_a_column_without_any_value_is_zero_for_it(world: BranchWorld) -> None:
    """As scikit-learn's own boosting needs it: that stumbles over one."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    name = world.matrix.names[3]
    empty = world.matrix.frame.with_columns(pl.lit(None, dtype=pl.Float32).alias(name))
    bare = replace(world, matrix=replace(world.matrix, frame=empty))
    with registered({"hist": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=1)}):
        given = settings("hist")
        model = fitters("binary", given, 10)["hist"](_sample(bare, name))
        assert isinstance(model, OwnModel)
        assert model.empty.any()
        x = np.full((3, len(model.names)), np.nan, dtype=np.float32)
        assert np.isfinite(model.predict(x, np.zeros(3))).all()


def _sample(world: BranchWorld, empty: str) -> Sample:
    frame = world.matrix.frame.head(500)
    label = (np.arange(500) % 7 == 0).astype(np.float64)
    x = frame.select(world.matrix.names).to_numpy().astype(np.float32)
    assert np.isnan(x[:, world.matrix.names.index(empty)]).all()
    return Sample(x, label, np.ones(500), np.zeros(500), frame["customer"].to_numpy(), world.matrix.names)
