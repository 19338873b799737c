"""Nothing dated after T, and no overwritten field, changes a feature at T; nor does the order of rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from portfolios import BRANCHES, Customer, Policy, Rows, X, known_on, policies_of, portfolio, rows_drawn

from akb.config import Settings
from akb.features import as_of_grid, build_matrix, build_targets
from akb.features.types import Matrix
from tests.examples import examples

T = date(2022, 12, 31)
OTHERS = (date(2021, 6, 30), date(2023, 10, 31), X)
SETTINGS = Settings.model_validate({"models": {"min_events": 1}})
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
MANY = settings(max_examples=examples(8), deadline=None, derandomize=True, suppress_health_check=SLOW)
FEW = settings(max_examples=examples(4), deadline=None, derandomize=True, suppress_health_check=SLOW)


def features_at(rows: Rows, day: date, *others: date) -> Matrix:
    return build_matrix(portfolio(rows), [day, *others], SETTINGS)


def assert_same_at(day: date, left: Matrix, right: Matrix) -> None:
    """Bit for bit; a column that only one side has must say nothing on that day."""
    at = [matrix.frame.filter(pl.col("as_of") == day) for matrix in (left, right)]
    shared = [name for name in at[0].columns if name in at[1].columns]
    assert len(shared) > 120
    assert_frame_equal(at[0].select(shared), at[1].select(shared), check_exact=True)
    for frame in at:
        extra = frame.drop(shared)
        assert extra.filter(pl.any_horizontal(pl.all().fill_null(0) != 0)).is_empty() if extra.width else True


@MANY
@given(rows_drawn())
def test_a_feature_sees_what_was_known_at_t_and_nothing_else(rows: Rows) -> None:
    """Taking away all that came later (ends, reasons, successors, claims, customers) changes nothing at T."""
    assert_same_at(T, features_at(rows, T, *OTHERS), features_at(known_on(rows, T), T))


@MANY
@given(rows_drawn(), st.data())
def test_another_future_changes_nothing(rows: Rows, data: st.DataObject) -> None:
    """Other ends, causes, continuations, policies, customers, claims and contacts after T."""
    past = known_on(rows, T)
    tomorrow = T + timedelta(days=1)
    ends = st.one_of(st.none(), st.dates(tomorrow, X))
    causes = st.sampled_from(["natural", "preventable", "technical"])
    policies = [replace(p, end=data.draw(ends), cause=data.draw(causes)) if p.end is None else p for p in past.policies]
    newcomer = max((c.number for c in rows.customers), default=0) + 1
    for number in (*{p.customer for p in policies}, newcomer):
        policies += data.draw(policies_of(number, after=tomorrow))
    later = st.dates(tomorrow, X)
    future = Rows(
        tuple(policies),
        (*past.customers, Customer(newcomer, "private", 1990, "9999", "A1", "K9")),
        (*(past.claims or ()), (newcomer, "auto", data.draw(later), 100, True)),
        (*(past.contacts or ()), (newcomer, data.draw(later), "phone", True, "klacht")),
        (*(past.payments or ()), (newcomer, data.draw(later), "reminder")),
    )
    assert_same_at(T, features_at(rows, T), features_at(future, T, *OTHERS))


def _overwritten(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    noise = pl.int_range(pl.len()).hash(seed)
    year = (2000 + noise % 30).cast(pl.Int32)
    on = pl.col("renewal_date")
    # 29 February exists in leap years only
    leap = pl.when((on.dt.month() == 2) & (on.dt.day() == 29)).then(year // 4 * 4).otherwise(year)
    return frame.with_columns(
        premium_cents=(noise % 100_000).cast(pl.Int64),
        commission_cents=(noise % 7919).cast(pl.Int64),
        commission_source=pl.lit("derived"),
        product=noise.cast(pl.String),
        renewal_date=pl.date(leap, on.dt.month(), on.dt.day()),
    )


@FEW
@given(rows_drawn(), st.integers(0, 1000))
def test_overwritten_fields_are_not_read(rows: Rows, seed: int) -> None:
    given_, noisy = portfolio(rows), portfolio(rows)
    noisy = replace(
        noisy,
        policies=_overwritten(noisy.policies, seed),
        customers=noisy.customers.with_columns(no_marketing=pl.lit(value=True), deceased=pl.lit(value=True)),
    )
    left, right = (build_matrix(each, [T, *OTHERS], SETTINGS) for each in (given_, noisy))
    assert_frame_equal(left.frame, right.frame, check_exact=True)
    before, after = build_targets(given_, left, SETTINGS), build_targets(noisy, right, SETTINGS)
    assert_frame_equal(before.held.frame, after.held.frame, check_exact=True)
    assert_frame_equal(before.eligible.frame, after.eligible.frame, check_exact=True)


@FEW
@given(rows_drawn())
def test_branch_features_see_what_was_known_at_t(rows: Rows) -> None:
    """Which branches have rows and what became of them is the future; the features of the rows are not."""
    cut = portfolio(known_on(rows, T), as_of=T)
    whole = portfolio(rows)
    matrix = build_matrix(whole, [T], SETTINGS), build_matrix(cut, [T], SETTINGS)
    every = Settings.model_validate({"models": {"min_events": 1}})
    left, right = (build_targets(p, m, every) for p, m in zip((whole, cut), matrix, strict=True))
    for kind in ("held", "eligible"):
        seen = [getattr(each, kind).frame.drop("label", "event_date") for each in (left, right)]
        keys = ["as_of", "customer", "branch"]
        shared = [frame.join(seen[1 - i], on=keys, how="semi").sort(keys) for i, frame in enumerate(seen)]
        assert_frame_equal(shared[0], shared[1], check_exact=True)


def test_look_back_windows_stop_at_the_recorded_history() -> None:
    """A year back is null where a year back was not recorded; claims have their own first day."""
    rows = Rows(
        (Policy(0, "auto", date(2015, 3, 1)), Policy(0, "avp", date(2016, 1, 1), date(2022, 1, 1), "preventable")),
        (Customer(0),),
        claims=((0, "auto", date(2021, 12, 31), 10_000, True),),
    )
    recorded = date(2021, 12, 31)
    dates = [date(2022, 11, 30), date(2022, 12, 31), date(2024, 12, 30), date(2024, 12, 31)]
    frame = build_matrix(portfolio(rows, recorded=recorded), dates, SETTINGS).frame
    for name in (
        "past_lapses_12m",
        "months_since_lapse_12m",
        "adviser_lapse_ratio_12m",
        "branch_lapse_ratio",
        "claims_12m",
    ):
        assert frame[name].is_null().to_list() == [True, False, False, False], name
    for name in ("past_lapses_36m", "first_lapse_12m", "months_since_claim_36m"):
        assert frame[name].is_null().to_list() == [True, True, True, False], name
    # purchases also need the G days before, to know that the branch was not held
    assert frame["purchases_12m"].is_null().to_list() == [True, True, False, False]
    # what is in force needs no history
    for name in ("policies", "tenure_months", "started_36m", "months_to_next_renewal"):
        assert frame[name].null_count() == 0, name


def test_without_ended_policies_claims_and_contacts_their_features_are_absent() -> None:
    rows = Rows((Policy(0, "auto", date(2015, 3, 1)),), (Customer(0, adviser=None, office=None, postcode4=None),))
    names = build_matrix(portfolio(rows, recorded=None), [X], SETTINGS).names
    for part in ("lapse", "claim", "contact", "purchases", "adviser", "office", "region", "reminder"):
        assert not [name for name in names if part in name], part
    assert "policies" in names


@pytest.mark.parametrize(
    ("as_of", "recorded", "first", "count"),
    [
        (date(2024, 12, 31), date(2020, 12, 31), date(2020, 12, 31), 19),
        (date(2024, 12, 31), date(2021, 1, 1), date(2021, 4, 30), 18),
        (date(2024, 12, 31), date(2010, 1, 1), date(2019, 12, 31), 22),
        (date(2024, 11, 30), date(2024, 11, 1), date(2024, 11, 30), 1),
        (date(2024, 12, 31), None, date(2021, 12, 31), 16),
    ],
)
def test_the_grid_stays_within_the_recorded_history(
    as_of: date, recorded: date | None, first: date, count: int
) -> None:
    rows = Rows((Policy(0, "auto", date(2015, 3, 1)),), (Customer(0),))
    grid = as_of_grid(portfolio(rows, as_of=as_of, recorded=recorded), Settings())
    assert (grid[0], grid[-1], len(grid)) == (first, as_of, count)


def test_branches_of_the_helper_exist_in_the_taxonomy() -> None:
    assert set(BRANCHES) <= set(Settings().taxonomy())
