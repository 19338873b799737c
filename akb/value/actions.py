"""From scores to work: one action per customer, all lists, who does what, the pilot and the recognition test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.privacy import shared as may_be_named
from akb.value import arbitrate
from akb.value.assign import Assignment, assign
from akb.value.base import EURO_GATES
from akb.value.examples import customer_examples, offer_examples
from akb.value.figures import class_of
from akb.value.gaps import care_gaps
from akb.value.lists import desk
from akb.value.more_lists import more_lists
from akb.value.pilot import pilot
from akb.value.recognition import recognition_test
from akb.value.service import levels, service_concept
from akb.value.survival import YEAR

if TYPE_CHECKING:
    from akb.value.base import Base, Floats
    from akb.value.clv import Lifetime
    from akb.value.cost import ServiceCost
    from akb.value.defend import Defence
    from akb.value.lists import Desk
    from akb.value.offers import Offers
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
    """

    scores: pl.DataFrame
    lists: dict[str, pl.DataFrame]
    left_out: dict[str, dict[str, int]]
    figures: dict[str, Any]
    recognition: pl.DataFrame


def act(
    base: Base,
    paths: Relations | None,
    value: Lifetime | None,
    cost: ServiceCost,
    found: Defence | None,
    made: Offers,
    pays: Floats,
    defend: pl.DataFrame,
    offered: pl.DataFrame,
) -> Actions:
    """Return actions, lists and assignment.

    Parameters
    ----------
    found, defend, offered
        Top Defend per customer, and the lists ``top_defend`` and ``next_best_policy``.
    pays
        Discounted years that a policy bought today is expected to pay.

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
    shared = desk(base)
    euros = base.churn_gate in EURO_GATES and value is not None
    classes = class_of(value.clv if value is not None else base.commission_customer)
    gaps = care_gaps(base)
    choice = _choice(base, paths, found, made, pays, shared, gaps, classes, euros=euros)
    todo = arbitrate.action_list(base, shared, choice)
    work = _assigned(base, todo, shared, classes)
    todo = todo.join(work.rows, on="rank", how="left", maintain_order="left").drop("minutes", "row")
    alone = choice.why[choice.action == arbitrate.ALONE]
    counted = Counter(alone.tolist())
    lists = {"next_best_action": todo, **more_lists(base, cost, shared, gaps)}
    test = recognition_test(base, shared, defend)
    scores = base.customers.select("customer").with_columns(
        next_best_action=pl.Series(choice.action.tolist(), dtype=pl.String)
    )
    limit = base.settings.report.suppress_below
    figures = {
        "euros": bool(euros or made.table["expected_cents"].count()),
        "by_action": hidden(_by_action(choice), limit, "customers", "minutes"),
        "alone": {reason: counted[reason] for reason in sorted(counted) if counted[reason] >= limit},
        "lists": _list_sizes({"top_defend": defend, "next_best_policy": offered, **lists}, limit),
        "seed": base.settings.models.seed,
        "control_share": base.value("experiment.control_share"),
        "work": _work(base, work),
        "own": _own_share(todo),
        "service": service_concept(base, classes, shared),
        "pilot": pilot(base, shared, defend),
        "recognition": {"advisers": test["adviser"].n_unique(), "customers": test.height},
        "example": customer_examples(base.value("retention.rescue"), shared.contact_cost / 100),
        "example_offers": offer_examples(),
    }
    left_out = {"next_best_action": {reason: count for reason, count in counted.items() if reason != "control"}}
    return Actions(scores, lists, left_out, {"actions": figures}, test)


def _choice(
    base: Base,
    paths: Relations | None,
    found: Defence | None,
    made: Offers,
    pays: Floats,
    shared: Desk,
    gaps: pl.DataFrame,
    classes: list[str],
    *,
    euros: bool,
) -> arbitrate.Choice:
    alive = paths.alive[:, YEAR] if paths is not None else np.ones(base.n)
    selling, offer = arbitrate.selling_worth(base, made, alive, pays)
    fallback, likely = arbitrate.chances(base, made, paths)
    return arbitrate.choose(
        base,
        shared,
        arbitrate.defence_worth(base, found, shared, euros=euros),
        selling,
        offer if selling is not None else likely,
        dict(gaps.select("row", "branch").iter_rows()),
        dict(gaps.select("row", "share").iter_rows()),
        arbitrate.jubilees(base, classes),
        fallback,
    )


def _assigned(base: Base, todo: pl.DataFrame, shared: Desk, classes: list[str]) -> Assignment:
    level = np.array(levels(classes))
    tasks = todo.filter(~pl.col("control"))
    tasks = tasks.with_columns(level=pl.Series(level[tasks["row"].to_numpy()].tolist(), dtype=pl.String))
    return assign(tasks.select("rank", "adviser", "level", "minutes", "action"), shared.workers)


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
