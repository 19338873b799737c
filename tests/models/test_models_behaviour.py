"""Groups of behaviour, unusual change and determinants: known truth, the same answer every time."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from akb.models.evidence.determinants import Probe, determinants_of, effect
from akb.models.methods.behaviour import named, stable_groups
from akb.models.methods.behaviour_files import IsolationTrees, Scale, nearest


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 800)
    centres = np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6]])
    return centres[truth] + rng.normal(size=(800, 3)), truth


def test_groups_that_are_there_are_found_and_no_more_of_them() -> None:
    x, truth = blobs()
    centres, stability = stable_groups(x, range(3, 6), 0.95)
    assert len(centres) == 4
    assert stability > 0.95
    found = nearest(x, centres)
    assert all(np.bincount(found[truth == each]).max() > 0.97 * (truth == each).sum() for each in range(4))


def test_groups_do_not_depend_on_the_run() -> None:
    x, _ = blobs()
    first, again = (stable_groups(x, range(3, 5), 0.8)[0] for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_a_group_is_named_by_what_sets_it_apart_and_no_name_comes_twice() -> None:
    names = ["policies", "contacts_12m", "claims_36m"]
    centres = np.array([[2.0, 0.8, 0.0], [2.0, 0.8, 0.1], [-1.0, 0.0, 0.0], [0.1, 0.0, 0.2]])
    words = named(centres, names, 0.5)
    assert words[0] == "veel polissen, veel contact"
    assert words[1] == "veel polissen, veel contact (2)"
    assert words[2:] == ["weinig polissen", "gemiddeld gedrag"]


def test_unknown_values_stand_in_the_middle() -> None:
    values = np.array([[1.0, 5.0], [2.0, np.nan], [3.0, 7.0], [np.nan, 9.0]])
    x = Scale.of(values).applied(values)
    assert not np.isnan(x).any()
    assert x.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)


def asked(noise: bool = False) -> Probe:
    """A chance that doubles in odds with `a`; `b` is as good as noise; `c` is never looked at."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 3)).astype(np.float32)

    def told(rows: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(-1.5 + 1.0 * rows[:, 0].astype(np.float64))))

    label = (rng.random(3000) < (0.2 if noise else told(x))).astype(np.float64)
    return Probe("some_key", date(2024, 1, 1), ("a", "b", "c@2"), x, label, told, {"a": 0.9, "b": 0.1})


def test_the_group_that_matters_carries_what_the_model_knows() -> None:
    found = determinants_of(asked(), {"a": "holdings", "b": "tenure"}, 1)
    assert found is not None
    share = {each.group: each for each in found.groups}
    assert set(share) == {"holdings", "tenure", "renewal"}
    assert share["holdings"].ci[0] > 0.8
    assert share["tenure"].share == pytest.approx(0, abs=1e-9)
    assert found == determinants_of(asked(), {"a": "holdings", "b": "tenure"}, 1)


def test_a_model_that_knows_nothing_has_no_determinants() -> None:
    assert determinants_of(asked(noise=True), {"a": "holdings", "b": "tenure"}, 1) is None


def test_an_effect_follows_the_curve_that_is_there() -> None:
    model = asked()
    draws = np.random.default_rng(0).multinomial(3000, np.full(3000, 1 / 3000), size=50) / 3000
    found = effect(model, "a", draws)
    assert found is not None
    values = np.array([point[0] for point in found.points])
    effects = np.array([point[1] for point in found.points])
    truth = model.predict(np.stack([values, values, values], axis=1).astype(np.float32))
    assert np.diff(effects) == pytest.approx(np.diff(truth), abs=0.02)
    assert all(low <= middle <= high for _, middle, low, high in found.points)
    flat = effect(model, "b", draws)
    assert flat is not None
    assert max(abs(point[1]) for point in flat.points) < 1e-9


def test_frames_of_scores_keep_classes_as_text() -> None:
    from akb.models.tables import stored

    kept = stored(pl.DataFrame({"customer": pl.Series([1], dtype=pl.UInt32), "a": [0.5], "b": ["x"]}))
    assert kept.schema == {"customer": pl.UInt32, "a": pl.Float32, "b": pl.String}


def test_kept_isolation_trees_say_what_the_forest_says() -> None:
    from sklearn.ensemble import IsolationForest

    x = np.random.default_rng(4).normal(size=(600, 5))
    forest = IsolationForest(n_estimators=20, max_samples=128, random_state=4).fit(x)
    assert np.allclose(IsolationTrees.of(forest).unusual(x), -forest.score_samples(x), atol=1e-12)
