from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.targeting.eligibility import eligibility

CHEAP = f.CALLS_PAY


def test_top_defend_is_its_formula(made, result) -> None:
    """The best contact's relation and policy lines less its cost; a call at two minutes of inside staff."""
    listed = result.lists["top_defend"]
    assert listed.height > 50
    called = listed.filter(pl.col("best_contact") == "call")
    cost = 55 * 2 / 60
    effect = f.SETTINGS.assumed()["contacts.call.effect_relation"].value
    relation = effect * called["churn_preventable_12m"] * called["value_at_stake"]
    assert called.height > 20
    assert np.allclose(called["relation"], relation, atol=0.006)
    assert (called["policy"] == 0).all()  # no prediction of lapses in this book
    assert (called["expected_saving"] >= called["relation"] - cost - 0.011).all()  # none keeps more than the best
    assert (listed.filter("contact")["expected_saving"] > -cost).all()
    scores = result.scores.join(listed, on="customer")
    assert np.allclose(scores["top_defend"], scores["expected_saving"], atol=0.01)


@pytest.mark.parametrize("name", ["top_defend", "next_best_policy"])
def test_ranks_run_from_one_and_each_customer_stands_once(result, name: str) -> None:
    listed = result.lists[name]
    assert listed["rank"].to_list() == list(range(1, listed.height + 1))
    assert listed["customer"].n_unique() == listed.height


def test_order_is_by_euros_with_ties_by_customer(result) -> None:
    listed = result.lists["top_defend"]
    assert listed["expected_saving"].is_sorted(descending=True)
    made = f.portfolio(40, branches=("auto",))
    run = f.models(made)
    same = made.policies.with_columns(commission_cents=pl.lit(90_000, dtype=pl.Int64), payment_months=pl.lit(12))
    nobody = made.customers.with_columns(
        kind=pl.lit("private"), no_marketing=pl.lit(value=False), deceased=pl.lit(value=False),
        birth_year=pl.lit(1970, dtype=pl.Int32),
    )  # fmt: skip
    flat = run.survival.with_columns(pl.col("alive", "natural", "insurer", "preventable").mean().over("month"))
    lapse = run.branch_lapse.with_columns(probability=pl.col("probability").mean())
    tied = replace(run, survival=flat, branch_lapse=lapse, branch_purchase=run.branch_purchase.clear())
    listed = run_value(replace(made, policies=same, customers=nobody), tied, f.settings(**CHEAP)).lists["top_defend"]
    assert listed["expected_saving"].n_unique() == 1
    assert listed["customer"].is_sorted()
    assert listed.height == listed["customer"].len() > 20


@pytest.mark.parametrize("name", ["top_defend", "next_best_policy"])
def test_opt_outs_deceased_and_minors_are_on_no_list(made, name: str) -> None:
    young = made.customers.with_columns(
        birth_year=pl.when(pl.col("customer") % 7 == 0).then(2015).otherwise(pl.col("birth_year")).cast(pl.Int32)
    )
    result = run_value(replace(made, customers=young), f.models(made), f.settings(**CHEAP))
    listed = result.lists[name].join(young, on="customer")
    assert not listed["no_marketing"].any()
    assert not listed["deceased"].any()
    assert not ((listed["birth_year"] > 2007) & (listed["kind"] != "business")).any()
    reasons = result.left_out[name]
    assert min(reasons["no_marketing"], reasons["deceased"], reasons["under_age"]) > 0


def test_everybody_is_on_the_list_or_left_out_for_one_reason(made, result) -> None:
    n = f.present(made)["customer"].n_unique()
    offers = result.scores["next_best_policy"].count()
    name = "next_best_policy"
    assert result.lists[name].height + sum(result.left_out[name].values()) == offers <= n
    name = "top_defend"
    assert result.lists[name].height + sum(result.left_out[name].values()) == n


def test_the_list_ends_where_the_hours_end(made) -> None:
    pools = {"capacity__hours_per_year_inside": 0.25, "capacity__hours_per_year_adviser": 0.25}
    result = run_value(made, f.models(made), f.settings(**CHEAP, **pools))
    contacts = {row.key: 0 for row in result.case.plan.contacts}
    for row in result.case.plan.contacts:
        contacts[row.key] += row.customers
    assert sum(number for key, number in contacts.items() if key != "mail") > 0
    hours = result.case.plan.hours
    assert hours["inside"].used == pytest.approx(hours["inside"].available, rel=0.01)
    assert result.left_out["top_defend"]["no_hours"] > 0


