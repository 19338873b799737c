"""``next_best_action``: one action per customer. Euros are the plan's; care and thanks take the
hours that it leaves.

What the plan contacts is ``defend`` or ``cross_sell``, by the line that brings most. Nobody else is
contacted for euros. Care is no matter of euros: a gap is discussed in a planned contact where there
is one, else in a contact of its own, and nobody is withheld from it by lot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.in_force import at
from akb.value.targeting.contact import contacts_since, rules
from akb.value.targeting.lists.retention import DEFEND, SELL, keeps
from akb.value.targeting.planning.planner import NONE
from akb.value.targeting.team import POOLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import ContactType
    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.targeting.eligibility import Eligibility
    from akb.value.targeting.planning.plan import ContactPlan

    Flags = NDArray[np.bool_]

CARE, THANK, ALONE = "care", "thank", "leave_alone"
ACTIONS = (DEFEND, SELL, CARE, THANK, ALONE)


@dataclass(frozen=True)
class Choice:
    """What was chosen per customer, in the order of `InForce.customers`.

    Parameters
    ----------
    action
        What to do; ``leave_alone`` where hours, rules or the draw of the control group say so.
    wanted
        The same before the draw of the control group.
    contact
        Key of the contact type; None without a contact.
    branch
        The branch to discuss, or None.
    expected
        Euros of the planned contact after its cost; NaN for care and thanks.
    priority
        What orders the work within an action.
    minutes, pool
        What the action takes, and whose; ``automatic`` takes nobody's.
    why
        Why a customer is left alone; empty for the others.
    """

    action: NDArray[np.str_]
    wanted: NDArray[np.str_]
    contact: list[str | None]
    branch: list[str | None]
    expected: Floats
    priority: Floats
    minutes: Floats
    pool: NDArray[np.str_]
    why: NDArray[np.str_]


@dataclass(frozen=True)
class Gaps:
    """The widest care gap per customer: row -> branch, and the share of comparable customers behind
    it.
    """

    branch: Mapping[int, str]
    share: Mapping[int, float]


def choose(
    in_force: InForce,
    eligibility: Eligibility,
    plan: ContactPlan | None,
    gaps: Gaps,
    jubilee: Flags,
) -> Choice:
    """Return the action of every customer: the contacts of the plan, then care, then thanks, within
    the hours.

    Parameters
    ----------
    jubilee
        Who deserves thanks.
    """
    n = in_force.n
    wanted = np.full(n, ALONE, dtype="<U12")
    expected = np.full(n, np.nan)
    minutes, pool = np.zeros(n), np.full(n, "automatic", dtype="<U9")
    contact: list[str | None] = [None] * n
    branch: list[str | None] = [None] * n
    made = np.zeros(n, dtype=np.bool_)
    if plan is not None:
        option = np.where(eligibility.control, plan.would_get, plan.option)
        made = option != NONE
        first = keeps(plan, option)
        wanted[made] = np.where(first[made], DEFEND, SELL)
        rows = np.flatnonzero(made)
        expected[rows] = plan.menu.value_of(rows, option[rows]) / 100
        for row in rows.tolist():
            own = plan.menu.options[option[row]]
            contact[row], pool[row] = own.key, own.pool
            branch[row] = plan.branch_discussed(in_force, row, option[row])
        minutes[rows] = plan.menu.minutes[rows, option[rows]].sum(axis=1)
    priority = np.nan_to_num(expected, nan=-np.inf) * _urgency(in_force, wanted)
    free = ~made & eligibility.callable
    due = np.zeros(n, dtype=np.bool_)
    due[list(gaps.branch)] = True
    for row in np.flatnonzero(due & made & (wanted == DEFEND)).tolist():
        branch[row] = (
            branch[row] or gaps.branch[row]
        )  # discussed in the contact that takes place anyway
    due &= contacts_since(in_force, _days_ago(in_force, "care", "quiet_days")) == 0
    care = care_contact(plan.planning.ladder if plan is not None else in_force.settings.ladder())
    if care is not None:
        key, kind = care
        rows = np.flatnonzero(free & due)
        wanted[rows], minutes[rows], pool[rows] = CARE, kind.minutes, kind.pool
        priority[rows] = [gaps.share[row] for row in rows.tolist()]
        for row in rows.tolist():
            contact[row], branch[row] = key, gaps.branch[row]
        free &= ~due
    rows = np.flatnonzero(free & jubilee)
    wanted[rows], minutes[rows], pool[rows] = (
        THANK,
        float(rules("arbitration", "thank")["minutes"]),
        POOLS[0],
    )
    priority[rows] = in_force.commission_customer[rows]
    action, why = _within_hours(eligibility, plan, wanted, (priority, minutes, pool))
    return Choice(action, wanted, contact, branch, expected, priority, minutes, pool, why)


def care_contact(ladder: Mapping[str, ContactType]) -> tuple[str, ContactType] | None:
    """Return the contact type that care takes: the shortest personal one that the office begins for
    it.
    """
    known = [
        (key, contact)
        for key, contact in ladder.items()
        if "care" in contact.purposes and contact.pool != "automatic" and contact.reach == "all"
    ]
    return min(known, key=lambda each: each[1].minutes, default=None)


def _days_ago(in_force: InForce, action: str, name: str) -> date:
    return in_force.as_of - timedelta(days=int(rules("arbitration", action)[name]))


def _urgency(in_force: InForce, wanted: NDArray[np.str_]) -> Floats:
    """Return (1 + urgency) x (1 + lever): what comes first within the plan, never what is in it."""
    keep, sell = weights(in_force)
    out: Floats = np.select([wanted == DEFEND, wanted == SELL], [keep, sell], 1.0)
    return out


def _within_hours(
    eligibility: Eligibility,
    plan: ContactPlan | None,
    wanted: NDArray[np.str_],
    work: tuple[Floats, Floats, NDArray[np.str_]],
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Fill what the plan leaves of every pool with care, then thanks; each stops where its hours
    end.
    """
    priority, minutes, pool = work
    why = np.full(len(wanted), "", dtype="<U16")
    why[wanted == ALONE] = "nothing_pays"
    for reason, flags in eligibility.excluded.items():
        why[flags & (wanted == ALONE)] = reason
    action = wanted.copy()
    drawn = eligibility.control & np.isin(wanted, (DEFEND, SELL))
    action[drawn], why[drawn] = ALONE, "control"
    whole = {
        name: sum(who.minutes for who in eligibility.workers if who.level == name) for name in POOLS
    }
    if plan is not None:
        used = np.einsum("nk,nkp->p", plan.whole, plan.menu.minutes)
        left = {name: whole[name] - float(spent) for name, spent in zip(POOLS, used, strict=True)}
    else:
        left = whole
    for kind in (CARE, THANK):
        for name in POOLS:
            rows = np.flatnonzero((action == kind) & (pool == name))
            order = rows[np.lexsort((rows, -priority[rows]))]
            spent = np.cumsum(minutes[order])
            over = order[spent > left[name] + 1e-9]
            action[over], why[over] = ALONE, "no_hours"
            left[name] -= float(spent[spent <= left[name] + 1e-9].max(initial=0.0))
    return action, why


