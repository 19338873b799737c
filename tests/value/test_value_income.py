"""Income by kind: it adds up, a subscription lasts as long as itself, and what came once never comes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from akb.config import load_settings
from akb.core.relations import SUBSCRIPTION, covers, in_force
from akb.core.revenue import Terms, with_revenue
from akb.value import at_accounts, run_value
from akb.value.types import IncomeRow
from tests.value import test_value_stress as stress
from tests.value import value_fixtures as fx

NOTHING = pl.lit(None, dtype=pl.Int64)
RECURRING = ("commission", "fee", "signing", "profit_share", "margin")


def office(n: int = 240, *, commission: bool = True):
    """A book in which every rechtsbijstand policy is a subscription of € 180, and every tenth policy paid once."""
    made = fx.portfolio(n)
    mine = pl.col("branch") == "rechtsbijstand"
    policies = made.policies.with_columns(
        branch=pl.when(mine).then(pl.lit(SUBSCRIPTION)).otherwise("branch"),
        fee_cents=pl.when(mine).then(18_000),
        commission_cents=pl.when(~mine & pl.lit(commission)).then("commission_cents"),
        premium_cents=pl.when(~mine).then("premium_cents"),
        profit_cents=pl.when(pl.col("policy") % 7 == 0).then(500),
        one_off_cents=pl.when(pl.col("policy") % 3 == 0).then(40_000),
    )
    return replace(made, policies=policies)


@pytest.fixture(scope="module")
def valued():
    made = office()
    return made, run_value(made, fx.models(made), fx.settings(**fx.CALLS_PAY))


def rows_of(value) -> dict[str, IncomeRow]:
    return {row.key: row for row in value.figures.income}


def test_kinds_are_the_whole_to_the_cent(valued):
    made, value = valued
    rows, parts = rows_of(value), value.components
    kinds = [rows[key] for key in RECURRING if key in rows]
    assert {row.key for row in kinds} == {"commission", "fee", "profit_share"}
    assert sum(row.year for row in kinds) == parts["commission_cents"].sum()
    assert sum(row.clv for row in kinds) == parts["clv_commission_cents"].sum()
    assert sum(row.clv for row in kinds) + rows["cost"].clv == parts["current_cents"].sum()
    assert value.case is not None
    assert sum(row.case for row in kinds) + rows["cost"].case == value.case.cohort.benefit
    assert rows["fee"].year == 18_000 * (in_force(made.policies, fx.X)["branch"] == SUBSCRIPTION).sum()
    steps = value.figures.waterfall
    assert sum(part.cents for part in steps.income) == steps.commission


def test_what_came_once_is_counted_once_and_never_discounted(valued):
    made, value = valued
    once = rows_of(value)["one_off"]
    since = made.policies.filter(pl.col("start_date") > fx.X - timedelta(days=365), pl.col("start_date") <= fx.X)
    assert once.year == since["one_off_cents"].sum()
    assert once.clv is None
    without = replace(made, policies=made.policies.with_columns(one_off_cents=NOTHING))
    other = run_value(without, fx.models(without), fx.settings(**fx.CALLS_PAY))
    assert other.components.equals(value.components)
    assert other.case.cohort == value.case.cohort
    assert "one_off" not in rows_of(other)


def test_an_office_that_lives_on_subscriptions_is_not_valued_at_zero():
    made = office(commission=False)
    made = replace(made, policies=made.policies.with_columns(profit_cents=NOTHING))
    value = run_value(made, fx.models(made), load_settings())
    rows = rows_of(value)
    assert set(rows) == {"fee", "cost", "one_off"}
    assert rows["fee"].clv == value.components["clv_commission_cents"].sum() > 0


def test_a_book_of_commission_alone_tells_of_no_kinds(result):
    assert result.figures.income == ()
    assert result.figures.waterfall.income == ()


def test_a_subscription_is_no_policy_but_who_has_one_is_a_customer(valued):
    made, value = valued
    held = in_force(made.policies, fx.X)
    alone = set(held["customer"]) - set(covers(held)["customer"])
    assert alone
    assert alone <= set(value.scores["customer"])
    shown = value.lists["bleeders"].select("customer", "policies")
    counted = covers(held).group_by("customer").len("there")
    both = shown.join(counted, on="customer", how="left").with_columns(pl.col("there").fill_null(0))
    assert both.height
    assert (both["policies"] == both["there"]).all()


def test_fees_of_subscriptions_are_brought_to_the_accounts_too():
    made = office(120)
    settings = load_settings()
    client = settings.client.model_copy(update={"fee_total": 4321.09, "commission_total": 9876.54})
    settings = settings.model_copy(update={"client": client})
    brought, _ = at_accounts(made, None, settings)
    rows = rows_of(run_value(brought, fx.models(brought), settings))
    assert rows["fee"].year == 432_109
    assert rows["commission"].year == 987_654


def test_a_given_profit_commission_goes_before_the_assumed_share():
    policies = pl.DataFrame(
        {"branch": ["auto", "auto"], "premium_cents": [10_000, 10_000], "profit_cents": [70, None]},
        schema_overrides={"profit_cents": pl.Int64},
    )
    made = with_revenue(policies, Terms("volmacht", profit_share=0.02))
    assert made["revenue_profit_share_cents"].to_list() == [70, 200]
    made = with_revenue(policies, Terms("intermediair", profit_share=0.02))
    assert made["revenue_profit_share_cents"].to_list() == [70, None]


def test_kinds_equal_the_hand_calculation_on_five_customers():
    """docs/reconcile.md shows the same numbers."""
    made = stress.book()
    mine, bought = pl.col("customer") == 2, pl.col("customer") == 4
    policies = made.policies.with_columns(
        branch=pl.when(mine).then(pl.lit(SUBSCRIPTION)).otherwise("branch"),
        fee_cents=pl.when(mine).then(6_000),
        commission_cents=pl.when(~mine).then("commission_cents"),
        premium_cents=pl.when(~mine).then("premium_cents"),
        one_off_cents=pl.when(bought).then(25_000),
        start_date=pl.when(bought).then(fx.X - timedelta(days=100)).otherwise("start_date"),
    )
    made = replace(made, policies=policies)
    value = run_value(made, stress.models(made), stress.settings())
    rows = rows_of(value)
    assert rows["commission"].clv == pytest.approx(100 * (120 * stress.WORSE + 420 * stress.PER_EURO), abs=3)
    assert rows["fee"].clv == pytest.approx(100 * 60 * stress.PER_EURO, abs=3)
    assert rows["one_off"] == IncomeRow("one_off", 25_000, 1, None, rows["one_off"].case, 0)
    for cents in (rows["commission"].clv, rows["fee"].clv):
        assert f"{cents / 100:,.2f}" in stress.DOCS
