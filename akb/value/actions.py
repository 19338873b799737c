"""From scores to work: one action per customer, all lists, who does what, the pilot and the recognition test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.privacy import shared as may_be_named
from akb.value import arbitrate
from akb.value.assign import Assignment, assign
from akb.value.base import EURO_GATES
from akb.value.calls import decided, minutes_of, no_calls
from akb.value.examples import customer_examples, offer_examples
from akb.value.figures import class_of
from akb.value.gaps import care_gaps
from akb.value.more_lists import more_lists
from akb.value.offers import rank_offers, selling, with_calls
from akb.value.pilot import pilot
from akb.value.recognition import recognition_test
from akb.value.service import levels, service_concept
from akb.value.team import INSIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.base import Base, Floats, Rows
    from akb.value.calls import Calls
    from akb.value.clv import Lifetime
    from akb.value.defend import Defence
    from akb.value.groundwork import Groundwork
    from akb.value.lists import Desk
    from akb.value.offers import Offers, Ranked
    from akb.value.survival import Relations


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


def act(work: Groundwork, defend: pl.DataFrame, offered: pl.DataFrame) -> Actions:
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
        "by_action": hidden(_by_action(choice), limit, "customers", "minutes"),
        "alone": {reason: counted[reason] for reason in sorted(counted) if counted[reason] >= limit},
        "lists": _list_sizes({"top_defend": defend, "next_best_policy": offered, **lists}, limit),
        "seed": base.settings.models.seed,
        "control_share": base.value("experiment.control_share"),
        "work": _work(base, hands),
        "own": _own_share(todo),
        "service": service_concept(base, classes, shared),
        "pilot": pilot(base, shared, defend),
        "recognition": {"advisers": test["adviser"].n_unique(), "customers": test.height},
        "example": customer_examples(base.value("retention.rescue"), shared.contact_cost / 100),
        "example_offers": offer_examples(),
    }
    left_out = {"next_best_action": {reason: count for reason, count in counted.items() if reason != "control"}}
    return Actions(scores, lists, left_out, {"actions": figures}, test, outside(base, choice, decision.calls))


@dataclass(frozen=True)
class Decision:
    """The calls that are made, the offers among them, and who makes them.

    Parameters
    ----------
    desk
        What the lists share; without those for whom nobody at the right level has time.
    ranked, left_out
        See `offers.rank_offers`.
    work
        Who makes the calls; ``rank`` is the customer's row; ``short`` tells of those who were left out.
    """

    desk: Desk
    calls: Calls
    ranked: Ranked
    left_out: dict[str, int]
    work: Assignment


def decide(
    base: Base, shared: Desk, value: Lifetime | None, found: Defence | None, made: Offers, alive: Floats, pays: Floats
) -> Decision:
    """Return who is called, so that everybody who is called is called by someone.

    The hours of all together may suffice where those of one level do not: whom nobody can call is left out, and others
    get the hours. Customers of that level who would be next in line are left out with them: they find the same hours
    full.

    Parameters
    ----------
    shared
        Who may be on a list.
    found
        Top Defend; None where no euro may be named.
    """
    level = np.array(levels(client_classes(base, value)))
    short: list[dict[str, dict[str, float]]] = []
    while True:
        ranked, left_out = rank_offers(base, made, shared, alive, pays)
        keep = no_calls(base.n) if found is None else found.earned
        calls = decided(base, shared, keep, selling(base, ranked, alive))
        work = _hands(base, calls, shared, level)
        undone = work.rows.filter(pl.col("done_by").is_null())["rank"].to_numpy()
        if not len(undone):
            return Decision(shared, calls, with_calls(ranked, calls), left_out, replace(work, short=_summed(short)))
        short.append(work.short)
        late = _late(calls, shared, undone, level)
        if late is None:  # minutes too broken for a call: others could not have them either
            spent = minutes_of(calls, shared)
            shared = replace(shared, minutes_available=float(spent.sum() - spent[undone].sum()))
        shared = shared.without(undone if late is None else late)


def _summed(short: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return minutes and customers per level of all shortages together."""
    return {
        level: {name: sum(one[level][name] for one in short if level in one) for name in ("minutes", "customers")}
        for level in dict.fromkeys(level for one in short for level in one)
    }


def client_classes(base: Base, value: Lifetime | None) -> list[str]:
    """Return the class of every customer: by lifetime value, or by commission where there is none."""
    return class_of(value.clv if value is not None else base.commission_customer)


def _late(calls: Calls, shared: Desk, undone: Rows, level: NDArray[np.str_]) -> Rows | None:
    """Return for whom nobody has time: of the level whose hours are full, who earns least.

    Those who would come next and find the same hours full are among them, as far as they stand before the others who
    fill the minutes that come free. None where the hours of no single level are full: they are only too broken.
    """
    full = np.unique(level[undone])
    if len(full) != 1:
        return None
    hours = sum(who.minutes for who in shared.workers if full[0] in (who.level, INSIDE))  # an adviser does both
    called = calls.to_keep | calls.to_sell
    best = np.where(shared.barred | shared.control, -np.inf, np.maximum(calls.keep, calls.sell))
    order = np.flatnonzero(best > calls.cost)
    order = order[np.lexsort((order, -best[order]))]
    talk = (calls.keep > calls.cost) & (calls.sell > shared.offer_cost)
    minutes = shared.minutes + np.where(talk, shared.offer_minutes, 0.0)[order]
    same = level[order] == full[0]
    beyond = same & (np.cumsum(np.where(same, minutes, 0.0)) > hours)
    made = called[order]
    if not (beyond & made).any():
        return None
    filled = np.cumsum(np.where(~same & ~made, minutes, 0.0)) > minutes[beyond & made].sum()
    late: Rows = order[beyond & (made | ~filled)]  # never empty, so the rounds come to an end
    return late