def test_the_control_group_is_marked_and_never_contacted_for_euros(made, result) -> None:
    listed, offers = result.lists["top_defend"], result.lists["next_best_policy"]
    assert 0 < listed["control"].sum() < listed.height / 2
    for frame in (listed, offers):
        assert not frame.filter(pl.col("control"))["contact"].any()
    both = listed.join(offers, on="customer")
    assert (both["control"] == both["control_right"]).all()  # left alone on every list


def test_control_does_not_depend_on_rank(made) -> None:
    base = InForce(made, f.models(made), f.SETTINGS)
    other = InForce(made, f.models(made, seed=99), f.SETTINGS)
    assert (eligibility(base).control == eligibility(other).control).all()


def test_next_best_policy_columns_and_bands(result) -> None:
    listed = result.lists["next_best_policy"]
    assert listed.columns[:6] == ["customer", "rank", "branch", "probability", "band", "commission"]
    assert {"expected_commission", "kind", "adviser", "office"} <= set(listed.columns)
    low = listed.filter(pl.col("band") == "0–10 %")["probability"]
    assert (low < 0.10).all()
    assert np.allclose(listed["expected_commission"], listed["probability"] * listed["commission"], atol=0.006)
    assert listed["expected_commission"].is_sorted(descending=True)


def test_the_best_branch_is_never_one_that_is_held(made, result) -> None:
    held = f.present(made).select("customer", branch="branch")
    for key in ("next_best_policy", "next_best_policy_2", "next_best_policy_3"):
        assert result.scores.join(held, left_on=["customer", key], right_on=["customer", "branch"]).is_empty()
    three = result.scores.drop_nulls("next_best_policy_3")
    assert (three["next_best_policy"] != three["next_best_policy_2"]).all()


def test_a_banned_branch_has_a_chance_and_no_euros() -> None:
    made = f.portfolio(120, branches=("auto", "reis", "uitvaart"))
    result = run_value(made, f.models(made), f.settings(**CHEAP))
    offers = result.lists["next_best_policy"].filter(pl.col("branch") == "uitvaart")
    assert offers["ban"].all()
    assert offers["expected_commission"].null_count() == offers.height
    rows = {row.key: row for row in result.figures.next_best}
    assert rows["uitvaart"].expected_commission is None
    assert rows["uitvaart"].expected_policies > 0
    assert rows["auto"].expected_commission > 0


def test_expected_commission_lies_between_the_means_of_kind_and_branch() -> None:
    """A mean, for an expectation is no median; a kind is mixed with its branch, and the largest hundredth is cut."""
    made = f.portfolio(200, branches=("auto", "reis"))
    result = run_value(made, f.models(made), f.SETTINGS)
    held = f.present(made).join(made.customers.select("customer", "kind"), on="customer")
    cents = pl.min_horizontal("commission_cents", pl.col("commission_cents").quantile(0.99, "lower").over("branch"))
    held = held.with_columns(cents=cents).drop_nulls("cents")
    means = (
        held.group_by("branch", "kind")
        .agg(of_kind=pl.col("cents").mean())
        .join(held.group_by("branch").agg(of_branch=pl.col("cents").mean()), on="branch")
    )
    listed = result.lists["next_best_policy"].join(means, on=["branch", "kind"]).drop_nulls("kind")
    assert listed.height > 20
    within = pl.col("of_kind"), pl.col("of_branch")
    assert listed.select(
        (100 * pl.col("commission"))
        .is_between(pl.min_horizontal(*within) - 0.51, pl.max_horizontal(*within) + 0.51)
        .all()
    ).item()


def test_cross_sell_commission_sums_over_eligible_branches(made, result) -> None:
    by_branch = sum(row.expected_commission for row in result.figures.next_best)
    total = result.scores["cross_sell_commission_12m"].cast(pl.Float64).sum()
    assert by_branch == pytest.approx(100 * total, rel=1e-4)


def test_without_advisers_their_number_is_assumed() -> None:
    made = f.portfolio(60, advisers=0)
    shared = eligibility(InForce(made, f.models(made), f.SETTINGS))
    assert (shared.advisers, shared.advisers_counted) == (1, False)
    made = f.portfolio(60, advisers=3)
    assert eligibility(InForce(made, f.models(made), f.SETTINGS)).advisers == 3


def test_row_order_changes_nothing(made, result) -> None:
    other = run_value(*f.shuffled(made, f.models(made)), f.settings(**CHEAP))
    assert other.scores.equals(result.scores)
    assert other.components.equals(result.components)
    for name, listed in result.lists.items():
        assert other.lists[name].equals(listed)
    assert other.case == result.case
    assert other.figures == result.figures
    assert other.findings == result.findings
    assert other.predictions == result.predictions
