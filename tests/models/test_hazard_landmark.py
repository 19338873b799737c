"""Person-months: who is at risk when, what is known on which day, and what the month of the lag adds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hazard_world import GAP, LAG, World, simulate

from akb.core.dates import add_months
from akb.core.draws.sampling import draw_key
from akb.models.churn.hazard import incidence, stay
from akb.models.churn.landmark import BANDS, LAG_NAMES, LAGS, Landmarks, base_offset
from akb.models.temporal.splits import closes_on


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(400, seed=4, history=30, level=-4.5)


@pytest.fixture(scope="module")
def landmarks(world: World) -> Landmarks:
    return Landmarks(world.matrix, world.targets)


def _by_hand(world: World, day: date) -> set[tuple[date, int, int, bool]]:
    """Every (T, customer, lag, ended) known on `day`, one by one as the definition says."""
    found = set()
    for as_of, customer, end, _ in world.targets.relation.iter_rows():
        for lag in range(1, LAGS + 1):
            before, after = add_months(as_of, lag - 1), add_months(as_of, lag)
            if closes_on(as_of, lag, GAP, LAG) > day or (end is not None and end <= before):
                break
            found.add((as_of, customer, lag, end is not None and end <= after))
    return found


def _told(landmarks: Landmarks, months: object) -> set[tuple[date, int, int, bool]]:
    rows = zip(months.row.tolist(), months.lag.tolist(), months.event.tolist(), strict=True)
    return {(landmarks.dates[landmarks.date_of[r]], int(landmarks.customer[r]), lag, e) for r, lag, e in rows}


@pytest.mark.parametrize("back", [0, 9])
def test_person_months_are_those_of_the_definition(world: World, landmarks: Landmarks, back: int) -> None:
    day = add_months(world.as_of, -back)
    months = landmarks.known_on(day, 10**7, draw_key(0, "churn", "test"))
    assert _told(landmarks, months) == _by_hand(world, day)
    assert (months.weight == 1).all()


def test_a_sample_stands_for_all_of_them(world: World, landmarks: Landmarks) -> None:
    whole = landmarks.known_on(world.as_of, 10**7, draw_key(0, "churn", "test"))
    sample = landmarks.known_on(world.as_of, 4000, draw_key(0, "churn", "test"))
    assert len(sample) <= 4000 < len(whole)
    assert sample.weight.sum() == pytest.approx(len(whole))
    assert sample.weight[sample.event].sum() == pytest.approx(whole.event.sum())
    assert _told(landmarks, sample) <= _told(landmarks, whole)
    again = landmarks.known_on(world.as_of, 4000, draw_key(0, "churn", "test"))
    assert (again.row == sample.row).all() and (again.lag == sample.lag).all()


def test_what_happens_later_changes_nothing_that_was_known(world: World, landmarks: Landmarks) -> None:
    day = add_months(world.as_of, -10)
    later = pl.col("end_date") > day - timedelta(days=GAP + LAG)
    changed = world.targets.relation.with_columns(end_date=pl.when(~later).then(pl.col("end_date")))
    assert changed["end_date"].null_count() > world.targets.relation["end_date"].null_count()
    other = Landmarks(world.matrix, replace(world.targets, relation=changed))
    known, known_without = (each.known_on(day, 3000, draw_key(0, "churn", "test")) for each in (landmarks, other))
    assert _told(landmarks, known) == _told(other, known_without)
    assert (base_offset(known) == base_offset(known_without)).all()


def test_years_are_calendar_time_and_follow_each_other(world: World, landmarks: Landmarks) -> None:
    seen = []
    for back in range(2):
        months = landmarks.year(world.as_of, back, BANDS[-1], 10**6, draw_key(0, "churn", "test"))
        ends = {
            add_months(landmarks.dates[landmarks.date_of[r]], int(lag))
            for r, lag in zip(months.row, months.lag, strict=True)
        }
        assert (months.lag >= BANDS[-1][0]).all()
        seen.append(ends)
    assert max(seen[1]) < min(seen[0])
    assert max(seen[0]) <= world.as_of - timedelta(days=GAP + LAG)
    assert len(seen[0]) == 12


def test_a_relation_that_disappears_without_being_lost_is_at_risk_until_then(world: World) -> None:
    day = add_months(world.as_of, -8)
    relation = world.targets.relation.with_columns(censored_on=pl.when(pl.col("end_date").is_null()).then(pl.lit(day)))
    landmarks = Landmarks(world.matrix, replace(world.targets, relation=relation))
    months = landmarks.known_on(world.as_of, 10**7, draw_key(0, "churn", "test"))
    gone = relation["censored_on"].is_not_null().to_numpy()[months.row]
    last = [
        add_months(landmarks.dates[landmarks.date_of[r]], int(lag))
        for r, lag in zip(months.row[gone], months.lag[gone], strict=True)
    ]
    assert gone.any() and max(last) < day
    position = landmarks.latest_closed(world.as_of, 12)
    assert position is not None
    assert len(landmarks.rows_of(position, 12)) < len(landmarks.rows_of(position))


def test_renewal_features_follow_the_lag(world: World, landmarks: Landmarks) -> None:
    rows = landmarks.rows_of(5)
    renewals = world.matrix.frame.select(f"renewals_in_month_{j}" for j in range(1, 13)).to_numpy()[rows]
    place = {name: number for number, name in enumerate(landmarks.lag_names)}
    for lag in (1, 7, 12):
        x = landmarks.lag_features(rows, np.full(len(rows), lag))
        assert (x[:, place["lag"]] == lag).all()
        assert (x[:, place["lag_renewals"]] == renewals[:, lag - 1]).all()
        expected = (lag - 1 - renewals.argmax(axis=1)) % 12
        assert (x[:, place["lag_since_renewal"]] == expected).all()
        assert x.shape[1] == len(place)
    assert not any(name.startswith("renewals_in_month_") for name in landmarks.names)


def test_seasons_count_from_three_years_of_history(landmarks: Landmarks) -> None:
    assert "lag_month" not in landmarks.lag_names
    world = simulate(50, seed=4, history=36)
    longer = Landmarks(world.matrix, world.targets)
    assert longer.lag_names == LAG_NAMES
    x = longer.lag_features(longer.rows_of(5), np.full(len(longer.rows_of(5)), 7))
    assert (x[:, LAG_NAMES.index("lag_month")] == add_months(longer.dates[5], 7).month).all()


def test_renewal_features_can_be_derived_from_the_next_renewal(world: World, landmarks: Landmarks) -> None:
    given = [f"renewals_in_month_{j}" for j in range(1, 13)]
    ahead = world.matrix.frame.select(given).to_numpy().argmax(axis=1) + 0.4
    frame = world.matrix.frame.drop(given).with_columns(months_to_next_renewal=pl.Series(ahead, dtype=pl.Float32))
    features = tuple(f for f in world.matrix.features if f.name not in given)
    other = Landmarks(replace(world.matrix, frame=frame, features=features), world.targets)
    rows, lag = landmarks.rows_of(3), np.full(len(landmarks.rows_of(3)), 4)
    assert np.array_equal(landmarks.lag_features(rows, lag), other.lag_features(rows, lag), equal_nan=True)


def test_golden_horizons() -> None:
    """C6: 9 % a year is .78 / 2.33 / 4.61 / 9.00 % within 1, 3, 6 and 12 months, not a twelfth of it each month."""
    gone = 1 - stay(np.full((1, 12), 1 - 0.91 ** (1 / 12)))[0]
    for months, share in {1: 0.0078, 3: 0.0233, 6: 0.0461, 12: 0.09}.items():
        assert gone[months - 1] == pytest.approx(share, abs=0.00005)


def test_golden_competing_causes() -> None:
    """C7: a third natural; counting those as censored would overstate the avoidable part."""
    total = 1 - 0.91 ** (1 / 12)
    by_cause = np.tile(np.array([total / 3, 0.0, 2 * total / 3]), (1, 120, 1))
    left, alive = incidence(by_cause)[0], stay(by_cause)[0]
    golden = {1: (0.0600, 0.0609), 3: (0.1643, 0.1719), 5: (0.2506, 0.2698), 10: (0.4071, 0.4667)}
    for year, (share, censored) in golden.items():
        assert left[12 * year - 1, 2] == pytest.approx(share, abs=0.00006)
        assert 1 - alive[12 * year - 1] ** (2 / 3) == pytest.approx(censored, abs=0.00006)
    assert np.abs(left.sum(axis=1) + alive - 1).max() < 1e-12
