"""``next_best_action``: one action per customer, within the hours.

Who is called is what the ledger counts
(`akb.value.targeting.calls`). Priority = what the call earns x (1 + urgency) x (1 +
lever) - its cost says who comes first. Eligibility comes before all of it (opt-outs, cooling off, caps, the customers
not to wake), the control group is left alone, and care is no matter of euros: it takes hours of its own and what the
calls leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.in_force import at
from akb.value.targeting.calls import KEEP, NONE
from akb.value.targeting.calls import SELL as CALL_TO_SELL
from akb.value.targeting.contact import contacts_since, rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.calls import Calls
    from akb.value.targeting.cross_sell import Offers
    from akb.value.targeting.eligibility import Desk
    from akb.value.targeting.retention import Defence

    Flags = NDArray[np.bool_]

DEFEND, SELL, CARE, THANK, ALONE = "defend", "cross_sell", "care", "thank", "leave_alone"
ACTIONS = (DEFEND, SELL, CARE, THANK, ALONE)


@dataclass(frozen=True)
class Choice:
    """What was chosen per customer, in the order of `InForce.customers`.

    Parameters
    ----------
    action
        What to do; ``leave_alone`` where hours, rules or the draw of the control group say so.
    wanted
        The same before hours and control group.
    branch
        The branch to discuss with ``cross_sell`` and ``care``, and beside ``defend`` where it pays; else None.
    expected
        Euros expected of the call after its cost; NaN where no euro may be named, and for care and thanks.
    priority
        What orders the calls: `expected` with urgency and lever, or a chance where there are no euros.
    minutes
        What the action takes.
    why
        Why a customer is left alone; empty for the others.
    """

    action: NDArray[np.str_]
    wanted: NDArray[np.str_]
    branch: list[str | None]
    expected: Floats
    priority: Floats
    minutes: Floats
    why: NDArray[np.str_]


@dataclass(frozen=True)
class Weigh:
    """What orders the calls beside what they earn, and what is expected of them over life.

    Parameters
    ----------
    keep, sell
        (1 + urgency) x (1 + lever) of a call to keep and of a call to sell, per customer.
    saved, sold
        What a call brings over the life of relation or policy, after its cost, cents.
    euros
        Whether euros may be named of a call to keep, and of a call to sell.
    """

    keep: Floats
    sell: Floats
    saved: Floats
    sold: Floats
    euros: tuple[bool, bool]


def choose(
    base: InForce,
    desk: Desk,
    calls: Calls,
    weigh: Weigh,
    offer: dict[int, str],
    gaps: dict[int, str],
    shares: dict[int, float],
    jubilee: Flags,
    fallback: tuple[Floats, Floats],
) -> Choice:
    """Return the action of every customer: the calls that are made, and what is done in the hours that they leave.

    Urgency and lever say who is called first; whether a call pays and who is called is decided in
    `akb.value.targeting.calls`,
    as in the ledger.

    Parameters
    ----------
    offer, gaps, shares
        Row -> best branch to sell, widest gap, and the share of comparable customers behind that gap.
    jubilee
        Who deserves thanks.
    fallback
        Chances that order the calls to keep and to sell where euros may not; NaN: no call.
    """
    n, wants = base.n, calls.wanted
    wanted = np.array([ALONE, DEFEND, SELL])[wants].astype("<U12")
    priority = np.select(
        [wants == KEEP, wants == CALL_TO_SELL],
        [calls.keep * weigh.keep - calls.cost, calls.sell * weigh.sell - calls.cost],
        -np.inf,
    )
    _by_chance(wanted, priority, weigh.euros, fallback)
    called = wanted != ALONE
    has_gap = np.zeros(n, dtype=np.bool_)
    has_gap[list(gaps)] = True
    due = has_gap & (_contacts_since_days(base, int(rules("arbitration", "care")["quiet_days"])) == 0)
    wanted[~called & due] = CARE
    wanted[~called & ~due & jubilee] = THANK
    priority[wanted == CARE] = [shares[row] for row in np.flatnonzero(wanted == CARE).tolist()]
    priority[wanted == THANK] = base.commission_customer[wanted == THANK]
    wanted[desk.barred] = ALONE

    also = (wants == KEEP) & (calls.sell > desk.offer_cost)
    minutes = _minutes(wanted, desk) + np.where(also, desk.offer_minutes, 0.0)
    action, why = _within_hours(base, desk, calls, wanted, priority, minutes)
    branch = [
        offer.get(row) if what == SELL or also[row] else gaps.get(row) if what == CARE else None
        for row, what in enumerate(wanted.tolist())
    ]
    expected = np.select([wants == KEEP, wants == CALL_TO_SELL], [weigh.saved, weigh.sold], np.nan) / 100
    return Choice(action, wanted, branch, expected, priority, minutes, why)


def _by_chance(
    wanted: NDArray[np.str_], priority: Floats, euros: tuple[bool, bool], fallback: tuple[Floats, Floats]
) -> None:
    """Fill in calls of a kind of which no euro may be named, by chance; below those that are known to pay."""
    scale = 1e-9 if any(euros) else 1.0
    orders = np.full((2, len(priority)), -np.inf)
    for place, proven in enumerate(euros):
        if not proven:
            chance = fallback[place] + (0.0 if any(euros) else 1 - place)
            orders[place] = np.where(np.isnan(chance), -np.inf, scale * chance)
    best = np.argmax(orders, axis=0)
    order = orders[best, np.arange(len(priority))]
    rows = np.flatnonzero((wanted == ALONE) & np.isfinite(order))
    wanted[rows] = np.array([DEFEND, SELL])[best[rows]]
    priority[rows] = order[rows]


def _minutes(wanted: NDArray[np.str_], desk: Desk) -> Floats:
    out = np.where(wanted == ALONE, 0.0, desk.minutes)
    out[wanted == THANK] = float(rules("arbitration", "thank")["minutes"])
    return out


def _contacts_since_days(base: InForce, days: int) -> NDArray[np.int64]:
    return contacts_since(base, base.as_of - timedelta(days=days))


def _within_hours(
    base: InForce, desk: Desk, calls: Calls, wanted: NDArray[np.str_], priority: Floats, minutes: Floats
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Fill what the calls leave of the hours: unproven calls, then care, then thanks; each stops where hours end."""
    why = np.full(base.n, "", dtype="<U16")
    why[wanted == ALONE] = "nothing_pays"
    for reason, flags in desk.excluded.items():
        why[flags] = reason
    made = calls.to_keep | calls.to_sell
    action = wanted.copy()
    late = (calls.wanted != NONE) & ~made
    action[late], why[late] = ALONE, "no_hours"
    action[desk.control] = ALONE
    why[desk.control & (wanted != ALONE)] = "control"
    kept = float(rules("arbitration", "care")["reserved_share"])
    left = desk.minutes_available - float(minutes[made].sum())
    for kinds in ((DEFEND, SELL), (CARE,), (THANK,)):
        if kinds == (CARE,):
            left += desk.minutes_available / (1 - kept) * kept
        rows = np.flatnonzero(np.isin(action, kinds) & ~made)
        order = rows[np.lexsort((rows, -priority[rows]))]
        used = np.cumsum(minutes[order])
        over = order[used > left + 1e-9]
        action[over], why[over] = ALONE, "no_hours"
        left -= float(used[used <= left + 1e-9].max(initial=0.0))
    return action, why


