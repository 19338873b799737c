"""The basis of the business case, made from customers: bins along the order of the lists, none under 5 customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.basis import CHANGEABLE, MICRO, MILLI, RATES, SCHEMA, contact_cost
from akb.value.cost import service_cost
from akb.value.survival import YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from akb.value.base import Base, Cents, Floats, Rows
    from akb.value.clv import Lifetime
    from akb.value.lists import Desk
    from akb.value.offers import Ranked
    from akb.value.survival import Relations

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


def stakes(base: Base, paths: Relations, value: Lifetime) -> Stakes:
    """Return what a call for retention is about, for every customer."""
    p = paths.preventable
    own = base.commission_customer.astype(np.float64)
    return Stakes(
        worth=p * value.stake,
        commission=_milli(p * own),
        parts={part: _milli(p * cents) for part, cents in service_parts(base).items()},
    )


def service_parts(base: Base) -> dict[str, Floats]:
    """Return yearly service cost per customer, cents, by the assumption that it is proportional to.

    Cost is linear in each of them: what is left when one is zero does not depend on it. The rest (there is none
    today) goes with the office's rate.
    """
    total = service_cost(base).per_customer(base).astype(np.float64)
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
    base: Base,
    paths: Relations,
    value: Lifetime,
    desk: Desk,
    found: Stakes,
    called: Flags,
    ranked: Ranked,
    lines: tuple[str, ...],
    intervals: Mapping[str, tuple[float, float]],
    known: Mapping[str, float],
) -> dict[str, Any]:
    """Return the basis on which the business case is computed; see `akb.value.basis`.

    Parameters
    ----------
    called
        Whom the run's list calls for retention.
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
    retention = _retention(base, paths, desk, found, called, ranked, group) if "retention" in lines else None
    own = _own_calls(base, desk, group, ranked) if "cross_sell" in lines else None
    return {
        "schema": SCHEMA,
        "customers": base.n,
        "turnover": int(base.commission.sum()),
        "churn_commission": round(churn),
        "advisers": desk.advisers,
        "advisers_counted": desk.advisers_counted,
        "split": paths.split,
        "lines": list(lines),
        "at": {name: base.value(name) for name in CHANGEABLE},
        "retention": retention and {**retention, "interval": list(intervals["retention"])},
        "own_calls": own and {**own, "interval": list(intervals["cross_sell"])},
        "facts": dict(known),
    }


def _retention(
    base: Base, paths: Relations, desk: Desk, found: Stakes, called: Flags, ranked: Ranked, group: Rows
) -> dict[str, Any]:
    """Return the bins along Top Defend; says in `group` to which part of them every customer belongs."""
    order = by_worth(found, desk)
    number = int(called.sum())
    least = base.settings.report.suppress_below
    if len(order) - number < least:
        order = order[:number]
    threshold = contact_cost(base.values(CHANGEABLE)) / max(base.value("retention.rescue"), 1e-12)
    free = number < len(order) and found.worth[order[number]] <= threshold
    starts, upper, lower = bin_edges(found.worth[order], number, threshold if free else None, RETENTION_BINS, least)
    kept = np.maximum(found.margin, 0)
    talk = np.zeros(base.n, dtype=np.int64)
    talk[ranked.rows] = ranked.extra
    alive = paths.alive[:, YEAR]
    sums: dict[str, Cents] = {
        "calls": np.ones(base.n, dtype=np.int64),
        "chance": np.rint(MICRO * paths.preventable).astype(np.int64),
        "commission": found.commission,
        **found.parts,
        "weight": kept,
        "alive": np.rint(kept * alive).astype(np.int64),
        "talks": (talk > 0).astype(np.int64),
        "talk_commission": talk,
        "talk_alive": np.rint(talk * alive).astype(np.int64),
    }
    table = {"upper": _floats(upper), "lower": _floats(lower)} | {
        name: _sums(column[order], starts) for name, column in sums.items()
    }
    cut = sum(start < number for start in starts)
    groups = [*_groups(cut, 0, CALLED), *_groups(len(starts) - cut, CALLED, REST)]
    group[order] = np.repeat(groups, np.diff([*starts, len(order)]))
    return {**table, "group": groups}


def _groups(bins: int, first: int, count: int) -> list[int]:
    return [first + count * place // bins for place in range(bins)]


def by_worth(found: Stakes, desk: Desk) -> Rows:
    """Return who may be called and has something at stake, the most first; nobody of the control group."""
    rows = np.flatnonzero(~desk.barred & ~desk.control & (found.worth > 0))
    return rows[np.lexsort((rows, -found.worth[rows]))]


def _own_calls(base: Base, desk: Desk, groups: Rows, ranked: Ranked) -> dict[str, Any]:
    """Return the bins of calls for a policy alone, per group: who is called to keep gets no other call."""
    group = groups[ranked.rows]
    free = ~desk.control[ranked.rows] & (ranked.worth > 0)
    least = base.settings.report.suppress_below
    own = ranked.own_call
    uplift = max(base.value("cross_sell.uplift"), 1e-12)
    threshold = contact_cost(base.values(CHANGEABLE)) / uplift
    if any(0 < int((own & (group == number)).sum()) < least for number in range(CALLED, NEVER + 1)):
        group = np.where(group >= CALLED, NEVER, group)  # too few in one of them: one group
    bound = _own_bound(ranked, own, free & (group >= CALLED), threshold)
    out: dict[str, list[Any]] = {name: [] for name in ("group", "upper", "lower", "calls", "commission", "alive")}
    for number in range(NEVER + 1):
        places = np.flatnonzero(free & (group == number))
        places = places[np.lexsort((ranked.rows[places], -ranked.worth[places]))]
        cut = int(own[places].sum()) if number >= CALLED else int((ranked.worth[places] > bound).sum())
        if cut < least:
            places, cut = places[cut:], 0
        if len(places) - cut < least:
            places = places[:cut]
        if not len(places):
            continue
        starts, upper, lower = bin_edges(ranked.worth[places], cut, bound, OFFER_BINS, least)
        if cut == 0:  # the best of those below the bound
            upper[0] = min(upper[0], bound)
            lower = np.minimum(lower, upper)
        elif cut == len(places):
            lower[-1] = max(lower[-1], bound)
            upper = np.maximum(upper, lower)
        out["group"] += [number] * len(starts)
        out["upper"] += _floats(upper)
        out["lower"] += _floats(lower)
        out["calls"] += _sums(np.ones(len(places), dtype=np.int64), starts)
        out["commission"] += _sums(ranked.extra[places], starts)
        out["alive"] += _sums(ranked.extra_alive[places], starts)
    return out


def _own_bound(ranked: Ranked, own: Flags, free: Flags, threshold: float) -> float:
    """Return the worth that divides the calls of the run from the rest: where it stops paying, or the hours end."""
    last = float(ranked.worth[own].min()) if own.any() else threshold
    rest = ranked.worth[free & ~own]
    best = float(rest.max()) if len(rest) else 0.0
    return threshold if best <= threshold else (last + best) / 2


def _milli(cents: Floats) -> Cents:
    return np.rint(MILLI * cents).astype(np.int64)


def _sums(column: Cents, starts: list[int]) -> list[int]:
    return [int(total) for total in np.add.reduceat(column, starts)] if starts else []


def _floats(values: Floats) -> list[float]:
    return [float(value) for value in values]
