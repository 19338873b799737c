from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.core.dates import add_months
from akb.models.types import Backtest
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.revenue.commission import _earned_between, earned_fraction, lapse_by_branch, replay
from akb.value.revenue.cost import event_rate, service_cost, shrunk_rate


def test_earned_fraction_by_hand() -> None:
    # constant hazard h: integral of exp(-h t) over a year
    hazard = -np.log(0.8)
    assert earned_fraction(np.array([0.2]))[0] == pytest.approx((1 - np.exp(-hazard)) / hazard)
    assert earned_fraction(np.array([0.0, 1.0]))[0] == 1.0
    assert (np.diff(earned_fraction(np.linspace(0, 1, 50))) < 0).all()


def test_commission_12m_lies_between_what_survives_and_what_is_paid_today() -> None:
    made = f.portfolio()
    run = f.models(made)
    parts = run_value(made, run, f.SETTINGS).components
    earned, today = parts["commission_12m_cents"].to_numpy(), parts["commission_cents"].to_numpy()
    alive = run.survival.filter(pl.col("month") == 12).sort("customer")["alive"].to_numpy()
    assert (earned <= today).all()
    assert (earned >= today * alive * 0.95 - 1).all()  # the fixture's branches lapse 5 % beyond the relation


def test_commission_12m_is_independent_of_indexation_and_discount() -> None:
    made = f.portfolio(80)
    runs = [
        run_value(made, f.models(made), f.settings(value__indexation=i, value__discount=d)).scores["commission_12m"]
        for i, d in ((0.0, 0.08), (0.04, 0.05))
    ]
    assert runs[0].equals(runs[1])


def test_replay_finds_what_happened() -> None:
    made = f.portfolio(2000, seed=5, months=120)
    found = replay(InForce(made, f.models(made), f.SETTINGS))
    assert found is not None
    test = found.evidence.test_date
    assert test is not None
    assert add_months(test, 12) < f.X  # the window is closed
    assert found.realised < found.all_stay
    assert found.evidence.calibration.observed_expected == pytest.approx(found.realised / found.expected)
    assert found.evidence.calibration.observed_expected == pytest.approx(1.0, abs=0.02)
    held = made.policies.filter(
        (pl.col("start_date") <= test) & (pl.col("end_date").is_null() | (pl.col("end_date") > test))
    )
    assert found.all_stay == held["commission_cents"].sum()
    assert found.evidence.population == held["customer"].n_unique()


def test_replay_does_not_know_the_amounts_of_later_starts() -> None:
    """Policies that start after the test date change nothing."""
    made = f.portfolio(500, months=120)
    first = replay(InForce(made, f.models(made), f.SETTINGS))
    assert first is not None
    later = pl.col("start_date") > first.evidence.test_date
    dearer = made.policies.with_columns(
        commission_cents=pl.when(later).then(pl.col("commission_cents") * 7).otherwise(pl.col("commission_cents"))
    )
    second = replay(InForce(replace(made, policies=dearer), f.models(made), f.SETTINGS))
    assert second == first


def test_no_replay_without_two_closed_years() -> None:
    made = f.portfolio(200, months=20)
    assert replay(InForce(made, f.models(made), f.SETTINGS)) is None
    result = run_value(made, f.models(made), f.SETTINGS)
    told = next(p for p in result.predictions if p.key == "commission_12m")
    assert told.status == "derived"
    assert told.evidence is None
    assert "Niet na te rekenen" in told.why.sentence()


def test_lapse_by_branch_leaves_technical_and_continued_ends_out() -> None:
    day = date(2024, 1, 1)
    policies = pl.DataFrame(
        {
            "branch": ["auto"] * 5,
            "start_date": [date(2020, 1, 1)] * 4 + [date(2024, 6, 1)],
            "end_date": [None, date(2024, 5, 1), date(2024, 5, 1), date(2024, 5, 1), date(2024, 9, 1)],
            "cause": [None, "preventable", "technical", "preventable", "preventable"],
            "replaced_on": [None, None, None, date(2024, 5, 2), None],
        }
    )
    row = lapse_by_branch(policies, day, date(2024, 12, 31)).row(0, named=True)
    assert row == {"branch": "auto", "held": 4, "lapsed": 1, "lapse": 0.25}