def weights(base: InForce) -> tuple[Floats, Floats]:
    """Return (1 + urgency) x (1 + lever) of calls to keep, urgent where the risk is near, and of calls to sell.

    A call to sell is urgent where a policy is renewed soon.
    """
    rule = rules("arbitration", "defend")
    soon, year = base.relation_churn(3), base.relation_churn(12)
    near = np.zeros(base.n)
    if soon is not None and year is not None:
        share = np.divide(soon, year, out=np.full(base.n, 0.25), where=year > 0)
        near = np.clip((np.nan_to_num(share, nan=0.25) - 0.25) / 0.75, 0.0, 1.0)
    keep = (1 + float(rule["urgency"]) * near) * (1 + float(rule["lever"]))
    rule = rules("arbitration", "cross_sell")
    renewed = renews_within(base, int(rule["renewal_days"]))
    return keep, (1 + float(rule["urgency"]) * renewed) * (1 + float(rule["lever"]))


def chances(
    base: InForce, made: Offers, paths: Relations | None, found: Defence | None
) -> tuple[tuple[Floats, Floats], dict[int, str]]:
    """Return what orders the calls where no euro may be named, and row -> likeliest branch.

    To keep, those whom Top Defend lists are called, in its order: two lists of one office must not name other people.
    Without a lifetime value it is the tenth with the highest chance.
    """
    least = float(rules("arbitration", "cross_sell")["minimum_chance"])
    likely = made.table.filter(pl.col("probability") >= least).sort(
        ["row", "probability", "place"], descending=[False, True, False]
    )
    likely = likely.unique("row", keep="first", maintain_order=True)
    buys = np.full(base.n, np.nan)
    buys[likely["row"].to_numpy()] = likely["probability"].to_numpy()
    keep = np.full(base.n, np.nan)
    if found is not None:
        worth = found.stakes.worth.astype(np.float64)
        keep[found.pays] = worth[found.pays] / worth.max()
    elif paths is not None:
        high = paths.preventable >= np.quantile(paths.preventable, 0.9)
        keep[high] = paths.preventable[high]
    return (keep, buys), dict(likely.select("row", "branch").iter_rows())


