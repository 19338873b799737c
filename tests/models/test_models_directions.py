"""Where the field is sure of a direction, trees cannot learn the opposite from noise; elsewhere they are free."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hazard_world import simulate
from synthetic import X, branch_world

from akb.catalogue import directions
from akb.catalogue.entries import templates
from akb.config import load_settings
from akb.core.draws.sampling import draw_key
from akb.ingest.types import History
from akb.models.churn import target as churn_target
from akb.models.churn.landmark import Landmarks
from akb.models.context import FitContext
from akb.models.learners.candidates import fitters
from akb.models.learners.sample import Sample
from akb.models.methods import families, single
from akb.models.temporal.problem import Problem, branch_problem, customer_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.models.learners.sample import Fitter

SETTINGS = load_settings(models__jobs=1)
GRID = np.arange(0, 13, dtype=np.float32)
FITTERS: dict[str, Callable[[], Fitter]] = {
    "binary": lambda: fitters("binary", SETTINGS.models, 80)["boosting"],
    "poisson": lambda: fitters("poisson", SETTINGS.models, 80)["boosting"],
    "hazard": lambda: churn_target.learners(SETTINGS, 80)["boosting"],
}


def noisy(sign: int, seed: int, *, bound: bool) -> Sample:
    """The label goes with the first column on the whole, against it here and there; sometimes it is unknown."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4000, 6)).astype(np.float32)
    months = rng.integers(0, 13, 4000)
    waves = sign * (0.08 * months + 0.6 * np.sin(2.1 * months)) * (1 + 0.5 * x[:, 1])
    x[:, 0] = np.where(rng.random(4000) < 0.2, np.nan, months)
    label = (rng.random(4000) < 1 / (1 + np.exp(2 - waves))).astype(float)
    return Sample(
        x=x,
        label=label,
        weight=np.ones(4000),
        offset=np.full(4000, -2.0),
        cluster=np.arange(4000),
        names=("months", *"abcde"),
        monotone=(sign, 0, 0, 0, 0, 0) if bound else (),
    )


def steps(fit: Fitter, sample: Sample) -> np.ndarray:
    """What one month more does to the expectation of 300 rows, [12, rows]."""
    model = fit(sample)
    rows = sample.x[:300].copy()
    along = []
    for value in GRID:
        rows[:, 0] = value
        along.append(model.predict(rows, np.full(len(rows), -2.0)))
    return np.diff(np.array(along), axis=0)


@pytest.mark.parametrize("kind", list(FITTERS))
@pytest.mark.parametrize("sign", [1, -1])
def test_a_sure_direction_holds_for_everyone_whatever_the_noise(kind: str, sign: int) -> None:
    for seed in (1, 2):
        free, bound = (steps(FITTERS[kind](), noisy(sign, seed, bound=each)) * sign for each in (False, True))
        assert free.min() < -0.001  # the noise is there to be learnt
        assert bound.min() >= 0
        assert bound.max() > 0.001  # and the direction itself is


def test_unknown_goes_with_one_side_and_is_not_pushed_beyond_the_known() -> None:
    """What LightGBM's method does with NaN, on which the choice of features rests (head of directions.toml)."""
    sample = noisy(1, 3, bound=True)
    unknown = np.isnan(sample.x[:, 0])
    low = replace(sample, label=np.where(unknown, 0.0, sample.label))
    rows = sample.x[:200].copy()
    model = FITTERS["binary"]()(low)
    told = {}
    for value in (0.0, 12.0, np.nan):
        rows[:, 0] = value
        told[value] = model.predict(rows, np.full(200, -2.0))
    nothing, most, not_known = told.values()
    assert (not_known >= nothing).all()
    assert (not_known <= most).all()


@pytest.fixture
def sure_of_z0(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"z0": {"lapse": -1, "purchase": 1}, "z_branch": {"lapse": 1}, "x1": {"leave": 1}}
    monkeypatch.setattr(directions, "directions", lambda: table)


def test_a_target_is_bound_by_its_own_kind_of_outcome_and_keeps_that_when_columns_go(sure_of_z0: None) -> None:
    world = branch_world(60)
    label = np.zeros(world.matrix.frame.height, dtype=np.float32)
    rows, base = np.arange(5), np.zeros(1)

    def bound(problem: Problem) -> dict[str, int]:
        sample = problem.sample(rows, np.ones(5), base)
        return {name: sign for name, sign in zip(sample.names, sample.monotone, strict=True) if sign}

    free = customer_problem(world.matrix, "any", "binary", label)
    assert free.sample(rows, np.ones(5), base).monotone == ()
    assert bound(replace(free, outcome="lapse")) == {"z0": -1}
    assert bound(replace(free, outcome="purchase").only(["z2", "z0"])) == {"z0": 1}
    assert replace(free, outcome="leave").sample(rows, np.ones(5), base).monotone == ()
    held = branch_problem(world.matrix, world.targets.held, "lapse", ("auto", "woonhuis"))
    assert bound(replace(held.among(held.group == 0), outcome="lapse")) == {"z0": -1, "z_branch": 1}


def test_the_hazard_is_bound_as_leaving(sure_of_z0: None) -> None:
    world = simulate(60)
    landmarks = Landmarks(world.matrix, world.targets)
    months = landmarks.known_on(world.as_of, 200, draw_key(1, "churn", "test"))
    for seen in (landmarks, landmarks.narrowed(("age", "x1"))):
        sample = seen.sample(months, np.zeros(12))
        assert dict(zip(sample.names, sample.monotone, strict=True)) == {n: int(n == "x1") for n in sample.names}


def test_every_step_asks_with_the_outcome_of_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    class AskedError(Exception):
        pass

    def stop(problem: Problem, *_: Any) -> None:
        raise AskedError(problem.outcome)

    world = branch_world(60)
    history = History(world.matrix.dates[0], 60, True, "given")
    room = FitContext(world.matrix, world.targets, SETTINGS, X, history, lambda words: None)
    for module in (single, families):
        monkeypatch.setattr(module, "fit_target", stop)
    by_key = {entry.key: entry for entry in templates()}
    asked = {
        "policy_lapse_any_12m": single.binary,
        "policies_lost_12m": single.count,
        "nonpayment_lapse_12m": single.binary,
        "cross_sell_any_12m": single.binary,
        "lapse_{branch}_12m": lambda room, entry: families.lapses(room, [entry]),
        "next_policy_{branch}_12m": lambda room, entry: families.purchases(room, [entry]),
    }
    outcomes = {}
    for key, step in asked.items():
        with pytest.raises(AskedError) as seen:
            step(room, by_key[key].model_copy(update={"branch": "auto"}))
        outcomes[key] = seen.value.args[0]
    assert list(outcomes.values()) == ["lapse", "lapse", "nonpayment", "purchase", "lapse", "purchase"]
    assert (by_key["contacts_12m"].outcome, by_key["claims_12m"].outcome) == ("contact", "claim")
