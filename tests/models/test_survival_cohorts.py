"""sBG as a rival: fitted on what a day knew, laid beside the model and what came true."""

from __future__ import annotations

import numpy as np
import pytest
from hazard_world import World, simulate

from akb.config import load_settings
from akb.models.churn.cohorts import fit_retention
from akb.models.churn.fit import ChurnResult, fit_churn
from akb.models.churn.landmark import Landmarks

SETTINGS = load_settings(models__hazard_rows=12_000, models__trees=60)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(4000, seed=8, history=60, level=-5.2)


@pytest.fixture(scope="module")
def result(world: World) -> ChurnResult:
    return fit_churn(world.matrix, world.targets, SETTINGS, as_of=world.as_of)


def test_the_bands_hold_everyone_and_all_three_levels_are_plausible(world: World, result: ChurnResult) -> None:
    table = result.cohorts
    landmarks = Landmarks(world.matrix, world.targets)
    test = landmarks.latest_closed(world.as_of, 12)
    assert test is not None and table["test_date"].unique().to_list() == [landmarks.dates[test]]
    rows = landmarks.rows_of(test, 12)
    assert table["customers"].sum() == len(rows)
    assert table["left"].sum() == (landmarks.event_lag[rows] <= 12).sum()
    assert table["customers_now"].sum() == result.scores.height
    observed = table["left"].sum() / len(rows)
    for rival in ("model", "sbg", "constant"):
        expected = (table[rival] * table["customers"]).sum() / len(rows)
        assert expected == pytest.approx(observed, rel=0.25), rival
    mean = (table["years_model"] * table["customers_now"]).sum() / table["customers_now"].sum()
    assert mean == pytest.approx(result.scores["remaining_lifetime_years"].mean(), rel=1e-6)
    assert table["years_sbg"].is_between(1, SETTINGS.models.lifetime_horizon_years).all()


def test_sbg_is_a_rival_of_the_remaining_lifetime_and_loses_where_features_tell(result: ChurnResult) -> None:
    rivals = {each.name: each for each in result.predictions["remaining_lifetime_years"].candidates}
    assert set(rivals) == {"rate", "sbg", "survival"}
    assert rivals["survival"].won and rivals["survival"].loss < rivals["sbg"].loss


def test_tenure_is_known_with_delayed_entry_and_no_more_than_the_day_knew(world: World) -> None:
    landmarks = Landmarks(world.matrix, world.targets)
    day = landmarks.dates[landmarks.latest_closed(world.as_of, 12) or 0]
    found = fit_retention(landmarks, day)
    assert found is not None
    later = landmarks.end_day > (np.datetime64(day) - np.datetime64("1970-01-01")).astype(int)
    landmarks.end_day[later] = np.iinfo(np.int64).max  # what happened after that day changes nothing
    again = fit_retention(landmarks, day)
    assert again == found
    assert found.gone_within(np.array([0.0, 20.0]), 24) == pytest.approx(
        1 - found.model.survival(np.array([2.0, 22.0])) / found.model.survival(np.array([0.0, 20.0]))
    )
    assert found.constant_within(24) == pytest.approx(1 - (1 - found.yearly) ** 2)