def test_shrinkage_lies_between_the_customer_and_the_mean() -> None:
    events, years = np.array([0.0, 3.0, 1.0]), np.array([3.0, 3.0, 1.0])
    rates = shrunk_rate(events, years, 2.0)
    mean = 4 / 7
    assert rates[0] == pytest.approx(2 * mean / 5)
    assert rates[1] == pytest.approx((3 + 2 * mean) / 5)
    assert min(0, mean) < rates[0] < mean < rates[1] < 1
    assert shrunk_rate(events, years, 1e9) == pytest.approx(np.full(3, mean), abs=1e-6)


def test_cost_by_hand() -> None:
    """One claim-free, contact-free world: renewals, mutations, reminders, talks and the fixed part."""
    made = f.portfolio(40)
    settings = f.settings(
        cost__claims_per_policy=0.0, cost__contacts_per_customer=0.0, cost__rate_office=60.0, cost__rate_adviser=120.0
    )
    base = InForce(made, f.models(made), settings)
    cost = service_cost(base)
    months = base.held["payment_months"].cast(pl.Float64).to_numpy()
    minutes = 3 + 12 * 0.2 + 6 * 0.03 * 12 / months
    assert np.abs(cost.policy - 100 * minutes).max() <= 0.5
    talks = {"private": 0.05, "self_employed": 0.5, "business": 1.0, None: 0.05}
    expected = [1500 + 200 * 60 * talks[kind] for kind in base.customers["kind"].to_list()]
    assert cost.relation.tolist() == pytest.approx(expected)
    assert cost.estimated == ("claims", "contacts", "mutations", "collection")


def test_events_after_as_of_change_no_cost() -> None:
    made = f.portfolio(100, events=True)
    base = InForce(made, f.models(made), f.SETTINGS)
    late = made.claims.with_columns(date=pl.lit(date(2026, 5, 1)))
    more = InForce(replace(made, claims=pl.concat([made.claims, late])), f.models(made), f.SETTINGS)
    assert (event_rate(base, base.portfolio.claims) == event_rate(more, more.portfolio.claims)).all()
    assert service_cost(base).estimated == ("mutations", "collection")


def test_a_rate_is_over_the_years_that_were_recorded() -> None:
    """Claims were first written down ten months ago: one of each customer is 1.2 a year, and not a third of that."""
    made = f.portfolio(120)
    long_ago = made.policies.with_columns(start_date=pl.lit(date(2015, 1, 1)))
    made = replace(made, policies=long_ago.with_columns(end_date=pl.lit(None, dtype=pl.Date)))
    first, later = add_months(f.X, -10), add_months(f.X, -5)
    ids = made.customers["customer"]
    claims = pl.DataFrame(
        {"customer": [0, *ids], "date": [first, *[later] * len(ids)]}, schema_overrides={"customer": pl.UInt32}
    )
    base = InForce(replace(made, claims=claims), f.models(made), f.SETTINGS)
    rates = event_rate(base, claims)
    assert rates is not None
    assert rates == pytest.approx(np.full(base.n, 365.25 / (f.X - first).days))
    old = claims.with_columns(date=pl.when(pl.col("date") == first).then(date(2018, 1, 1)).otherwise("date"))
    assert event_rate(base, old) == pytest.approx(np.full(base.n, 365.25 / (f.X - add_months(f.X, -36)).days))


def test_an_empty_event_file_is_no_event_file() -> None:
    made = f.portfolio(40, events=True)
    empty = replace(made, claims=made.claims.clear())
    assert service_cost(InForce(empty, f.models(made), f.SETTINGS)).estimated == ("claims", "mutations", "collection")


