"""Relations, their ends and the three rates, on portfolios small enough to count by hand."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.core.revenue import Terms, with_level, with_revenue
from akb.describe import relations as history
from tests.report import fixtures
from tests.tables import POLICY_SCHEMA

GAP = 31


def policies(*rows: tuple[int, str, str | None, str | None, str | None]) -> pl.DataFrame:
    """(customer, start, end, reason, cause) -> a policy table."""
    blank = dict.fromkeys(POLICY_SCHEMA)
    made = [
        {
            **blank, "policy": i, "customer": c, "branch": "auto", "replaces": False, "commission_cents": 100,
            "start_date": date.fromisoformat(start), "end_date": date.fromisoformat(end) if end else None,
            "reason": reason, "cause": cause,
        }
        for i, (c, start, end, reason, cause) in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(made, schema=POLICY_SCHEMA)


@pytest.mark.parametrize(("days", "relations"), [(30, 1), (31, 1), (32, 2)])
def test_a_gap_up_to_g_days_does_not_break_a_relation(days: int, relations: int) -> None:
    again = (date(2024, 3, 1) + timedelta(days=days)).isoformat()
    table = policies((1, "2020-01-01", "2024-03-01", "overstap", "preventable"), (1, again, None, None, None))
    assert history.spells(table, GAP).height == relations


def test_an_overlapping_policy_keeps_the_relation_open() -> None:
    table = policies((1, "2020-01-01", "2021-01-01", "overstap", "preventable"), (1, "2019-01-01", None, None, None))
    assert history.spells(table, GAP)["end"].to_list() == [None]


def test_natural_goes_before_preventable_on_a_tie_and_only_the_last_end_counts() -> None:
    table = policies(
        (1, "2020-01-01", "2024-03-01", "overstap", "preventable"),
        (1, "2020-01-01", "2024-03-01", "overlijden", "natural"),
        (2, "2020-01-01", "2023-03-01", "overlijden", "natural"),
        (2, "2020-01-01", "2024-03-01", "overstap", "preventable"),
    )
    assert history.spells(table, GAP)["cause"].to_list() == ["natural", "preventable"]


def test_the_three_rates_count_different_things() -> None:
    table = policies(
        (1, "2020-01-01", "2024-03-01", "overstap", "preventable"),
        (1, "2020-01-01", None, None, None),
        (2, "2020-01-01", "2024-05-01", "overlijden", "natural"),
        (3, "2020-01-01", "2024-05-01", "technisch", "technical"),
        (4, "2024-02-01", "2024-06-01", "overstap", "preventable"),
    ).with_columns(commission_cents=pl.Series([300, 100, 200, 400, 999]))
    table = with_level(with_revenue(table.with_columns(branch=pl.lit("auto")), Terms()), date(2024, 12, 31), 0.0)
    year = history.year_rates(table, history.spells(table, GAP), date(2023, 12, 31), date(2024, 12, 31)).row()
    assert (year["policies"], year["lapsed"]) == (4, 2)
    assert (year["customers"], year["left"]) == (3, 1)
    assert (year["commission_cents"], year["commission_lost_cents"]) == (1000, 500)


def test_closed_years_end_before_what_is_still_open_and_start_in_recorded_history() -> None:
    years = history.closed_years(fixtures.portfolio(30), gap_days=31, lag_days=30)
    assert years[0][1] == fixtures.X - timedelta(days=61)
    assert len(years) == 4
    assert all(first >= date(2021, 1, 1) for first, _ in years)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900), st.integers(1, 400)), min_size=1, max_size=12))
def test_spells_cover_exactly_the_days_with_a_policy_and_short_gaps(rows: list[tuple[int, int, int]]) -> None:
    day = date(2020, 1, 1)
    table = policies(
        *(
            (c, str(day + timedelta(days=s)), str(day + timedelta(days=s + n)), "overstap", "preventable")
            for c, s, n in rows
        )
    )
    for customer, group in history.spells(table, GAP).partition_by("customer", as_dict=True).items():
        mine = [(s, s + n) for c, s, n in rows if c == customer[0]]
        covered = {d for s, e in mine for d in range(s, e)}
        ends = sorted(d + 1 for d in covered if not covered & set(range(d + 1, d + 1 + GAP + 1)))
        assert [(end - day).days for end in group["end"].to_list()] == ends
