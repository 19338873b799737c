"""The profit measure of the literature rewards a better order of who leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
import value_fixtures as f

from akb.describe.relations import spells
from akb.models.types import Backtest
from akb.value.case.profit_figures import empc_figures
from akb.value.in_force import InForce


def measured(order: str) -> dict[str, dict[str, float]]:
    """A year ago 300 customers, of whom 60 left since: 40 preventably and 20 by a mass transfer that is no leaving."""
    day, number = date(2024, 12, 31), pl.col("customer")
    history = pl.select(customer=pl.int_range(300, dtype=pl.UInt32)).with_columns(
        start=pl.lit(date(2020, 1, 1)),
        end=pl.when(number < 60).then(date(2025, 6, 1)),
        cause=pl.when(number < 40).then(pl.lit("preventable")).when(number < 60).then(pl.lit("technical")),
    )
    gone = (number < 40).cast(pl.Float64)
    chance = {"knows": gone, "nothing": pl.lit(0.1), "wrong": 1 - gone}[order]
    scores = history.select("customer", churn_12m=chance, churn_preventable_12m=pl.lit(None, dtype=pl.Float64))
    made = f.portfolio(300, seed=5)
    return empc_figures(InForce(made, replace(f.models(made), backtest=Backtest(day, scores)), f.SETTINGS), history)


def test_the_profit_measure_rewards_knowing_who_leaves() -> None:
    knows, nothing, wrong = (measured(order)["churn_12m"] for order in ("knows", "nothing", "wrong"))
    assert knows.empc > nothing.empc == nothing.random >= wrong.empc >= 0
    # Known leavers alone are contacted: prior x (CLV x E[gamma] - E[gamma] x incentive - contact), all gammas pay.
    prior = knows.left / knows.customers
    assert (knows.left, knows.customers) == (40, 300)
    assert knows.empc == pytest.approx(prior * (0.3 * (200 - 10) - 1), rel=1e-4)
    assert "churn_preventable_12m" not in measured("knows")  # no scores, no measure


def test_without_a_closed_year_there_is_no_measure() -> None:
    made = f.portfolio(200)
    base = InForce(made, replace(f.models(made), backtest=None), f.SETTINGS)
    assert empc_figures(base, spells(made.policies, 31)) == {}
