"""From plan to work: one action per customer, all lists, who does what, and the recognition
test.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from akb.value.action_figures import by_action, hours_used, list_sizes, own_share
from akb.value.classes import class_of
from akb.value.targeting.contact import rules
from akb.value.targeting.lists import next_best_action as nba
from akb.value.targeting.lists.cross_sell import next_best_list
from akb.value.targeting.lists.gaps import care_gaps
from akb.value.targeting.lists.others import more_lists
from akb.value.targeting.lists.recognition import recognition_test
from akb.value.targeting.lists.retention import defend_by_chance, defend_list, empty_list
from akb.value.targeting.lists.withheld import NEXT_BEST, TOP_DEFEND, withheld_lists
from akb.value.targeting.service import service_concept
from akb.value.targeting.staffing import Assignment, assign, summed
from akb.value.types import ActionFigures, CareContact, RecognitionTest

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.targeting.lists.next_best_action import Choice
    from akb.value.valuation import Valuation


@dataclass(frozen=True)
class Actions:
    """What people will do.

    Parameters
    ----------
    scores
        customer, ``next_best_action`` (a key of `next_best_action.ACTIONS`), ``best_contact``,
        ``contact_value`` and ``optimal_contacts_12m``, for everybody in force.
    lists, left_out
        As in `akb.value.types.ValueRun`.
    figures
        What the report tells of them.
    recognition
        See `recognition.recognition_test`.
    care
        Care and thanks beside the plan, per action.
    gaps
        See `gaps.care_gaps`.
    """

    scores: pl.DataFrame
    lists: dict[str, pl.DataFrame]
    left_out: dict[str, dict[str, int]]
    figures: ActionFigures
    recognition: pl.DataFrame
    care: dict[str, CareContact]
    gaps: pl.DataFrame


def act(valued: Valuation) -> Actions:
    """Return actions, lists and assignment."""
    in_force, eligible, plan = valued.in_force, valued.eligibility, valued.plan
    classes = client_classes(in_force, valued.value)
    gaps = care_gaps(in_force)
    defend, defend_out = _defend(valued)
    offered, offered_out = next_best_list(in_force, valued.offers, eligible, plan)
    choice = chosen(valued, gaps, classes)
    todo = nba.action_list(in_force, plan, choice, eligible.control)
    hands = _assigned(todo, valued)
    todo = todo.join(hands.rows, on="row", how="left", maintain_order="left").drop(
        "minutes", "pool", "row"
    )
    counted = Counter(choice.why[choice.action == nba.ALONE].tolist())
    lists = {
        "top_defend": defend,
        "next_best_policy": offered,
        "next_best_action": todo,
        **more_lists(in_force, valued.cost, eligible, gaps),
    }
    withheld = withheld_lists(in_force)
    lists |= {name: lists[name].clear() for name in withheld}  # headings, and `withheld` says why
    test = recognition_test(in_force, eligible, defend)
    limit = in_force.settings.report.suppress_below
    figures = ActionFigures(
        euros=plan is not None and bool(plan.planned.any()),
        by_action=by_action(choice, limit),
        alone={reason: counted[reason] for reason in sorted(counted) if counted[reason] >= limit},
        lists=list_sizes(lists, limit),
        withheld=withheld,
        control_share=in_force.value("experiment.control_share"),
        work=hours_used(in_force, hands),
        own=own_share(todo),
        service=service_concept(in_force, classes, eligible),
        recognition=RecognitionTest(test["adviser"].n_unique(), test.height),
    )
    return Actions(
        scores=_scores(in_force, valued, choice),
        lists=lists,
        left_out={
            TOP_DEFEND: {} if TOP_DEFEND in withheld else defend_out,
            NEXT_BEST: {} if NEXT_BEST in withheld else offered_out,
            "next_best_action": {
                reason: count for reason, count in counted.items() if reason != "control"
            },
        },
        figures=figures,
        recognition=test,
        care=care_work(valued, choice),
        gaps=gaps,
    )


def chosen(valued: Valuation, gaps: pl.DataFrame, classes: list[str]) -> Choice:
    """Return one action for everybody; `gaps`: see `gaps.care_gaps`."""
    known = nba.Gaps(
        dict(gaps.select("row", "branch").iter_rows()),
        dict(gaps.select("row", "share").iter_rows()),
    )
    jubilee = nba.jubilees(valued.in_force, classes)
    return nba.choose(valued.in_force, valued.eligibility, valued.plan, known, jubilee)


def client_classes(in_force: InForce, value: Lifetime | None) -> list[str]:
    """Return the class of every customer: by lifetime value, or by commission where there is
    none.
    """
    return class_of(value.clv if value is not None else in_force.commission_customer)


def care_work(valued: Valuation, choice: Choice) -> dict[str, CareContact]:
    """Return per action without euros what it takes, at the rate of who does it."""
    rates = {
        "inside": 100 * valued.in_force.value("cost.rate_office") / 60,
        "adviser": 100 * valued.in_force.value("cost.rate_adviser") / 60,
        "automatic": 0.0,
    }
    out = {}
    for key in (nba.CARE, nba.THANK):
        mine = choice.action == key
        cost = sum(
            float(choice.minutes[mine & (choice.pool == pool)].sum()) * rate
            for pool, rate in rates.items()
        )
        out[key] = CareContact(float(mine.sum()), float(choice.minutes[mine].sum()), cost)
    return out


def _defend(valued: Valuation) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return Top Defend: the plan's; by chance where no euro may be named but the order of leaving
    is known.
    """
    if valued.survival is None or valued.in_force.churn_shown.order != "proven":
        return empty_list(), {}
    if valued.euros:
        cost = valued.service_cost
        return defend_list(
            valued.in_force,
            valued.survival,
            valued.value,
            valued.eligibility,
            valued.plan,
            cost=cost,
        )
    return defend_by_chance(valued.in_force, valued.survival, valued.eligibility)


