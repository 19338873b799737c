"""What a contact brings, worked out by hand: every line, its factors, and the shift of chances to buy."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from scipy.special import expit, logit

from akb.config import ContactType, Effect
from akb.value.targeting.planning.benefits import FAR, MenuInputs, Planning, pushed, pushes_of, shift_of
from akb.value.targeting.planning.menu import Menu, menu
from akb.value.targeting.planning.prospects import averaged, inbound_rates
from akb.value.valuation import valuation

if TYPE_CHECKING:
    from akb.value.targeting.planning.prospects import Prospects

NOTHING = Effect(low=0.0, base=0.0, high=0.0)


def kind(**changes: object) -> ContactType:
    """A contact of inside staff that keeps and sells, without costs but its time."""
    usual = {
        "label": "x", "pool": "inside", "minutes": 12.0, "purposes": ("retention", "cross_sell"), "branches": 2,
        "consent": "phone", "relation": NOTHING, "policy": NOTHING, "purchase": NOTHING,
    }  # fmt: skip
    return ContactType(**{**usual, **changes})  # type: ignore[arg-type]


def offered(could: Prospects, ladder: dict[str, ContactType], secondary: float = 0.5, repeat: float = 0.4) -> Menu:
    rates = {"automatic": 0.0, "inside": 100.0, "adviser": 150.0}
    planning = Planning(ladder, rates, secondary, repeat)
    return menu(MenuInputs(could, planning, pushes_of(could, ladder)))


def effect(low: float, base: float, high: float) -> Effect:
    return Effect(low=low, base=base, high=high)


def test_relation_and_policy_are_effect_times_what_is_at_stake() -> None:
    """The worked row of the module: € 30 and € 4.80; a call of 12 minutes at € 1 a minute and € 0.50 of post."""
    could = f.prospects(relation=np.array([20_000.0]), leaving=np.array([0.1]), policy=np.array([4000.0]),
                        lost=np.array([0.2]))  # fmt: skip
    call = kind(relation=effect(-0.05, 0.15, 0.3), policy=effect(0.0, 0.12, 0.25), cost=0.5)
    made = offered(could, {"call": call})
    inside, adviser = range(2)
    assert [each.pool for each in made.options] == ["inside", "adviser"]
    base = made.base
    assert base.relation[0].tolist() == pytest.approx([3000, 3000])
    assert base.policy[0].tolist() == pytest.approx([480, 480])
    assert base.leavers[0, inside] == pytest.approx(0.015)
    assert base.policies[0, inside] == pytest.approx(0.024)
    assert made.lines("low").relation[0, inside] == pytest.approx(-1000)
    assert made.lines("high").policy[0, inside] == pytest.approx(1000)
    assert made.cost[0].tolist() == pytest.approx([12 * 100 + 50, 12 * 150 + 50])
    assert made.value[0, inside] == pytest.approx(3480 - 1250)
    assert made.minutes[0].tolist() == [[12, 0], [0, 12]]
    assert base.purchase[0, adviser] == 0


def test_purchases_count_less_at_every_next_place_and_pay_for_the_minutes_of_a_sale() -> None:
    chance = np.array([[0.2, 0.1]])
    could = f.prospects(chance=chance, worth=np.array([[10_000.0, 30_000.0]]))
    call = kind(purchase=effect(0.0, 0.02, 0.05), sale_minutes=20.0)
    made = offered(could, {"call": call})
    shift = shift_of(could, call, 0.02)
    more = expit(logit(chance[0]) + shift) - chance[0]
    assert more @ [1.0, 0.7] == pytest.approx(0.02)  # the likeliest first: that is what the points are of
    dear, cheap = more[1] * (30_000 - 2000), more[0] * (10_000 - 2000)
    assert dear > cheap  # so the dear branch is discussed first
    assert made.base.purchase[0, 0] == pytest.approx(dear + 0.7 * cheap)
    assert made.base.sales[0, 0] == pytest.approx(more[1] + 0.7 * more[0])
    assert made.first(0)[0] == 1
    assert made.minutes[0, 0].tolist() == [12, 0]
    adviser = more[1] * (30_000 - 3000) + 0.7 * more[0] * (10_000 - 3000)
    assert made.base.purchase[0, 1] == pytest.approx(adviser)  # an adviser's minutes cost more
    dearer = offered(could, {"call": kind(purchase=effect(0.0, 0.02, 0.05), sale_minutes=150.0)})
    assert dearer.base.purchase[0, 0] == pytest.approx(more[1] * 15_000)  # the other would cost more
    assert dearer.base.sales[0, 0] == pytest.approx(more[1])
    one = offered(could, {"call": kind(purchase=effect(0.0, 0.02, 0.05), branches=1)})
    alone = expit(logit(0.1) + shift_of(could, kind(branches=1), 0.02)) - 0.1
    assert one.base.purchase[0, 0] == pytest.approx(alone * 30_000)


def test_the_smaller_purpose_counts_for_its_share_and_a_repeat_for_its_own() -> None:
    chance = np.array([[0.2, 0.0]] * 3)
    worth = np.array([[20_000.0, 0.0]] * 3)
    could = f.prospects(
        3, relation=np.array([40_000.0, 1000.0, 40_000.0]), leaving=np.full(3, 0.1), chance=chance, worth=worth,
        repeated=np.array([False, False, True]),
    )  # fmt: skip
    made = offered(could, {"call": kind(relation=effect(0, 0.1, 0.2), purchase=effect(0, 0.05, 0.1))})
    assert made.keeps_first[:, 0].tolist() == [True, False, True]
    assert made.base.relation[:, 0].tolist() == pytest.approx([4000, 0.5 * 100, 0.4 * 4000])
    assert made.base.purchase[:, 0].tolist() == pytest.approx([0.5 * 1000, 1000, 0.4 * 0.5 * 1000])
    assert made.base.leavers[:, 0].tolist() == pytest.approx([0.01, 0.005, 0.004])
    assert made.lines("high").relation[1, 0] == pytest.approx(0.5 * 200)  # ranked at the base, at every side the same


def test_inbound_reaches_who_calls_before_the_end_and_else_somebody_calls() -> None:
    rate = 0.8
    could = f.prospects(relation=np.array([50_000.0]), inbound_rate=np.array([rate]),
                        chance=np.array([[0.1, 0.0]]), worth=np.array([[20_000.0, 0.0]]))  # fmt: skip
    extra = kind(reach="inbound", minutes=5.0, relation=effect(0, 0.1, 0.2), purchase=effect(0, 0.01, 0.02))
    call = kind(relation=effect(0, 0.3, 0.4), minutes=15.0, follow_up=0.1, follow_up_minutes=30.0, cost=2.0)
    other = extra.model_copy(update={"otherwise": "call"})
    made = offered(could, {"inbound": extra, "else": other, "call": call}, secondary=1.0)
    year, before = 1 - exp(-rate), 1 - (1 - exp(-rate)) / rate
    at = {(each.key, each.pool): place for place, each in enumerate(made.options)}
    inbound, mixed, alone = (at[(key, "inside")] for key in ("inbound", "else", "call"))
    base = made.base
    assert base.relation[0, inbound] == pytest.approx(0.1 * before * 50_000)
    assert base.relation[0, mixed] == pytest.approx((0.1 * before + 0.3 * (1 - before)) * 50_000)
    assert base.relation[0, alone] == pytest.approx(0.3 * 50_000)
    assert base.purchase[0, inbound] == pytest.approx(year * 0.01 * 20_000)
    assert made.minutes[0, inbound].tolist() == pytest.approx([5 * year, 0])
    assert made.minutes[0, mixed].tolist() == pytest.approx([5 * year + 15 * (1 - year), 3 * (1 - year)])
    assert made.minutes[0, alone].tolist() == [15, 3]  # one in ten is followed up by an adviser for half an hour
    assert made.cost[0, mixed] == pytest.approx((5 * year + 15 * (1 - year)) * 100 + (1 - year) * (3 * 150 + 200))
    silent = offered(f.prospects(relation=np.array([50_000.0])), {"inbound": extra})
    assert silent.base.relation[0, 0] == 0  # nobody calls, nobody is kept


def test_a_purpose_that_a_contact_has_not_brings_nothing() -> None:
    could = f.prospects(relation=np.array([9000.0]), chance=np.full((1, 2), 0.1), worth=np.full((1, 2), 9000.0))
    both = {"relation": effect(0, 0.2, 0.3), "purchase": effect(0, 0.05, 0.1)}
    keeps, sells = (offered(could, {"x": kind(**both, purposes=(purpose,))}).base for purpose in
                    ("retention", "cross_sell"))  # fmt: skip
    assert keeps.relation[0, 0] > 0 == keeps.purchase[0, 0]
    assert sells.purchase[0, 0] > 0 == sells.relation[0, 0]


def test_who_may_be_contacted_how() -> None:
    yes, no = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
    first, second, third, fourth = (np.arange(4) == place for place in range(4))
    reachable = {"post": yes, "email": yes, "phone": ~third}
    could = f.prospects(4, eligible=~first, wakeable=~second, control=fourth, reachable=reachable)
    ladder = {
        "mail": kind(consent="post"), "call": kind(), "inbound": kind(reach="inbound"),
        "else": kind(reach="inbound", otherwise="call"),
    }  # fmt: skip
    made = offered(could, ladder)
    at = {each.key: place for place, each in reversed(list(enumerate(made.options)))}
    told = {key: made.could[:, place].tolist() for key, place in at.items()}
    assert told["mail"] == [False, False, True, True]
    assert told["call"] == [False, False, False, True]
    assert told["inbound"] == [False, True, False, True]  # whoever begins himself is not woken
    assert told["else"] == told["call"]
    assert not made.allowed[3].any()
    assert np.isneginf(made.value[3]).all()
    assert not no.any()


@pytest.mark.parametrize("points", [0.03, 0.01, -0.01])
def test_the_shift_makes_the_mean_of_all_who_can_buy_rise_by_the_points(points: float) -> None:
    rng = np.random.default_rng(1)
    chance = rng.beta(1, 8, (300, 3))
    chance[:40] = 0.0  # nothing is left to sell to them
    could = f.prospects(300, chance=chance, worth=np.zeros((300, 3)), weight=rng.integers(1, 5, 300).astype(float),
                        branch=np.zeros((300, 3), dtype=np.int64))  # fmt: skip
    shift = shift_of(could, kind(branches=1), points)
    best = chance.max(axis=1)
    gained = np.average(pushed(best, shift) - best, weights=could.weight * (best > 0))
    assert gained == pytest.approx(points, abs=1e-9)
    assert (pushed(best, shift)[best == 0] == 0).all()


def test_no_money_and_nobodys_consent_moves_the_shift() -> None:
    rng = np.random.default_rng(2)
    chance = rng.beta(1, 8, (50, 2))
    plain = f.prospects(50, chance=chance, worth=np.full((50, 2), 1000.0))
    other = f.prospects(
        50, chance=chance, worth=rng.gamma(2, 9000, (50, 2)), relation=rng.gamma(2, 9000, 50),
        eligible=rng.random(50) < 0.5, control=rng.random(50) < 0.5,
    )  # fmt: skip
    assert shift_of(plain, kind(), 0.02) == shift_of(other, kind(), 0.02) > 0
    assert shift_of(plain, kind(), 0.0) == 0
    assert shift_of(plain, kind(branches=0), 0.02) == 0
    assert shift_of(plain, kind(), 5.0) == FAR


def test_a_closed_gate_brings_nothing_on_its_line() -> None:
    made = f.earning(f.portfolio(100))
    run = f.with_lapses(f.models(made))
    lines = {"relation": ("churn",), "policy": ("lapse_", "policy_lapse"), "purchase": ("next_policy",)}
    plain = valuation(made, run, f.SETTINGS, say=lambda _: None).prospects
    assert plain is not None
    for line, keys in lines.items():
        could = valuation(made, f.with_gate(run, "fail", *keys), f.SETTINGS, say=lambda _: None).prospects
        assert could is not None
        at_stake = {"relation": could.relation, "policy": could.policy, "purchase": could.worth}
        before = {"relation": plain.relation, "policy": plain.policy, "purchase": plain.worth}
        for name in lines:
            assert before[name].any()
            assert at_stake[name].any() == (name != line), (line, name)


def test_averages_have_the_totals_of_the_predictions_and_none_of_their_knowledge() -> None:
    rng = np.random.default_rng(3)
    could = f.prospects(
        40, relation=rng.gamma(1, 9000, 40), policy=rng.gamma(1, 500, 40), chance=rng.beta(1, 9, (40, 2)),
        worth=rng.gamma(1, 9000, (40, 2)), inbound_rate=rng.gamma(1, 1, 40),
    )  # fmt: skip
    commission = rng.gamma(2, 9000, 40)
    lines = could.policy, rng.gamma(2, 5000, 40), np.repeat([0, 1], 20) * 40 + np.arange(40)
    plain = averaged(could, commission, lines)
    assert plain.relation.sum() == pytest.approx(could.relation.sum())
    assert plain.policy.sum() == pytest.approx(could.policy.sum())
    assert np.allclose(plain.relation / commission, plain.relation[0] / commission[0])
    assert len(np.unique(plain.chance)) == len(np.unique(plain.worth)) == len(np.unique(plain.inbound_rate)) == 1


def test_the_inbound_rate_is_the_customers_own_mixed_with_the_books() -> None:
    from dataclasses import replace
    from datetime import timedelta

    from akb.value.in_force import InForce

    made = f.portfolio(60)
    run = f.models(made)
    usual = InForce(made, run, f.SETTINGS)
    assert (inbound_rates(usual) == f.SETTINGS.assumed()["inbound.rate"].value).all()
    here = usual.customers["customer"].to_list()
    days = [(here[0], 10 * n, True) for n in range(1, 13)] + [(who, 300, True) for who in here[1:20]]
    days += [(here[-1], 5, False), (here[-2], 3000, True)]
    seen = pl.DataFrame(
        [(who, f.X - timedelta(days=day), inbound) for who, day, inbound in days],
        schema={"customer": pl.UInt32, "date": pl.Date, "inbound": pl.Boolean}, orient="row",
    )  # fmt: skip
    rates = inbound_rates(InForce(replace(made, contacts=seen), run, f.SETTINGS))
    assert rates[0] > 3 * rates[1] > 3 * rates[-1] > 0
    assert rates[0] < 6  # twelve in two years
    assert rates[-1] == rates[-2]  # what the office began, and what is long ago, counts for nothing
    assert rates.mean() == pytest.approx((12 + 19) / 2 / usual.n, rel=1e-9)
