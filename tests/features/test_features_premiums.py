"""Dated premiums: what was in force and known at T, and nothing of what came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import log1p
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from portfolios import Customer, Policy, Rows, X, known_on, portfolio, rows_drawn
from test_features_time import FEW, MANY, OTHERS, SETTINGS, T, assert_same_at

from akb.features import build_matrix, build_targets

if TYPE_CHECKING:
    from akb.features.types import Matrix
    from akb.ingest.types import Portfolio

SCHEMA = {"policy": pl.UInt32, "date": pl.Date, "premium_cents": pl.Int64, "commission_cents": pl.Int64}
Record = tuple[int, date, int]


def with_records(whole: Portfolio, records: list[Record]) -> Portfolio:
    """Records as (policy, date, cents)."""
    frame = pl.DataFrame([(*record, None) for record in sorted(records)], schema=SCHEMA, orient="row")
    return replace(whole, premiums=frame)


def with_history(whole: Portfolio, until: date, salt: int = 0, seed: int = 0) -> Portfolio:
    """A premium at the start and at every anniversary up to `until`; after T another one per `salt`."""
    records: list[Record] = []
    for row in whole.policies.iter_rows(named=True):
        name = f"{row['customer']} {row['branch']} {row['start_date']} {row['insurer']} {seed}"
        for year in range(12):
            start = row["start_date"]
            day = date(start.year + year, start.month, min(start.day, 28)) if year else start
            if day <= until:
                text = f"{name} {year} {salt if day > T else 0}"
                records.append((row["policy"], day, 5_000 + crc32(text.encode()) % 60_000))
    return with_records(whole, records)


def premium_names(matrix: Matrix) -> list[str]:
    return [feature.name for feature in matrix.features if feature.group == "premium"]


@MANY
@given(rows_drawn(), st.integers(0, 3))
def test_a_premium_feature_sees_what_was_known_at_t(rows: Rows, seed: int) -> None:
    """Later premiums, policies and ends change nothing at T, nor does what the back office shows today."""
    whole = with_history(portfolio(rows), X, seed=seed)
    other = with_history(portfolio(rows), X, salt=1, seed=seed)
    frozen = pl.int_range(pl.len()).hash(seed).mod(90_000).cast(pl.Int64)
    other = replace(other, policies=other.policies.with_columns(premium_cents=frozen, commission_cents=frozen // 5))
    then = with_history(portfolio(known_on(rows, T)), T, seed=seed)
    matrices = [build_matrix(each, dates, SETTINGS) for each, dates in ((whole, [T, *OTHERS]), (other, [T]))]
    assert len(premium_names(matrices[0])) > 15
    assert_same_at(T, *matrices)
    if then.policies.height:
        assert_same_at(T, matrices[0], build_matrix(then, [T], SETTINGS))


@FEW
@given(rows_drawn(), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(rows: Rows, seed: int) -> None:
    straight = with_history(portfolio(rows), X)
    assert straight.premiums is not None
    mixed = {
        name: getattr(straight, name).sample(fraction=1, shuffle=True, seed=seed)
        for name in ("policies", "customers", "claims", "contacts", "payments", "premiums")
    }
    shuffled = replace(straight, **mixed)
    left, right = (build_matrix(each, [*OTHERS, T], SETTINGS) for each in (straight, shuffled))
    assert_frame_equal(left.frame, right.frame, check_exact=True)
    one, other = build_targets(straight, left, SETTINGS), build_targets(shuffled, right, SETTINGS)
    for name in ("relation", "counts", "announced"):
        assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    for name in ("held", "eligible"):
        assert_frame_equal(getattr(one, name).frame, getattr(other, name).frame, check_exact=True)


def test_premium_is_no_feature_without_dated_history() -> None:
    rows = Rows((Policy(0, "auto", date(2015, 3, 1)),), (Customer(0),))
    assert not premium_names(build_matrix(portfolio(rows), [X], SETTINGS))


ROWS = Rows(
    (
        Policy(0, "auto", date(2018, 5, 1)),
        Policy(0, "avp", date(2019, 1, 1)),
        Policy(1, "auto", date(2018, 1, 1)),
        Policy(2, "auto", date(2018, 1, 1), date(2023, 6, 1), "preventable"),
    ),
    (Customer(0), Customer(1), Customer(2)),
)
RECORDS: list[Record] = [
    (0, date(2018, 5, 1), 40_000),
    (0, date(2021, 5, 1), 44_000),  # + 10 %
    (0, date(2022, 5, 1), 45_000),  # + 2.3 %
    (1, date(2019, 1, 1), 5_000),
    (2, date(2018, 1, 1), 30_000),
    (2, date(2022, 1, 1), 33_000),  # + 10 %
    (2, date(2024, 1, 1), 20_000),
    (3, date(2018, 1, 1), 60_000),
]


def at(whole: Portfolio, day: date, customer: int) -> dict[str, float]:
    frame = build_matrix(whole, [day], SETTINGS).frame
    return frame.filter(pl.col("customer") == customer).row(0, named=True)


def test_what_the_features_say() -> None:
    whole = with_records(portfolio(ROWS), RECORDS)
    seen = at(whole, T, 0)  # 31 December 2022: 450 and 50 euros; a year before 440 and 50
    assert seen["premium_log"] == pytest.approx(log1p(500))
    assert seen["premium_per_policy_log"] == pytest.approx(log1p(250))
    assert seen["premium_highest_log"] == pytest.approx(log1p(450))
    assert seen["premium_to_branch"] == pytest.approx((450 / 450 + 1) / 2)  # median of auto: 330, 450, 600
    assert seen["premium_change_12m"] == pytest.approx(10 / 490)
    assert seen["premium_change_24m"] == pytest.approx(50 / 450)
    assert seen["premium_last_change"] == pytest.approx(1_000 / 44_000, abs=1e-6)
    assert seen["premium_last_change_min"] == 0
    assert seen["premium_change_to_branch_12m"] == pytest.approx(0, abs=1e-6)  # auto: 10 %, 2.3 %, 0 %
    assert seen["premium_rises_12m"] == 0
    assert seen["premium_rises_36m"] == 1
    assert seen["months_since_premium_rise_12m"] == 12
    assert seen["months_since_premium_rise_36m"] == pytest.approx(20, abs=0.1)
    assert seen["premium_largest_share"] == pytest.approx(0.9)
    assert seen["premium_share_auto"] == pytest.approx(0.9)
    other = at(whole, T, 1)
    assert other["premium_rises_12m"] == 1
    assert other["premium_change_to_branch_12m"] == pytest.approx(0.1 - 1_000 / 44_000, abs=1e-5)
    assert other["premium_falls_12m"] == 0
    assert at(whole, X, 1)["premium_falls_12m"] == 1


def test_a_record_that_has_only_begun_says_nothing() -> None:
    """Where only those who have just renewed have a premium, having one says when one renews."""
    policies = tuple(Policy(number, "auto", date(2018, 1 + number % 12, 1)) for number in range(24))
    rows = Rows(policies, tuple(Customer(number) for number in range(24)))
    records: list[Record] = [
        (number, date(year, 1 + number % 12, 1), 30_000 + 100 * year)
        for number in range(24)
        for year in (2022, 2023, 2024)
    ]
    whole = with_records(portfolio(rows), records)
    frame = build_matrix(whole, [date(2022, 6, 30), T, date(2023, 6, 30), date(2023, 12, 31)], SETTINGS).frame
    known = frame.group_by("as_of").agg(pl.col("premium_log", "premium_change_12m").count()).sort("as_of")
    assert known["premium_log"].to_list() == [0, 24, 24, 24]  # of everybody or of nobody
    assert known["premium_change_12m"].to_list() == [0, 0, 0, 24]


def test_who_came_last_year_does_not_hide_the_change_of_the_others() -> None:
    """Cover of a year ago is asked of the policies that were there a year ago; a tenth of this book is younger."""
    policies = [Policy(number, "auto", date(2018, 1 + number % 12, 1)) for number in range(36)]
    policies += [Policy(36 + number, "auto", date(2023, 3, 1)) for number in range(4)]
    whole = portfolio(Rows(tuple(policies), tuple(Customer(number) for number in range(40))))
    records: list[Record] = [
        (row["policy"], date(year, row["start_date"].month, 1), 30_000 + 100 * year)
        for row in whole.policies.iter_rows(named=True)
        for year in range(max(2021, row["start_date"].year), 2025)
    ]
    frame = build_matrix(with_records(whole, records), [date(2023, 12, 31)], SETTINGS).frame.sort("customer")
    assert frame["premium_change_12m"].is_not_null().to_list() == [True] * 36 + [False] * 4


# Targets: premium above indexation, commission lost.


def money(whole: Portfolio, *dates: date) -> pl.DataFrame:
    counts = build_targets(whole, build_matrix(whole, [*dates, X], SETTINGS), SETTINGS).counts
    return counts.select("as_of", "customer", "^(upsell|commission_drop).*$")


def test_upsell_is_a_rise_beyond_the_indexation_of_the_branch() -> None:
    """All cars rise by 8 %, that of customer 7 by 14 %, that of customer 8 by 12 %; customer 9 takes a second car."""
    policies = [Policy(number, "auto", date(2019, 6, 1)) for number in range(30)]
    policies.append(Policy(9, "auto", date(2023, 3, 1)))
    rows = Rows(tuple(policies), tuple(Customer(number) for number in range(30)))
    whole = portfolio(rows)
    rise = {7: 1.14, 8: 1.12}
    records: list[Record] = []
    for row in whole.policies.iter_rows(named=True):
        records.append((row["policy"], row["start_date"], 50_000))
        if row["start_date"] < date(2020, 1, 1):
            records.append((row["policy"], date(2023, 6, 1), round(50_000 * rise.get(row["customer"], 1.08))))
    counts = money(with_records(whole, records), T).filter(pl.col("as_of") == T)
    assert counts["upsell_possible"].all()
    assert counts.filter(pl.col("upsell").is_not_null())["customer"].to_list() == [7, 9]
    assert counts["upsell"].drop_nulls().unique().to_list() == [date(2023, 12, 31)]
    assert not money(whole, T)["upsell_possible"].any()


def test_commission_drops_by_lapse_where_only_ends_are_known() -> None:
    """Without history a car counts for 600 x 17.5 %, liability for 50 x 25 % (the taxonomy)."""
    ended = date(2023, 5, 1)
    rows = Rows(
        (
            Policy(0, "auto", date(2019, 1, 1), ended, "preventable"),
            Policy(0, "avp", date(2019, 1, 1)),
            Policy(1, "auto", date(2019, 1, 1)),
            Policy(1, "avp", date(2019, 1, 1), ended, "preventable"),  # less than a fifth
            Policy(2, "auto", date(2019, 1, 1), ended, "preventable"),  # gone altogether
            Policy(3, "auto", date(2019, 1, 1), ended, "preventable"),
            Policy(3, "avp", date(2019, 1, 1)),
            Policy(3, "auto", date(2023, 8, 1)),  # another car
            Policy(4, "aov", date(2019, 1, 1)),  # commission is banned: nothing to lose
        ),
        tuple(Customer(number) for number in range(5)),
    )
    counts = money(portfolio(rows), T).filter(pl.col("as_of") == T)
    assert counts["commission_drop_possible"].to_list() == [True, True, True, True, False]
    assert counts["commission_drop"].is_not_null().to_list() == [True, False, False, False, False]


def test_commission_drops_by_premium_where_premiums_are_dated() -> None:
    rows = Rows(
        tuple(Policy(number, "auto", date(2019, 1, 1)) for number in range(3)),
        tuple(Customer(number) for number in range(3)),
    )
    records: list[Record] = [(number, date(2019, 1, 1), 50_000) for number in range(3)]
    records += [(0, date(2023, 1, 1), 39_000), (1, date(2023, 1, 1), 41_000)]
    counts = money(with_records(portfolio(rows), records), T).filter(pl.col("as_of") == T)
    assert counts["commission_drop"].is_not_null().to_list() == [True, False, False]


def test_a_fifth_less_to_the_cent_is_a_drop() -> None:
    before = 50_000
    after = (40_000, 40_100, 39_900)  # a fifth less, less than that, more than that
    rows = Rows(
        tuple(Policy(number, "auto", date(2019, 1, 1)) for number in range(3)),
        tuple(Customer(number) for number in range(3)),
    )
    records: list[Record] = [(number, date(2019, 1, 1), before) for number in range(3)]
    records += [(number, date(2023, 1, 1), cents) for number, cents in enumerate(after)]
    counts = money(with_records(portfolio(rows), records), T).filter(pl.col("as_of") == T)
    assert counts["commission_drop"].is_not_null().to_list() == [True, False, True]


@FEW
@given(rows_drawn(), st.integers(0, 1000))
def test_overwritten_premiums_weigh_nothing_at_an_old_t(rows: Rows, seed: int) -> None:
    frozen = portfolio(rows)
    rng = np.random.default_rng(seed)
    noise = pl.Series(rng.integers(0, 10**6, frozen.policies.height), dtype=pl.Int64)
    noisy = replace(frozen, policies=frozen.policies.with_columns(premium_cents=noise, commission_cents=noise // 3))
    assert_frame_equal(money(frozen, T), money(noisy, T), check_exact=True)
