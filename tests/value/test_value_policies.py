"""What is at stake in one policy of a customer who stays, on books small enough to check by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.value.in_force import InForce
from akb.value.lifetime.ends import staying_ends
from akb.value.lifetime.policies import policy_stakes, preventable_shares
from akb.value.lifetime.survival import YEAR, Relations, branch_rows
from akb.value.lifetime.unknown import relation_extremes
from akb.value.revenue.cost import service_cost

NO_COST = {
    f"cost__{name}": 0.0
    for name in ("minutes_renewal", "minutes_mutation", "minutes_claim", "minutes_collection", "minutes_contact")
}
PLAIN = {"value__discount": 0.0, "value__indexation": 0.0, "value__horizon_years": 2, "value__timing": 0.5, **NO_COST}
SHARES = {"auto": (0.3, 0.6, 0.9), "avp": (0.5, 0.5, 0.5)}
HOLDS = ((0, "auto", 120), (0, "avp", 60), (1, "auto", 120), (2, "auto", 120), (2, "avp", 60), (3, "auto", 120),
         (3, "auto", 60), (3, "avp", 60))  # fmt: skip


def office(ends: dict[int, date] | None = None, **changes: object):
    """Four customers: two branches, one policy, two branches, and two cars beside a liability policy."""
    some = f.portfolio(60)
    one = some.policies.head(1)
    rows = [
        one.with_columns(
            policy=pl.lit(place, dtype=pl.UInt32), customer=pl.lit(customer, dtype=pl.UInt32), branch=pl.lit(branch),
            start_date=pl.lit(date(2020, 1, 1)), end_date=pl.lit((ends or {}).get(place), dtype=pl.Date),
            commission_cents=pl.lit(100 * euros, dtype=pl.Int64), cause=pl.lit(None, dtype=pl.String),
            reason=pl.lit(None, dtype=pl.String),
        )
        for place, (customer, branch, euros) in enumerate(HOLDS)
    ]  # fmt: skip
    return replace(some, policies=pl.concat(rows), customers=some.customers.head(4), **changes)


def base_of(made, *, own: float = 0.2, gates: dict[str, str] | None = None, **assumptions: float) -> InForce:
    """A run in which a policy lapses with chance `own` while its relation stays; gates per prediction."""
    run = f.models(made)
    gates = gates or {"lapse_auto_12m": "pass", "lapse_avp_12m": "provisional"}
    known = tuple(replace(run.predictions[0], key=key, gate=gate) for key, gate in gates.items())
    return InForce(made, replace(run, predictions=(*run.predictions, *known)), f.settings(**{**PLAIN, **assumptions}))


def lasting(base: InForce, yearly: float = 0.9, months: int = 24) -> Relations:
    """Relations of which the share `yearly` is left after each year; nobody announced anything unless the base says."""
    alive = np.tile(yearly ** (np.arange(months + 1) / YEAR), (base.n, 1))
    alive[base.announced] = 1.0
    leaving = alive[:, : YEAR + 1] - alive[:, [YEAR]]
    return Relations(np.arange(months + 1), alive, months, leaving, leaving[:, 0].copy(), split=True)


def rows_of(base: InForce, lapse: float = 0.2, later: float = 0.9) -> pl.DataFrame:
    """Every open policy lapses with chance `lapse` in the first year, and `later` of them is left after each next."""
    rows = branch_rows(base, lasting(base), 0.0)
    return rows.with_columns(first=pl.lit(1.0 - lapse), kept=pl.lit(later))


def stakes_of(base: InForce, **given: float) -> pl.DataFrame:
    return policy_stakes(base, lasting(base), rows_of(base, **given), service_cost(base), SHARES)


def by_hand(yearly: float, lapse: float = 0.2, later: float = 0.9, alive: float = 0.9) -> float:
    """V_keep - V_lapse over two years of `yearly` cents, no discount, paid halfway each month."""
    left = 1.0 - lapse
    keep = 12 + sum((later * alive) ** ((month - 11.5) / 12) for month in range(12, 24))
    lose = sum((left ** ((month + 0.5) / 12) - left) / lapse for month in range(12))
    return yearly / 12 * (keep - lose)


def test_a_book_of_four_customers_by_hand() -> None:
    stakes = stakes_of(base_of(office()))
    assert stakes.select("row", "branch", "policies").rows() == [
        (0, "auto", 1), (0, "avp", 1), (2, "auto", 1), (2, "avp", 1), (3, "auto", 2), (3, "avp", 1)
    ]  # fmt: skip
    car, liability, one_of_two = by_hand(12000), by_hand(6000), by_hand(9000)
    assert stakes["stake_cents"].to_list() == pytest.approx([car, liability, car, liability, one_of_two, liability])
    # chance to stay x policies x lapse x preventable
    assert stakes["lost"].to_list() == pytest.approx(
        [0.9 * 0.2 * 0.6, 0.9 * 0.2 * 0.5, 0.9 * 0.2 * 0.6, 0.9 * 0.2 * 0.5, 0.9 * 2 * 0.2 * 0.6, 0.9 * 0.2 * 0.5]
    )
    assert round(stakes["expected"].sum()) == round(0.18 * (2 * 0.6 * car + 3 * 0.5 * liability + 2 * 0.6 * one_of_two))
    assert stakes["preventable_low"].to_list()[:2] == [0.3, 0.5]
    assert stakes["preventable_high"].to_list()[:2] == [0.9, 0.5]


def test_in_cents_as_a_calculator_gives_it() -> None:
    """€ 120 a year kept: 12 months + .81^(½/12 … 11½/12) of the next year, less what a lapse at 20 % still earns."""
    stakes = stakes_of(base_of(office()))
    assert by_hand(12000) == pytest.approx(17043.59, abs=0.01)
    assert stakes["stake_cents"][0] == pytest.approx(17043.59, abs=0.01)


def test_who_holds_one_policy_has_no_policy_line() -> None:
    assert 1 not in stakes_of(base_of(office()))["row"].to_list()


def test_what_is_announced_is_out_and_who_then_holds_one_policy_too() -> None:
    soon, late = f.X + timedelta(days=100), f.X + timedelta(days=500)
    held = stakes_of(base_of(office({0: soon})))
    assert set(held["row"].to_list()) == {2, 3}  # the other policy of customer 0 carries the relation
    held = stakes_of(base_of(office({0: late})))
    assert held.filter(pl.col("row") == 0)["branch"].to_list() == ["avp"]  # the car is still there in 12 months
    held = stakes_of(base_of(office({5: soon, 6: soon, 7: soon})))
    assert 3 not in held["row"].to_list()  # an announced leaver


def test_a_lapse_that_never_or_always_happens_has_the_values_at_the_limit() -> None:
    base = base_of(office())
    never = stakes_of(base, lapse=0.0)
    assert (never["lost"] == 0).all()
    assert never["stake_cents"][0] == pytest.approx(stakes_of(base, lapse=1e-7)["stake_cents"][0], abs=0.01)
    always = stakes_of(base, lapse=1.0)
    kept = 1000 * (12 + sum(0.81 ** ((month - 11.5) / 12) for month in range(12, 24)))
    assert always["stake_cents"][0] == pytest.approx(kept)  # what lapses at once earns nothing


def test_the_cost_of_a_policy_counts_and_that_of_a_customer_does_not() -> None:
    plain = stakes_of(base_of(office()))
    relation = stakes_of(base_of(office(), cost__fixed=500.0, cost__minutes_contact=60.0))
    assert relation.equals(plain)
    policy = stakes_of(base_of(office(), cost__minutes_renewal=600.0))
    assert (policy["stake_cents"] < plain["stake_cents"]).all()
    assert policy["stake_cents"].min() < 0  # dearer to serve than it brings: no reason to keep it, and said so


def test_whose_chances_speak_follows_the_gates() -> None:
    def gates(**given: str) -> dict[str, str]:
        made = base_of(office(), gates={"lapse_auto_12m": "pass", **given})
        return dict(stakes_of(made).select("branch", "gate").unique().iter_rows())

    assert gates() == {"auto": "own", "avp": "closed"}
    assert gates(policy_lapse_any_12m="fail") == {"auto": "own", "avp": "closed"}
    assert gates(policy_lapse_any_12m="provisional") == {"auto": "own", "avp": "base"}
    assert gates(policy_lapse_any_12m="pass", lapse_avp_12m="fail") == {"auto": "own", "avp": "base"}
    assert gates(policy_lapse_any_12m="pass", lapse_avp_12m="provisional") == {"auto": "own", "avp": "own"}


def test_a_closed_branch_brings_nothing() -> None:
    closed = stakes_of(base_of(office(), gates={"lapse_auto_12m": "pass"})).filter(pl.col("gate") == "closed")
    assert closed.height == 3
    assert (closed["expected"] == 0).all()
    assert (closed["lost"] == 0).all()
    assert (closed["stake_cents"] > 0).all()


# --- what is counted: reasons and base rates


def counted(causes: dict[str, tuple[int, int, int, int]], **changes: object):
    """A book in which policies ended while their relation stayed: branch -> held, preventable, natural, unknown ends.

    Every customer holds one policy of the branch and one home contract that goes on; all of it in the newest closed
    year, and nobody bought or left.
    """
    some = f.portfolio(60)
    one = some.policies.head(1).with_columns(start_date=pl.lit(date(2015, 1, 1)))
    rows, customer = [], 0
    for branch, (held, preventable, natural, unknown) in causes.items():
        kinds = ["preventable"] * preventable + ["natural"] * natural + ["unknown"] * unknown
        for number in range(held):
            cause = kinds[number] if number < len(kinds) else None
            rows += [(customer, branch, cause), (customer, "opstal", None)]
            customer += 1
    end = f.X - timedelta(days=200)
    policies = pl.concat(
        one.with_columns(
            policy=pl.lit(place, dtype=pl.UInt32), customer=pl.lit(who, dtype=pl.UInt32), branch=pl.lit(branch),
            end_date=pl.lit(end if cause else None, dtype=pl.Date), cause=pl.lit(cause, dtype=pl.String),
        )
        for place, (who, branch, cause) in enumerate(rows)
    )  # fmt: skip
    customers = pl.concat([some.customers.head(1)] * customer).with_columns(
        customer=pl.int_range(customer, dtype=pl.UInt32)
    )
    return replace(some, policies=policies, customers=customers, **changes)


def test_preventable_shares_by_hand() -> None:
    """Auto 12 of 16 known ends, avp 2 of 8, and of the 32 ends 8 unknown; each mixed with 50 ends of the book."""
    made = counted({"auto": (100, 12, 4, 4), "avp": (100, 2, 6, 4)})
    shares = preventable_shares(InForce(made, f.models(made), f.settings()))
    book, unknown = (14 + 2 / 3) / 26, 8 / 32
    auto, auto_unknown = (12 + 50 * book) / 66, (4 + 50 * unknown) / 70
    assert shares["auto"] == pytest.approx((auto * (1 - auto_unknown), auto, auto * (1 - auto_unknown) + auto_unknown))
    assert shares["auto"][1] > book > shares["avp"][1]
    avp, avp_unknown = (2 + 50 * book) / 58, (4 + 50 * unknown) / 62
    assert shares["avp"] == pytest.approx((avp * (1 - avp_unknown), avp, avp * (1 - avp_unknown) + avp_unknown))
    assert shares["opstal"] == pytest.approx((book * 0.75, book, book * 0.75 + 0.25))  # no end of its own: the book


def test_without_reasons_the_assumption_speaks() -> None:
    made = counted({"auto": (100, 0, 0, 20)})
    base = InForce(made, f.models(made), f.settings(policy__preventable_share=0.4))
    assert preventable_shares(base)["auto"] == base.range("policy.preventable_share")  # every reason unknown
    without = counted({"auto": (100, 20, 0, 0)})
    without = replace(without, history=replace(without.history, reasons=False))
    base = InForce(without, f.models(without), f.settings(policy__preventable_share=0.4))
    assert preventable_shares(base)["auto"][1] == 0.4


def test_where_every_reason_is_known_the_extremes_are_one() -> None:
    made = counted({"auto": (100, 12, 8, 0)})
    low, base, high = preventable_shares(InForce(made, f.models(made), f.settings()))["auto"]
    assert low == base == high


def test_ends_with_the_relation_and_of_one_policy_are_not_counted() -> None:
    made = counted({"auto": (100, 12, 8, 0)})
    ended = pl.col("end_date").is_not_null().any().over("customer")
    gone = made.policies.with_columns(
        end_date=pl.when(ended & (pl.col("customer") < 12)).then(f.X - timedelta(days=200)).otherwise("end_date"),
        cause=pl.when(ended & (pl.col("customer") < 12)).then(pl.lit("preventable")).otherwise("cause"),
    )
    gone = gone.filter((pl.col("customer") >= 20) | (pl.col("branch") == "auto") | (pl.col("customer") < 12))
    # customers 0-11 left as a whole, 12-19 held nothing else: of those who are counted nobody lost a policy
    base = InForce(replace(made, policies=gone), f.models(made), f.SETTINGS)
    assert preventable_shares(base)["auto"] == base.range("policy.preventable_share")
    newest = staying_ends(base).filter(pl.col("year") == 0)
    assert newest.select(pl.col("held", "lapsed").sum()).row(0) == (2 * 80, 0)


# --- what unknown reasons leave open for relations


def leavers(preventable: int, natural: int, unknown: int):
    """A book of which so many relations ended within the recorded years, for these reasons; a hundred go on."""
    some = f.portfolio(60)
    kinds = ["preventable"] * preventable + ["natural"] * natural + ["unknown"] * unknown + [None] * 100
    one = some.policies.head(1).with_columns(start_date=pl.lit(date(2015, 1, 1)))
    policies = pl.concat(
        one.with_columns(
            policy=pl.lit(place, dtype=pl.UInt32), customer=pl.lit(place, dtype=pl.UInt32),
            end_date=pl.lit(f.X - timedelta(days=200) if cause else None, dtype=pl.Date),
            cause=pl.lit(cause, dtype=pl.String),
        )
        for place, cause in enumerate(kinds)
    )  # fmt: skip
    customers = pl.concat([some.customers.head(1)] * len(kinds)).with_columns(
        customer=pl.int_range(len(kinds), dtype=pl.UInt32)
    )
    return replace(some, policies=policies, customers=customers)


def extremes_of(made) -> tuple[float, float]:
    return relation_extremes(InForce(made, f.models(made), f.SETTINGS))


def test_unknown_reasons_leave_both_extremes_open() -> None:
    """Of 40 known ends 30 were preventable, 10 of 50 are unknown: between 30 and 40 of 50."""
    low, high = extremes_of(leavers(30, 10, 10))
    share = (30 + 2 / 3) / 42
    assert low == pytest.approx(0.8)
    assert high * share == pytest.approx(0.8 * share + 0.2)


def test_known_reasons_leave_nothing_open() -> None:
    assert extremes_of(leavers(30, 10, 0)) == (1.0, 1.0)


def test_where_no_reason_is_known_the_share_is_an_assumption_with_its_own_range() -> None:
    assert extremes_of(leavers(0, 0, 40)) == (1.0, 1.0)
    some = leavers(30, 10, 10)
    assert extremes_of(replace(some, history=replace(some.history, reasons=False))) == (1.0, 1.0)
    assert extremes_of(replace(some, history=replace(some.history, recorded_from=None))) == (1.0, 1.0)


def test_an_end_that_is_not_fully_registered_yet_is_not_counted() -> None:
    made = leavers(30, 10, 10)
    fresh = made.policies.with_columns(
        end_date=pl.when(pl.col("cause") == "unknown").then(f.X - timedelta(days=20)).otherwise("end_date")
    )
    assert extremes_of(replace(made, policies=fresh)) == (1.0, 1.0)
