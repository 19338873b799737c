"""What models learn from is drawn by who a customer is: other numbers and other neighbours change no sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hazard_world import World, simulate

from akb.core.draws.sampling import draw_key, identities
from akb.features.types import Matrix, Targets
from akb.models.churn.landmark import Landmarks
from akb.models.temporal import customer_problem, happened_within

KEY = draw_key(1, "test", "fit")
SIZE = 900


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(700, history=24)


def _renumbered(world: World, number: np.ndarray, among: np.ndarray) -> tuple[Matrix, Targets]:
    """The same customers under other numbers, or only some of them; who is who stands in the identity."""

    def moved(frame: pl.DataFrame) -> pl.DataFrame:
        here = frame["customer"].to_numpy()
        own = pl.Series("customer", number[here].astype(np.uint32))
        return frame.with_columns(own).filter(pl.Series(among[here])).sort("as_of", "customer")

    identity = np.zeros(len(number), dtype=np.uint64)
    identity[number] = identities(str(each) for each in range(len(number)))
    matrix = replace(world.matrix, frame=moved(world.matrix.frame), identity=identity)
    return matrix, replace(world.targets, relation=moved(world.targets.relation))


def _drawn(world: World, number: np.ndarray, among: np.ndarray, name: str) -> set[tuple[object, ...]]:
    """(T, customer by his first number, lag, weight) of the sample."""
    matrix, targets = _renumbered(world, number, among)
    back = np.argsort(number)
    if name == "hazard":
        landmarks = Landmarks(matrix, targets)
        months = landmarks.known_on(world.as_of, SIZE, KEY)
        row, lag, weight = months.row, months.lag, months.weight
    else:
        problem = customer_problem(matrix, name, "binary", happened_within(targets.relation, "end_date", 6))
        rows = problem.rows_on(matrix.dates)
        row, weight = problem.draw(rows, SIZE, KEY)
        lag = np.zeros_like(row)
    frame = matrix.frame[row]
    who = back[frame["customer"].to_numpy()]
    return set(zip(frame["as_of"].to_list(), who.tolist(), lag.tolist(), weight.round(6).tolist(), strict=True))


def _keys(drawn: set[tuple[object, ...]]) -> set[tuple[object, ...]]:
    return {each[:3] for each in drawn}


@pytest.mark.parametrize("name", ["hazard", "target"])
def test_customers_under_other_numbers_give_the_same_sample(world: World, name: str) -> None:
    n = int(world.matrix.frame["customer"].max()) + 1
    everyone, same = np.ones(n, dtype=bool), np.arange(n)
    shuffled = np.random.default_rng(3).permutation(n)
    drawn = _drawn(world, same, everyone, name)
    assert len(drawn) == SIZE
    assert _drawn(world, shuffled, everyone, name) == drawn


@pytest.mark.parametrize("name", ["hazard", "target"])
def test_one_customer_more_changes_only_what_it_must(world: World, name: str) -> None:
    n = int(world.matrix.frame["customer"].max()) + 1
    same, without = np.arange(n), np.ones(n, dtype=bool)
    who = world.matrix.frame["customer"].to_numpy()
    extra = int(np.bincount(who).argmax())  # on every date
    without[extra] = False
    before, after = (_keys(_drawn(world, same, among, name)) for among in (without, np.ones(n, dtype=bool)))
    came = {each for each in after - before if each[1] != extra}
    dates = len(world.matrix.dates)
    # per date and kind (event, with and without a renewal) a quota can move by one, or his own rows push one out
    assert len(before - after) <= 3 * dates + len(after - before)
    assert len(came) <= 3 * dates
    assert len(before & after) > 0.8 * SIZE


def test_customers_to_judge_on_are_the_same_under_other_numbers(world: World) -> None:
    n = int(world.matrix.frame["customer"].max()) + 1
    found = []
    for number in (np.arange(n), np.random.default_rng(4).permutation(n)):
        matrix, targets = _renumbered(world, number, np.ones(n, dtype=bool))
        problem = customer_problem(matrix, "judged", "binary", happened_within(targets.relation, "end_date", 6))
        rows = problem.some_customers(problem.rows_on(matrix.dates), 400, KEY)
        found.append(set(np.argsort(number)[problem.customer[rows]].tolist()))
        assert len(rows) == pytest.approx(400, rel=0.25)
    assert found[0] == found[1]
