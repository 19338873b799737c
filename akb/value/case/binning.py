"""The basis of the business case, made from customers: bins along the order of the lists, none under 5 customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.basis import CHANGEABLE, MICRO, MILLI, RATES, SCHEMA
from akb.value.lifetime.survival import YEAR
from akb.value.revenue.cost import service_cost
from akb.value.targeting.calls import payback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.calls import Calls
    from akb.value.targeting.cross_sell import Ranked
    from akb.value.targeting.eligibility import Desk
    from akb.value.targeting.retention import Defence

    Flags = NDArray[np.bool_]

RETENTION_BINS = 400
CALLED, REST = 4, 2  # groups of customers on the run's list and below it
NEVER = CALLED + REST  # nothing at stake
OFFER_BINS = RETENTION_BINS // (NEVER + 1)  # for each group


@dataclass(frozen=True)
class Stakes:
    """What a call for retention is about, per customer in force.

    Parameters
    ----------
    worth
        chance x value at stake, cents: the order of Top Defend.
    commission, parts
        chance x yearly commission, and chance x yearly service cost by what it depends on (``office``, ``adviser``,
        ``fixed``); integers, thousandths of a cent.
    """

    worth: Floats
    commission: Cents
    parts: Mapping[str, Cents]

    @property
    def margin(self) -> Cents:
        """Chance x (commission - service cost), thousandths of a cent."""
        return self.commission - sum(self.parts.values())


def stakes(base: InForce, paths: Relations, value: Lifetime, cost: Cents) -> Stakes:
    """Return what a call for retention is about, for every customer; `cost` is of serving each a year, cents."""
    p = paths.preventable
    own = base.commission_customer.astype(np.float64)
    return Stakes(
        worth=p * value.stake,
        commission=_milli(p * own),
        parts={part: _milli(p * cents) for part, cents in service_parts(base, cost).items()},
    )


def service_parts(base: InForce, cost: Cents) -> dict[str, Floats]:
    """Return yearly service `cost` per customer, cents, by the assumption that it is proportional to.

    Cost is linear in each of them: what is left when one is zero does not depend on it. The rest (there is none
    today) goes with the office's rate.
    """
    total = cost.astype(np.float64)
    parts = {}
    for part, name in RATES.items():
        without = base.with_assumption(name, 0.0)
        parts[part] = total - service_cost(without).per_customer(base)
    parts["office"] = total - parts["adviser"] - parts["fixed"]
    return parts


def cascade(factor: float, milli: Cents) -> Cents:
    """Return ``factor x milli`` as whole cents per row that add up to the whole cents of their sum."""
    running = np.rint(factor * np.cumsum(milli) / MILLI).astype(np.int64)
    out: Cents = np.diff(running, prepend=0)
    return out


def bin_edges(values: Floats, cut: int, at: float | None, bins: int, least: int) -> tuple[list[int], Floats, Floats]:
    """Return where bins begin along descending `values`, and their upper and lower bounds.

    Parameters
    ----------
    cut
        A bin ends after this many rows; a side with fewer than `least` rows has none, so let both have enough.
    at
        The bound between both sides of the cut; None puts it halfway.
    least
        Rows that a bin has at least.
    """
    n = len(values)
    starts: list[int] = []
    if n == 0:
        return starts, np.zeros(0), np.zeros(0)
    for first, last in ((0, cut), (cut, n)):
        count = min(max(1, round(bins * (last - first) / n)), (last - first) // least)
        starts += [first + (last - first) * place // count for place in range(count)]
    borders = [
        at if start == cut and at is not None else float(values[start - 1] + values[start]) / 2 for start in starts[1:]
    ]
    stops = [*starts[1:], n]
    means = [float(values[start:stop].mean()) for start, stop in zip(starts, stops, strict=True)]
    top = max(2 * means[0] - borders[0], means[0]) if borders else 2 * means[0]
    bottom = max(0.0, 2 * means[-1] - borders[-1]) if borders else 0.0
    return starts, np.array([top, *borders]), np.array([*borders, bottom])


def case_basis(
    base: InForce,
    paths: Relations,
    value: Lifetime,
    desk: Desk,
    found: Defence,
    calls: Calls,
    ranked: Ranked,
    lines: tuple[str, ...],
    intervals: Mapping[str, tuple[float, float]],
    known: Mapping[str, float],
) -> dict[str, Any]:
    """Return the basis on which the business case is computed; see `akb.value.case.basis`.

    Parameters
    ----------
    calls
        The calls that the run makes.
    ranked
        The best offer of every customer who may get one.
    lines
        The benefit lines whose prediction passed its gate.
    intervals
        Line -> what a provisional gate does to its low and high end.
    known
        Numbers for the explanation that no assumption here changes.
    """
    churn = float((paths.churn_12m * base.commission_customer).sum())
    group = np.full(base.n, NEVER)
    retention = _retention(base, paths, desk, found, calls, ranked, group) if "retention" in lines else None
    own = _own_calls(base, paths, desk, group, ranked, calls) if "cross_sell" in lines else None
    hours = 60 * base.value("capacity.hours_per_year") * desk.advisers
    return {
        "schema": SCHEMA,
        "customers": base.n,
        "turnover": int(base.commission.sum()),
        "churn_commission": round(churn),
        "advisers": desk.advisers,
        "advisers_counted": desk.advisers_counted,
        "hours_factor": desk.minutes_available / hours if hours > 0 else 1.0,
        "split": paths.split,
        "lines": list(lines),
        "at": {name: base.value(name) for name in CHANGEABLE},
        "retention": retention and {**retention, "interval": list(intervals["retention"])},
        "own_calls": own and {**own, "interval": list(intervals["cross_sell"])},
        "level": calls.level,
        "least": base.settings.report.suppress_below,
        "facts": dict(known),
    }


def _retention(
    base: InForce, paths: Relations, desk: Desk, found: Defence, calls: Calls, ranked: Ranked, group: Rows
) -> dict[str, Any]:
    """Return the bins of calls to keep; says in `group` to which part of them every customer belongs."""
    stakes, earned = found.stakes, found.stakes.margin / MILLI * found.years
    order = by_earnings(earned, desk)
    number = int(calls.to_keep.sum())
    least = base.settings.report.suppress_below
    bound = calls.level / max(found.rescue, 1e-12)
    if number == 0:  # fewer than are a line in a ledger
        order = order[earned[order] <= bound]
    if len(order) - number < least:
        order = order[:number]
    starts, upper, lower = _bounded(earned[order], number, bound, RETENTION_BINS, least)
    kept = np.maximum(stakes.margin, 0)
    offered, served, later = (np.zeros(base.n, dtype=np.int64) for _ in range(3))
    talks = np.zeros(base.n, dtype=np.bool_)
    talks[ranked.rows] = calls.sell[ranked.rows] > desk.offer_cost
    rows = ranked.rows[talks[ranked.rows]]
    offered[rows], served[rows], later[rows] = (
        part[talks[ranked.rows]] for part in (ranked.commission, ranked.served, ranked.later)
    )
    alive = paths.alive[:, YEAR]
    sums: dict[str, Cents] = {
        "calls": np.ones(base.n, dtype=np.int64),
        "chance": np.rint(MICRO * paths.preventable).astype(np.int64),
        "commission": stakes.commission,
        **stakes.parts,
        "weight": kept,
        "alive": np.rint(kept * alive).astype(np.int64),
        "life": _milli(stakes.worth),
        "talks": talks.astype(np.int64),
        "talk_commission": offered,
        "talk_served": served,
        "talk_alive": later,
    }
    table = {"upper": _floats(upper), "lower": _floats(lower)} | {
        name: _sums(column[order], starts) for name, column in sums.items()
    }
    cut = sum(start < number for start in starts)
    groups = [*_groups(cut, 0, CALLED), *_groups(len(starts) - cut, CALLED, REST)]
    group[order] = np.repeat(groups, np.diff([*starts, len(order)]))
    return {**table, "group": groups}


def _bounded(values: Floats, cut: int, bound: float, bins: int, least: int) -> tuple[list[int], Floats, Floats]:
    """Return `bin_edges` with everybody before the cut above `bound` and everybody after it below."""
    starts, upper, lower = bin_edges(values, cut, bound, bins, least)
    if not starts:
        return starts, upper, lower
    if cut == 0:  # the best of those below the bound
        upper[0] = min(upper[0], bound)
        lower = np.minimum(lower, upper)
    elif cut == len(values):
        lower[-1] = max(lower[-1], bound)
        upper = np.maximum(upper, lower)
    return starts, upper, lower


def _groups(bins: int, first: int, count: int) -> list[int]:
    return [first + count * place // bins for place in range(bins)]


def by_earnings(earned: Floats, desk: Desk) -> Rows:
    """Return who may be called and has something to lose, the most first; nobody of the control group."""
    rows = np.flatnonzero(~desk.barred & ~desk.control & (earned > 0))
    return rows[np.lexsort((rows, -earned[rows]))]


def _own_calls(
    base: InForce, paths: Relations, desk: Desk, groups: Rows, ranked: Ranked, calls: Calls
) -> dict[str, Any]:
    """Return the bins of calls for a policy alone, per group: who is called to keep gets no other call."""
    group = groups[ranked.rows]
    earned = ranked.extra / MILLI * payback(base, paths.alive[:, YEAR], "cross_sell")[ranked.rows]
    free = ~desk.barred[ranked.rows] & ~desk.control[ranked.rows] & (earned > 0)
    least = base.settings.report.suppress_below
    own = ranked.own_call
    if any(0 < int((own & (group == number)).sum()) < least for number in range(CALLED, NEVER + 1)):
        group = np.where(group >= CALLED, NEVER, group)  # too few in one of them: one group
    bound = calls.level / max(base.value("cross_sell.uplift"), 1e-12)
    columns = {
        "commission": ranked.commission,
        "served": ranked.served,
        "alive": ranked.later,
        "life": _milli(ranked.worth),
    }
    out: dict[str, list[Any]] = {name: [] for name in ("group", "upper", "lower", "calls", *columns)}
    for number in range(NEVER + 1):
        places = np.flatnonzero(free & (group == number))
        places = places[np.lexsort((ranked.rows[places], -earned[places]))]
        cut = int(own[places].sum()) if number >= CALLED else int((earned[places] > bound).sum())
        if cut < least:
            places, cut = places[cut:], 0
        if number >= CALLED and not own.any():
            places = places[earned[places] <= bound]
        if len(places) - cut < least:
            places = places[:cut]
        if not len(places):
            continue
        starts, upper, lower = _bounded(earned[places], cut, bound, OFFER_BINS, least)
        out["group"] += [number] * len(starts)
        out["upper"] += _floats(upper)
        out["lower"] += _floats(lower)
        out["calls"] += _sums(np.ones(len(places), dtype=np.int64), starts)
        for name, column in columns.items():
            out[name] += _sums(column[places], starts)
    return out


def _milli(cents: Floats) -> Cents:
    return np.rint(MILLI * cents).astype(np.int64)


def _sums(column: Cents, starts: list[int]) -> list[int]:
    return [int(total) for total in np.add.reduceat(column, starts)] if starts else []


def _floats(values: Floats) -> list[float]:
    return [float(value) for value in values]