def _hands(base: Base, calls: Calls, shared: Desk, level: NDArray[np.str_]) -> Assignment:
    """Return who makes the calls."""
    best = np.maximum(calls.keep, calls.sell)
    rows = np.flatnonzero(calls.to_keep | calls.to_sell)
    rows = rows[np.lexsort((rows, -best[rows]))]
    talk = np.where(calls.talk[rows], shared.offer_minutes, 0.0)
    tasks = base.customers.select("adviser")[rows].with_columns(
        rank=pl.Series(np.arange(len(rows)), dtype=pl.Int64),
        level=pl.Series(level[rows].tolist(), dtype=pl.String),
        minutes=pl.Series(shared.minutes + talk, dtype=pl.Float64),
        action=pl.Series(np.where(calls.to_keep[rows], arbitrate.DEFEND, arbitrate.SELL).tolist(), dtype=pl.String),
    )
    work = assign(tasks, shared.workers)
    whose = pl.DataFrame({"rank": np.arange(len(rows)), "row": rows}, schema={"rank": pl.Int64, "row": pl.Int64})
    found = work.rows.join(whose, on="rank").select(rank="row", done_by="done_by", done_level="done_level")
    return replace(work, rows=found)


def chosen(
    base: Base,
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
    euros = base.churn_gate in EURO_GATES and value is not None
    ranked, calls = decision.ranked, decision.calls
    offer = dict(zip(ranked.rows.tolist(), ranked.branch.to_list(), strict=True))
    proven = bool((ranked.extra > 0).any())
    fallback, likely = arbitrate.chances(base, made, paths)
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
        _summed([decision.work.short, rest.short]),
    )


def outside(base: Base, choice: arbitrate.Choice, calls: Calls) -> dict[str, float]:
    """Return what people do in the hours beside the calls of the ledger: counts, and minutes of all of it."""
    limit = base.settings.report.suppress_below
    kinds = {"care_calls_count": arbitrate.CARE, "thank_calls_count": arbitrate.THANK}
    groups = {name: choice.action == kind for name, kind in kinds.items()}
    euro_calls = calls.to_keep | calls.to_sell
    groups["unproven_calls_count"] = np.isin(choice.action, (arbitrate.DEFEND, arbitrate.SELL)) & ~euro_calls
    told = {name: float(rows.sum()) for name, rows in groups.items() if rows.sum() >= limit}
    everybody = np.logical_or.reduce([groups[name] for name in told]) if told else np.zeros(len(euro_calls), dtype=bool)
    return {**told, "outside_minutes": float(choice.minutes[everybody].sum())}


def _by_action(choice: arbitrate.Choice) -> list[dict[str, Any]]:
    return [
        {
            "key": action,
            "customers": int((choice.action == action).sum()),
            "minutes": float(choice.minutes[choice.action == action].sum()) if action != arbitrate.ALONE else 0.0,
        }
        for action in arbitrate.ACTIONS
    ]


def hidden(rows: list[dict[str, Any]], limit: int, *names: str) -> list[dict[str, Any]]:
    """Return rows in which too small counts are None; a single hidden one takes the smallest other along.

    Parameters
    ----------
    names
        The column that counts customers, and those that go with it.
    """
    count = names[0]
    gone = {place for place, row in enumerate(rows) if 0 < row[count] < limit}
    others = [place for place, row in enumerate(rows) if place not in gone and row[count]]
    if len(gone) == 1 and others:
        gone.add(min(others, key=lambda place: (rows[place][count], place)))
    return [
        {name: None if place in gone and name in names else value for name, value in row.items()}
        for place, row in enumerate(rows)
    ]


def _list_sizes(lists: dict[str, pl.DataFrame], limit: int) -> list[dict[str, Any]]:
    rows = []
    for name, frame in lists.items():
        control = int(frame["control"].sum())
        few, drawn = 0 < frame.height < limit, 0 < control < limit
        rows.append({"key": name, "customers": None if few else frame.height, "control": None if drawn else control})
    return rows


def _work(base: Base, work: Assignment) -> dict[str, Any]:
    """Return hours per worker; those who may not be named together, under None."""
    people = base.portfolio.customers
    named = may_be_named(people["adviser"], people["customer"], base.settings.report.suppress_below)
    rows: dict[tuple[str | None, str], dict[str, Any]] = {}
    for row in work.hours:
        name = row["name"] if row["name"] in named or row["name"].startswith("#") else None
        seen = rows.setdefault(
            (name, row["level"]), {"name": name, "level": row["level"], "available": 0.0, "used": 0.0}
        )
        seen["available"] += row["available"]
        seen["used"] += row["used"]
    order = sorted(rows, key=lambda key: (key[0] is None, key[0] or "", key[1]))
    return {
        "hours": [rows[key] for key in order],
        "needed": [{"key": level, "minutes": minutes} for level, minutes in work.needed.items()],
        "short": [{"key": level, **missing} for level, missing in work.short.items()],
    }


def _own_share(todo: pl.DataFrame) -> float | None:
    """Return how many of those who have an adviser and are served stay with that adviser."""
    served = todo.drop_nulls(["adviser", "done_by"])
    if served.is_empty():
        return None
    return float((served["adviser"] == served["done_by"]).mean())  # type: ignore[arg-type]
