from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.core.dates import add_months, months_between

days = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2025, 2, 28), 1, date(2025, 3, 31)),  # a grid over month ends stays on month ends
        (date(2025, 1, 30), 1, date(2025, 2, 28)),
        (date(2025, 12, 15), -12, date(2024, 12, 15)),
        (date(2025, 1, 15), -1, date(2024, 12, 15)),
    ],
)
def test_examples(day: date, months: int, result: date) -> None:
    assert add_months(day, months) == result


@given(days, st.integers(-200, 200))
def test_months_between_undoes_add_months(day: date, months: int) -> None:
    assert months_between(day, add_months(day, months)) in (months, months - 1 if months < 0 else months)


@given(days, st.integers(0, 60), st.integers(0, 60))
def test_later_stays_later(day: date, one: int, more: int) -> None:
    assert add_months(day, one) <= add_months(day, one + more)
