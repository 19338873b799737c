from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given
from hypothesis import strategies as st

from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.lifetime.clv import discount_factors, lapses_expected, stay_and_leave
from akb.value.lifetime.survival import YEAR, Relations, branch_rows, per_policy, relations


@pytest.mark.parametrize("reasons", [True, False])
@pytest.mark.parametrize("timing", [0.0, 0.5, 1.0])
def test_stay_and_leave_add_up_to_clv_to_the_cent(reasons: bool, timing: float) -> None:
    made = f.portfolio(reasons=reasons)
    parts = run_value(made, f.models(made), f.settings(value__timing=timing)).components
    assert parts is not None
    p = parts["preventable"].to_numpy()
    both = (1 - p) * parts["stay_cents"].to_numpy() + p * parts["leave_cents"].to_numpy()
    assert np.abs(both - parts["clv_cents"].to_numpy()).max() <= 0.5 + 1e-6
    assert (parts["stake_cents"] == parts["stay_cents"] - parts["leave_cents"]).all()
    assert parts["stake_cents"].abs().max() > 10_000  # something is at stake, so the identity is not empty


def test_p_is_the_score_of_the_models() -> None:
    made = f.portfolio()
    run = f.models(made)
    parts = run_value(made, run, f.SETTINGS).components
    assert np.allclose(parts["preventable"], run.scores["churn_preventable_12m"], atol=1e-6)


def test_without_reasons_p_is_an_assumed_share_of_churn() -> None:
    made = f.portfolio(reasons=False)
    run = f.models(made)
    parts = run_value(made, run, f.settings(retention__preventable_share=0.5)).components
    assert np.allclose(parts["preventable"], 0.5 * run.scores["churn_12m"].to_numpy(), atol=1e-6)


def test_components_add_up() -> None:
    made = f.portfolio()
    parts = run_value(made, f.models(made), f.SETTINGS).components
    current = parts["clv_commission_cents"] - parts["clv_variable_cents"] - parts["clv_fixed_cents"]
    assert (current == parts["current_cents"]).all()
    assert (parts["current_cents"] + parts["potential_cents"] == parts["clv_cents"]).all()
    assert (parts["clv_fixed_cents"] > 0).all()
    assert (parts["clv_commission_cents"] >= 0).all()


def test_five_years_are_discounted_as_the_whole_is() -> None:
    """Looking five years ahead the whole value is that of five years; looking further it stays what it was."""
    made = f.portfolio(200)
    run = f.models(made)
    parts = {
        (years, rate): run_value(
            made, run, f.settings(value__horizon_years=years, value__discount=rate, value__indexation=0.0)
        ).components
        for years in (5, 10)
        for rate in (0.0, 0.08)
    }
    for rate in (0.0, 0.08):
        five, ten = parts[5, rate], parts[10, rate]
        assert (five["clv_5y_cents"] - five["clv_cents"]).abs().max() <= 2  # the whole is a sum of rounded parts
        assert (five["clv_5y_cents"] - ten["clv_5y_cents"]).abs().max() <= 1
    earned = parts[5, 0.0]["clv_5y_cents"]
    assert (parts[5, 0.08]["clv_5y_cents"].abs().sum()) < 0.95 * earned.abs().sum()


def _certain(made, run, hazard: float):
    """Everybody the same constant yearly hazard, all preventable, and no lapse within a surviving relation."""
    alive = (1 - hazard) ** (pl.col("month") / 12)
    survival = run.survival.with_columns(alive=alive, natural=pl.lit(0.0), insurer=pl.lit(0.0), preventable=1 - alive)
    return replace(run, survival=survival, branch_lapse=run.branch_lapse.with_columns(probability=pl.lit(hazard)))


def test_clv_of_a_certain_customer_is_an_annuity() -> None:
    made = f.portfolio(60)
    run = _certain(made, f.models(made), 0.0)
    run = replace(run, branch_purchase=run.branch_purchase.clear())
    settings = f.settings(value__discount=0.05, value__indexation=0.0, value__horizon_years=5, value__timing=1.0)
    parts = run_value(made, run, settings).components
    annuity = sum(1.05 ** -((month + 1) / 12) / 12 for month in range(60))
    expected = annuity * (parts["commission_cents"] - parts["service_cost_cents"]).to_numpy()
    assert np.allclose(parts["clv_cents"], expected, atol=2)
    assert (parts["stake_cents"] == 0).all()  # nobody leaves


def test_value_at_stake_is_what_leaving_costs() -> None:
    """With one hazard for all, V_leave is the margin of the months before leaving, V_stay that of those who stay."""
    made = f.portfolio(60)
    run = _certain(made, f.models(made), 0.2)
    run = replace(run, branch_purchase=run.branch_purchase.clear())
    settings = f.settings(value__discount=0.0, value__indexation=0.0, value__horizon_years=2, value__timing=0.0)
    parts = run_value(made, run, settings).components
    margin = (parts["commission_cents"] - parts["service_cost_cents"]).to_numpy() / 12
    alive = 0.8 ** (np.arange(25) / 12)
    leave = ((alive[:12] - 0.8) / 0.2).sum()
    stay = 12 + alive[12:24].sum() / 0.8
    assert np.allclose(parts["leave_cents"], margin * leave, atol=2)
    assert np.allclose(parts["stay_cents"], margin * stay, atol=2)