def test_replay_weighs_with_the_chances_of_then_and_beats_last_year_and_the_branch() -> None:
    """Who is bound to lapse is known: the customers' own chances tell more than the branch, and than last year."""
    made = f.portfolio(2000, seed=5, months=120)
    run = f.models(made)
    usual = replay(InForce(made, run, f.SETTINGS))
    assert usual is not None and not usual.own
    test = usual.evidence.test_date
    assert test is not None
    held = made.policies.filter(
        (pl.col("start_date") <= test) & (pl.col("end_date").is_null() | (pl.col("end_date") > test))
    )
    gone = (pl.col("end_date") <= add_months(test, 12)).fill_null(value=False)
    chances = held.group_by("customer", "branch").agg(probability=pl.when(gone.any()).then(0.9).otherwise(0.01))
    told = Backtest(test, pl.DataFrame(), chances)
    own = replay(InForce(made, replace(run, backtest=told), f.SETTINGS))
    assert own is not None and own.own
    assert own.evidence.test_date == test
    assert own.realised == usual.realised
    proof, before = own.evidence, own.evidence.last_year
    assert proof.deviance == "tweedie" and before is not None
    assert proof.deviance_skill > usual.evidence.deviance_skill > 0.5
    assert proof.deviance_skill > before.deviance_skill
    assert proof.gini > before.gini
    assert len(proof.decile_table) == len(before.decile_table) == 10
    means = [row.observed for row in proof.decile_table]
    assert means[0] > 3 * means[-1]


@pytest.mark.parametrize(("gap", "lag"), [(31, 0), (31, 45), (10, 90)])
def test_the_replay_asks_the_latest_day_of_which_everything_was_registered(gap: int, lag: int) -> None:
    made = f.portfolio(300, months=120)
    time = f.SETTINGS.time.model_copy(update={"gap_days": gap, "registration_lag_days": lag})
    found = replay(InForce(made, f.models(made), f.SETTINGS.model_copy(update={"time": time})))
    assert found is not None
    assert found.evidence.test_date == add_months(f.X, -12) - timedelta(days=gap + lag)


def test_last_year_is_what_was_earned_and_unknown_for_newcomers() -> None:
    made = f.portfolio(300, months=120)
    base = InForce(made, f.models(made), f.SETTINGS)
    test = date(2024, 6, 30)
    before = add_months(test, -12)
    last = dict(_earned_between(base, before, test).rows())
    one = base.policies.group_by("customer").agg(
        pl.len(), pl.col("start_date").min(), pl.all().exclude("start_date").first()
    )
    steady = one.filter((pl.col("len") == 1) & (pl.col("start_date") <= before) & pl.col("end_date").is_null()).row(
        0, named=True
    )
    assert last[steady["customer"]] == pytest.approx(steady["revenue_cents"])
    new = one.filter((pl.col("start_date") > before) & (pl.col("start_date") <= test))["customer"]
    assert len(new) and all(last[customer] is None for customer in new)


def test_what_cannot_be_proven_is_said_on_the_card() -> None:
    made = f.portfolio(200)
    told = {p.key: p for p in run_value(made, f.models(made), f.SETTINGS).predictions}
    assert "provisie die nu bekend is" in told["commission_12m"].limits[0].sentence()
    assert "uit geen enkele export na te tellen" in told["value_at_stake"].limits[0].sentence()
    assert "aannames" in told["handling_cost_12m"].limits[0].sentence()
    assert told["clv"].limits == ()


def test_commission_5y_is_what_survives_of_today_over_five_years() -> None:
    """Relations of which .9 is left each year and policies of .8: no cost, sales, indexation or discount in it."""
    made = f.portfolio(80)
    run = f.models(made)
    alive = 0.9 ** (pl.col("month") / 12)
    survival = run.survival.with_columns(alive=alive, natural=0.0, insurer=0.0, preventable=1 - alive)
    lapse = run.branch_lapse.with_columns(probability=pl.lit(1 - 0.9 * 0.8))
    run = replace(run, survival=survival, branch_lapse=lapse)
    years = sum((0.9 * 0.8) ** ((month + 0.5) / 12) / 12 for month in range(60))
    for given in ({}, {"value__horizon_years": 2, "value__timing": 1.0, "value__discount": 0.08, "cost__fixed": 90.0}):
        parts = run_value(made, run, f.settings(**given)).components
        assert parts is not None
        assert np.allclose(parts["commission_5y_cents"], years * parts["commission_cents"].to_numpy(), atol=1)
