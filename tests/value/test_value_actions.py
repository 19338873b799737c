"""One action per customer: the plan's contacts, care, rules of contact, lists, who does it, the blind test."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from akb.config import Member
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.revenue.cost import service_cost
from akb.value.targeting.contact import do_not_wake, quiet
from akb.value.targeting.eligibility import eligibility
from akb.value.targeting.examples import customer_examples, offer_examples
from akb.value.targeting.lists.gaps import comparable_groups, comparable_share
from akb.value.targeting.lists.next_best_action import ACTIONS
from akb.value.targeting.lists.recognition import effectiveness
from akb.value.targeting.staffing import assign
from akb.value.targeting.team import Worker

GOLDEN = {entry["id"]: entry for entry in json.loads((Path(__file__).parents[1] / "golden.json").read_text("utf-8"))}
CHEAP = f.CALLS_PAY
EVERY_LIST = (
    "top_defend", "next_best_policy", "next_best_action", "care_gaps", "announced", "winback", "bleeders", "feeders",
)  # fmt: skip


def with_contacts(made, days: dict[int, list[int]], *, inbound: bool | None = False):
    """`made` with contacts: customer -> days before X."""
    rows = [(customer, f.X - timedelta(days=day), inbound) for customer, seen in days.items() for day in seen]
    schema = {"customer": pl.UInt32, "date": pl.Date, "inbound": pl.Boolean}
    return replace(made, contacts=pl.DataFrame(rows, schema=schema, orient="row"))


def calls(listed: pl.DataFrame) -> pl.DataFrame:
    return listed.filter(pl.col("action").is_in(["defend", "cross_sell"]) & ~pl.col("control"))


# Arbitration


def test_everybody_has_one_action(made, result) -> None:
    actions = result.scores["next_best_action"]
    assert actions.null_count() == 0
    assert set(actions) <= set(ACTIONS)
    listed = result.lists["next_best_action"]
    assert listed["rank"].to_list() == list(range(1, listed.height + 1))
    seen = result.scores.join(listed.filter(~pl.col("control")), on="customer")
    assert (seen["next_best_action"] == seen["action"]).all()
    alone = result.scores.join(listed.filter(~pl.col("control")), on="customer", how="anti")
    assert set(alone["next_best_action"]) == {"leave_alone"}


def test_a_contact_pays_and_its_euros_are_the_scores(result) -> None:
    called = calls(result.lists["next_best_action"]).join(result.scores, on="customer")
    assert called.height > 100
    assert (called["contact_value"] > 0).all()
    assert set(called["action"]) == {"defend", "cross_sell"}
    assert np.allclose(called["expected_euros"], called["contact_value"], atol=0.011)
    assert (called["contact"] == called["best_contact"]).all()
    other = called.drop_nulls("runner_up")
    assert (other["runner_up"] != other["contact"]).all()
    assert (other["runner_up_euros"] <= other["expected_euros"] + 0.011).all()  # hours are plenty here
    rest = result.scores.join(called, on="customer", how="anti")
    assert set(rest["best_contact"]) == {"none"}
    assert (rest["contact_value"] == 0).all()


def test_levers_change_who_comes_first_and_never_who_is_called(made, monkeypatch: pytest.MonkeyPatch) -> None:
    from akb.value.targeting.lists import next_best_action as arbitrate

    shipped = arbitrate.rules

    def pushed(*path: str):
        table = dict(shipped(*path))
        return {**table, "lever": 50.0} if path == ("arbitration", "cross_sell") else table

    run = f.models(made)
    before = run_value(made, run, f.settings(**CHEAP))
    monkeypatch.setattr(arbitrate, "rules", pushed)
    after = run_value(made, run, f.settings(**CHEAP))
    lists = [calls(result.lists["next_best_action"]) for result in (before, after)]
    first = [(listed["action"].head(20) == "cross_sell").sum() for listed in lists]
    assert first[1] == 20 > first[0]
    assert dict(lists[0].select("customer", "action").iter_rows()) == dict(
        lists[1].select("customer", "action").iter_rows()
    )
    assert before.case == after.case


def test_scarce_hours_go_to_the_contacts_that_earn_most_a_minute(made) -> None:
    scarce = {**CHEAP, "capacity__hours_per_year_inside": 0.5, "capacity__hours_per_year_adviser": 1.0}
    few = run_value(made, f.models(made), f.settings(**scarce))
    plenty = run_value(made, f.models(made), f.settings(**CHEAP))
    done, wanted = (calls(each.lists["next_best_action"]) for each in (few, plenty))
    by_hand = [listed.filter(pl.col("contact") != "mail") for listed in (done, wanted)]
    assert 0 < by_hand[0].height < by_hand[1].height
    best = dict(wanted.select("customer", "expected_euros").iter_rows())
    kept = [best.get(who, 0.0) for who in by_hand[0]["customer"]]
    missed = [best[who] for who in set(by_hand[1]["customer"]) - set(by_hand[0]["customer"])]
    assert np.mean(kept) > 2 * np.mean(missed)
    for pool, hours in few.case.plan.hours.items():
        assert hours.used <= hours.available + 1e-6, pool
    assert few.case.plan.hour_price["inside"] > 0
    assert few.case.plan.gap < 0.05


@pytest.mark.parametrize("hours", [100.0, 1.0, 0.3])
def test_one_plan_in_case_actions_lists_and_assignment(made, hours: float) -> None:
    pools = {"capacity__hours_per_year_inside": hours, "capacity__hours_per_year_adviser": hours}
    result = run_value(made, f.models(made), f.settings(**CHEAP, **pools))
    todo = calls(result.lists["next_best_action"])
    planned = result.scores.filter(pl.col("best_contact") != "none")
    assert set(todo["customer"]) == set(planned["customer"])
    keep = result.lists["top_defend"].filter("contact")
    assert set(todo.filter(pl.col("action") == "defend")["customer"]) <= set(keep["customer"])
    personal = todo.filter(~pl.col("contact").is_in(["mail"]))
    assert personal["done_by"].null_count() == 0
    assert todo.filter(pl.col("contact") == "mail")["done_by"].null_count() == (todo["contact"] == "mail").sum()
    told = sum(row.customers for row in result.case.plan.contacts)
    split = 4 + len(result.case.plan.contacts)  # rows that the optimum splits, and rounding
    assert abs(told - todo.height) <= split
    for row in result.figures.actions.work.hours:
        assert row.used <= row.available + 1e-6


def test_more_contacts_are_optimal_only_while_each_pays(made) -> None:
    """Enough hours: the planned contact after its cost, and what a repeat at half of it would be."""
    shares = {share: run_value(made, f.models(made), f.settings(**CHEAP, planning__repeat_share=share)).scores
              for share in (0.0, 0.5, 1.0)}  # fmt: skip
    for share, scores in shares.items():
        planned = pl.col("best_contact") != "none"
        assert scores.filter(~planned)["optimal_contacts_12m"].unique().to_list() == [0.0], share
        assert scores.filter(planned)["optimal_contacts_12m"].min() == 1.0 + 5.0 * (share == 1.0)
        assert scores.filter(planned)["optimal_contacts_12m"].max() <= 6.0  # the cap of contacts in a year
    assert shares[0.0].filter(planned)["optimal_contacts_12m"].max() == 1.0
    more = shares[0.5].filter(planned)["optimal_contacts_12m"]
    assert more.max() > 1.0
    # who brings twice its cost and more pays a second time
    brings = shares[0.5].filter(planned).sort("contact_value")["optimal_contacts_12m"]
    assert brings.tail(10).mean() >= brings.head(10).mean()


def test_a_person_of_the_right_pool_does_it(made) -> None:
    team = {f"A{number}": Member(level="inside", hours=10.0) for number in range(4)}
    team["A0"] = Member(level="adviser", hours=1.0)
    asked = f.settings(**CHEAP).model_copy(update={"team": team})
    result = run_value(made, f.models(made), asked)
    todo = calls(result.lists["next_best_action"])
    assert todo.filter(pl.col("contact") == "review")["done_level"].drop_nulls().unique().to_list() in ([], ["adviser"])
    assert todo.filter(pl.col("contact") != "mail")["done_by"].null_count() == 0
    used = {row.level: 0.0 for row in result.figures.actions.work.hours}
    for row in result.figures.actions.work.hours:
        used[row.level] += row.used
    assert used["adviser"] <= 60 + 1e-6


def test_without_proven_euros_the_order_is_by_chance_and_nobody_is_contacted_for_them(made) -> None:
    result = run_value(made, f.models(made, gate="fail"), f.settings(**CHEAP))
    listed = result.lists["next_best_action"]
    assert listed["expected_euros"].null_count() == listed.height
    assert calls(listed).height == 0
    assert result.figures.actions.euros is False
    defend = result.lists["top_defend"]
    assert defend.height > 20
    assert defend["churn_preventable_12m"].is_sorted(descending=True)
    assert defend["expected_saving"].null_count() == defend.height
    assert not defend["contact"].any()


def test_care_is_never_withheld_by_lot(made) -> None:
    """Everybody is in the control group: no contact for euros, and care as if there were no draw."""
    free = {name: run_value(made, f.models(made), f.settings(**CHEAP, experiment__control_share=share))
            for name, share in (("nobody", 0.0), ("everybody", 1.0))}  # fmt: skip
    drawn = free["everybody"].scores
    assert not set(drawn["next_best_action"]) & {"defend", "cross_sell"}
    assert set(drawn["best_contact"]) == {"none"}
    for action in ("care", "thank"):
        cared = {name: set(each.scores.filter(pl.col("next_best_action") == action)["customer"])
                 for name, each in free.items()}  # fmt: skip
        assert cared["nobody"] <= cared["everybody"], action
    assert free["everybody"].case.cohort.contacts == 0


def test_any_order_of_rows_gives_the_same(made) -> None:
    run = f.models(made)
    first = run_value(made, run, f.settings(**CHEAP))
    second = run_value(*f.shuffled(made, run), f.settings(**CHEAP))
    for name in EVERY_LIST:
        assert first.lists[name].equals(second.lists[name]), name
    assert first.recognition.equals(second.recognition)
    assert first.figures.actions == second.figures.actions
    assert first.case == second.case


@pytest.mark.parametrize("poor", [{"commission": "none"}, {"ended": False}, {"advisers": 0}])
def test_poor_exports_have_every_list(poor) -> None:
    made = f.portfolio(120, **poor)
    result = run_value(made, f.models(made), f.settings(**CHEAP))
    assert set(result.lists) == set(EVERY_LIST)
    assert all(frame.columns[:2] == ["customer", "rank"] for frame in result.lists.values())
    assert result.scores["next_best_action"].null_count() == 0


# Whom to leave alone


def test_recent_contact_and_the_cap_leave_alone(made) -> None:
    run = f.models(made)
    first = run_value(made, run, f.settings(**CHEAP)).lists["top_defend"]["customer"].to_list()[:4]
    recent, older, often, inbound = first
    asked = with_contacts(made, {recent: [29], older: [31], often: [40 + day for day in range(6)]})
    result = run_value(asked, run, f.settings(**CHEAP))
    listed = set(result.lists["top_defend"]["customer"])
    assert older in listed
    calling = {"inbound__rate": 3.0, "contacts__inbound__minutes": 1.0, "contacts__inbound__follow_up": 0.0}
    value = run_value(asked, run, f.settings(**CHEAP, **calling))
    helped, defended = value.lists["next_best_action"], value.lists["top_defend"]
    assert {recent, often} <= set(defended["customer"])  # so they are not left out as well
    everybody = f.present(asked)["customer"].n_unique()
    assert defended.height + sum(value.left_out["top_defend"].values()) == everybody
    todo = helped.filter(pl.col("customer").is_in([recent, often]))
    assert todo["contact"].to_list() == ["inbound"] * 2  # the office begins nothing; who calls himself is helped
    assert not {recent, often} & set(result.lists["next_best_policy"]["customer"])
    silent = f.settings(**CHEAP, inbound__rate=0.0)
    nobody = run_value(asked, run, silent)
    assert not {recent, often} & set(nobody.lists["next_best_action"]["customer"])
    assert nobody.left_out["next_best_action"]["recent_contact"] == 1
    assert nobody.left_out["next_best_action"]["contact_cap"] == 1
    unknown = with_contacts(made, {often: [40 + day for day in range(6)]}, inbound=None)
    assert run_value(unknown, run, silent).left_out["next_best_action"]["contact_cap"] == 1  # the office's until told
    called_us = with_contacts(made, {inbound: [40 + day for day in range(9)]}, inbound=True)
    assert inbound in set(run_value(called_us, run, f.settings(**CHEAP)).lists["top_defend"]["customer"])


def test_a_quiet_customer_with_a_low_chance_is_not_woken(made) -> None:
    run = f.models(made)
    base = InForce(made, run, f.SETTINGS)
    asleep = do_not_wake(base)
    assert 0 < asleep.sum() < base.n
    assert (base.score("churn_12m")[asleep] < 0.03).all()
    sleeper = int(base.customers["customer"].to_numpy()[asleep][0])
    woken = InForce(with_contacts(made, {sleeper: [100]}), run, f.SETTINGS)
    place = int(np.flatnonzero(base.customers["customer"].to_numpy() == sleeper)[0])
    assert not do_not_wake(woken)[place]
    moved = made.policies.filter(pl.col("start_date").is_between(f.X - timedelta(days=700), f.X))
    assert not quiet(base, f.X - timedelta(days=730))[
        base.customers["customer"].is_in(moved["customer"].implode()).to_numpy()
    ].any()
    result = run_value(made, run, f.settings(**CHEAP))
    rows = result.scores["next_best_action"].to_numpy()[asleep]
    assert set(rows) == {"leave_alone"}


@pytest.mark.parametrize("name", EVERY_LIST)
def test_opt_outs_are_on_no_list_and_the_control_group_is_marked_on_all(made, result, name: str) -> None:
    listed = result.lists[name]
    people = listed.join(made.customers, on="customer")
    assert not people["no_marketing"].any()
    assert not people["deceased"].any()
    assert listed.schema["control"] == pl.Boolean
    drawn = eligibility(InForce(made, f.models(made), f.settings(**CHEAP))).control
    marked = result.scores.select("customer").with_columns(drawn=pl.Series(drawn)).join(listed, on="customer")
    if name == "next_best_action":  # care and thanks are nobody's to withhold
        care = marked.filter(~pl.col("action").is_in(["defend", "cross_sell"]))
        assert not care["control"].any()
        marked = marked.filter(pl.col("action").is_in(["defend", "cross_sell"]))
    expected = marked["drawn"] & (name != "care_gaps")
    assert (expected == marked["control"]).all()


def test_the_draw_is_recorded(result) -> None:
    told = result.figures.actions
    assert told.control_share == 0.1
    assert {row.key for row in told.lists} == set(EVERY_LIST)


# The other lists


def test_bleeders_and_feeders_are_the_ends_of_the_margin(made, result) -> None:
    base = InForce(made, f.models(made), f.settings(**CHEAP))
    margin = (base.commission_customer - service_cost(base).per_customer(base)) / 100
    known = pl.DataFrame({"customer": base.customers["customer"], "known": margin})
    low, high = (result.lists[name].join(known, on="customer").sort("rank") for name in ("bleeders", "feeders"))
    assert low.height > 0
    assert np.allclose(low["margin"], low["known"])
    assert (low["margin"] < 0).all()
    assert (high["margin"] >= np.quantile(margin, 0.8)).all()
    assert low["margin"].is_sorted()
    assert high["margin"].is_sorted(descending=True)
    assert np.allclose(high["margin"], high["commission"] - high["cost"])


def test_who_objects_is_on_no_list_even_when_leaving(made) -> None:
    """Everybody leaves and half of them object: an opt-out does not end with a notice."""
    half = made.customers["customer"].to_list()[::2]
    end = pl.when(pl.col("end_date").is_null()).then(pl.lit(f.X + timedelta(days=40))).otherwise(pl.col("end_date"))
    objecting = replace(
        made,
        policies=made.policies.with_columns(end_date=end),
        customers=made.customers.with_columns(no_marketing=pl.col("customer").is_in(half)),
    )
    result = run_value(objecting, f.models(made), f.settings(**CHEAP))
    assert result.lists["announced"].height > 50
    for name in EVERY_LIST:
        assert not set(result.lists[name]["customer"]) & set(half), name


def test_announced_leavers_have_their_last_day(made) -> None:
    leaver = int(f.present(made)["customer"].unique().sort()[0])
    last = f.X + timedelta(days=40)
    ends = pl.when((pl.col("customer") == leaver) & pl.col("end_date").is_null()).then(last)
    policies = made.policies.with_columns(end_date=ends.otherwise(pl.col("end_date")))
    result = run_value(replace(made, policies=policies), f.models(made), f.SETTINGS)
    row = result.lists["announced"].row(0, named=True)
    assert (row["customer"], row["ends"]) == (leaver, last)
    assert result.lists["announced"].height == 1
    assert leaver not in set(result.lists["next_best_action"]["customer"])


def test_winback_follows_the_chance_of_former_customers(made) -> None:
    former = sorted(set(made.policies["customer"]) - set(f.present(made)["customer"]))
    run = f.models(made)
    chance = pl.DataFrame({"customer": former, "winback_12m": np.linspace(0.01, 0.2, len(former))}).with_columns(
        pl.col("customer").cast(pl.UInt32), pl.col("winback_12m").cast(pl.Float32)
    )
    proven = replace(run.predictions[0], key="winback_12m", evidence=f.PROVEN)
    run = replace(run, winback=chance, predictions=(*run.predictions, proven))
    listed = run_value(made, run, f.SETTINGS).lists["winback"]
    gone = made.customers.filter(pl.col("customer").is_in(former))
    barred = {
        "objects": gone.filter("no_marketing", ~pl.col("deceased")),
        "died": gone.filter("deceased", ~pl.col("no_marketing")),
        "under age": gone.filter(pl.col("birth_year") > f.X.year - 18),
    }
    for why, who in barred.items():
        assert who.height >= 5, why
        assert not set(who["customer"]) & set(listed["customer"]), why
    assert listed.height >= 20
    may = gone.filter(~pl.col("no_marketing"), ~pl.col("deceased"), pl.col("birth_year") <= f.X.year - 18)
    assert set(listed["customer"]) == set(may["customer"])
    assert listed["probability"].is_sorted(descending=True)
    assert listed["left"].null_count() == 0


def test_a_gap_is_what_comparable_customers_hold_and_this_one_does_not(made, result) -> None:
    gaps = result.lists["care_gaps"]
    held = f.present(made).select("customer", "branch")
    assert gaps.height > 0
    assert (gaps["share"] >= 0.5).all()
    assert gaps.join(held, on=["customer", "branch"]).is_empty()
    base = InForce(made, f.models(made), f.SETTINGS)
    share = comparable_share(base, comparable_groups(base), "auto")
    business = base.customers.filter(pl.col("kind") == "business")
    holders = held.filter(pl.col("branch") == "auto")["customer"]
    plain = business["customer"].is_in(holders.implode()).mean()
    known = share[business["row"].to_numpy()]
    assert np.allclose(known, plain)  # a kind without age bands is its own prior
    care = result.lists["next_best_action"].filter(pl.col("action") == "care")
    assert care["expected_euros"].null_count() == care.height  # never multiplied with euros


def test_both_ranks_of_the_next_best_policy(result) -> None:
    listed = result.lists["next_best_policy"]
    assert sorted(listed["rank_chance"]) == listed["rank"].to_list()
    assert listed.sort("rank_chance")["probability"].is_sorted(descending=True)
    assert listed["rank_chance"].to_list() != listed["rank"].to_list()


# Who does what


def tasks(*rows: tuple[str | None, str, float, str]) -> pl.DataFrame:
    schema = {"adviser": pl.String, "level": pl.String, "minutes": pl.Float64, "action": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(rank=pl.int_range(1, pl.len() + 1))


def test_work_stays_at_the_own_adviser_and_moves_only_for_lack_of_hours() -> None:
    asked = tasks(*[("A", "adviser", 10.0, "defend")] * 4, ("B", "adviser", 10.0, "defend"))
    roomy = assign(asked, [Worker("A", "adviser", 60), Worker("B", "adviser", 60)])
    assert roomy.rows["done_by"].to_list() == ["A"] * 4 + ["B"]
    tight = assign(asked, [Worker("A", "adviser", 25), Worker("B", "adviser", 60)])
    assert tight.rows["done_by"].to_list() == ["A", "A", "B", "B", "B"]
    assert not tight.short


def test_inside_staff_never_does_the_work_of_an_adviser_and_the_shortage_has_words() -> None:
    asked = tasks(*[("A", "adviser", 30.0, "defend")] * 3, *[("A", "inside", 30.0, "care")] * 2)
    done = assign(asked, [Worker("A", "adviser", 60), Worker("A", "inside", 600)])
    rows = asked.join(done.rows, on="rank")
    assert rows.filter(pl.col("level") == "adviser")["done_level"].drop_nulls().unique().to_list() == ["adviser"]
    assert done.short == {"adviser": {"minutes": 30.0, "customers": 1.0}}
    assert done.rows["done_by"].null_count() == 1
    assert rows.filter(pl.col("done_by").is_null())["rank"].to_list() == [3]  # the last on the list


def test_keeping_goes_before_care_where_hours_are_short() -> None:
    asked = tasks(("A", "adviser", 30.0, "care"), ("A", "adviser", 30.0, "defend"))
    done = assign(asked, [Worker("A", "adviser", 30)])
    assert done.rows["done_by"].to_list() == [None, "A"]


SMALL = st.lists(st.tuples(st.sampled_from(["A", "B", None]), st.sampled_from(["inside", "adviser"])), max_size=6)


@given(SMALL, st.lists(st.integers(0, 4), min_size=4, max_size=4))
@tries(max_examples=40, deadline=None)
def test_no_other_assignment_is_better(asked: list[tuple[str | None, str]], hours: list[int]) -> None:
    frame = tasks(*[(adviser, level, 10.0, "defend") for adviser, level in asked])
    workers = [
        Worker(name, level, 10.0 * hours[place])
        for place, (name, level) in enumerate(itertools.product("AB", ("adviser", "inside")))
    ]
    done = assign(frame, workers)

    def price(adviser: str | None, level: str, place: int | None) -> float:
        if place is None:
            return 400.0
        who = workers[place]
        if level != who.level:
            return float("inf")
        return 10.0 * (adviser is not None and adviser != who.name)

    best = float("inf")
    for way in itertools.product([None, 0, 1, 2, 3], repeat=len(asked)):
        if any(way.count(place) > hours[place] for place in range(4)):
            continue
        best = min(best, sum(price(*task, place) for task, place in zip(asked, way, strict=True)))
    found = 0.0
    by_name = {(who.name, who.level): place for place, who in enumerate(workers)}
    for (adviser, level), (_, name, at) in zip(asked, done.rows.iter_rows(), strict=True):
        found += price(adviser, level, None if name is None else by_name[(name, at)])
    assert found == pytest.approx(best)
    for row in done.hours:
        assert row.used <= row.available + 1e-9


def test_fifteen_thousand_customers_and_forty_advisers() -> None:
    rng = np.random.default_rng(5)
    n = 15_000
    frame = pl.DataFrame(
        {
            "rank": np.arange(1, n + 1),
            "adviser": [f"A{number:02d}" for number in rng.integers(0, 40, n)],
            "level": rng.choice(["inside", "adviser"], n).tolist(),
            "minutes": rng.choice([5.0, 15.0, 20.0], n),
            "action": rng.choice(["defend", "cross_sell", "care", "thank"], n).tolist(),
        }
    )
    workers = [Worker(f"A{number:02d}", level, 2600.0) for number in range(40) for level in ("adviser", "inside")]
    done = assign(frame, workers)
    assert all(row.used <= row.available for row in done.hours)
    left = sum(part["minutes"] for part in done.short.values())
    used = sum(row.used for row in done.hours)
    assert left + used == pytest.approx(frame["minutes"].sum())
    assert used > 0.98 * min(frame["minutes"].sum(), 80 * 2600)  # no hours lie idle while work is left
    again = assign(frame.sample(fraction=1.0, shuffle=True, seed=1), workers)
    assert done.rows.equals(again.rows)


def test_the_clients_own_team(made) -> None:
    asked = f.settings(**CHEAP).model_copy(
        update={"team": {f"A{n}": Member(level="inside", hours=50) for n in range(4)}}
    )
    result = run_value(made, f.models(made), asked)
    work = result.figures.actions.work
    assert {row.level for row in work.hours} == {"inside"}
    rows = result.lists["next_best_action"]
    assert set(rows["done_level"].drop_nulls()) == {"inside"}
    everyone = eligibility(InForce(made, f.models(made), asked))
    assert sum(who.minutes for who in everyone.workers) == pytest.approx(4 * 50 * 60)
    assert 0 < everyone.minutes["inside"] <= 4 * 50 * 60  # a part may be kept for care
    assert everyone.minutes["adviser"] == 0


def test_service_concept_stands_beside_what_was_counted(made) -> None:
    someone = f.present(made)["customer"].unique().sort().to_list()
    asked = with_contacts(made, {customer: [100, 200, 400] for customer in someone})
    told = run_value(asked, f.models(made), f.SETTINGS).figures.actions.service
    assert [row.key for row in told.rows] == ["A", "B", "C", "D"]
    assert sum(row.customers for row in told.rows) == len(someone)
    assert all(row.today == row.today_begun == 2.0 for row in told.rows)
    first = told.rows[0]
    assert first.hours == pytest.approx(first.customers * 2.0 * 60 / 60)
    without = run_value(made, f.models(made), f.SETTINGS).figures.actions.service
    assert all(row.today is None for row in without.rows)


# Worked examples, blind test


def test_d24_piet_and_saskia_with_our_formula() -> None:
    entry = GOLDEN["D24_rank"]
    rows = {row["name"]: row for row in customer_examples(0.2, 13.75)}
    for name, told in entry["in"].items():
        assert (rows[name]["commission"], rows[name]["churn"], rows[name]["value"]) == tuple(told.values())
        assert rows[name]["risk"] == pytest.approx(entry["out"]["risicowaarde"][name])
    assert sorted(rows, key=lambda name: rows[name]["rank_commission"]) == entry["out"]["volgorde_provisie"]
    assert sorted(rows, key=lambda name: rows[name]["rank_defend"]) == entry["out"]["volgorde_top_defend"]
    assert rows["Piet"]["saving"] == pytest.approx(0.2 * 30 - 13.75)  # below zero: a call costs more than it keeps


def test_d25_by_chance_and_by_expected_commission() -> None:
    entry = GOLDEN["D25_nbp"]
    rows = {row["name"]: row for row in offer_examples()}
    for name, told in entry["in"].items():
        assert [rows[name]["low"], rows[name]["high"], rows[name]["commission"]] == told
    assert {name: row["expected"] for name, row in rows.items()} == pytest.approx(entry["out"]["mid"])
    first = {by: min(rows, key=lambda name: rows[name][by]) for by in ("rank_chance", "rank_expected")}
    assert first == {"rank_chance": entry["out"]["eerste_op_kans"], "rank_expected": entry["out"]["eerste_op_waarde"]}


def test_the_recognition_test_hides_which_is_which(made, result) -> None:
    test = result.recognition
    listed = set(result.lists["top_defend"]["customer"])
    barred = ~eligibility(InForce(made, f.models(made), f.settings(**CHEAP))).callable
    may = set(result.scores["customer"].to_numpy()[~barred])
    assert test["adviser"].n_unique() == 4
    for _, cards in test.group_by("adviser"):
        own = made.customers.join(cards, on="customer")
        assert (own["adviser"] == own["adviser_right"]).all()
        assert cards["customer"].n_unique() == cards.height
        assert cards["listed"].sum() <= 20
        theirs = made.customers.filter(pl.col("adviser") == own["adviser"][0])["customer"]
        pool = may & set(theirs) - listed
        assert (~cards["listed"]).sum() == min(20, len(pool))
        assert set(cards["customer"]) <= may
        assert all((row["customer"] in listed) == row["listed"] for row in cards.iter_rows(named=True))
        assert sorted(cards["number"]) == list(range(1, cards.height + 1))
        halves = cards.sort("number")["listed"].to_list()
        assert halves not in (sorted(halves), sorted(halves, reverse=True))
    other = run_value(made, f.models(made), f.settings(**CHEAP).model_copy(
        update={"models": f.SETTINGS.models.model_copy(update={"seed": 3})}
    )).recognition  # fmt: skip
    assert not other.equals(test)


def test_effectiveness_is_a_difference_with_an_interval() -> None:
    difference, low, high = effectiveness(19, 20, 18, 20)
    assert difference == pytest.approx(0.05)
    assert low < 0 < high  # "95 % found it good" tells nothing beside 90 % for a random list
    difference, low, high = effectiveness(56, 70, 48, 80)  # Newcombe (1998), method 10, example (a)
    assert (difference, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    with pytest.raises(ValueError, match="judged"):
        effectiveness(0, 0, 1, 2)
