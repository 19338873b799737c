"""From scores to work: one action per customer, all lists, who does what, the pilot and the recognition test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.value.case.pilot import pilot
from akb.value.in_force import may_tell
from akb.value.targeting import next_best_action as arbitrate
from akb.value.targeting.action_figures import by_action, hidden, hours_used, list_sizes, own_share
from akb.value.targeting.decision import client_classes, summed
from akb.value.targeting.examples import customer_examples, offer_examples
from akb.value.targeting.gaps import care_gaps
from akb.value.targeting.lists import more_lists
from akb.value.targeting.recognition import recognition_test
from akb.value.targeting.service import levels, service_concept
from akb.value.targeting.staffing import Assignment, assign

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.calls import Calls
    from akb.value.lifetime.purchases import Offers
    from akb.value.targeting.decision import Decision
    from akb.value.targeting.retention import Defence
    from akb.value.valuation import Valuation


@dataclass(frozen=True)
class Actions:
    """What people will do.

    Parameters
    ----------
    scores
        customer, ``next_best_action`` (a key of `arbitrate.ACTIONS`), for everybody in force.
    lists, left_out
        As in `akb.value.types.ValueRun`.
    figures
        ``actions``: see `act`.
    recognition
        See `recognition.recognition_test`.
    outside
        What is done beside the calls of the ledger: counts of customers, and minutes.
    """

    scores: pl.DataFrame
    lists: dict[str, pl.DataFrame]
    left_out: dict[str, dict[str, int]]
    figures: dict[str, Any]
    recognition: pl.DataFrame
    outside: dict[str, float]


def act(work: Valuation, defend: pl.DataFrame, offered: pl.DataFrame) -> Actions:
    """Return actions, lists and assignment.

    Parameters
    ----------
    defend, offered
        The lists ``top_defend`` and ``next_best_policy``.

    Returns
    -------
    Actions
        Its figures under ``actions`` (counts under the limit of suppression are None or left out): ``by_action``
        rows {key, customers, minutes}; ``alone`` {reason: customers}; ``euros`` (whether euros arbitrate); ``lists``
        rows {key, customers, control}; ``seed`` and ``control_share`` of the draw; ``work`` {hours: rows {name (None:
        those that may not be named), level, available, used} in minutes, needed and short: rows per level};
        ``own`` (share that stays with the own adviser); ``service`` (see `service_concept`); ``pilot`` (see
        `pilot.pilot`); ``recognition`` {advisers, customers}; ``example`` and ``example_offers`` (see `examples`).
    """
    base, shared, decision = work.base, work.desk, work.decision
    classes = client_classes(base, work.value)
    gaps = care_gaps(base)
    choice = chosen(base, work.paths, work.value, work.found, work.made, decision, gaps)
    todo = arbitrate.action_list(base, decision.desk, choice)
    hands = _assigned(todo, decision, classes)
    todo = todo.join(hands.rows, on="rank", how="left", maintain_order="left").drop("minutes", "row")
    alone = choice.why[choice.action == arbitrate.ALONE]
    counted = Counter(alone.tolist())
    lists = {"next_best_action": todo, **more_lists(base, work.cost, shared, gaps)}
    test = recognition_test(base, shared, defend)
    scores = base.customers.select("customer").with_columns(
        next_best_action=pl.Series(choice.action.tolist(), dtype=pl.String)
    )
    limit = base.settings.report.suppress_below
    figures = {
        "euros": bool(work.euros or work.made.table["expected_cents"].count()),
        "by_action": hidden(by_action(choice), limit, "customers", "minutes"),
        "alone": {reason: counted[reason] for reason in sorted(counted) if counted[reason] >= limit},
        "lists": list_sizes({"top_defend": defend, "next_best_policy": offered, **lists}, limit),
        "seed": base.settings.models.seed,
        "control_share": base.value("experiment.control_share"),
        "work": hours_used(base, hands),
        "own": own_share(todo),
        "service": service_concept(base, classes, shared),
        "pilot": pilot(base, shared, defend),
        "recognition": {"advisers": test["adviser"].n_unique(), "customers": test.height},
        "example": customer_examples(base.value("retention.rescue"), shared.contact_cost / 100),
        "example_offers": offer_examples(),
    }
    left_out = {"next_best_action": {reason: count for reason, count in counted.items() if reason != "control"}}
    return Actions(scores, lists, left_out, {"actions": figures}, test, outside(base, choice, decision.calls))


def chosen(
    base: InForce,
    paths: Relations | None,
    value: Lifetime | None,
    found: Defence | None,
    made: Offers,
    decision: Decision,
    gaps: pl.DataFrame,
) -> arbitrate.Choice:
    """Return one action for everybody.

    Parameters
    ----------
    gaps
        Care gaps, see `gaps.care_gaps`.
    """
    euros = may_tell(base, value)
    ranked, calls = decision.ranked, decision.calls
    offer = dict(zip(ranked.rows.tolist(), ranked.branch.to_list(), strict=True))
    proven = bool((ranked.extra > 0).any())
    fallback, likely = arbitrate.chances(base, made, paths, found)
    sold = np.full(base.n, np.nan)
    sold[ranked.rows] = base.value("cross_sell.uplift") * ranked.worth - calls.cost
    keep, sell = arbitrate.weights(base)
    saved = np.full(base.n, np.nan) if found is None else found.saving.astype(np.float64)
    return arbitrate.choose(
        base,
        decision.desk,
        calls,
        arbitrate.Weigh(keep, sell, saved, sold, (euros, proven)),
        offer if proven else likely,
        dict(gaps.select("row", "branch").iter_rows()),
        dict(gaps.select("row", "share").iter_rows()),
        arbitrate.jubilees(base, client_classes(base, value)),
        fallback,
    )


def _assigned(todo: pl.DataFrame, decision: Decision, classes: list[str]) -> Assignment:
    """Return who does what: the calls as they were given out, the rest in the minutes that are left."""
    level = np.array(levels(classes))
    calls = todo.join(decision.work.rows.rename({"rank": "row"}), on="row", how="inner", maintain_order="left").select(
        "rank", "done_by", "done_level"
    )
    tasks = todo.filter(~pl.col("control")).join(calls, on="rank", how="anti", maintain_order="left")
    tasks = tasks.with_columns(level=pl.Series(level[tasks["row"].to_numpy()].tolist(), dtype=pl.String))
    used = [hours["used"] for hours in decision.work.hours]
    free = [
        replace(who, minutes=max(0.0, who.minutes - spent))
        for who, spent in zip(decision.desk.workers, used, strict=True)
    ]
    rest = assign(tasks.select("rank", "adviser", "level", "minutes", "action"), free)
    return Assignment(
        pl.concat([calls, rest.rows]).sort("rank"),
        tuple(
            {**hours, "used": hours["used"] + more["used"]}
            for hours, more in zip(decision.work.hours, rest.hours, strict=True)
        ),
        {name: minutes + rest.needed[name] for name, minutes in decision.work.needed.items()},
        summed([decision.work.short, rest.short]),
    )


def outside(base: InForce, choice: arbitrate.Choice, calls: Calls) -> dict[str, float]:
    """Return what people do in the hours beside the calls of the ledger: counts, and minutes of all of it."""
    limit = base.settings.report.suppress_below
    kinds = {"care_calls_count": arbitrate.CARE, "thank_calls_count": arbitrate.THANK}
    groups = {name: choice.action == kind for name, kind in kinds.items()}
    euro_calls = calls.to_keep | calls.to_sell
    groups["unproven_calls_count"] = np.isin(choice.action, (arbitrate.DEFEND, arbitrate.SELL)) & ~euro_calls
    told = {name: float(rows.sum()) for name, rows in groups.items() if rows.sum() >= limit}
    everybody = np.logical_or.reduce([groups[name] for name in told]) if told else np.zeros(len(euro_calls), dtype=bool)
    return {**told, "outside_minutes": float(choice.minutes[everybody].sum())}