def test_potential_by_hand() -> None:
    """One eligible branch, certain relations, no discount: bought in each of three years by those who had not yet."""
    made = f.portfolio(40)
    run = _certain(made, f.models(made), 0.0)
    customer = int(run.scores["customer"][0])
    offer = pl.DataFrame(
        {"customer": [customer], "branch": ["auto"], "probability": [0.4]}, schema_overrides={"customer": pl.UInt32}
    )
    free = {f"cost__minutes_{name}": 0.0 for name in ("renewal", "mutation", "claim", "collection")}
    settings = f.settings(
        value__discount=0.0, value__indexation=0.0, value__horizon_years=4, cross_sell__years=3.0, **free
    )
    parts = run_value(made, replace(run, branch_purchase=offer), settings).components
    kind = made.customers["kind"][customer]
    same = made.customers.filter(pl.col("kind") == kind)["customer"].implode()
    autos = f.present(made).filter(pl.col("branch") == "auto")
    cents = autos["commission_cents"].sort()
    cents = pl.Series([*cents[:-1], cents[-2]])  # the dearest of fewer than 100 counts as the next one
    own = autos.filter(pl.col("customer").is_in(same))["commission_cents"].clip(upper_bound=cents[-1])
    margin = round((own.sum() + 20 * cents.mean()) / (len(own) + 20))
    # policy-years per policy within four years, bought evenly over year 1, 2, 3; months count from mid-month
    held = [
        sum((month >= bought) / 12 for month in range(48) for bought in range(12 * y, 12 * y + 12)) / 12
        for y in range(3)
    ]
    expected = margin * sum(0.4 * 0.6**year * held[year] for year in range(3))
    mine = parts.filter(pl.col("customer") == customer)["potential_cents"][0]
    assert mine == pytest.approx(expected, abs=1)
    assert parts["potential_cents"].sum() == mine


def test_higher_risk_never_raises_the_value_of_a_profitable_customer() -> None:
    made = f.portfolio(80)
    run = f.models(made)
    run = replace(run, branch_purchase=run.branch_purchase.clear())
    settings = f.settings(cost__fixed=10.0)
    low = run_value(made, _certain(made, run, 0.05), settings).components
    high = run_value(made, _certain(made, run, 0.30), settings).components
    profitable = (low["commission_cents"] > low["service_cost_cents"]).to_numpy()
    assert profitable.sum() > 20
    assert (high["clv_cents"].to_numpy()[profitable] <= low["clv_cents"].to_numpy()[profitable]).all()


def curve_through(months: np.ndarray, alive: np.ndarray, horizon: int) -> np.ndarray:
    """Survival after month 0..horizon of relations that are alive after `months` with these chances."""
    knots, levels = np.append(0, months), np.concatenate([np.ones((len(alive), 1)), alive], axis=1)
    nothing = np.zeros((len(alive), YEAR + 1))
    paths = Relations(knots, levels, horizon, nothing, nothing[:, 0], split=True)
    return np.stack([paths.alive_after(month) for month in range(horizon + 1)], axis=1)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8),
    st.integers(1, 200),
)
def test_interpolated_survival_meets_its_knots_and_never_rises(ratios: list[float], horizon: int) -> None:
    knots = np.array([1, 2, 3, 6, 12, 24, 36, 48])[: len(ratios)]
    alive = np.cumprod(ratios)[None, :]
    curve = curve_through(knots, alive, horizon)
    assert curve.shape == (1, horizon + 1)
    assert curve[0, 0] == 1
    for month, level in zip(knots, alive[0], strict=True):
        if month <= horizon:
            assert curve[0, month] == pytest.approx(level, abs=1e-12)
    assert (np.diff(curve[0]) <= 1e-12).all()


def test_interpolation_is_geometric() -> None:
    curve = curve_through(np.array([12, 24]), np.array([[0.81, 0.81 * 0.49]]), 36)
    assert curve[0, 6] == pytest.approx(0.9)
    assert curve[0, 18] == pytest.approx(0.81 * 0.7)
    assert curve[0, 36] == pytest.approx(0.81 * 0.49 * 0.49)  # the last hazard goes on


@given(st.floats(0, 0.99), st.floats(0, 0.5), st.integers(1, 5))
def test_a_policy_never_outlives_its_relation(churn: float, extra: float, count: int) -> None:
    alive = np.array([1 - churn])
    lapse = 1 - alive * (1 - extra)
    kept = per_policy(lapse, alive, np.array([count]))
    assert 0 <= kept[0] <= 1
    assert alive[0] * kept[0] ** count == pytest.approx(
        1 - lapse[0], abs=1e-9
    )  # at least one lapse = the model's chance