def _scores(in_force: InForce, valued: Valuation, choice: Choice) -> pl.DataFrame:
    plan = valued.plan
    contact: list[str | None] = [None] * in_force.n
    value = [None] * in_force.n if plan is None else plan.contact_value(in_force.n)
    most = int(rules("contact")["cap"])
    times = [None] * in_force.n if plan is None else plan.optimal_contacts(most)
    if plan is not None:
        contact = [
            plan.menu.options[place].key if place >= 0 else "none" for place in plan.option.tolist()
        ]
    return in_force.customers.select("customer").with_columns(
        next_best_action=pl.Series(choice.action.tolist(), dtype=pl.String),
        best_contact=pl.Series(contact, dtype=pl.String),
        contact_value=pl.Series(value, dtype=pl.Float32),
        optimal_contacts_12m=pl.Series(times, dtype=pl.Float32),
    )


def _assigned(todo: pl.DataFrame, valued: Valuation) -> Assignment:
    """Return who does what: the plan's contacts as they were given out, the rest in the minutes
    that are left.
    """
    eligible, planned = valued.eligibility, valued.staffing
    used = (
        [0.0] * len(eligible.workers)
        if planned is None
        else [hours.used for hours in planned.hours]
    )
    free = [
        replace(who, minutes=max(0.0, who.minutes - spent))
        for who, spent in zip(eligible.workers, used, strict=True)
    ]
    tasks = todo.filter(~pl.col("control") & (pl.col("pool") != "automatic"))
    if planned is not None:
        tasks = tasks.join(
            planned.rows, left_on="row", right_on="rank", how="anti", maintain_order="left"
        )
    care = assign(tasks.select("rank", "adviser", "minutes", "action", level="pool"), free)
    whose = tasks.select("rank", "row")
    rows = care.rows.join(whose, on="rank").select("row", "done_by", "done_level")
    if planned is None:
        return replace(care, rows=rows)
    return Assignment(
        pl.concat(
            [planned.rows.select(row="rank", done_by="done_by", done_level="done_level"), rows]
        ),
        tuple(
            replace(hours, available=who.minutes, used=hours.used + more.used)
            for hours, more, who in zip(planned.hours, care.hours, eligible.workers, strict=True)
        ),
        {name: minutes + care.needed[name] for name, minutes in planned.needed.items()},
        summed([planned.short, care.short]),
    )
