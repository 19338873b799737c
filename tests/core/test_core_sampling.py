"""Samples are the lowest of a stable hash: who is there when decides, never the order of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.core.draws.sampling import draw_key, identities, lots, lowest, quotas

NAMES = [f"relatie {number}" for number in range(3000)]
KEY = draw_key(7, "churn", "fit")


def _sample(names: list[str], strata: int, size: int) -> dict[str, float]:
    """Name -> weight of a sample from these names, each in a stratum of its own number."""
    stratum = np.array([int(name.split()[1]) % strata for name in names])
    at, weight = lowest(lots(KEY, identities(names)), stratum, size)
    assert (np.diff(at) > 0).all()
    return {names[place]: each for place, each in zip(at.tolist(), weight.tolist(), strict=True)}


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(20, 400))
def test_shuffled_rows_give_the_same_sample(seed: int, strata: int, size: int) -> None:
    shuffled = [NAMES[place] for place in np.random.default_rng(seed).permutation(len(NAMES))]
    assert _sample(shuffled, strata, size) == _sample(NAMES, strata, size)


@given(st.integers(1, 12), st.integers(20, 400), st.integers(3000, 10**6))
def test_a_customer_more_pushes_out_one_other_per_stratum_at_most(strata: int, size: int, number: int) -> None:
    before, after = (_sample(names, strata, size) for names in (NAMES, [*NAMES, f"relatie {number}"]))
    left, came = before.keys() - after.keys(), after.keys() - before.keys()
    for changed in (left, came):  # a quota can move by one, and so its stratum gains or loses one
        each = [int(name.split()[1]) % strata for name in changed]
        assert len(each) == len(set(each))
    assert len(after) == size


@given(st.integers(2, 7), st.integers(20, 400))
def test_the_lowest_of_the_parts_hold_the_lowest_of_the_whole(parts: int, size: int) -> None:
    whole = _sample(NAMES, 1, size)
    of_parts = [name for part in range(parts) for name in _sample(NAMES[part::parts], 1, size)]
    assert whole == _sample(of_parts, 1, size) | whole
    assert whole.keys() <= set(of_parts)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=30), st.integers(30, 600))
def test_quotas_are_in_proportion_and_leave_no_stratum_out(counts: list[int], size: int) -> None:
    have = np.array(counts)
    given_ = quotas(have, size)
    total = min(size, int(have.sum()))
    assert given_.sum() == total
    assert (given_ <= have).all() and ((given_ > 0) == (have > 0)).all()
    exact = have * total / max(have.sum(), 1)
    small = int((exact < 1).sum())  # those that get one although they are due less
    assert (np.abs(given_ - exact) <= 1 + small).all()


def test_a_sample_stands_for_the_whole() -> None:
    at, weight = lowest(lots(KEY, identities(NAMES)), np.arange(3000) % 7, 200)
    assert len(at) == 200 and weight.sum() == pytest.approx(3000)


def test_draws_of_other_problems_roles_seeds_and_days_are_independent() -> None:
    identity, n = identities(NAMES), 300
    keys = [draw_key(7, "churn", "fit"), draw_key(8, "churn", "fit"), draw_key(7, "lapse", "fit"),
            draw_key(7, "churn", "level")]  # fmt: skip
    days = [np.full(3000, day) for day in (19_000, 19_001)]
    drawn = [frozenset(np.argsort(lots(key, identity, day))[:n].tolist()) for key in keys for day in days]
    for place, one in enumerate(drawn):
        for other in drawn[:place]:
            assert len(one & other) < 60  # 30 by chance, with a deviation of 5


def test_lots_are_uniform() -> None:
    lot = np.sort(lots(KEY, np.arange(20_000, dtype=np.uint64), np.arange(20_000) % 3)) / 2.0**64
    assert np.abs(lot - np.linspace(0, 1, 20_000)).max() < 0.013  # Kolmogorov-Smirnov, 0.2 %
