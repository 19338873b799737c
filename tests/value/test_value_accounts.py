"""The annual accounts: amounts add up to them to the cent, on whichever cost, and the file's own come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.config import load_settings
from akb.core.accounts import AccountLine, brought_to_accounts, in_file
from akb.core.relations import in_force
from akb.value import as_in_file, at_accounts, case_alone, run_value
from akb.value.revenue.accounts import spread
from akb.value.types import Past
from tests.examples import examples
from tests.value import value_fixtures as fx

from hypothesis import settings as tried  # isort: skip


def client(**given: object):
    made = load_settings()
    return made.model_copy(update={"client": made.client.model_copy(update=given)})


def book(n: int = 160):
    """A book with fees as well as commission."""
    made = fx.earning(fx.portfolio(n))
    fee = pl.when(pl.col("policy") % 3 == 0).then(pl.col("policy").cast(pl.Int64) % 700 + 50)
    return replace(made, policies=made.policies.with_columns(fee_cents=fee))


def held(made, column: str) -> int:
    return int(in_force(made.policies, fx.X)[column].sum())


@given(
    cents=st.lists(st.one_of(st.none(), st.integers(-3000, 90_000)), min_size=1, max_size=30),
    total=st.integers(1, 10**9),
)
@tried(max_examples=examples(60), deadline=None)
def test_any_amounts_add_up_to_any_total(cents: list[int | None], total: int) -> None:
    table = pl.concat([fx.portfolio(30).policies.head(1)] * len(cents)).with_columns(
        policy=pl.int_range(len(cents), dtype=pl.UInt32), commission_cents=pl.Series(cents, dtype=pl.Int64),
        end_date=pl.lit(None, dtype=pl.Date),
    )  # fmt: skip
    made, lines = brought_to_accounts(table, fx.X, {"commission": total})
    factor = lines["commission"].factor
    if factor is None:
        assert made["commission_cents"].equals(table["commission_cents"])
        return
    assert made["commission_cents"].sum() == total
    assert made["commission_cents"].null_count() == table["commission_cents"].null_count()
    off = (made["commission_cents"] - table["commission_cents"] * factor).abs().max()
    assert off is None or off <= 1.0 + 1e-6


def test_bringing_twice_changes_nothing_and_the_file_comes_back() -> None:
    made = book()
    once, _ = at_accounts(made, None, client(commission_total=99_999.99, fee_total=1234.56))
    twice, _ = at_accounts(once, None, client(commission_total=99_999.99, fee_total=1234.56))
    assert once.policies.equals(twice.policies)
    assert held(once, "commission_cents") == 9_999_999
    assert held(once, "fee_cents") == 123_456
    back = as_in_file(once)
    assert back.accounts is None
    assert back.policies.equals(made.policies)
    assert in_file(made.policies).equals(made.policies)


def test_nothing_given_changes_nothing() -> None:
    made = book()
    same, past = at_accounts(made, None, load_settings())
    assert same.policies.equals(made.policies)
    assert past is None
    assert run_value(same, fx.models(made), load_settings()).figures.accounts is None


def test_what_was_known_earlier_is_multiplied_with_the_same_factor() -> None:
    made = book()
    before = Past(made, fx.models(made))
    total = 2 * held(made, "commission_cents") / 100
    _, past = at_accounts(made, before, client(commission_total=total))
    assert past is not None
    assert past.portfolio.policies["commission_cents"].equals(2 * made.policies["commission_cents"])
    assert past.portfolio.accounts is None


@pytest.fixture(scope="module")
def runs():
    """The same book on the file, and at its accounts on either cost."""
    made = book()
    run = fx.models(made)
    given = {
        "commission_total": 61_234.57,
        "fee_total": 901.01,
        "payroll": 40_000.01,
        "other_cost": 7_777.77,
        "fte": 1.2,
    }
    settings = {cost: client(**given, cost=cost) for cost in ("model", "accounts")}
    at = {cost: at_accounts(made, None, settings[cost])[0] for cost in settings}
    return made, run, settings, {cost: run_value(at[cost], run, settings[cost]) for cost in settings}


def test_commission_fees_and_cost_are_the_accounts_to_the_cent(runs) -> None:
    made, _, _, values = runs
    for cost, value in values.items():
        parts = value.components
        assert parts["revenue_commission_cents"].sum() == 6_123_457
        assert parts["revenue_fee_cents"].sum() == 90_101
        assert parts["commission_cents"].sum() == 6_123_457 + 90_101
        told = {row.key: row for row in value.figures.accounts.lines}
        assert round(told["commission"].counted * told["commission"].factor) == told["commission"].accounts
        assert told["commission"].counted == held(made, "commission_cents")
        assert value.figures.waterfall.commission == 6_123_457 + 90_101
        time = sum(
            int(parts[f"cost_{kind}_cents"].sum())
            for kind in ("renewal", "mutations", "collection", "claims", "contacts", "talks")
        )
        fixed = int(parts["cost_fixed_cents"].sum())
        assert parts["service_cost_cents"].sum() == time + fixed
        if cost == "accounts":
            assert time == 4_000_001
            assert fixed == 777_777
        else:
            assert time == told["payroll"].counted
            assert fixed == told["other_cost"].counted


def test_the_case_is_told_on_both_costs_and_says_on_which_it_stands(runs) -> None:
    _, run, settings, values = runs
    nets = {cost: value.case.cohort.net.base for cost, value in values.items()}
    assert nets["model"] != nets["accounts"]
    for cost, value in values.items():
        told = value.figures.accounts
        assert told.basis == cost
        assert vars(told.case) == nets
    made = at_accounts(book(), None, settings["accounts"])[0]
    again = case_alone(made, run, settings["accounts"])
    assert again is not None
    assert again.cohort.net.base == nets["accounts"]


def test_result_contribution_and_hours_follow(runs) -> None:
    told = runs[3]["model"].figures.accounts
    assert told.result == 6_123_457 + 90_101 - 4_000_001 - 777_777
    assert told.contribution_share == pytest.approx((told.income - told.service) / told.income)
    assert told.hours.available == pytest.approx(1.2 * 1600)
    assert told.hours.needed > 0
    far = {row.key: row.far for row in told.lines}
    for row in told.lines:
        assert far[row.key] == (not 0.7 <= row.factor <= 1.3)


def test_a_total_that_nothing_stands_for_changes_nothing() -> None:
    made = fx.portfolio(60, commission="none")
    brought, _ = at_accounts(made, None, client(commission_total=1000.0))
    assert brought.policies.equals(made.policies)
    assert brought.accounts == {"commission": AccountLine(100_000, 0)}


def test_spread_amounts_are_the_accounts_whatever_the_rounding() -> None:
    amounts = [np.array([1, 1, 1], dtype=np.int64), np.array([0, 7], dtype=np.int64)]
    scaled = spread(amounts, AccountLine(25, 10))
    assert [len(part) for part in scaled] == [3, 2]
    assert sum(int(part.sum()) for part in scaled) == 25
    assert spread(amounts, AccountLine(25, 0)) is amounts