def weights(in_force: InForce) -> tuple[Floats, Floats]:
    """Return (1 + urgency) x (1 + lever) of contacts to keep, urgent where the risk is near, and of
    those to sell.

    A contact to sell is urgent where a policy is renewed soon.
    """
    rule = rules("arbitration", "defend")
    soon, year = in_force.relation_churn(3), in_force.relation_churn(12)
    near = np.zeros(in_force.n)
    if soon is not None and year is not None:
        share = np.divide(soon, year, out=np.full(in_force.n, 0.25), where=year > 0)
        near = np.clip((np.nan_to_num(share, nan=0.25) - 0.25) / 0.75, 0.0, 1.0)
    keep = (1 + float(rule["urgency"]) * near) * (1 + float(rule["lever"]))
    rule = rules("arbitration", "cross_sell")
    renewed = renews_within(in_force, int(rule["renewal_days"]))
    return keep, (1 + float(rule["urgency"]) * renewed) * (1 + float(rule["lever"]))


def renews_within(in_force: InForce, days: int) -> Floats:
    """Return 1 for customers with a policy that is renewed within `days`, else 0."""
    day = pl.coalesce("renewal_date", "start_date")
    x = in_force.as_of
    ordinal = (pl.col("month").cast(pl.Int32) - x.month) * 30 + pl.col("day").cast(pl.Int32) - x.day
    near = (
        in_force.held.select("row", month=day.dt.month(), day=day.dt.day())
        .with_columns(ahead=ordinal % 360)
        .filter((pl.col("ahead") > 0) & (pl.col("ahead") <= days))["row"]
    )
    out = np.zeros(in_force.n)
    out[near.unique().to_numpy()] = 1.0
    return out