def renews_within(base: InForce, days: int) -> Floats:
    """Return 1 for customers with a policy that is renewed within `days`, else 0."""
    day = pl.coalesce("renewal_date", "start_date")
    ordinal = (pl.col("month").cast(pl.Int32) - base.as_of.month) * 30 + pl.col("day").cast(pl.Int32) - base.as_of.day
    near = (
        base.held.select("row", month=day.dt.month(), day=day.dt.day())
        .with_columns(ahead=ordinal % 360)
        .filter((pl.col("ahead") > 0) & (pl.col("ahead") <= days))["row"]
    )
    out = np.zeros(base.n)
    out[near.unique().to_numpy()] = 1.0
    return out


def jubilees(base: InForce, classes: list[str]) -> Flags:
    """Return customers of the best classes who will have been one for a round number of years within some days."""
    rule = rules("arbitration", "thank")
    since = base.held.group_by("row").agg(pl.col("start_date").min()).sort("row")["start_date"]
    ahead = np.zeros(base.n, dtype=np.bool_)
    for years in rule["jubilees"]:
        until = since.dt.offset_by(f"{years}y")
        days = (until - pl.Series([base.as_of] * base.n)).dt.total_days().to_numpy()
        ahead |= (days > 0) & (days <= int(rule["jubilee_days"]))
    return ahead & np.isin(classes, rule["classes"])


def action_list(base: InForce, desk: Desk, choice: Choice) -> pl.DataFrame:
    """Return the list ``next_best_action``: who is contacted, and in ``control`` who would have been, best first.

    Calls stand before care, care before thanks; the control group stands where it would have stood, as far down as
    the hours reach.
    """
    tier = np.select([np.isin(choice.wanted, (DEFEND, SELL)), choice.wanted == CARE], [0, 1], 2)
    rows = np.flatnonzero((choice.action != ALONE) | (choice.why == "control"))
    order: Rows = rows[np.lexsort((rows, -choice.priority[rows], tier[rows]))]
    order = _as_far_as_hours_reach(order, choice, tier)
    recent = _contacts_since_days(base, 365)
    return (
        base.customers.select("row", "customer", "kind", "adviser", "office")[order]
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            action=pl.Series(choice.wanted[order].tolist(), dtype=pl.String),
            branch=pl.Series([choice.branch[row] for row in order.tolist()], dtype=pl.String),
            expected_euros=at(np.round(choice.expected[order], 2), pl.Float64),
            contacts_12m=at(recent[order], pl.Int64),
            minutes=pl.Series(choice.minutes[order], dtype=pl.Float64),
            control=pl.Series(desk.control[order], dtype=pl.Boolean),
        )
        .select(*LIST_COLUMNS, "minutes", "row")
    )


LIST_COLUMNS = (
    "customer", "rank", "action", "branch", "expected_euros", "kind", "adviser", "office", "contacts_12m", "control",
)  # fmt: skip


def _as_far_as_hours_reach(order: Rows, choice: Choice, tier: NDArray[np.int64]) -> Rows:
    """Drop members of the control group who stand below the last that is contacted, where the hours have run out."""
    kept = np.ones(len(order), dtype=np.bool_)
    for level in range(3):
        mine = tier[order] == level
        short = (choice.why == "no_hours") & (tier == level)
        if not short.any():
            continue
        contacted = np.flatnonzero(mine & (choice.action[order] != ALONE))
        last = contacted[-1] if len(contacted) else -1
        kept &= ~(mine & (np.arange(len(order)) > last))
    return order[kept]
