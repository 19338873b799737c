"""Top Defend: what the best contact keeps of a customer after its cost, and the list of whom to
keep first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.in_force import at, to_cents
from akb.value.targeting.planning.planner import NONE

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.eligibility import Eligibility
    from akb.value.targeting.planning.plan import ContactPlan


DEFEND, SELL = "defend", "cross_sell"
"""The purposes of a contact that is made for euros."""
LIST_SCHEMA = {
    "customer": pl.UInt32,
    "rank": pl.Int64,
    "churn_12m": pl.Float64,
    "churn_preventable_12m": pl.Float64,
    "value_at_stake": pl.Float64,
    "clv": pl.Float64,
    "commission": pl.Float64,
    "cost": pl.Float64,
    "expected_saving": pl.Float64,
    "relation": pl.Float64,
    "policy": pl.Float64,
    "best_contact": pl.String,
    "kind": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "branches": pl.String,
    "peak_risk_month": pl.Int32,
    "contact": pl.Boolean,
    "control": pl.Boolean,
}
"""Columns of the list ``top_defend``; euros.

``cost`` is what it costs to serve the customer for a year; ``relation`` and ``policy`` are the
lines of the contact ``best_contact``: the planned one, else the one that keeps most;
``expected_saving`` is the score ``top_defend``; ``contact``: whether the plan contacts the
customer. """


@dataclass(frozen=True)
class Defence:
    """What contacts keep, per customer in force.

    Parameters
    ----------
    saving
        top_defend in cents: relation and policy lines of the best contact less its cost.
    option
        Place of that contact in the menu.
    """

    saving: Cents
    option: Rows


def defence(plan: ContactPlan) -> Defence:
    """Return top_defend of every customer: the best contact that can keep, whatever hours, consents
    and the draw.
    """
    lines = plan.menu.base
    keeping = np.array(
        ["retention" in plan.planning.ladder[each.key].purposes for each in plan.menu.options]
    )
    kept = np.where(keeping, lines.relation + lines.policy - plan.menu.cost, -np.inf)
    if not keeping.any():
        return Defence(
            np.zeros(len(kept), dtype=np.int64), np.full(len(kept), NONE, dtype=np.int64)
        )
    option = kept.argmax(axis=1)
    return Defence(to_cents(kept[np.arange(len(kept)), option]), option)


def keeps(plan: ContactPlan, option: Rows) -> NDArray[np.bool_]:
    """Return whose option (`NONE`: nobody's) is there to keep first of all."""
    chosen = plan.menu.keeps_first[np.arange(len(option)), np.maximum(option, 0)]
    out: NDArray[np.bool_] = chosen & (option != NONE)
    return out


def defend_list(
    in_force: InForce,
    paths: Relations,
    value: Lifetime | None,
    eligibility: Eligibility,
    plan: ContactPlan | None,
    *,
    cost: Cents,
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the list ``top_defend`` and how many customers were left out, by reason.

    Everybody whom the plan contacts first of all to keep, and the members of the control group who
    would have been, the highest top_defend first.

    Parameters
    ----------
    plan
        None where no euro may be named: then nobody is listed.
    cost
        Of serving every customer for a year, cents.
    """
    if plan is None or value is None:
        barred = {reason: int(flags.sum()) for reason, flags in eligibility.excluded.items()}
        return empty_list(), {reason: count for reason, count in barred.items() if count}
    found = defence(plan)
    listed = keeps(plan, plan.option) | (eligibility.control & keeps(plan, plan.would_get))
    # a contact that the customer begins may be planned with somebody whom the office leaves alone
    left_out = {
        reason: int((flags & ~listed).sum()) for reason, flags in eligibility.excluded.items()
    }
    rows = np.flatnonzero(listed)
    rows = rows[np.lexsort((rows, -found.saving[rows]))]
    open_ones = eligibility.callable & ~listed
    worthy = open_ones & (found.saving > 0)
    sells = plan.planned & ~keeps(plan, plan.option)
    left_out["below_threshold"] = int((open_ones & ~worthy & ~sells).sum())
    left_out["to_sell"] = int((open_ones & sells).sum())
    left_out["no_hours"] = int((worthy & ~sells).sum())
    option = np.where(
        plan.option != NONE,
        plan.option,
        np.where(eligibility.control, plan.would_get, found.option),
    )
    frame = _frame(in_force, (paths, value), plan, option, found)
    frame = frame.with_columns(control=pl.Series(eligibility.control), cost=pl.Series(cost / 100))[
        rows
    ]
    ranked = frame.with_columns(rank=pl.int_range(1, pl.len() + 1))
    ranked = ranked.select(pl.col(name).cast(dtype) for name, dtype in LIST_SCHEMA.items())
    return ranked, {reason: count for reason, count in left_out.items() if count}


def empty_list() -> pl.DataFrame:
    """Return the list without rows."""
    return pl.DataFrame(schema=LIST_SCHEMA)


def _frame(
    in_force: InForce,
    worth: tuple[Relations, Lifetime],
    plan: ContactPlan,
    option: Rows,
    found: Defence,
) -> pl.DataFrame:
    """Return the list's columns for every customer in force."""
    paths, value = worth
    lines = plan.menu.base
    peak = in_force.score("peak_risk_month")
    each = np.arange(in_force.n)
    column = np.maximum(option, 0)
    columns: dict[str, NDArray[Any]] = {
        "churn_12m": paths.churn_12m,
        "churn_preventable_12m": paths.preventable,
        "value_at_stake": value.stake / 100,
        "clv": value.clv / 100,
        "commission": in_force.commission_customer / 100,
        "expected_saving": found.saving / 100,
        "relation": _euros(lines.relation[each, column]),
        "policy": _euros(lines.policy[each, column]),
        "peak_risk_month": np.full(in_force.n, np.nan) if peak is None else peak,
    }
    keys = [plan.menu.options[place].key if place != NONE else None for place in option.tolist()]
    return in_force.customers.select("customer", "kind", "adviser", "office").with_columns(
        _branches(in_force).alias("branches"),
        *(at(values, pl.Float64).alias(name) for name, values in columns.items()),
        best_contact=pl.Series(keys, dtype=pl.String),
        contact=pl.Series(plan.planned),
    )


def _euros(cents: Floats) -> Floats:
    out: Floats = np.round(cents / 100, 2)
    return out


def _branches(in_force: InForce) -> pl.Series:
    """The branches that every customer holds, as one text in the order of the taxonomy."""
    order = {branch: place for place, branch in enumerate(in_force.taxonomy)}
    return (
        in_force.held.select("row", "branch")
        .unique()
        .with_columns(
            order=pl.col("branch").replace_strict(order, default=len(order), return_dtype=pl.Int64)
        )
        .sort("row", "order", "branch")
        .group_by("row", maintain_order=True)
        .agg(pl.col("branch").str.join(", "))
        .sort("row")["branch"]
    )


def defend_by_chance(
    in_force: InForce, paths: Relations, eligibility: Eligibility
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the list where no euro may be named: the tenth of the callable customers most likely
    to leave preventably.

    Ranks only: nobody is contacted for it, and it has no euros.
    """
    left_out = {
        reason: int(flags.sum()) for reason, flags in eligibility.excluded.items() if flags.any()
    }
    rows = np.flatnonzero(eligibility.callable & (paths.preventable > 0))
    rows = rows[np.lexsort((rows, -paths.preventable[rows]))][: round(in_force.n / 10)]
    peak = in_force.score("peak_risk_month")
    columns = {
        "churn_12m": paths.churn_12m,
        "churn_preventable_12m": paths.preventable,
        "peak_risk_month": np.full(in_force.n, np.nan) if peak is None else peak,
    }
    frame = in_force.customers.select("customer", "kind", "adviser", "office").with_columns(
        _branches(in_force).alias("branches"),
        *(at(values, pl.Float64).alias(name) for name, values in columns.items()),
        contact=pl.lit(value=False),
        control=pl.Series(eligibility.control),
    )[rows]
    if in_force.has_commission:
        frame = frame.with_columns(commission=pl.Series(in_force.commission_customer[rows] / 100))
    frame = frame.with_columns(
        pl.lit(None).alias(name)
        for name in LIST_SCHEMA
        if name not in frame.columns and name != "rank"
    ).with_columns(rank=pl.int_range(1, pl.len() + 1))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in LIST_SCHEMA.items()), left_out
