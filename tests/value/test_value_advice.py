"""Draws, advice and trials: what nobody knows, what is worth finding out, and where the advice turns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from case_fixtures import REGISTER, basis_of, cohort, sums
from scipy.stats import norm

from akb.value.case.advice import advice, turning
from akb.value.case.basis import Cohort, Span
from akb.value.case.claims import claims, why_different
from akb.value.case.sensitivity import DRAWS, Draws, band, break_even, net_at, positions, tornado, triangular
from akb.value.case.trial import best_trial, effects, per_arm, per_arm_of_means, standard_error, trials, value_of_sample

GOLDEN = {entry["id"]: entry for entry in json.loads((Path(__file__).parents[1] / "golden.json").read_text("utf-8"))}
CALL = "contacts.call.effect_relation"


def drawn(relation: float, **assumptions: float) -> Draws:
    return Draws(basis_of(cohort(relation, policy=0.2 * relation, purchase=0.1 * relation), **assumptions), 7)


def test_draws_are_triangular_and_effects_go_together() -> None:
    draws = drawn(50_000.0)
    names = [CALL, "contacts.call.effect_policy", "contacts.call.minutes"]
    for name in names:
        entry, values = REGISTER[name], draws.values[name]
        assert len(values) == DRAWS
        assert values.min() >= entry.low
        assert values.max() <= entry.high
        error = values.std() / np.sqrt(DRAWS)
        assert values.mean() == pytest.approx((entry.low + entry.value + entry.high) / 3, abs=4 * error)
    together = np.corrcoef([draws.values[name] for name in names])
    assert together[0, 1] == pytest.approx(0.5, abs=0.1)
    assert abs(together[0, 2]) < 0.1
    assert (drawn(50_000.0).net == draws.net).all()
    assert (Draws(draws.basis, 8).net != draws.net).any()
    assert (triangular(np.array([0.1, 0.9]), 2.0, 2.0, 2.0) == 2).all()
    grid = triangular(np.linspace(0.0005, 0.9995, 2001), 1.0, 2.0, 5.0)
    assert grid.mean() == pytest.approx(8 / 3, abs=0.01)
    same = positions(["a", "b"], frozenset(("a", "b")), 1.0, 1)
    assert np.allclose(same["a"], same["b"])


def test_the_chance_of_a_net_above_zero_rises_with_benefit_and_falls_with_price() -> None:
    rises = [(drawn(amount).net > 0).mean() for amount in (5000.0, 12_000.0, 20_000.0, 60_000.0)]
    assert rises == sorted(rises)
    assert rises[0] < 0.2 < 0.8 < rises[-1]
    falls = [(drawn(20_000.0, price__per_customer=price).net > 0).mean() for price in (0.5, 1.0, 3.0)]
    assert falls == sorted(falls, reverse=True)


def test_at_the_base_the_draws_give_the_net_of_the_basis() -> None:
    draws = drawn(30_000.0)
    assert net_at(draws.basis, {}) == pytest.approx(39_000 - 1000 - 10_000)
    found = band(draws)
    assert found.net.low < found.net.base < found.net.high
    assert found.above_zero == (draws.net > 0).mean()


def test_the_tornado_moves_one_thing_at_a_time() -> None:
    draws = drawn(30_000.0)
    rows = {row.key: row for row in tornado(draws)}
    entry = REGISTER[CALL]
    assert rows[CALL].low == pytest.approx(28_000 + 30_000 * (entry.low / entry.value - 1), abs=1)
    assert rows[CALL].high == pytest.approx(28_000 + 30_000 * (entry.high / entry.value - 1), abs=1)
    assert rows["contacts.call.minutes"].low > rows["contacts.call.minutes"].high
    swings = [abs(row.high - row.low) for row in tornado(draws)]
    assert swings == sorted(swings, reverse=True)


def test_at_its_turning_point_nothing_is_left() -> None:
    draws = drawn(30_000.0)
    found = {row.key: row.value for row in break_even(draws)}
    for name in (CALL, "price.per_customer", "contacts.call.minutes"):
        assert net_at(draws.basis, {name: found[name]}) == pytest.approx(0, abs=2), name
    assert found["price.per_customer"] == pytest.approx(3.8)
    assert found["contacts.call.cost"] is None  # it costs nothing and has no range
    assert turning(draws).key in found  # type: ignore[index]


@pytest.mark.parametrize("share", [0.799, 0.8, 0.801])
def test_start_is_a_boundary(share: float) -> None:
    draws = drawn(30_000.0)
    net = np.where(np.arange(DRAWS) < round(share * DRAWS), 1e6, -1e6)
    draws.__dict__["net"] = net
    told = advice(draws.basis, draws, 7)
    assert told.probability == share
    assert (told.key == "start") is (share >= 0.8)
    assert (told.next == "contacts") is (share >= 0.8)


def test_a_trial_only_where_it_is_worth_more_than_it_costs() -> None:
    sure, hopeless = drawn(60_000.0), drawn(500.0)
    assert advice(sure.basis, sure, 7).key == "start"
    told = advice(hopeless.basis, hopeless, 7)
    assert (told.key, told.next) == ("stop", "nothing")
    # Calls at what 100 of them cost, so that it is anybody's guess whether they pay: 100 x a quarter of an hour x € 55.
    doubtful = Draws(basis_of(cohort(120_000.0, policy=24_000.0, purchase=12_000.0, cost=137_500.0)), 7)
    trialled = replace(doubtful.basis.trialled, customers=50_000, cost=100.0, benefit=90.0)  # type: ignore[type-var]
    many = replace(doubtful.basis, trialled=trialled)
    told = advice(many, Draws(many, 7), 7)
    assert told.key == "pilot"
    assert told.information.value > told.information.cost
    assert told.next == ("pool" if told.trial.offices > 1 else "trial")
    dear = replace(many, trialled=replace(trialled, cost=100_000.0))
    told = advice(dear, Draws(dear, 7), 7)
    assert told.key == "stop"
    assert told.information.value <= told.information.cost
    none = replace(doubtful.basis, trialled=None)
    told = advice(none, Draws(none, 7), 7)
    assert (told.key, told.trial, told.information) == ("stop", None, None)


def test_nothing_to_learn_is_worth_nothing() -> None:
    rng = np.random.default_rng(1)
    effect = rng.normal(1, 0.4, 4000)
    assert value_of_sample(np.full(4000, 500.0), effect, 0.1, 2.0, 1) == 0  # the net does not depend on it
    assert value_of_sample(1000 * effect, np.ones(4000), 0.1, 2.0, 1) < 100  # nothing varies: noise alone
    assert value_of_sample(1e6 + 1000 * effect, effect, 0.0, 2.0, 1) == 0  # the decision is clear anyway
    assert value_of_sample(-1e6 + 1000 * effect, effect, 0.0, 2.0, 1) == 0


def test_without_error_it_is_the_value_of_perfect_information() -> None:
    """Net linear in a normal effect: EVPI = s phi(m / s) - |m| Phi(-|m| / s) a year."""
    effect = np.random.default_rng(2).normal(1, 0.5, 200_000)
    net = 1000 * effect - 1200.0
    mean, spread = -200.0, 500.0
    perfect = spread * norm.pdf(mean / spread) - abs(mean) * norm.cdf(-abs(mean) / spread)
    assert value_of_sample(net, effect, 0.0, 3.0, 1) == pytest.approx(3 * perfect, rel=0.02)
    drawn_perfect = np.maximum(net, 0).mean() - max(net.mean(), 0)
    assert value_of_sample(net, effect, 0.0, 1.0, 1) == pytest.approx(drawn_perfect, rel=1e-9)


def test_it_falls_with_the_error_to_nothing() -> None:
    effect = np.random.default_rng(3).normal(1, 0.5, 50_000)
    worth = [value_of_sample(1000 * effect - 1200, effect, error, 1.0, 1) for error in (0.0, 0.2, 0.5, 1.0, 3.0)]
    assert worth == sorted(worth, reverse=True)
    shrunk = 500 * 0.5 / np.hypot(0.5, 0.5)  # what an observation with as much noise leaves of the spread
    expected = shrunk * norm.pdf(200 / shrunk) - 200 * norm.cdf(-200 / shrunk)
    assert worth[2] == pytest.approx(expected, rel=0.06)
    assert worth[-1] < 0.02 * worth[0]


@pytest.mark.parametrize("name", ["C_ab_9_36", "C_ab_9_10", "C_ab_27_36"])
def test_trials_of_the_sources_need_so_many(name: str) -> None:
    given, out, tol = GOLDEN[name]["in"], GOLDEN[name]["out"], GOLDEN[name]["tol"]
    assert per_arm(given["p0"], given["rel"], given["alpha"], given["power"]) == pytest.approx(out, abs=tol)


def test_a_trial_that_is_impossible_is_refused() -> None:
    with pytest.raises(ValueError, match="chance"):
        per_arm(0.0, 0.1)
    with pytest.raises(ValueError, match="spread"):
        per_arm_of_means(1.0, 0.0)
    chance = 0.09
    same = per_arm_of_means(chance * (1 - chance), 0.36 * chance)
    assert same == pytest.approx(per_arm(chance, 0.36), rel=0.25)  # a chance is a mean


def test_an_error_falls_with_the_root_of_the_arm() -> None:
    trialled = drawn(1.0).basis.trialled
    assert trialled is not None
    few, many = (standard_error(trialled, "policies", arm, 0.12) for arm in (100, 400))
    assert few == pytest.approx(2 * many)
    assert few == pytest.approx(np.sqrt(2 * 0.4 / 100) / (0.12 * 0.3))
    assert standard_error(trialled, "relations", 100, 0.0) == float("inf")


def test_offices_share_a_trial_only_where_one_is_too_small() -> None:
    draws = drawn(9000.0)
    trialled = replace(draws.basis.trialled, cost=0.0, benefit=0.0, customers=200)
    small = replace(
        draws.basis, trialled=trialled, register={
            **draws.basis.register, "price.per_customer": draws.basis.register["price.per_customer"].replaced(0.0),
        },
    )  # fmt: skip
    found = best_trial(Draws(small, 7), 7)
    assert found is not None
    assert 2 * found.per_arm <= 200 * found.offices
    row = found.trial(trialled)
    assert row.customers == -(-found.per_arm // found.offices)
    assert row.hours == pytest.approx(row.customers * 15 / 60)


@pytest.mark.parametrize("relation", [60_000.0, 71_000.0, 83_000.0, 97_000.0])
def test_what_is_sure_anyway_teaches_no_fraction_of_a_cent(relation: float) -> None:
    """Two means that are the same but for rounding: how a sum was divided over threads chose the trial."""
    draws = drawn(relation)
    free = replace(draws.basis.trialled, cost=0.0, benefit=1e6, customers=50_000)  # a trial that costs nothing
    found = list(trials(Draws(replace(draws.basis, trialled=free), 7), 7, 1))
    assert found
    assert all(each.value == round(each.value) for each in found)


def test_a_trial_sees_the_effect_in_units_of_the_base() -> None:
    draws = drawn(30_000.0)
    known = draws.values[CALL] / REGISTER[CALL].value
    only = Draws(basis_of(cohort(30_000.0)), 7)
    assert np.allclose(effects(only), known)
    assert (effects(Draws(basis_of(Cohort((sums(0.0),), cohort(0.0).flows)), 7)) == 1).all()


def test_claims_and_steps_stand_on_all_that_leaves() -> None:
    facts = {
        "turnover": 10_000_000.0, "commission_lost_12m": 800_000.0, "commission_lost_relations_12m": 300_000.0,
        "commission_lost_open_12m": 700_000.0, "commission_lost_preventable_12m": 500_000.0,
        "commission_reached_12m": 200_000.0, "commission_kept_12m": 24_000.0,
    }  # fmt: skip
    basis = replace(basis_of(cohort(1.0)), facts=facts)
    rows = {row.key: row for row in claims(basis)}
    share = REGISTER["claim.high"].value
    assert rows["claim.high"].promised == round(share * 800_000)
    assert rows["claim.high"].relations == round(share * 300_000)
    assert rows["claim.high"].needed == pytest.approx(share * 800_000 / 24_000)
    steps = {row.key: row.cents for row in why_different(basis)}
    assert steps["promised"] == round(0.03 * 10_000_000)
    assert list(steps.values()) == sorted(steps.values(), reverse=True) or steps["promised"] < steps["leaving"]
    assert steps["reached"] == round(REGISTER["rule.rescue"].value * 200_000)
    assert claims(replace(basis, facts={**facts, "commission_kept_12m": 0.0}))[0].needed is None


def test_a_level_that_is_unsure_is_drawn_too() -> None:
    plain = drawn(30_000.0)
    unsure = replace(plain.basis, levels={**plain.basis.levels, "relation": Span(0.2, 1.0, 1.9)})
    assert Draws(unsure, 7).net.std() > plain.net.std()
    assert net_at(unsure, {}) == net_at(plain.basis, {})
