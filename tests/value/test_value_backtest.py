"""Last year's list against who left: counted by hand, exact at random, blind for what came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.core.relations import in_force
from akb.describe.relations import spells
from akb.models.types import Backtest
from akb.value.in_force import InForce
from akb.value.targeting.lists.last_year import Then, at_random, backtest, chosen, listed

T0 = date(2024, 10, 31)
LAST = date(2025, 10, 31)


def then(chance, cents, left) -> Then:
    n = len(chance)
    flags = np.array(left, dtype=np.bool_)
    none = np.zeros(n, dtype=np.bool_)
    return Then(np.array(chance), np.array(cents, dtype=np.int64), "dated", ~none, flags, none, True)


def told_of(made, chance=None) -> InForce:
    """A run in which everyone in force on T0 had a score."""
    ids = in_force(made.policies, T0)["customer"].unique().sort()
    p = np.random.default_rng(5).uniform(0.01, 0.2, len(ids)) if chance is None else chance(ids)
    scores = pl.DataFrame({"customer": ids, "churn_12m": np.minimum(1.0, 1.3 * p), "churn_preventable_12m": p})
    return InForce(made, replace(f.models(made), backtest=Backtest(T0, scores)), f.SETTINGS)


def office():
    """A portfolio in which every twelfth customer left in March 2025."""
    made = f.portfolio(900, months=36)
    goes = (pl.col("customer") % 12 == 7) & (pl.col("start_date") <= T0) & pl.col("end_date").is_null()
    later = (pl.col("customer") % 12 == 7) & (pl.col("start_date") > T0)
    policies = made.policies.filter(~later).with_columns(
        end_date=pl.when(goes).then(pl.lit(date(2025, 3, 15))).otherwise("end_date"),
        reason=pl.when(goes).then(pl.lit("overstap")).otherwise("reason"),
        cause=pl.when(goes).then(pl.lit("preventable")).otherwise("cause"),
    )
    return replace(made, policies=policies)


def leavers(made) -> set[int]:
    """Who left preventably in the year after T0."""
    gone = spells(made.policies, 31).filter(
        (pl.col("start") <= T0) & (pl.col("end") > T0) & (pl.col("end") <= LAST) & (pl.col("cause") == "preventable")
    )
    return set(gone["customer"])


def run(base: InForce, contacts: int = 10_000):
    return backtest(base, spells(base.portfolio.policies, 31), contacts)


def test_at_random_is_the_mean_and_spread_of_every_possible_draw() -> None:
    cents, left = [100, 200, 300, 400, 500, 600], [True, False, True, False, False, True]
    made = then([0.1] * 6, cents, left)
    found = at_random(made, 2)
    draws = [sum(cents[i] for i in draw if left[i]) for draw in combinations(range(6), 2)]
    counts = [sum(left[i] for i in draw) for draw in combinations(range(6), 2)]
    assert found.left == pytest.approx(np.mean(counts))
    assert found.cents == round(np.mean(draws))
    assert found.cents_high - found.cents == pytest.approx(1.6449 * np.std(draws), abs=1)


def test_a_list_counts_who_left_and_what_went_with_them() -> None:
    made = then([0.9, 0.5, 0.1, 0.8], [10, 1000, 5000, 100], [True, True, False, False])
    rows = chosen(made, made.chance * made.cents, 2)
    assert rows.tolist() == [1, 2]  # 500 and 500: ties by position
    found = listed("top_defend", made, rows)
    assert (found.left, found.cents, found.left_share) == (1, 1000, 0.5)
    assert found.low < 0.5 < found.high


def test_a_perfect_list_holds_the_leavers_and_counts_add_up() -> None:
    made = office()
    gone = leavers(made)
    assert len(gone) >= 20
    base = told_of(made, lambda ids: np.where(ids.is_in(list(gone)).to_numpy(), 1.0, 0.0))
    told = run(base)
    assert told is not None
    assert told.left == len(gone)
    best = next(row for row in told.lists if row.key == "top_defend")
    assert best.left == min(len(gone), told.contacts)
    assert told.contacts <= round(0.10 * told.customers)
    lost = in_force(made.policies, T0).filter(pl.col("customer").is_in(list(gone)))["commission_cents"].sum()
    assert told.cents == lost


def test_what_became_known_later_changes_no_list() -> None:
    made = office()
    gone = leavers(made)
    dead = made.customers.with_columns(
        deceased=pl.col("customer").is_in(list(gone)), no_marketing=~pl.col("customer").is_in(list(gone))
    )
    assert run(told_of(made)) == run(told_of(replace(made, customers=dead)))


def test_amounts_that_are_reset_at_the_end_give_way_to_the_branch() -> None:
    made = office()
    told = run(told_of(made))
    assert told is not None
    assert told.amounts == "last_known"
    ended = pl.when(pl.col("end_date").is_null()).then("commission_cents").otherwise(0)
    reset = run(told_of(replace(made, policies=made.policies.with_columns(commission_cents=ended))))
    assert reset is not None
    assert reset.amounts == "branch"
    assert reset.cents > 0


def test_dated_premiums_give_the_amount_of_that_day() -> None:
    made = office()
    old = made.policies.select("policy", date="start_date", premium_cents=pl.col("premium_cents") // 2)
    new = made.policies.filter(pl.col("start_date") < LAST).select(
        "policy", date=pl.lit(LAST - timedelta(days=1)), premium_cents="premium_cents"
    )
    premiums = pl.concat([old, new]).filter(pl.col("date") <= f.X).sort("policy", "date")
    told, plain = run(told_of(replace(made, premiums=premiums))), run(told_of(made))
    assert told is not None
    assert plain is not None
    assert told.amounts == "dated"
    assert told.cents == pytest.approx(plain.cents / 2, rel=0.01)


def test_nothing_is_told_without_a_score_of_then_or_about_a_few() -> None:
    made = office()
    assert run(InForce(made, f.models(made), f.SETTINGS)) is None
    assert run(told_of(made), contacts=0) is None
    small = f.portfolio(60, months=36)
    found = run(told_of(small))
    assert found is None or found.left >= 5
