"""Next year's lost revenue, the way from premium to customer value, and lifetime value proven backwards."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from akb.core.dates import add_months
from akb.ingest import earlier
from akb.models.types import Evidence
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.lifetime.backtest import BacktestResult, compare, lift_within, proof, realised, winner
from akb.value.lifetime.clv import residual_lifetime
from akb.value.lifetime.lost import between_years, lost_commission
from akb.value.lifetime.survival import YEAR, after_announced, branch_rows, relations
from akb.value.predictions import Work, predictions
from akb.value.revenue.cost import KINDS, mutations, reminders, service_cost
from akb.value.types import Past, PastModel, PastValue

GOLDEN = {entry["id"]: entry for entry in json.loads((Path(__file__).parents[1] / "golden.json").read_text("utf-8"))}


def _sbg(alpha: float, beta: float, years: int) -> np.ndarray:
    """Survival of the shifted beta-geometric model after 0..years renewals."""
    t = np.arange(years + 1)
    return np.exp(betaln(alpha, beta + t) - betaln(alpha, beta))


def test_b4_the_moment_of_payment_moves_lifetime_value_by_fifteen_percent() -> None:
    shape, out = GOLDEN["B4_sbg_highend"]["out"], GOLDEN["B4_derl_highend_10pct_after7"]["out"]
    survival = _sbg(shape["alpha"], shape["beta"], 600)
    before = residual_lifetime(survival, 7, 0.10)
    running = residual_lifetime(survival, 7, 0.10, current=True)
    without = residual_lifetime(survival, 7, 0.10, timing=1.0)
    tolerance = GOLDEN["B4_derl_highend_10pct_after7"]["tol"]
    assert before == pytest.approx(out["voor_volgende_prolongatie"], abs=tolerance)
    assert running == pytest.approx(out["lopend_jaar_mee"], abs=tolerance)
    assert without == pytest.approx(out["zonder_lopend_jaar"], abs=tolerance)
    assert running / without == pytest.approx(1.146, abs=0.001)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    timing=st.floats(0, 1),
    discount=st.floats(0, 0.15),
    horizon=st.integers(1, 12),
)
def test_both_ends_of_the_year_add_up_to_clv_to_the_cent(
    seed: int, timing: float, discount: float, horizon: int
) -> None:
    made = f.portfolio(25, seed=seed)
    told = f.settings(value__timing=timing, value__discount=discount, value__horizon_years=horizon)
    parts = run_value(made, f.models(made, seed=seed + 1), told).components
    assert parts is not None
    p = parts["preventable"].to_numpy()
    both = (1 - p) * parts["stay_cents"].to_numpy() + p * parts["leave_cents"].to_numpy()
    assert np.abs(both - parts["clv_cents"].to_numpy()).max() <= 0.5 + 1e-6


def _lost(made, run, **assumed):
    base = InForce(made, run, f.settings(**assumed))
    paths = relations(base, YEAR)
    assert paths is not None
    return base, paths, branch_rows(base, paths, 0.0)


def test_lost_commission_has_the_mean_and_variance_of_what_it_describes() -> None:
    """Relations end as a whole, policies of those who stay one by one: the formula against 20,000 draws."""
    made = f.portfolio(60)
    base, paths, rows = _lost(made, f.models(made))
    found = lost_commission(base, paths, rows)
    kept = base.held.join(rows, on=["row", "branch"], how="left", maintain_order="left")["first"].to_numpy()
    rng = np.random.default_rng(4)
    stays = rng.random((20_000, base.n)) < paths.alive_after(YEAR)
    keeps = stays[:, base.rows] & (rng.random((20_000, len(base.rows))) < kept)
    lost = (~keeps * base.commission).sum(axis=1)
    assert found.expected == pytest.approx(lost.mean(), rel=0.005)
    assert found.chance == pytest.approx(lost.std(), rel=0.03)
    assert found.level < np.hypot(found.chance, found.year) / np.sqrt(found.years)


def test_the_level_is_learned_by_counting_so_one_large_policy_makes_chance_larger_and_not_the_level() -> None:
    """Amounts alike in a branch: a year's chance over the root of the years."""
    made = f.portfolio(200)
    alike = made.policies.with_columns(commission_cents=pl.lit(10_000, pl.Int64))
    base, paths, rows = _lost(replace(made, policies=alike), f.models(made))
    plain = lost_commission(base, paths, rows)
    assert plain.level == pytest.approx(np.hypot(plain.chance, plain.year) / np.sqrt(plain.years))
    large = f.present(made)["policy"][0]
    cents = pl.when(pl.col("policy") == large).then(1_000_000).otherwise(pl.col("commission_cents"))
    told = lost_commission(*_lost(replace(made, policies=alike.with_columns(commission_cents=cents)), f.models(made)))
    assert told.chance > 2 * plain.chance
    assert told.level < 1.7 * plain.level


