import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akb.models.coherence.bounds import Held, Lapses, cohere, keep_total, settle
from akb.models.tables import wide

chance = st.floats(2.0**-20, 1.0, width=32)


@st.composite
def customers(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    n = draw(st.integers(1, 12))
    held = [draw(st.integers(0, 4)) for _ in range(n)]
    row = np.repeat(np.arange(n), held)
    numbers = st.lists(chance, min_size=n, max_size=n)
    parts = draw(st.lists(chance, min_size=len(row), max_size=len(row)))
    as32 = [np.array(draw(numbers), dtype=np.float32) for _ in range(3)]
    return (*as32, row, np.array(parts, dtype=np.float32))


@settings(max_examples=300, deadline=None)
@given(customers())
def test_every_inequality_holds_on_what_is_stored(world: tuple[np.ndarray, ...]) -> None:
    churn, whole, lost, row, parts = world
    found = cohere(churn, Lapses(whole, lost * 3, parts), row)
    any_lapse, count, lapse = found.any_lapse, found.count, found.by_branch
    assert any_lapse is not None and count is not None
    assert any_lapse.dtype == count.dtype == lapse.dtype == np.float32
    assert (churn <= any_lapse).all()
    assert (lapse <= any_lapse[row]).all()
    total = np.bincount(row, weights=lapse.astype(np.float64), minlength=len(churn))
    holds = np.bincount(row, minlength=len(churn)) > 0
    assert (any_lapse[holds] <= total[holds] * (1 + 1e-9)).all()
    assert (count >= any_lapse).all() and (count >= total * (1 - 1e-9)).all()
    for values in (any_lapse, lapse):
        assert ((values >= 0) & (values <= 1)).all()


def test_what_coheres_already_is_left_alone() -> None:
    whole, parts, row = np.array([0.2, 0.1], np.float32), np.array([0.15, 0.1, 0.1], np.float32), np.array([0, 0, 1])
    lost = np.array([0.3, 0.12], np.float32)
    found = cohere(np.array([0.05, 0.1], np.float32), Lapses(whole, lost, parts), row)
    any_lapse, count, lapse = found.any_lapse, found.count, found.by_branch
    assert any_lapse is not None and count is not None
    assert (any_lapse == whole).all() and (lapse == parts).all() and (count == lost).all()


def test_settling_keeps_the_totals_of_noisy_estimates() -> None:
    rng = np.random.default_rng(3)
    n, row = 4000, np.repeat(np.arange(4000), 3)
    branch = np.tile(np.arange(3), n)
    true = np.exp(rng.normal(-3, 0.6, n))[row] * np.array([1.0, 0.7, 1.5])[branch]
    both = 1 - (1 - true.reshape(n, 3)).prod(axis=1)
    blur = [np.exp(rng.normal(-0.08, 0.4, size)) for size in (n, n, 3 * n)]
    given = (both * blur[0], true.reshape(n, 3).sum(axis=1) * blur[1], np.minimum(true * blur[2], 0.9))
    found = settle(None, Lapses(*given), Held(row, branch), np.zeros(n, dtype=bool))
    whole, lost, parts = found.any_lapse, found.count, found.by_branch
    assert whole is not None and lost is not None
    for told, goal in (
        (whole, given[0]),
        (lost, given[1]),
        *((parts[branch == k], given[2][branch == k]) for k in range(3)),
    ):
        assert told.sum() == pytest.approx(goal.sum(), rel=0.03)
    assert np.corrcoef(whole, both)[0, 1] > np.corrcoef(given[0], both)[0, 1]  # two estimates know more than one


def test_a_run_without_any_lapse_keeps_its_branches() -> None:
    parts = np.array([0.1], np.float32)
    assert cohere(None, Lapses(None, None, parts), np.array([0])).by_branch is parts


@pytest.mark.parametrize("objective", ["binary", "poisson"])
def test_announced_ones_are_certain_and_the_total_stays(objective: str) -> None:
    rng = np.random.default_rng(1)
    expected = rng.uniform(0.02, 0.4, 1000)
    certain = rng.random(1000) < 0.02
    moved = keep_total(objective, expected, certain, np.ones(1000))  # type: ignore[arg-type]
    assert (moved[certain] == 1).all()
    assert moved.sum() == pytest.approx(expected.sum(), rel=1e-6)
    assert (np.argsort(moved[~certain]) == np.argsort(expected[~certain])).all()


def test_more_announced_than_expected_leaves_the_others_a_tenth() -> None:
    expected, certain = np.full(100, 0.01), np.arange(100) < 50
    moved = keep_total("binary", expected, certain, np.ones(100))
    assert moved[60] == pytest.approx(0.001)


def test_wide_has_a_column_per_branch_and_null_where_not_eligible() -> None:
    branches = pl.DataFrame(
        {"customer": [1, 1, 2], "branch": ["auto", "reis", "auto"], "probability": [0.1, 0.2, 0.3]},
        schema_overrides={"customer": pl.UInt32},
    )
    frame = wide(branches, {"auto": "lapse_auto_12m", "reis": "lapse_reis_12m"})
    assert frame.rows() == [(1, pytest.approx(0.1), pytest.approx(0.2)), (2, pytest.approx(0.3), None)]
    assert frame.dtypes[1:] == [pl.Float32, pl.Float32]
