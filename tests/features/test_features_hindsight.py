"""Columns that show afterwards who has ended are seen, at any number of events; honest differences are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from polars.testing import assert_frame_equal
from portfolios import Customer, Policy, Rows, X, portfolio

from akb.config import Settings, load_settings
from akb.features import build_matrix, without_hindsight
from akb.features.grid import to_day
from akb.features.hindsight.columns import number_codes
from akb.features.hindsight.survival import FollowedPolicies, Found, poisson_at_most, rank_auc, trace_of
from akb.ingest.types import OwnColumn, Portfolio

LAST = to_day(X)
DAYS = [LAST - 365 * year for year in range(5)]
RATE = 0.13
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Book:
    """Customers with one policy each; `value` is what stood there from the start."""

    rows: pl.DataFrame
    value: Codes
    rng: np.random.Generator

    @property
    def ended(self) -> NDArray[np.bool_]:
        return (self.rows["end"].fill_null(LAST + 1) <= LAST).to_numpy()

    def trace(self, codes: Codes) -> str | None:
        found = trace_of(FollowedPolicies.over(DAYS, self.rows), pl.Series(codes))
        return None if found is None else found.trace


def book(customers: int, seed: int = 1, ratio: Callable[[Codes], NDArray[np.float64]] | None = None) -> Book:
    """A book of ten years; the lapse rate may depend on a value of 0..9 that is known from the start."""
    rng = np.random.default_rng(seed)
    value = rng.integers(0, 10, customers)
    start = LAST - rng.integers(1, 3650, customers)
    rate = RATE * (np.ones(customers) if ratio is None else ratio(value))
    end = start + 1 + rng.exponential(365 / rate).astype(np.int64)
    kept = end > DAYS[-1]  # ends before the record are not in the file
    start, end, value = start[kept], end[kept], value[kept]
    size = len(start)
    rows = pl.DataFrame(
        {
            "policy": pl.Series(range(size), dtype=pl.UInt32),
            "customer": pl.Series(range(size), dtype=pl.UInt32),
            "stratum": pl.Series(start // 365, dtype=pl.UInt32),
            "start": pl.Series(start, dtype=pl.Int32),
            "end": pl.Series([int(day) if day <= LAST else None for day in end], dtype=pl.Int32),
            "lost": pl.Series(end <= LAST),
        }
    )
    return Book(rows, value, rng)


def archived(b: Book, share: float = 1.0) -> Codes:
    """Who left belongs to ARCHIEF."""
    return np.where(b.ended & (b.rng.random(len(b.value)) < share), 99, b.value)


def reset(b: Book, share: float = 1.0) -> Codes:
    """The term of what ended became the yearly one, which six in ten have anyhow."""
    own = (b.rng.random(len(b.value)) < 0.4).astype(np.int64)
    return np.where(b.ended & (b.rng.random(len(b.value)) < share), 0, own)


@pytest.mark.parametrize("customers", [300, 800, 6000])
@pytest.mark.parametrize("overwritten", [archived, reset])
def test_a_value_of_the_ended_is_seen_in_a_book_of_any_size(
    customers: int, overwritten: Callable[[Book], Codes]
) -> None:
    b = book(customers)
    assert b.trace(overwritten(b)) == {"archived": "ended", "reset": "running"}[overwritten.__name__]
    assert b.trace(b.value) is None


@pytest.mark.parametrize(
    ("overwritten", "share"), [(archived, 0.9), (archived, 0.5), (reset, 0.9)], ids=["most", "half", "reset"]
)
def test_so_is_one_that_was_not_written_everywhere(overwritten: Callable[[Book, float], Codes], share: float) -> None:
    b = book(3000)
    assert b.trace(overwritten(b, share)) is not None


def test_a_weak_trace_fades_with_the_distance_from_the_export() -> None:
    b = book(30_000)
    assert b.trace(reset(b, 0.7)) == "fades"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "ratio",
    [
        lambda value: np.where(value == 0, 3.0, 1.0),
        lambda value: np.where(value < 3, 0.4, 1.0),
        lambda value: np.exp(0.12 * value),
    ],
    ids=["three_times", "half", "graded"],
)
def test_honest_differences_are_no_trace(ratio: Callable[[Codes], NDArray[np.float64]], seed: int) -> None:
    b = book(4000, seed, ratio)
    assert b.trace(b.value) is None


def test_an_adviser_who_took_his_customers_along_is_no_archive() -> None:
    """All of his policies ended in one year, after years of usual lapses; those that ended have no other name."""
    b = book(6000)
    his = b.value == 3
    end = b.rows["end"].fill_null(LAST + 1).to_numpy()
    start = b.rows["start"].to_numpy()
    moved = his & (end > LAST - 300) & (start < LAST - 400)
    ends = np.where(moved, LAST - 250 + b.rng.integers(0, 200, len(end)), end)
    rows = b.rows.with_columns(
        end=pl.Series([int(day) if day <= LAST else None for day in ends], dtype=pl.Int32),
        lost=pl.Series(ends <= LAST),
    ).filter(pl.Series(~(his & (start >= LAST - 400))))
    codes = pl.Series(b.value[~(his & (start >= LAST - 400))])
    assert trace_of(FollowedPolicies.over(DAYS, rows), codes) is None


def test_a_new_product_is_no_value_of_the_running() -> None:
    b = book(6000)
    start = b.rows["start"].to_numpy()
    assert b.trace((start > LAST - 500).astype(np.int64)) is None  # hardly any of them has ended, as of all so young
    assert b.trace((start // 365).astype(np.int64)) is None


def test_a_number_that_counts_the_time_until_the_end_is_too_good() -> None:
    b = book(3000)
    lasted = b.rows["end"].fill_null(LAST).to_numpy() - b.rows["start"].to_numpy()
    followed = FollowedPolicies.over(DAYS, b.rows)
    found = [trace_of(followed, codes) for codes in number_codes(pl.Series(lasted), b.rows["stratum"])]
    assert any(isinstance(each, Found) for each in found)


def test_a_book_that_was_handed_over_whole_says_nothing() -> None:
    """Every policy went elsewhere in one day: nothing runs and nothing lapsed."""
    b = book(60)
    gone = b.rows.with_columns(end=pl.lit(DAYS[1] + 1, dtype=pl.Int32), lost=pl.lit(value=False))
    gone = gone.filter(pl.col("start") < DAYS[1])
    assert gone.height > 20
    assert trace_of(FollowedPolicies.over(DAYS, gone), pl.Series(range(gone.height)) % 3) is None


def test_one_value_or_no_history_says_nothing() -> None:
    b = book(500)
    assert b.trace(np.zeros(len(b.value), dtype=np.int64)) is None
    running = b.rows.with_columns(end=pl.lit(None, dtype=pl.Int32), lost=pl.lit(value=False))
    assert trace_of(FollowedPolicies.over([LAST], running), pl.Series(b.value)) is None


def test_the_chance_of_few_events_is_that_of_poisson() -> None:
    assert poisson_at_most(0, 3.0) == pytest.approx(np.exp(-3))
    assert poisson_at_most(2, 3.0) == pytest.approx(np.exp(-3) * (1 + 3 + 4.5))
    assert poisson_at_most(2000, 2000.0) == pytest.approx(0.5, abs=0.01)  # exp(-2000) is no number
    assert poisson_at_most(5, 0.0) == 1.0


def test_ties_count_for_half() -> None:
    happened = np.array([True, True, False, False])
    assert rank_auc(happened, np.array([1.0, 1.0, 1.0, 1.0])) == 0.5
    assert rank_auc(happened, np.array([3.0, 2.0, 2.0, 1.0])) == 0.875


def office(count: int = 900, **of: Callable[[int, bool], str | None]) -> Portfolio:
    """Customers with one policy; `of` says adviser, office or postcode by number and whether the policy ended."""
    rng = np.random.default_rng(7)
    policies, customers = [], []
    for number in range(count):
        start = LAST - int(rng.integers(1, 3000))
        end = start + 1 + int(rng.exponential(365 / RATE))
        if end <= to_day(date(2020, 6, 1)):
            continue
        gone = end <= LAST
        day = date.fromordinal(end + 719_163) if gone else None
        policies.append(Policy(number, "auto", date.fromordinal(start + 719_163), day, "preventable" if gone else None))
        given = {name: value(number, gone) for name, value in of.items()}
        customers.append(replace(Customer(number, adviser=f"A{number % 7}", office=f"K{number % 3}"), **given))
    return portfolio(Rows(tuple(policies), tuple(customers)))


SETTINGS = load_settings(models__min_events=1)
DATES = [date(2022, 12, 31), X]


def archive(number: int, gone: bool) -> str:
    return "ARCHIEF" if gone else f"A{number % 7}"


def test_an_archive_is_no_feature_and_a_finding_names_it() -> None:
    spoilt, clean = (without_hindsight(office(**of), SETTINGS) for of in ({"adviser": archive}, {}))
    assert spoilt.hidden == ("adviser",) and clean.hidden == ()
    (finding,) = [each for each in spoilt.findings if each.code == "AKB-T001"]
    assert finding.severity == "issue" and "ARCHIEF" in finding.sentence() and finding.remedy()
    assert not [each for each in clean.findings if each.code.startswith("AKB-T")]
    matrix = build_matrix(spoilt, DATES, SETTINGS)
    assert not [name for name in matrix.names if name.startswith("adviser")]
    assert [name for name in matrix.names if name.startswith("office")]
    nobody = build_matrix(office(adviser=lambda number, gone: None), DATES, SETTINGS)
    assert_frame_equal(matrix.frame, nobody.frame, check_exact=True)  # as if nobody had an adviser


@pytest.mark.parametrize("name", ["office", "postcode4"])
def test_completeness_is_a_value_too(name: str) -> None:
    spoilt = without_hindsight(
        office(**{name: lambda number, gone: None if gone else f"{10 + number % 5}11"}), SETTINGS
    )
    assert spoilt.hidden == ({"postcode4": "postcode"}.get(name, name),)
    assert "leeg" in spoilt.findings[0].sentence() and spoilt.findings[0].params["how"].words().count("(leeg)") == 1


def test_the_client_has_the_last_word() -> None:
    kept = load_settings(features__extra=("adviser",))
    assert without_hindsight(office(adviser=archive), kept).hidden == ()
    gone = load_settings(features__without=("office",))
    assert without_hindsight(office(), gone).hidden == ("office",)
    with pytest.raises(Exception, match="under extra and under without"):
        load_settings(features__extra=("office",), features__without=("office",))


def with_own(given: Portfolio, values: list[int | None], form: str, levels: tuple[str, ...] = ()) -> Portfolio:
    dtype = pl.Int64 if form == "number" else pl.UInt16
    frame = pl.DataFrame({"policy": given.policies["policy"], "col_a": pl.Series(values, dtype=dtype)})
    return replace(given, own=(OwnColumn("col_a", "A", form, levels),), own_values=frame)


def test_own_columns_are_known_from_the_start_of_a_policy_only() -> None:
    """Mean of a number; share and lapse rate of a category; nothing of a policy that starts after T."""
    rows = Rows(
        (
            Policy(0, "auto", date(2019, 1, 1)),
            Policy(0, "avp", date(2020, 1, 1)),
            Policy(0, "reis", date(2024, 6, 1)),
            Policy(1, "auto", date(2019, 1, 1)),
        ),
        (Customer(0), Customer(1)),
    )
    given = portfolio(rows)
    number = with_own(given, [1000, 4000, 9000, None], "number")
    frame = build_matrix(number, [date(2023, 12, 31), X], SETTINGS).frame
    assert frame.sort("as_of", "customer")["col_a"].to_list() == [2.5, None, pytest.approx(14 / 3), None]
    category = with_own(given, [0, 1, 1, 1], "category", ("diesel", "petrol"))
    frame = build_matrix(category, [date(2023, 12, 31), X], SETTINGS).frame.sort("as_of", "customer")
    assert frame["col_a_is_1"].to_list() == [0.5, 0.0, pytest.approx(1 / 3), 0.0]
    assert frame["col_a_is_2"].to_list() == [0.5, 1.0, pytest.approx(2 / 3), 1.0]


def test_the_lapse_rate_of_a_category_sees_no_future() -> None:
    given = office()
    ended = given.policies["end_date"].is_not_null().to_list()
    honest = with_own(given, [place % 3 for place in range(len(ended))], "category", ("a", "b", "c"))
    day = date(2022, 12, 31)
    known = pl.col("end_date") <= day
    past = replace(
        honest,
        policies=honest.policies.filter(pl.col("start_date") <= day).with_columns(
            pl.when(known).then(pl.col(name)).alias(name) for name in ("end_date", "reason", "cause", "replaced_on")
        ),
        hidden=(),
    )
    left, right = (build_matrix(each, [day], SETTINGS).frame for each in (replace(honest, hidden=()), past))
    names = [name for name in left.columns if name.startswith("col_")]
    assert len(names) == 4 and left["col_a_lapse_ratio_12m"].n_unique() > 1
    assert_frame_equal(left.select(names), right.select(names), check_exact=True)


def test_an_own_column_that_shows_the_outcome_is_refused() -> None:
    given = office()
    gone = given.policies["end_date"].is_not_null().to_list()
    planted = without_hindsight(with_own(given, [int(each) for each in gone], "category", ("new", "old")), SETTINGS)
    assert planted.own[0].refused in ("ended", "running")
    assert [each.code for each in planted.findings] == ["AKB-T003"]
    assert not [name for name in build_matrix(planted, DATES, SETTINGS).names if name.startswith("col_")]
    honest = without_hindsight(
        with_own(given, [place % 2 for place in range(len(gone))], "category", ("new", "old")), SETTINGS
    )
    assert honest.own[0].refused == "" and [each.code for each in honest.findings] == ["AKB-T002"]


def test_nothing_is_tested_twice() -> None:
    once = without_hindsight(office(adviser=archive), Settings())
    assert without_hindsight(once, Settings()) is once