def test_the_parts_of_the_loss_are_all_of_it_and_an_announced_end_is_certain() -> None:
    made = f.portfolio(200)
    held = f.present(made)
    told = held["policy"].to_list()[::15]
    end = pl.when(pl.col("policy").is_in(told)).then(pl.lit(f.X + timedelta(days=40))).otherwise(pl.col("end_date"))
    leaving = replace(made, policies=made.policies.with_columns(end_date=end))
    base, paths, rows = _lost(leaving, f.models(made))
    found = lost_commission(base, paths, rows)
    assert found.expected == sum(found.parts.values())
    assert found.parts["announced"] == held.filter(pl.col("policy").is_in(told))["commission_cents"].sum()
    low, high = found.interval()
    assert found.parts["announced"] <= low < found.expected < high
    before = lost_commission(*_lost(made, f.models(made)))
    assert found.parts["single"] < before.parts["single"]  # the others cancel less: these were among the expected


@given(st.lists(st.tuples(st.floats(0.3, 0.99), st.floats(0.5, 1.0)), min_size=3, max_size=20), st.integers(0, 2))
def test_announced_lapses_are_among_those_expected(rows: list[tuple[float, float]], count: int) -> None:
    kept, alive = (np.array(column) for column in zip(*rows, strict=True))
    policies, certain = np.full(len(rows), 20), np.zeros(len(rows), dtype=np.int64)
    certain[0] = count
    foreseen = 1 - alive * kept
    first = after_announced(kept, alive, policies, certain, foreseen)
    assert (first >= kept - 1e-12).all()
    gone = (policies * alive * (1 - first)).sum()
    whole = (policies * alive * (1 - kept)).sum()
    assert gone == pytest.approx(max(whole - count * (1 - foreseen[0]), 0.1 * whole), rel=1e-6)


def test_years_that_differ_no_more_than_chance_get_the_floor() -> None:
    assert between_years([0.10, 0.103, 0.097], 0.03) == 0.05
    assert between_years([0.10, 0.20, 0.05], 0.03) > 0.3
    assert between_years([0.10], 0.03) == 0.05


def test_no_interval_without_a_proven_level() -> None:
    made = f.portfolio()
    assert run_value(made, f.models(made), f.SETTINGS).figures.lost_commission
    failed = f.with_gate(f.models(made), "fail", "churn")
    assert run_value(made, failed, f.SETTINGS).figures.lost_commission is None


def test_the_waterfall_adds_up_and_says_what_is_assumed() -> None:
    made = f.portfolio(events=True)
    base = InForce(made, f.models(made), f.SETTINGS)
    found = run_value(made, f.models(made), f.SETTINGS).figures.waterfall
    assert found.premium - found.kept_by_insurer == found.commission == base.commission.sum()
    assert found.value == found.commission - sum(step.cents for step in found.steps)
    cost = service_cost(base)
    without = sum(step.cents for step in found.steps if step.key != "marketing")
    assert without == cost.per_customer(base).sum()
    assert {step.mark for step in found.steps} == {"assumed"}
    assert found.estimated == ("mutations", "collection")
    bare = f.portfolio(commission="none")
    assert run_value(bare, f.models(bare), f.SETTINGS).figures.waterfall is None


def test_cost_parts_are_stored_per_customer_and_add_up() -> None:
    made = f.portfolio(120, events=True)
    parts = run_value(made, f.models(made), f.SETTINGS).components
    assert parts is not None
    assert (parts.select(pl.sum_horizontal(f"cost_{kind}_cents" for kind in KINDS).alias("sum"))["sum"]
            == parts["service_cost_cents"]).all()  # fmt: skip


def test_a_premium_that_changes_outside_the_renewal_is_a_mutation() -> None:
    made = f.portfolio(30)
    policy = f.present(made).filter(pl.col("start_date") < date(2022, 6, 1)).row(0, named=True)
    renewal = policy["start_date"].replace(year=2024, day=min(policy["start_date"].day, 28))
    days = [renewal - timedelta(days=366), renewal + timedelta(days=10), renewal + timedelta(days=150)]
    dated = pl.DataFrame(
        {"policy": [policy["policy"]] * 3, "date": days, "premium_cents": [100, 110, 150]},
        schema_overrides={"policy": pl.UInt32},
    )
    base = InForce(replace(made, premiums=dated), f.models(made), f.SETTINGS)
    found = mutations(base)
    assert found is not None
    assert found["date"].to_list() == [days[2]]
    assert "mutations" not in service_cost(base).estimated
    assert mutations(InForce(made, f.models(made), f.SETTINGS)) is None


