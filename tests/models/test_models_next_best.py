"""The order of the branches: measures by hand, the rules beside each other, and what is delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from synthetic import BRANCHES, BranchWorld, X, branch_world

from akb.catalogue.entries import entries
from akb.config import load_settings
from akb.ingest.types import History
from akb.models.context import FitContext, MethodResult
from akb.models.methods.families import purchases
from akb.models.methods.ranking import measures, takers
from akb.models.temporal.problem import Problem

SETTINGS = load_settings(models__target_rows=12_000, models__trees=60)
PURCHASES = [e for e in entries([(b, b) for b in BRANCHES]) if e.method == "family_purchase"]


def problem(customer: list[int], group: list[int], label: list[int]) -> Problem:
    return Problem(
        "test",
        "binary",
        np.zeros(len(customer), dtype=np.int32),
        np.array(customer, dtype=np.uint32),
        np.array(label, dtype=np.float32),
        np.array(group, dtype=np.int16),
        BRANCHES,
        lambda rows, names: np.zeros((len(rows), len(names)), dtype=np.float32),
        (),
    )


def part(world: BranchWorld, as_of: date = X) -> MethodResult:
    room = FitContext(
        world.matrix, world.targets, SETTINGS, as_of, History(None, 60, True, "given"), lambda words: None
    )
    return purchases(room, PURCHASES)


def test_hit_rate_reciprocal_rank_and_ndcg_by_hand() -> None:
    """Customer 1 took what stood second; 2 what stood first and fourth; 3 nothing, so that nobody asks."""
    made = problem([1, 2, 1, 2, 1, 2, 1, 2, 3], [0, 0, 1, 1, 2, 2, 3, 3, 0], [0, 1, 1, 0, 0, 0, 0, 1, 0])
    asked = takers(made, np.arange(9))
    assert asked.customers == 2
    score = np.array([0.9, 0.5, 0.4, 0.1, 0.9, 0.4, 0.3, 0.1])  # per customer, branches 0 to 3
    expected = [[1, 1 / 2, 1 / np.log2(3)], [1, 1, 1 / (1 + 1 / np.log2(3))]]
    assert measures(asked, score) == pytest.approx(np.array(expected))


def test_what_stands_fourth_is_no_hit_and_ties_follow_the_taxonomy() -> None:
    asked = takers(problem([7] * 4, [3, 2, 1, 0], [1, 0, 0, 0]), np.arange(4))
    assert measures(asked, np.ones(4)) == pytest.approx(np.zeros((1, 3)))
    asked = takers(problem([7] * 4, [3, 2, 1, 0], [0, 0, 0, 1]), np.arange(4))
    assert measures(asked, np.ones(4)) == pytest.approx(np.ones((1, 3)))


def personal(seed: int = 5) -> BranchWorld:
    """Which branch somebody takes depends on a feature of the row, not on how popular the branch is."""
    world = branch_world(1500, seed=seed, noise=1, buy_shift=0.6)
    frame = world.targets.eligible.frame.sort("as_of", "branch", "customer")
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(1500, len(BRANCHES)))
    code = frame["branch"].replace_strict(BRANCHES, range(len(BRANCHES)), return_dtype=pl.Int64).to_numpy()
    mine = taste[frame["customer"].to_numpy(), code]
    bought = rng.random(frame.height) < 0.3 / (1 + np.exp(3 - 3 * mine))
    day = pl.col("as_of").dt.offset_by("3mo")
    frame = frame.with_columns(
        z_branch=pl.Series(mine, dtype=pl.Float32),
        label=pl.Series(bought, dtype=pl.Float32),
        event_date=pl.when(pl.Series(bought)).then(day),
        branch_co_ownership=pl.Series(rng.random(frame.height), dtype=pl.Float32),
    )
    names = (*world.targets.eligible.names, "branch_co_ownership")
    return replace(
        world, targets=replace(world.targets, eligible=replace(world.targets.eligible, frame=frame, names=names))
    )


def test_a_personal_taste_is_found_and_beats_popularity() -> None:
    made = part(personal())
    found = made.ranking
    assert found is not None and found.delivered == "model" and found.gain_ci[0] > 0.05
    assert [score.rule for score in found.scores] == ["popularity", "co_ownership", "model"]
    for score in found.scores:
        assert all(low - 1e-9 <= mean <= high + 1e-9 for mean, (low, high) in zip(score.mean, score.ci, strict=True))
    assert found.purchases >= found.customers >= 20
    assert "AKB-M005" not in {finding.code for finding in made.findings}
    assert made.branches is not None and "order" not in made.branches.columns


def test_where_popularity_orders_as_well_it_is_delivered_and_told() -> None:
    """Without any effect of the customer there is nothing to know but how often a branch is taken."""
    made = part(branch_world(1500, seed=3, noise=1, strength=0.0, interaction=0.0, buy_shift=0.5))
    found = made.ranking
    assert found is not None and found.delivered == "popularity" and found.gain_ci[0] <= 0
    assert "AKB-M005" in {finding.code for finding in made.findings}
    assert made.branches is not None
    assert (made.branches.group_by("branch").agg(pl.col("order").n_unique())["order"] == 1).all()
    assert made.branches["order"].is_between(0, 1, closed="none").all()


def test_without_enough_takers_nothing_is_said_of_an_order() -> None:
    made = part(branch_world(60, seed=2, noise=1))
    assert made.ranking is None
    assert "AKB-M005" not in {finding.code for finding in made.findings}
