"""Trees that are asked a column at a time say, to the bit, what LightGBM says."""

import re

import lightgbm
import numpy as np
import pytest

from akb.models.learners import fit_boosting
from akb.models.learners.boosting import BoostingObjective
from akb.models.learners.trees import ROWS, added_up, read_trees

N, COLUMNS, CODE = 3_000, 8, 3


def _rows(n: int, seed: int) -> np.ndarray:
    """Quantities, counts, codes and columns of which much is unknown."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, COLUMNS)).astype(np.float32)
    x[:, 1] = rng.poisson(0.3, n)
    x[rng.random(n) < 0.4, 2] = np.nan
    x[:, CODE] = rng.integers(0, 12, n)
    return x


def _happened(x: np.ndarray) -> np.ndarray:
    link = x[:, 0] + x[:, 1] * np.isnan(x[:, 2]) + np.nan_to_num(x[:, 2]) + (x[:, CODE] % 3) - 1
    return (np.random.default_rng(5).random(len(x)) < 1 / (1 + np.exp(-link))).astype(np.float64)


@pytest.mark.parametrize(("objective", "classes"), [("binary", 1), ("poisson", 1), ("multiclass", 3)])
def test_trees_say_what_lightgbm_says(objective: BoostingObjective, classes: int) -> None:
    x = _rows(N, 1)
    label = _happened(x) + (x[:, 4] > 0.5) * (classes > 1)
    model = fit_boosting(
        x, label, names=[f"c{place}" for place in range(COLUMNS)], objective=objective, classes=classes,
        seed=3, jobs=1, trees=30, categorical=[CODE],
    )  # fmt: skip
    assert "num_cat=1" in model.text
    assert re.search(r"^decision_type=.*\b(8|10)\b", model.text, re.MULTILINE)  # the unknown have a side
    asked = np.concatenate([_rows(ROWS + 10, 2), np.full((3, COLUMNS), np.nan, dtype=np.float32)])
    asked[::3, 0] = np.nan  # never unknown where it was taught
    asked[::5, CODE] = 500  # codes that were not there, or are none
    asked[1::5, CODE] = -2
    asked[2::5, CODE] = np.nan
    for some in (asked, np.asfortranarray(asked)):
        theirs = lightgbm.Booster(model_str=model.text).predict(some, raw_score=True, num_threads=1)
        assert (model.raw(some) == theirs).all()
    assert model.trees == 30
    fewer = lightgbm.Booster(model_str=model.text).predict(asked, raw_score=True, num_iteration=7, num_threads=1)
    assert (model.raw(asked, trees=7) == fewer).all()


def test_a_value_on_a_threshold_goes_where_lightgbm_sends_it() -> None:
    """Thresholds are float64 and values float32: a bound that is rounded up would let a value past."""
    x = np.repeat(np.float32([[0.1], [0.1000001], [0.7], [0.70000005]]), 100, axis=0)
    model = fit_boosting(x, np.repeat([0.0, 1, 0, 1], 100), names=["c"], seed=1, jobs=1, trees=20)
    theirs = lightgbm.Booster(model_str=model.text).predict(x, raw_score=True, num_threads=1)
    assert (model.raw(x) == theirs).all()
    assert len(np.unique(theirs)) > 1


def test_one_thread_and_several_grow_the_same_trees() -> None:
    x = _rows(N, 4)
    one, two = (
        fit_boosting(x, _happened(x), names=list("abcdefgh"), seed=3, jobs=jobs, trees=20, categorical=[CODE])
        for jobs in (1, 2)
    )
    assert one.text == two.text


def test_larger_trees_are_refused() -> None:
    rows = _rows(N, 6)
    grown = lightgbm.train(
        {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1},
        lightgbm.Dataset(rows, _happened(rows)),
        num_boost_round=2,
    )
    with pytest.raises(ValueError, match="leaves"):
        read_trees(grown.model_to_string())


def test_nobody_is_asked_nothing() -> None:
    assert added_up((), np.empty((0, 2), dtype=np.float32)).shape == (0,)
