"""Assignment: by lot, recorded, the same whatever rows come and go."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akb.core.draws import drawn
from akb.live.experiment.assignment import CONTROL, SCHEMA, TREATED, assign, risk_cuts
from akb.live.experiment.registration import Registration

START = date(2026, 1, 5)


def registration(unit: str = "customer", share: float = 0.5, weeks: int = 52) -> Registration:
    return Registration(
        name="akb 2026", started=START, enrol_until=START + timedelta(weeks=weeks), stop=date(2028, 6, 1), unit=unit,
        contact="call", outcome="relations", months=12, control_share=share, risk_cuts=(0.05, 0.1), gap_days=31,
        lag_days=30, key_id="k",
    )  # fmt: skip


def listed(customers: list[int], *, shuffle: int = 0, contact: str = "call") -> pl.DataFrame:
    """Return a week's list; who somebody is decides adviser, office and forecast, but for a drift by week."""
    order = np.random.default_rng(shuffle).permutation(customers) if customers else np.array([], dtype=int)
    return pl.DataFrame(
        {
            "customer": [f"K-{number:06d}" for number in order],
            "rank": list(range(1, len(order) + 1)),
            "contact": [contact] * len(order),
            "adviser": [f"ADV{number % 13:02d}" for number in order],
            "office": [f"office {number % 13 % 3}" for number in order],
            "withheld": [False] * len(order),
            "forecast_relations": [(number % 20 + shuffle % 3) / 100 for number in order],
            "forecast_policies": [0.2] * len(order),
            "forecast_euros": [10.0] * len(order),
        },
        schema_overrides={"customer": pl.String, "contact": pl.String, "adviser": pl.String, "office": pl.String,
                          "rank": pl.Int64, "withheld": pl.Boolean, "forecast_relations": pl.Float64,
                          "forecast_policies": pl.Float64, "forecast_euros": pl.Float64},
    )  # fmt: skip


EMPTY = pl.DataFrame(schema=SCHEMA)
weeks = st.lists(st.sets(st.integers(0, 300), max_size=80), min_size=2, max_size=6)


@given(weeks, st.sampled_from(["customer", "adviser"]), st.sampled_from([0.1, 0.3, 0.5]))
@settings(max_examples=60)
def test_who_was_assigned_stays_so_whoever_comes_and_goes(lists: list[set[int]], unit: str, share: float) -> None:
    record = EMPTY
    for week, customers in enumerate(lists):
        result = assign(registration(unit, share), record, listed(sorted(customers), shuffle=week),
                        START + timedelta(weeks=week))  # fmt: skip
        assert result.record.head(record.height).equals(record)  # nothing before it moves, to the bit
        assert result.added.height == result.record.height - record.height
        assert result.record["customer"].is_unique().all()
        record = result.record
    assert set(record["customer"]) == {f"K-{number:06d}" for number in set().union(*lists)}
    per_unit = record.group_by("unit").agg(pl.col("arm").n_unique())
    assert (per_unit["arm"] == 1).all()


@given(st.sets(st.integers(0, 300), min_size=1, max_size=80), st.integers(1, 9))
@settings(max_examples=30)
def test_the_order_of_rows_means_nothing(customers: set[int], shuffle: int) -> None:
    for unit in ("customer", "adviser"):
        first = assign(registration(unit), EMPTY, listed(sorted(customers), shuffle=3), START)
        again = assign(registration(unit), EMPTY, listed(sorted(customers), shuffle=3 * shuffle), START)
        assert first.record.equals(again.record)


def test_a_customers_lot_is_that_of_the_lists_and_needs_no_record() -> None:
    record = assign(registration(share=0.4), EMPTY, listed(list(range(500))), START).record
    later = assign(registration(share=0.4), EMPTY, listed(list(range(400, 900)), shuffle=1), START).record
    both = record.join(later, on="customer", suffix="_later")
    assert both.height == 100
    assert both["arm"].equals(both["arm_later"].alias("arm"))
    small = drawn("akb 2026", record["customer"].to_list()) < 0.1  # whom the lists withhold at a share of 0.1
    assert set(record.filter(pl.Series(small))["arm"]) == {CONTROL}
    assert record["arm"].value_counts().filter(pl.col("arm") == CONTROL)["count"][0] == pytest.approx(200, abs=40)


def test_advisers_fill_their_stratum_and_the_whole_evenly() -> None:
    record = assign(registration("adviser"), EMPTY, listed(list(range(300))), START).record
    units = record.unique("unit")
    counts = units.group_by("stratum").agg((pl.col("arm") == TREATED).sum(), n=pl.len())
    assert (abs(2 * counts["arm"].cast(pl.Int64) - counts["n"].cast(pl.Int64)) <= 1).all()
    assert abs(2 * (units["arm"] == TREATED).sum() - units.height) <= 1


def test_nobody_joins_when_enrolment_is_over_or_for_another_contact() -> None:
    closed = registration(weeks=1)
    first = assign(closed, EMPTY, listed([1, 2]), START).record
    assert assign(closed, first, listed([1, 2, 3]), START + timedelta(weeks=2)).record.equals(first)
    assert assign(closed, first, listed([5], contact="review"), START).added.is_empty()


def test_strata_are_office_and_the_registered_bands_of_risk() -> None:
    record = assign(registration(), EMPTY, listed([0, 7, 19]), START).record
    told = dict(record.select("customer", "stratum").iter_rows())
    assert told == {"K-000000": "office 0/0", "K-000007": "office 1/1", "K-000019": "office 0/2"}
    assert risk_cuts(pl.Series([0.1, 0.2, 0.3, 0.4])) == (0.2, 0.3)
    assert risk_cuts(pl.Series([], dtype=pl.Float64)) == ()
