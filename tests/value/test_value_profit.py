"""What more calls would bring: the top of the curve is where the list ends, and the measure rewards a better order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.describe.relations import spells
from akb.models.types import Backtest
from akb.value import run_value
from akb.value.case.profit_figures import empc_figures
from akb.value.in_force import InForce

LIMIT = f.SETTINGS.report.suppress_below


def profit_of(**assumptions: float):
    made = f.portfolio(600, seed=3)
    return run_value(made, f.models(made), f.settings(**assumptions))


@pytest.fixture(scope="module")
def run():
    return profit_of(retention__rescue=0.5)


def test_the_best_number_of_calls_is_the_list_where_hours_suffice(run) -> None:
    told = run.figures["profit"]
    called = run.lists["top_defend"].filter("contact")
    assert told["capacity"] >= told["best"]["calls"] == called.height > LIMIT
    assert 0 < told["best"]["cents"] < 100 * called["expected_saving"].sum()  # three years count, not a whole life


def test_no_order_beats_top_defend_at_any_number_of_calls(run) -> None:
    told = run.figures["profit"]
    for row in told["points"]:
        assert all(row["top_defend"] >= row[key] for key in ("commission", "churn", "random"))
    assert len(told["points"]) > 10
    at = {row["key"]: row["at_cents"] for row in told["orders"]}
    assert at["top_defend"] > max(at["commission"], at["churn"], at["random"])


def test_between_two_points_stand_enough_customers(run) -> None:
    calls = [row["calls"] for row in run.figures["profit"]["points"]]
    assert calls[0] == 0
    assert np.diff(calls).min() >= LIMIT
    assert run.figures["profit"]["best"]["calls"] in calls


def test_hours_decide_where_orders_are_compared() -> None:
    told = profit_of(retention__rescue=0.5, capacity__hours_per_year=2).figures["profit"]
    assert told["at"] == told["capacity"] < told["best"]["calls"]


def test_where_no_call_pays_it_says_so() -> None:
    told = profit_of(retention__rescue=0.5, contact__minutes=100_000).figures["profit"]
    assert told["best"] == {"calls": 0, "cents": 0}
    assert profit_of(retention__rescue=0.0).figures["profit"]["best"]["calls"] == 0


def test_a_level_that_is_not_proven_names_no_euros() -> None:
    made = f.portfolio(300)
    said = f.models(made)
    failed = tuple(replace(one, gate="fail") if one.key.startswith("churn") else one for one in said.predictions)
    assert run_value(made, replace(said, predictions=failed), f.SETTINGS).figures["profit"] is None


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
    assert knows["empc"] > nothing["empc"] == nothing["random"] >= wrong["empc"] >= 0
    # Known leavers alone are contacted: prior x (CLV x E[gamma] - E[gamma] x incentive - contact), all gammas pay.
    prior = knows["left"] / knows["customers"]
    assert (knows["left"], knows["customers"]) == (40, 300)
    assert knows["empc"] == pytest.approx(prior * (0.3 * (200 - 10) - 1), rel=1e-4)
    assert "churn_preventable_12m" not in measured("knows")  # no scores, no measure


def test_without_a_closed_year_there_is_no_measure() -> None:
    made = f.portfolio(200)
    base = InForce(made, replace(f.models(made), backtest=None), f.SETTINGS)
    assert empc_figures(base, spells(made.policies, 31)) == {}