def test_one_policy_follows_the_textbook_formula_where_relations_do_not_end() -> None:
    assert per_policy(np.array([0.19]), np.array([1.0]), np.array([2]))[0] == pytest.approx(0.9)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1), st.floats(-1e6, 1e6))
def test_stay_and_leave_identity_for_any_chance(p: float, share: float, total: float) -> None:
    leaving = share * total * p
    stay, leave = stay_and_leave(np.array([total]), np.array([leaving]), np.array([p]))
    assert (1 - p) * stay[0] + p * leave[0] == pytest.approx(total, rel=1e-9, abs=1e-6)


def test_an_end_that_cannot_happen_has_nothing_at_stake() -> None:
    total = np.array([70.0, 70.0])
    stay, leave = stay_and_leave(total, np.array([0.0, 70.0]), np.array([0.0, 1.0]))
    assert stay.tolist() == leave.tolist() == total.tolist()


def test_discounting() -> None:
    factors = discount_factors(24, 0.06, 0.0, 1.0)
    assert factors[11] == pytest.approx(1 / 1.06)
    assert discount_factors(24, 0.03, 0.03, 0.3) == pytest.approx(np.ones(24))


def test_the_moment_of_payment_matters_and_is_explicit() -> None:
    made = f.portfolio(80)
    early, late = (
        run_value(made, f.models(made), f.settings(value__timing=timing)).components["clv_commission_cents"].sum()
        for timing in (0.0, 1.0)
    )
    assert early > late


def test_lapses_agree_with_the_branch_chances() -> None:
    made = f.portfolio()
    run = f.models(made)
    base = InForce(made, run, f.SETTINGS)
    paths = relations(base, 120)
    assert paths is not None
    rows = branch_rows(base, paths, 0.0)
    single = rows["policies"].max() == 1
    assert single  # then at least one lapse in a branch is that policy's lapse
    assert lapses_expected(base, rows, paths) == pytest.approx(run.branch_lapse["probability"].sum())


def _announce(made, days: int, *, all_policies: bool = True):
    """The first customer's policies (or his first one) end `days` after X."""
    customer = int(f.present(made)["customer"].min())
    mine = (pl.col("customer") == customer) & pl.col("end_date").is_null()
    if not all_policies:
        mine &= pl.col("policy") == f.present(made).filter(pl.col("customer") == customer)["policy"].min()
    end = pl.when(mine).then(pl.lit(f.X + timedelta(days=days))).otherwise(pl.col("end_date"))
    cause = pl.when(mine).then(pl.lit("preventable")).otherwise(pl.col("cause"))
    return customer, replace(made, policies=made.policies.with_columns(end_date=end, cause=cause))


def test_an_announced_end_is_exact_by_day() -> None:
    customer, made = _announce(f.portfolio(60), 100)
    run = f.models(made)
    result = run_value(made, run, f.SETTINGS)
    mine = f.present(made).filter(pl.col("customer") == customer)
    row = result.components.filter(pl.col("customer") == customer).row(0, named=True)
    assert row["commission_12m_cents"] == round(mine["commission_cents"].sum() * 100 / 365.25)
    assert row["potential_cents"] == 0
    assert row["stake_cents"] == 0
    assert customer not in result.lists["top_defend"]["customer"]
    assert customer not in result.lists["next_best_policy"]["customer"]
    assert result.left_out["top_defend"]["announced"] == 1


def test_a_signed_policy_keeps_an_announced_leaver_in_the_book() -> None:
    customer, made = _announce(f.portfolio(60), 100)
    signed = made.policies.filter(pl.col("customer") == customer).head(1).with_columns(
        start_date=pl.lit(f.X + timedelta(days=100 + 31)), end_date=pl.lit(None, dtype=pl.Date),
        policy=pl.lit(made.policies.height, dtype=pl.UInt32),
    )  # fmt: skip
    stays = replace(made, policies=pl.concat([made.policies, signed]))
    assert not InForce(stays, f.models(made), f.SETTINGS).announced.any()
    late = signed.with_columns(start_date=pl.lit(f.X + timedelta(days=100 + 32)))
    leaves = replace(made, policies=pl.concat([made.policies, late]))
    assert InForce(leaves, f.models(made), f.SETTINGS).announced.sum() == 1


def test_a_replaced_policy_has_no_announced_end() -> None:
    customer, made = _announce(f.portfolio(60), 100)
    goes_on = made.policies.with_columns(
        replaced_on=pl.when((pl.col("customer") == customer) & pl.col("end_date").is_not_null())
        .then(pl.col("end_date"))
        .otherwise(None)
    )
    base = InForce(replace(made, policies=goes_on), f.models(made), f.SETTINGS)
    assert not base.announced.any()


def test_one_announced_policy_does_not_make_a_leaver() -> None:
    made = f.portfolio(60)
    counts = f.present(made).group_by("customer").len().sort("customer")
    assert counts["len"][0] > 1
    _, made = _announce(made, 100, all_policies=False)
    base = InForce(made, f.models(made), f.SETTINGS)
    assert not base.announced.any()
    paths = relations(base, 12 * 10)
    assert paths is not None
    assert (paths.alive_after(YEAR) < 1).all()