def test_only_trouble_with_payments_costs_time() -> None:
    made = f.portfolio(30)
    paid = pl.DataFrame(
        {"customer": [0, 1, 2], "date": [date(2025, 3, 1)] * 3, "kind": ["paid", "reminder", "reversal"]},
        schema_overrides={"customer": pl.UInt32},
    )
    base = InForce(replace(made, payments=paid), f.models(made), f.SETTINGS)
    assert reminders(base)["customer"].to_list() == [1, 2]
    only = InForce(replace(made, payments=paid.head(1)), f.models(made), f.SETTINGS)
    assert reminders(only) is None
    assert "collection" in service_cost(only).estimated


def test_an_earlier_portfolio_knows_nothing_later() -> None:
    made = f.portfolio(300, events=True)
    day = add_months(f.X, -36)
    old = made.claims.head(1).with_columns(date=pl.lit(day))
    made = replace(made, claims=pl.concat([made.claims, old]))
    then = earlier(made, day)
    late = made.policies.with_columns(
        end_date=pl.when(pl.col("end_date") > day).then(pl.lit(f.X + timedelta(days=9))).otherwise(pl.col("end_date"))
    )
    assert earlier(replace(made, policies=late), day).policies.equals(then.policies)
    assert then.policies["start_date"].max() <= day
    assert then.policies.filter(pl.col("end_date") > day).is_empty()
    assert (
        then.policies.filter(pl.col("end_date").is_null())["cause"].null_count()
        == then.policies["end_date"].null_count()
    )
    assert then.claims["date"].to_list() == [day]
    assert then.replay
    assert then.history.recorded_from == made.history.recorded_from
    assert then.history.months < made.history.months


