"""Remaining lifetime: the first year is the hazard's, the later ones follow what the history shows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hazard_world import World, simulate

from akb.config import load_settings
from akb.models.churn.fit import fit_churn
from akb.models.churn.landmark import Landmarks
from akb.models.churn.survival import (
    Continuation,
    attenuation,
    fit_continuation,
    fit_lifetime,
    portfolio_curve,
    spells,
    survival_frame,
)

FLAT = Continuation(0.7, None, np.full(12, 0.05), None)


def _same(n: int, yearly: float, share: tuple[float, float, float]) -> np.ndarray:
    return np.tile((1 - (1 - yearly) ** (1 / 12)) * np.array(share), (n, 12, 1))


def _lifetime(by_cause: np.ndarray, continuation: Continuation = FLAT, horizon: int = 20, age: float = 50.0):
    n = len(by_cause)
    return fit_lifetime(
        continuation, by_cause, tenure_years=np.full(n, 5.0), age=np.full(n, age), horizon_years=horizon
    )


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(6000, seed=21, history=60, level=-5.2)


@pytest.fixture(scope="module")
def landmarks(world: World) -> Landmarks:
    return Landmarks(world.matrix, world.targets)


def test_golden_competing_causes_over_ten_years() -> None:
    """C7: 9 % a year of which a third natural leaves 40.71 % of the others gone after ten years."""
    lifetime = _lifetime(_same(3, 0.09, (1 / 3, 0.0, 2 / 3)))
    for year, share in {1: 0.0600, 3: 0.1643, 5: 0.2506, 10: 0.4071}.items():
        at = int(np.flatnonzero(lifetime.months == 12 * year)[0])
        assert lifetime.left[0, at, 2] == pytest.approx(share, abs=0.00006)
    assert lifetime.gone_within(30)[0] == pytest.approx(1 - 0.91**2.5, abs=1e-9)


def test_expected_years_of_a_constant_hazard() -> None:
    rate = -np.log(0.91)
    years = _lifetime(_same(2, 0.09, (0.0, 0.0, 1.0)), horizon=20).years
    assert years == pytest.approx((1 - 0.91**20) / rate, rel=1e-4)


def test_everything_adds_up_and_only_falls() -> None:
    rng = np.random.default_rng(0)
    lifetime = _lifetime(rng.gamma(1.0, 0.01, (500, 12, 3)))
    assert np.abs(lifetime.alive + lifetime.left.sum(axis=2) - 1).max() < 1e-9
    assert (np.diff(lifetime.alive, axis=1) <= 0).all() and (np.diff(lifetime.left, axis=1) >= 0).all()
    assert ((lifetime.years > 0) & (lifetime.years <= 20)).all()
    frame = survival_frame(np.arange(500, dtype=np.uint32), lifetime)
    assert frame.columns == ["customer", "month", "alive", "natural", "insurer", "preventable"]
    assert frame.height == 500 * 31


def test_attenuation_draws_later_years_together_and_keeps_their_level() -> None:
    by_cause = np.concatenate([_same(500, 0.04, (0, 0, 1)), _same(500, 0.16, (0, 0, 1))])
    spread = {}
    for kept in (0.1, 1.0):
        lifetime = _lifetime(by_cause, Continuation(kept, None, np.full(12, 0.05), None))
        second = 1 - lifetime.alive[:, 12] / lifetime.alive[:, 11]
        spread[kept] = second[-1] / second[0]
        left = (lifetime.alive[:, 11] - lifetime.alive[:, 12]).sum() / lifetime.alive[:, 11].sum()
        assert left == pytest.approx((0.96 * 0.04 + 0.84 * 0.16) / 1.8, rel=0.03)
    assert spread[1.0] == pytest.approx(4.0, rel=0.02) and spread[0.1] < 1.3


def test_an_announced_end_after_a_year_is_certain() -> None:
    by_cause = _same(2, 0.09, (0.2, 0.0, 0.8))
    by_cause[1] = 0  # nobody who announced a later day leaves before it
    lifetime = fit_lifetime(
        FLAT,
        by_cause,
        tenure_years=np.full(2, 3.0),
        age=np.full(2, np.nan),
        horizon_years=10,
        certain=np.array([np.nan, 1.5]),
    )
    assert lifetime.years[1] == pytest.approx(1.5) and lifetime.years[0] <= 10
    assert lifetime.alive[1, 12] == 0 and lifetime.alive[0, 12] > 0.8
    assert np.abs(lifetime.alive + lifetime.left.sum(axis=2) - 1).max() < 1e-9


def test_natural_ends_rise_with_age(world: World, landmarks: Landmarks) -> None:
    continuation = fit_continuation(landmarks, world.as_of, causes=True, assumed=0.7)
    assert continuation.by_age is not None
    assert continuation.by_age[8] > 3 * continuation.by_age[2]  # 80-85 against 35-45
    old, young = (_lifetime(_same(1, 0.08, (0.3, 0.1, 0.6)), continuation, age=a).left[0, -1, 0] for a in (75.0, 30.0))
    assert old > 1.2 * young


def test_a_spell_starts_when_it_is_first_seen(world: World, landmarks: Landmarks) -> None:
    lives = spells(landmarks, world.as_of)
    assert (lives.leave > lives.entry).all() and (lives.entry >= 0).all()
    relations = world.targets.relation.select("customer", "end_date").unique()
    assert len(lives.entry) <= relations.height
    assert lives.entry.max() > 15 and (lives.leave - lives.entry).max() < 5.1


def test_delayed_entry_does_not_mistake_survivors_for_everyone(world: World, landmarks: Landmarks) -> None:
    """The yearly hazard of this world is near constant in level; ignoring late entry would halve it early on."""
    curve = portfolio_curve(landmarks, world.as_of, 20)
    causes = ["natural", "insurer", "preventable", "unknown"]
    assert curve.columns == ["years", "share", "low", "high", *causes]
    assert curve.select(pl.sum_horizontal("share", *causes)).to_series().to_numpy() == pytest.approx(1.0, abs=1e-9)
    assert all((curve[cause].diff().drop_nulls() >= 0).all() for cause in causes) and curve["preventable"][-1] > 0.2
    assert (curve["low"] <= curve["share"]).all() and (curve["share"] <= curve["high"]).all()
    assert curve["share"][0] == pytest.approx(1, abs=0.01)
    assert (curve["share"].diff().drop_nulls() <= 0).all()
    lives = spells(landmarks, world.as_of)
    new = lives.entry < 0.2
    gone = lives.ended[new] & (lives.leave[new] <= 2)
    followed = lives.ended[new] | (lives.leave[new] >= 2)
    raw = gone[followed].mean()
    assert 1 - curve["share"][2] == pytest.approx(raw, rel=0.35)


def test_attenuation_sees_what_lasts_and_what_does_not(world: World, landmarks: Landmarks) -> None:
    position = len(landmarks.dates) - 31
    rows = landmarks.rows_of(position)
    x1 = world.matrix.frame["x1"].to_numpy()[rows].astype(np.float64)
    lasting = np.tile((0.005 * np.exp(0.8 * x1))[:, None], (1, 12))
    found = attenuation(landmarks, rows, lasting, world.as_of)
    assert found is not None and found[0] == pytest.approx(0.75, abs=0.3) and found[1] < 0.2
    chance = lasting[np.random.default_rng(0).permutation(len(rows))]
    drawn = attenuation(landmarks, rows, chance, world.as_of)
    assert drawn is not None and abs(drawn[0]) < 3.5 * drawn[1]
    assert attenuation(landmarks, landmarks.rows_of(len(landmarks.dates) - 8), lasting, world.as_of) is None


def test_measured_attenuation_is_averaged_with_the_assumed_one(world: World, landmarks: Landmarks) -> None:
    for estimate, error, low, high in ((1.0, 0.01, 0.99, 1.0), (1.0, 2.0, 0.6, 0.61), (0.2, 0.2, 0.39, 0.41)):
        kept = fit_continuation(landmarks, world.as_of, causes=False, assumed=0.6, measured=(estimate, error))
        assert low <= kept.attenuation <= high


def test_two_and_three_years_ahead_are_near_the_truth(world: World) -> None:
    settings = load_settings(models__hazard_rows=40_000, models__trees=100)
    result = fit_churn(world.matrix, world.targets, settings, as_of=world.as_of)
    for years in (2, 3):
        gone = 1 - result.survival.filter(pl.col("month") == 12 * years)["alive"].to_numpy()
        assert gone.sum() == pytest.approx(world.truth[:, 12 * years - 1].sum(), rel=0.12)
    proof = result.predictions["remaining_lifetime_years"].evidence
    assert proof is not None and proof.calibration is not None
    assert (
        proof.calibration.observed_expected == pytest.approx(1, abs=0.15) and proof.auc is not None and proof.auc > 0.58
    )
