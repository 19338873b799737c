"""What comparable customers hold, and how holders differ in churn: known shares and known differences are found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from akb.models.descriptive.comparable import FollowedPeers, Peers, churn_difference, need

BRANCHES = ("avp", "auto", "reis")
NAMES = ["is_private", "is_business", "is_self_employed", "age", "tenure_months", *(f"n_{b}" for b in BRANCHES)]


def peers(held: np.ndarray, private: np.ndarray | None = None, age: float | np.ndarray = 40.0) -> Peers:
    n = len(held)
    who = np.ones(n, dtype=bool) if private is None else private
    columns = [who, ~who, np.zeros(n), np.broadcast_to(age, n), np.full(n, 30.0), *held.T]
    frame = {name: np.asarray(values, dtype=np.float32) for name, values in zip(NAMES, columns, strict=True)}
    return Peers.of(pl.DataFrame(frame).fill_nan(None), BRANCHES)


def test_a_need_is_the_share_among_customers_who_are_alike() -> None:
    """Car owners mostly hold travel, the others seldom: 7 in 10 against 1 in 10."""
    rng = np.random.default_rng(1)
    car = rng.random(4000) < 0.5
    travel = rng.random(4000) < np.where(car, 0.7, 0.1)
    who = peers(np.column_stack([np.ones(4000, dtype=bool), car, travel]))
    found = need(who, 2, ~travel, limit=5)
    assert found[car & ~travel] == pytest.approx(0.7, abs=0.04)
    assert found[~car & ~travel] == pytest.approx(0.1, abs=0.03)
    assert np.isnan(found[travel]).all()


def test_small_groups_say_little_and_one_customer_says_nothing() -> None:
    """Thirty are alike in nothing but being few: their share is drawn to that of the whole portfolio."""
    held = np.column_stack(
        [np.ones(1030), np.r_[np.zeros(1000), np.ones(30)], np.r_[np.arange(1000) % 2, np.ones(29), 0]]
    )
    found = need(peers(held.astype(bool)), 2, held[:, 2] == 0, limit=5)
    assert 0.5 < found[-1] < 0.97
    alone = np.column_stack([np.ones(41), np.r_[np.zeros(40), 1], np.r_[np.arange(40) % 2, 0]])
    few = need(peers(alone.astype(bool)), 2, alone[:, 2] == 0, limit=5)
    assert few[-1] == pytest.approx(np.nanmean(few[:40]), abs=0.02)


def test_who_cannot_hold_it_does_not_count() -> None:
    private = np.arange(2000) < 1000
    travel = private & (np.arange(2000) % 2 == 0)
    held = np.column_stack([np.ones(2000, dtype=bool), np.zeros(2000, dtype=bool), travel])
    found = need(peers(held, private), 2, private & ~travel, limit=5)
    assert found[private & ~travel] == pytest.approx(0.5, abs=0.01)
    assert np.isnan(found[~private]).all()


def test_order_of_customers_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    held = rng.random((500, 3)) < [0.9, 0.5, 0.3]
    turned = rng.permutation(500)
    one = need(peers(held), 2, ~held[:, 2], limit=5)
    other = need(peers(held[turned]), 2, ~held[turned, 2], limit=5)
    assert other == pytest.approx(one[turned], abs=1e-12, nan_ok=True)


def world(difference: float, seed: int = 3, n: int = 8000, repeats: int = 1) -> tuple[Peers, np.ndarray, np.ndarray]:
    """Older customers hold travel more often and leave less often, whether or not they hold it."""
    rng = np.random.default_rng(seed)
    old = rng.random(n) < 0.5
    travel = rng.random(n) < np.where(old, 0.6, 0.2)
    held = np.column_stack([np.ones(n, dtype=bool), rng.random(n) < 0.5, travel])
    gone = rng.random(n) < np.where(old, 0.08, 0.25) + difference * travel
    age = np.where(old, 70.0, 30.0)
    every = np.tile(np.arange(n), repeats)
    return peers(held[every], age=age[every]), every.astype(np.uint32), gone[every]


def test_age_explains_what_looks_like_an_effect() -> None:
    past, customer, gone = world(0.0)
    holds = past.held[:, 2]
    assert gone[holds].mean() - gone[~holds].mean() < -0.05  # as it looks
    found = churn_difference(FollowedPeers(past, customer, gone), past, 2, ~holds)
    assert found is not None and found.low < 0 < found.high and abs(found.difference) < 0.03
    assert found.covered == 1 and np.isnan(found.per_customer[holds]).all()


def test_a_difference_is_found_with_an_interval_that_holds_it() -> None:
    past, customer, gone = world(-0.06)
    found = churn_difference(FollowedPeers(past, customer, gone), past, 2, ~past.held[:, 2])
    assert found is not None and found.low < -0.06 < found.high < 0
    assert found.difference == pytest.approx(found.holders - found.others)
    own = found.per_customer[~past.held[:, 2]]
    assert -0.1 < own.min() <= found.difference <= own.max() < 0


def test_the_same_customers_three_times_are_no_more_certain() -> None:
    once, thrice = (
        churn_difference(FollowedPeers(p, c, g), p, 2, ~p.held[:, 2])
        for p, c, g in (world(-0.06), world(-0.06, repeats=3))
    )
    assert once is not None and thrice is not None
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.02)


def test_without_overlap_or_leavers_nothing_is_said() -> None:
    past, customer, gone = world(0.0)
    private = past.held[:, 2]
    apart = peers(past.held, private)  # everyone who holds it is a private person, nobody else is
    assert churn_difference(FollowedPeers(apart, customer, gone), apart, 2, ~private) is None
    assert churn_difference(FollowedPeers(past, customer, np.zeros_like(gone)), past, 2, ~private) is None