def test_an_end_on_the_day_itself_was_known_that_day() -> None:
    made = f.portfolio(60)
    ends = made.policies["end_date"].drop_nulls().sort()
    day = ends[len(ends) // 2]
    last = (made.policies["end_date"] == day).sum()
    assert last >= 1
    then = earlier(made, day).policies
    assert (then["end_date"] == day).sum() == last
    assert then.filter(pl.col("end_date") == day)["cause"].null_count() == 0
    eve = earlier(made, day - timedelta(days=1)).policies
    assert (eve["end_date"] == day).sum() == 0 and eve["end_date"].max() < day


def _past(made, run=None) -> Past:
    then = earlier(made, add_months(f.X, -36))
    when = replace(run or _models_then(then), as_of=then.as_of)
    return Past(then, when)


def _models_then(then):
    held = then.policies.filter(pl.col("end_date").is_null())
    return f.models(replace(then, policies=then.policies.filter(pl.col("policy").is_in(held["policy"].implode()))))


def test_realised_is_time_in_force_and_a_replaced_policy_goes_on() -> None:
    day = date(2022, 12, 31)
    rows = [
        (0, None, None, None),  # stays: three years
        (1, date(2024, 7, 1), "preventable", None),  # half of the time
        (2, date(2023, 6, 1), "preventable", date(2023, 6, 2)),  # goes on under another number
        (3, date(2023, 6, 1), "technical", None),
        (4, date(2026, 6, 1), "preventable", None),  # after the three years
    ]
    policies = pl.DataFrame(
        [(c, date(2015, 1, 1), e, why, after, 1200) for c, e, why, after in rows],
        schema={"customer": pl.UInt32, "start_date": pl.Date, "end_date": pl.Date, "cause": pl.String,
                "replaced_on": pl.Date, "revenue_cents": pl.Int64},
        orient="row",
    )  # fmt: skip
    earned = realised(policies, policies["customer"], day, 36)
    half = 3600 * (date(2024, 7, 1) - day).days / (date(2025, 12, 31) - day).days
    assert earned.tolist() == pytest.approx([3600, half, 3600, 3600, 3600])


def test_the_proof_compares_with_the_status_quo_and_says_who_won() -> None:
    made = f.portfolio(500, months=60)
    base = InForce(made, f.models(made), f.SETTINGS)
    found = proof(base, _past(made)).figures
    assert found.available
    assert [row.key for row in found.models] == ["clv", "status_quo", "all_stay"]
    truth = realised(base.policies, _past(made).models.scores["customer"], date(2022, 12, 31), 36)
    assert found.realised == round(truth.sum())
    assert sum(row.customers for row in found.deciles) == found.customers
    means = [row.expected for row in found.deciles]
    assert means == sorted(means, reverse=True)
    assert found.winner in ("clv", "status_quo", "none")
    again = proof(base, _past(made))
    assert again.figures == found
    level = again.evidence
    assert level is not None
    assert (level.test_date, level.population) == (date(2022, 12, 31), found.customers)
    assert level.calibration is not None
    assert level.calibration.observed_expected == pytest.approx(found.models[0].ratio)


@pytest.mark.parametrize(
    ("won", "better", "words"),
    [
        ("clv", True, ("beter dan de eenvoudige regel", "had een kleinere fout")),
        ("status_quo", False, ("beter dan de klantwaarde", "geen aantoonbaar kleinere fout")),
        ("none", False, ("even goed", "geen aantoonbaar kleinere fout")),
    ],
)
def test_the_card_of_lifetime_value_says_who_won_and_what_it_did_not_beat(
    won: str, better: bool, words: tuple[str, str]
) -> None:
    made = f.portfolio(60)
    base = InForce(made, f.models(made), f.SETTINGS)
    stay = PastModel("all_stay", 0, 1.0, 0.0, 0.0, gain=600.0, gain_ci=(-100.0, 1300.0))
    evidence = Evidence(test_date=date(2022, 12, 31), population=60, positives=40.0)
    day = date(2022, 12, 31)
    past = PastValue(
        True, day, day, 60, 0, (stay,), winner=won, beats_all_stay=better, lift=(), lifetime_years=1.0, deciles=()
    )
    found = BacktestResult(past, evidence=evidence)
    keys = [entry.key for entry in base.entries if entry.room == "value"]
    scores = pl.DataFrame({key: [1.0] for key in keys})
    told = {each.key: each for each in predictions(Work(base, service_cost(base), None, backwards=found), scores)}
    assert all(part in told["clv"].why.sentence() for part in (*words, "31\u00a0december\u00a02022", "€\u00a013"))
    assert told["clv"].evidence is evidence
    assert told["value_at_stake"].evidence is None
    unproven = {each.key: each for each in predictions(Work(base, service_cost(base), None), scores)}
    assert "Nagerekend" not in unproven["clv"].why.sentence()


def test_what_no_customer_has_is_not_said_to_be_derived() -> None:
    made = f.portfolio(60)
    base = InForce(made, f.models(made), f.SETTINGS)
    keys = [entry.key for entry in base.entries if entry.room == "value"]
    scores = pl.DataFrame({key: [None] for key in keys}, schema=dict.fromkeys(keys, pl.Float64))
    told = {each.key: each for each in predictions(Work(base, service_cost(base), None), scores)}
    for key in ("next_best_policy", "next_best_policy_2", "next_best_policy_3", "next_best_action"):
        assert told[key].status == "unavailable"
        assert "Afgeleid" not in told[key].why.sentence()


def test_no_proof_says_why() -> None:
    made = f.portfolio(60)
    base = InForce(made, f.models(made), f.SETTINGS)
    assert proof(base, None) == BacktestResult(None, "history")
    assert proof(base, _past(made)) == BacktestResult(None, "few")
    bare = f.portfolio(60, commission="none")
    assert proof(InForce(bare, f.models(bare), f.SETTINGS), None).missing == "revenue"


def test_the_paired_interval_tells_a_better_forecast_from_chance() -> None:
    rng = np.random.default_rng(3)
    truth = rng.gamma(2, 100, 2000)
    near, far = truth + rng.normal(0, 20, 2000), truth + rng.normal(0, 60, 2000)
    better = compare(near, far, truth, seed=1)
    assert winner(better) == "clv"
    assert winner(compare(far, near, truth, seed=1)) == "status_quo"
    same = truth + rng.normal(0, 20, 2000)
    assert winner(compare(near, same, truth, seed=1)) == "none"
    assert better.gain == pytest.approx(40, abs=4)


def test_lift_inside_tenths_of_revenue_is_survival_alone() -> None:
    rng = np.random.default_rng(5)
    now, years = rng.gamma(2, 100, 3000), rng.uniform(1, 3, 3000)
    lift = lift_within(now, now * years, now * years)
    assert lift == sorted(lift)
    assert lift[0] < 1.5 < 2.5 < lift[-1]
    flat = lift_within(now, now * 2, now * years)
    assert max(flat) - min(flat) < 0.25