def jubilees(in_force: InForce, classes: list[str]) -> Flags:
    """Return customers of the best classes who will have been one for a round number of years
    within some days.
    """
    rule = rules("arbitration", "thank")
    since = in_force.held.group_by("row").agg(pl.col("start_date").min()).sort("row")["start_date"]
    ahead = np.zeros(in_force.n, dtype=np.bool_)
    for years in rule["jubilees"]:
        until = since.dt.offset_by(f"{years}y")
        days = (until - pl.Series([in_force.as_of] * in_force.n)).dt.total_days().to_numpy()
        ahead |= (days > 0) & (days <= int(rule["jubilee_days"]))
    return ahead & np.isin(classes, rule["classes"])


LIST_COLUMNS = (
    "customer", "rank", "action", "contact", "branch", "expected_euros", "runner_up",
    "runner_up_euros", "kind",
    "adviser", "office", "contacts_12m", "control",
)  # fmt: skip


def action_list(
    in_force: InForce, plan: ContactPlan | None, choice: Choice, control: Flags
) -> pl.DataFrame:
    """Return the list ``next_best_action``: who is contacted, and in ``control`` who would have
    been, best first.

    The plan's contacts stand before care, care before thanks. ``runner_up`` is the next best
    contact for the customer and what it would bring after its cost: why this contact and not that
    one."""
    tier = np.select([np.isin(choice.wanted, (DEFEND, SELL)), choice.wanted == CARE], [0, 1], 2)
    rows = np.flatnonzero((choice.action != ALONE) | (choice.why == "control"))
    order: Rows = rows[np.lexsort((rows, -choice.priority[rows], tier[rows]))]
    recent = contacts_since(in_force, in_force.as_of - timedelta(days=365))
    other, brings = (
        plan.runner_up(order)
        if plan is not None
        else ([None] * len(order), np.full(len(order), np.nan))
    )
    euros = np.isin(choice.wanted[order], (DEFEND, SELL))
    return (
        in_force.customers.select("row", "customer", "kind", "adviser", "office")[order]
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            action=pl.Series(choice.wanted[order].tolist(), dtype=pl.String),
            contact=pl.Series([choice.contact[row] for row in order.tolist()], dtype=pl.String),
            branch=pl.Series([choice.branch[row] for row in order.tolist()], dtype=pl.String),
            expected_euros=at(np.round(choice.expected[order], 2), pl.Float64),
            runner_up=pl.Series(
                [key if paid else None for key, paid in zip(other, euros, strict=True)],
                dtype=pl.String,
            ),
            runner_up_euros=at(np.where(euros, np.round(brings / 100, 2), np.nan), pl.Float64),
            contacts_12m=at(recent[order], pl.Int64),
            minutes=pl.Series(choice.minutes[order], dtype=pl.Float64),
            pool=pl.Series(choice.pool[order].tolist(), dtype=pl.String),
            control=pl.Series(control[order] & (choice.why[order] == "control"), dtype=pl.Boolean),
        )
        .select(*LIST_COLUMNS, "minutes", "pool", "row")
    )
