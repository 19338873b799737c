"""The portfolio without action: the bridge adds up, the projection obeys its limits, the contact policy its hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from akb.value import formulas, run_value
from akb.value.in_force import InForce
from akb.value.outlook.projection import Extra, Kept, Newcomers, Today, path
from akb.value.revenue.bridge import bridge
from akb.value.revenue.dated import revenue_on
from akb.value.targeting.contact_policy import GROUPS, contact_policy, groups

THEN = date(2024, 12, 31)
YEARS = 6


def with_premiums(made, *, rise: float = 0.03):
    """A premium history: from the start, and higher from halfway 2025 on for what is still there."""
    rows = made.policies.select("policy", "start_date", "end_date", "premium_cents")
    last = rows.filter(pl.col("end_date").is_null() & (pl.col("start_date") < THEN))
    first = rows.select("policy", date="start_date", premium_cents="premium_cents").filter(pl.col("date") <= f.X)
    first = first.with_columns(
        premium_cents=pl.when(pl.col("policy").is_in(last["policy"].implode()))
        .then((pl.col("premium_cents") / (1 + rise)).round().cast(pl.Int64))
        .otherwise("premium_cents")
    )
    later = last.select("policy", date=pl.lit(date(2025, 7, 1)), premium_cents="premium_cents")
    told = pl.concat([first, later]).sort("policy", "date").with_columns(commission_cents=pl.lit(None, dtype=pl.Int64))
    return replace(made, premiums=told)


def base_of(made, **assumptions: float) -> InForce:
    return InForce(made, f.models(made), f.settings(**assumptions))


@given(st.integers(0, 10_000))
@effort(max_examples=8)
def test_the_bridge_leads_from_then_to_now_to_the_cent(seed: int) -> None:
    made = with_premiums(f.portfolio(150, seed))
    base = base_of(made)
    told = bridge(base)
    assert told is not None
    assert told.now == int(base.commission.sum())
    assert told.then == int(revenue_on(base, THEN)["then_cents"].sum())
    assert told.then + sum(row.cents for row in told.steps) == told.now
    assert all(row.customers >= 5 for row in told.steps)


def test_every_policy_stands_in_its_own_step() -> None:
    start, gone = date(2020, 1, 1), date(2025, 6, 1)
    rows = [
        # customer, start, end, commission, replaced_on, replaces
        (0, start, None, 1030, None, False),  # index
        (1, start, gone, 500, None, False),  # leaver
        (2, start, gone, 300, None, False),  # lapse by one who stays ...
        (2, date(2025, 2, 1), None, 700, None, False),  # ... with an extra policy
        (3, date(2025, 3, 1), None, 900, None, False),  # new customer
        (4, start, gone, 200, gone, False),  # converted
        (4, gone, None, 250, None, True),
        (5, date(2025, 2, 1), date(2025, 8, 1), 9999, None, False),  # came and went in between
    ]
    rows = [(6 * again + row[0], *row[1:]) for again in range(6) for row in rows]  # enough customers to be shown
    made = f.portfolio(40)
    names = ["customer", "start_date", "end_date", "commission_cents", "replaced_on", "replaces"]
    types = [pl.UInt32, pl.Date, pl.Date, pl.Int64, pl.Date, pl.Boolean]
    own = pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")
    policies = made.policies.head(len(rows)).with_columns(own).with_columns(
        premium_cents=pl.col("commission_cents") * 10,
        cause=pl.when(pl.col("replaced_on").is_not_null())
        .then(pl.lit("technical"))
        .when(pl.col("end_date").is_not_null())
        .then(pl.lit("preventable")),
    )  # fmt: skip
    told = bridge(base_of(with_premiums(replace(made, policies=policies))))
    assert told is not None
    assert {row.key: (row.policies, row.cents) for row in told.steps} == {
        "indexation": (6, 6 * 30),
        "conversion": (12, 6 * 50),
        "new_customers": (6, 6 * 900),
        "extra_policies": (6, 6 * 700),
        "lapses": (6, 6 * -300),
        "leavers": (6, 6 * -500),
    }


def test_without_dated_premiums_there_is_no_bridge() -> None:
    made = f.portfolio(100)
    assert bridge(base_of(made)) is None
    few = with_premiums(made)
    assert few.premiums is not None
    assert bridge(base_of(replace(few, premiums=few.premiums.head(20)))) is None


def _world(hazard: float = 0.1, n: int = 50) -> tuple[Today, Newcomers, Extra, Kept]:
    years = np.arange(YEARS)
    alive = np.exp(-hazard * years)
    today = Today(np.tile(alive, (n, 1)), np.full((n, YEARS), 100.0), np.linspace(20.0, 70.0, n))
    return today, Newcomers((5,), alive, 80.0, 30.0), Extra(0.0, 1.0), Kept(0.0, 0.0, np.nan, alive)


def test_where_nobody_leaves_and_nobody_comes_everyone_grows_a_year_older() -> None:
    today, coming, extra, nobody = _world(hazard=0.0)
    told = path(today, coming, extra, 0.0, nobody)
    assert told.customers == pytest.approx([50.0] * YEARS)
    assert told.commission == pytest.approx([5000.0] * YEARS)
    assert told.age == pytest.approx(45.0 + np.arange(YEARS))


def test_inflow_that_equals_outflow_keeps_the_number() -> None:
    today, coming, extra, nobody = _world(hazard=0.1)
    told = path(today, coming, extra, 50 * (1 - np.exp(-0.1)), nobody)
    assert told.customers == pytest.approx([50.0] * YEARS)
    assert told.age[-1] < 45.0 + 5  # newcomers are younger


def test_newcomers_age_and_their_policies_lapse_as_those_of_others() -> None:
    today, coming, _, nobody = _world(hazard=0.0)
    told = path(today, coming, Extra(0.0, 0.9), 10.0, nobody)
    came = [[(30.0 + since, 80.0 * 0.9**since) for since in range(year)] for year in range(YEARS)]
    ages = [(50 * (45.0 + k) + 10 * sum(age for age, _ in new)) / (50 + 10 * k) for k, new in enumerate(came)]
    assert told.age == pytest.approx(ages)
    assert told.commission == pytest.approx([5000 + 10 * sum(cents for _, cents in new) for new in came])


def test_extra_policies_are_bought_every_year_and_lapse() -> None:
    today, coming, _, nobody = _world(hazard=0.0)
    told = path(today, coming, Extra(4.0, 0.81), 0.0, nobody)
    year = 4.0 * 50 * 0.9  # half a year of lapse in the year of the purchase
    assert told.commission[1] - 5000 == pytest.approx(year)
    assert told.commission[2] - 5000 == pytest.approx(year * 1.81)


def test_the_list_adds_what_it_keeps_for_as_long_as_they_stay() -> None:
    today, coming, extra, nobody = _world(hazard=0.2)
    kept = Kept(2.0, 200.0, 60.0, np.exp(-0.2 * np.arange(YEARS)))
    plain, acted = path(today, coming, extra, 3.0, nobody), path(today, coming, extra, 3.0, kept)
    more = [2.0 * sum(np.exp(-0.2 * k) for k in range(year)) for year in range(YEARS)]
    assert acted.customers - plain.customers == pytest.approx(more)
    assert acted.commission - plain.commission == pytest.approx([100 * each for each in more])
    assert acted.age[-1] > plain.age[-1]


def test_a_higher_level_and_less_inflow_are_the_low_side() -> None:
    today, coming, extra, nobody = _world()
    middle = path(today, coming, extra, 3.0, nobody)
    assert (path(today, coming, extra, 2.0, nobody, level=1.2).customers[1:] < middle.customers[1:]).all()
    assert (path(today, coming, extra, 4.0, nobody, level=0.8).customers[1:] > middle.customers[1:]).all()


def test_the_projection_starts_at_today_and_agrees_with_the_survival_paths() -> None:
    made = f.portfolio(400)
    models = f.models(made)
    told = run_value(made, models, f.settings(outlook__inflow=0.0)).figures.projection
    assert told is not None
    now, later = told.rows[0], told.rows[-1]
    alive = models.survival.filter(pl.col("month") == 60)["alive"].sum()
    assert now.customers == models.scores.height
    assert later.customers == pytest.approx(alive)
    assert now.commission == int(f.present(made)["commission_cents"].sum())
    assert later.low <= later.customers <= later.high
    assert later.customers_list >= later.customers
    assert [row.year for row in told.rows] == list(range(2025, 2031))


def test_no_projection_on_a_level_that_failed_or_was_never_learned() -> None:
    made = f.portfolio(150)
    assert run_value(made, f.models(made, gate="fail"), f.SETTINGS).figures.projection is None
    silent = f.portfolio(150, ended=False)
    assert run_value(silent, f.models(silent), f.SETTINGS).figures.projection is None


def test_the_contact_policy_by_hand() -> None:
    made = f.portfolio(200, advisers=4)
    base = base_of(made, cost__minutes_talk=90.0, contact_policy__hours_per_adviser=10.0)
    told = contact_policy(base)
    kinds = base.customers["kind"].fill_null("private")
    private = int((kinds == "private").sum())
    talks = {
        "business": int((kinds == "business").sum()),
        "self_employed": int((kinds == "self_employed").sum()) / 2,
        "private_better": round(0.15 * private) / 3,
        "private_other": 0.0,
    }
    assert {row.key: row.talks for row in told.rows} == pytest.approx(talks)
    assert told.hours == pytest.approx(1.5 * sum(talks.values()))
    assert told.available == 40.0
    better = {row.key: row.customers for row in told.rows}
    assert better["private_better"] + better["private_other"] == private


def test_the_better_private_customers_bring_the_most() -> None:
    base = base_of(f.portfolio(200))
    place, cents = groups(base), base.commission_customer
    better, others = (cents[place == GROUPS.index(key)] for key in ("private_better", "private_other"))
    assert better.min() >= others.max()


def test_who_was_seen_counts_contacts_within_the_interval() -> None:
    made = f.portfolio(200, events=True)
    told = {row.key: row.seen for row in contact_policy(base_of(made)).rows}
    assert made.contacts is not None
    recent = set(made.contacts.filter(pl.col("date") > THEN)["customer"])
    held = base_of(made).customers.filter(pl.col("kind") == "business")["customer"].to_list()
    assert told["business"] == pytest.approx(sum(each in recent for each in held) / len(held))
    assert told["private_better"] is None  # contacts go back less than three years


def test_after_cost_the_best_customers_bring_a_larger_share() -> None:
    made = f.portfolio(300)
    told = run_value(made, f.models(made), f.SETTINGS).figures.concentration
    assert told is not None
    assert told.after_cost_share > told.commission_share
    assert told.curve[-1] == (1.0, 1.0)


def test_worked_example_of_customers_per_adviser() -> None:
    # D19: from 1,400 to 2,000 customers with 35 advisers. The source names no base year: five and six years differ.
    now, later = 1_400 * 35, 2_000 * 35
    assert formulas.yearly_growth(now, later, 1) == pytest.approx(0.4285714286, abs=1e-6)
    assert formulas.yearly_growth(now, later, 5) == pytest.approx(0.0739409, abs=1e-6)
    assert formulas.yearly_growth(now, later, 6) == pytest.approx(0.0612483, abs=1e-6)
    assert formulas.advisers_needed(now, 2_000) == 24.5
    assert formulas.advisers_needed(later, 1_400) == pytest.approx(50)
