"""Ends decided within 12 months: those due in them, and those that will have been given notice of by then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.value.in_force import InForce
from akb.value.lifetime.decided import MOST, decided_per_due, decided_policies

SOON, LATE = f.X + timedelta(days=100), f.X + timedelta(days=500)


def book(ends: dict[int, tuple[date, str | None]], customers: int = 20) -> InForce:
    """Everybody holds a car (policies 0, 2, 4 ...) and a liability policy; ends: policy -> its day and its cause."""
    some = f.portfolio(60)
    one = some.policies.head(1)
    rows = [
        one.with_columns(
            policy=pl.lit(place, dtype=pl.UInt32), customer=pl.lit(place // 2, dtype=pl.UInt32),
            branch=pl.lit(("auto", "avp")[place % 2]), start_date=pl.lit(date(2020, 1, 1)),
            end_date=pl.lit(ends.get(place, (None,))[0], dtype=pl.Date),
            cause=pl.lit(ends[place][1] if place in ends else None, dtype=pl.String),
        )
        for place in range(2 * customers)
    ]  # fmt: skip
    made = replace(some, policies=pl.concat(rows), customers=some.customers.head(customers))
    return InForce(made, f.models(made), f.settings())


def test_in_balance_as_many_are_announced_at_the_end_of_the_year_as_at_its_begin() -> None:
    """Ten of 100 lapse a year: 4 said so, 6 of the other 96 are due, and 4 x .9375 will have said so by then."""
    assert decided_per_due(6.0, 4.0, 96.0) == pytest.approx((6 + 4 * (1 - 6 / 96)) / 6)
    assert decided_per_due(6.0, 0.0, 96.0) == 1.0
    assert decided_per_due(0.0, 4.0, 96.0) == 1.0
    assert decided_per_due(0.5, 40.0, 96.0) == MOST  # a purge announced for one day says nothing of the year


def policies_of(base: InForce) -> float:
    due = np.full(10, 0.3)
    return decided_policies(base, {"auto": 0.5, "avp": 0.5}, due, np.full(10, 4.0))


def test_announced_policies_count_if_preventable_due_and_of_who_stays() -> None:
    usual = policies_of(book({}))
    one = policies_of(book({0: (SOON, "preventable")}))
    assert usual == 1.0
    assert one == pytest.approx(1 + (1 - 3 / 40) / 3)
    assert policies_of(book({0: (SOON, "unknown")})) == pytest.approx(1 + 0.5 * (1 - 3 / 40) / 3)
    assert policies_of(book({0: (SOON, "natural")})) == usual
    assert policies_of(book({0: (LATE, "preventable")})) == usual
    assert policies_of(book({0: (SOON, "preventable"), 1: (SOON, "preventable")})) == usual  # the relation's
