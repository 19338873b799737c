"""Profiles: a planted group is found and its lift is the true one; noise and what faded give none."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from synthetic import GAP, LAG, X

from akb.config import load_settings
from akb.core.dates import add_months
from akb.core.wording.text import load_toml, texts
from akb.features.types import BranchRows, Feature, Matrix, Targets
from akb.ingest.types import History
from akb.models.context import FitContext
from akb.models.descriptive.profiles import find_profiles, known_conditions, lift_interval
from akb.models.types import Profiles

DATES = [add_months(X, -3 * quarter) for quarter in range(20, -1, -1)]
RECORDED = DATES[0]
BASE = 0.06
NAMES = ("is_private", "is_business", "policies", "tenure_months", "renewals_3m", "past_lapses_12m", "insurers")


def world(
    customers: int = 2500,
    *,
    lift: float = 1.0,
    fades: date | None = None,
    cause: str = "preventable",
    product: float = 1.0,
    seed: int = 1,
    shuffled: bool = False,
) -> FitContext:
    """Everyone leaves with chance `BASE`; business customers with one policy `lift` times as often, until `fades`.

    Private customers with a renewal within three months take motor `product` times as often.
    """
    rng = np.random.default_rng(seed)
    frames, ends, asked = [], [], []
    business = rng.random(customers) < 0.4
    for day in DATES:
        frame = pl.DataFrame(
            {
                "as_of": [day] * customers,
                "customer": pl.Series(range(customers), dtype=pl.UInt32),
                "is_private": (~business).astype(np.float32),
                "is_business": business.astype(np.float32),
                "policies": rng.integers(1, 6, customers).astype(np.float32),
                "tenure_months": rng.integers(1, 200, customers).astype(np.float32),
                "renewals_3m": (rng.random(customers) < 0.3).astype(np.float32),
                "past_lapses_12m": (rng.random(customers) < 0.1).astype(np.float32),
                "insurers": np.where(rng.random(customers) < 0.2, np.nan, rng.integers(1, 4, customers)).astype(
                    np.float32
                ),
            }
        ).fill_nan(None)
        group = business & (frame["policies"].to_numpy() == 1)
        times = lift if fades is None or day < fades else 1.0
        gone = rng.random(customers) < BASE * np.where(group, times, 1.0)
        buys = rng.random(customers) < BASE * np.where(~business & (frame["renewals_3m"].to_numpy() > 0), product, 1.0)
        when = add_months(day, 5)
        frames.append(frame)
        ends.append(
            frame.select("as_of", "customer").with_columns(
                end_date=pl.Series([when if it else None for it in gone], dtype=pl.Date),
                cause=pl.Series([cause if it else None for it in gone], dtype=pl.String),
            )
        )
        asked.append(
            frame.select("as_of", "customer").with_columns(
                branch=pl.lit("auto"), label=pl.Series(buys, dtype=pl.Float32)
            )
        )
    matrix = pl.concat(frames)
    if shuffled:
        names = list(NAMES)
        rng.shuffle(names)
        matrix = matrix.select("as_of", "customer", *names)
    empty = pl.DataFrame()
    targets = Targets(
        relation=pl.concat(ends),
        counts=empty,
        held=BranchRows(empty, ()),
        eligible=BranchRows(pl.concat(asked).sort("as_of", "branch", "customer"), ()),
        announced=empty,
        gap_days=GAP,
        lag_days=LAG,
    )
    history = History(RECORDED, 60, True, "given")
    features = tuple(Feature(name, "synthetic", name, "") for name in matrix.columns[2:])
    return FitContext(Matrix(matrix, features), targets, load_settings(), X, history, lambda words: None)


def found(room: FitContext) -> Profiles:
    profiles = find_profiles(room)
    assert profiles is not None
    return profiles


def test_a_planted_group_is_found_on_training_dates_and_its_lift_shown_on_the_later_one() -> None:
    profiles = found(world(lift=4.0))
    assert [(each.goal, set(each.conditions)) for each in profiles.shown] == [("retention", {"business", "one_policy"})]
    shown = profiles.shown[0]
    truth = 4.0 / (1 + 3.0 * 0.08)  # 8 % of the customers are in the group
    assert shown.lift_ci[0] < truth < shown.lift_ci[1]
    assert shown.lift == pytest.approx(shown.rate / shown.base_rate)
    assert shown.customers >= 50
    assert shown.customers_now >= 50
    assert add_months(shown.test_date, 12) < X
    assert profiles.found == len(profiles.shown) + profiles.dropped


def test_a_planted_buyer_is_found_for_his_product_only() -> None:
    profiles = found(world(product=3.0, seed=4))
    assert [(each.goal, each.branch, set(each.conditions)) for each in profiles.shown] == [
        ("product", "auto", {"private", "renews_3m"})
    ]


@pytest.mark.parametrize("seed", range(5))
def test_noise_gives_no_profile(seed: int) -> None:
    profiles = found(world(seed=10 + seed))
    assert profiles.looked > 100
    assert (profiles.found, profiles.shown) == (0, ())


def test_a_group_that_no_longer_stands_out_is_dropped_and_counted() -> None:
    test_date = found(world(lift=4.0)).test_date
    profiles = found(world(lift=4.0, fades=test_date))
    assert profiles.shown == ()
    assert profiles.dropped == profiles.found > 0


def test_who_dies_is_no_retention_profile() -> None:
    assert found(world(lift=4.0, cause="natural")).shown == ()
    assert found(world(lift=4.0, cause="unknown")).shown != ()


def test_the_order_of_the_features_changes_nothing_and_the_same_world_gives_the_same_profiles() -> None:
    assert found(world(lift=4.0, shuffled=True)) == found(world(lift=4.0))


def test_without_a_closed_later_date_there_are_no_profiles() -> None:
    room = world(customers=100)
    short = FitContext(room.matrix, room.targets, room.settings, X, History(None, 0, False, "none"), lambda words: None)
    assert find_profiles(short) is None


def test_unknown_values_meet_no_condition_and_families_unfold_for_the_features_at_hand() -> None:
    frame = pl.DataFrame({"as_of": [X], "customer": [1], "n_auto": [None]}, schema_overrides={"n_auto": pl.Float32})
    made = known_conditions(Matrix(frame, (Feature("n_auto", "", "", ""),)))
    assert [each.key for each in made] == ["holds.auto"]


def test_the_interval_of_a_lift_covers_the_truth_in_nineteen_of_twenty_samples() -> None:
    rng = np.random.default_rng(3)
    inside, everyone = 300, 3000
    covered = 0
    for _ in range(1000):
        events, rest = rng.binomial(inside, 0.2), rng.binomial(everyone - inside, 0.08)
        truth = 0.2 / (0.1 * 0.2 + 0.9 * 0.08)
        _, low, high = lift_interval(inside, events, everyone, events + rest, 0.95)
        covered += low < truth < high
    assert 0.93 <= covered / 1000 <= 0.97


def test_every_condition_has_words_and_no_rule_can_be_made_of_who_serves_the_customer() -> None:
    conditions = load_toml("profiles.toml")["condition"]
    assert set(texts("report", "nl")["profile_condition"]) == set(conditions)
    features = " ".join(entry["feature"] for entry in conditions.values())
    assert not any(word in features for word in ("adviser", "office", "region", "age", "premium", "commission", "sex"))
