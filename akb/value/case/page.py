"""What a page or a colleague works on without the customers: weighted rows for the planner, and the
register's draws.

Rows are means over customers who are alike, never over fewer than may be shown: a plan on them is
an estimate, and ``akb case`` on the run itself is exact."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.sensitivity import DRAWS, positions
from akb.value.targeting.planning.prospects import Prospects

if TYPE_CHECKING:
    from akb.value.case.sensitivity import Draws
    from akb.value.in_force import Floats, Rows
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.valuation import Valuation

SCHEMA = "akb.case_basis/3"
MOST_ROWS = 1200
STEPS = 10_000
_CENTS = ("relation", "policy")
_SHARES = ("leaving", "lost", "inbound_rate")


def page_basis(valued: Valuation, draws: Draws) -> dict[str, Any]:
    """Return ``schema``, ``rows`` (column -> list), ``pools`` {pool: minutes}, ``customers``,
    ``draws``, ``levels``.

    Columns of ``rows``: ``weight`` (customers), ``relation``, ``policy`` (cents), ``leaving``,
    ``lost``, ``inbound_rate``, ``wakeable`` and per place of a branch ``chance_1`` .., ``worth_1``
    .. (cents). ``draws``: assumption, or ``level.LINE`` -> 1,000 positions 0..9999 in its range.
    """
    plan = valued.plan
    if plan is None:
        return {}
    table = binned(plan, valued.in_force.settings.report.suppress_below)
    effects = frozenset(name for name in draws.names if ".effect_" in name)
    names = [*draws.names, *(f"level.{line}" for line in draws.basis.levels)]
    at = positions(names, effects, draws.basis.value("case.correlation"), draws.seed)
    return {
        "schema": SCHEMA,
        "customers": valued.in_force.n,
        "rows": _columns(table),
        "pools": {pool: round(minutes) for pool, minutes in plan.available.items()},
        "levels": {
            line: [round(each, 9) for each in (span.low, span.base, span.high)]
            for line, span in draws.basis.levels.items()
        },
        "draws": {name: _places(each) for name, each in at.items()},
        "draw_count": DRAWS,
    }


def _places(position: Floats) -> list[int]:
    """Return positions in (0, 1) as whole steps."""
    places: list[int] = np.floor(STEPS * position).astype(np.int64).clip(0, STEPS - 1).tolist()
    return places


def binned(plan: ContactPlan, least: int) -> Prospects:
    """Return weighted rows that stand for the customers who may be contacted, `least` customers or
    more in each.

    Customers with the same choice at the plan's prices and about the same value share a row.
    """
    prospects, menu = plan.prospects, plan.menu
    rows = np.flatnonzero(menu.allowed.any(axis=1))
    if len(rows) < least:
        return _means(prospects, rows[:0], np.zeros(0, dtype=np.int64))
    reduced = plan.reduced()[rows]
    best = reduced.argmax(axis=1)
    brings = reduced[np.arange(len(rows)), best]
    choice = np.where(brings > 0, best, -1)
    order = rows[np.lexsort((rows, -brings, choice, prospects.wakeable[rows]))]
    size = max(least, -(-len(rows) // MOST_ROWS))
    bins = np.minimum(np.arange(len(order)) // size, max(len(order) // size - 1, 0))
    return _means(prospects, order, bins)


def _means(prospects: Prospects, order: Rows, bins: Rows) -> Prospects:
    """Return the mean of every column per bin; a bin is wakeable, or of the control group, as most
    of it is.
    """
    count = int(bins.max(initial=-1)) + 1
    weight = np.bincount(bins, minlength=count).astype(np.float64)

    def mean(column: Floats) -> Floats:
        wide = (column[order, None] if column.ndim == 1 else column[order]).astype(np.float64)
        out = np.zeros((count, wide.shape[1]))
        np.add.at(out, bins, wide)
        out /= np.maximum(weight, 1.0)[:, None]
        return out[:, 0] if column.ndim == 1 else out

    values: dict[str, Any] = {"weight": weight}
    for each in fields(Prospects):
        if each.name == "weight":
            continue
        column = getattr(prospects, each.name)
        if each.name == "reachable":
            values[each.name] = {name: mean(flags) >= 0.5 for name, flags in column.items()}
        elif each.name == "branch":
            values[each.name] = np.where(mean((column >= 0).astype(np.float64)) > 0, 0, -1)
        else:
            made = mean(column)
            values[each.name] = made >= 0.5 if column.dtype == np.bool_ else made
    return Prospects(**values)


def _columns(rows: Prospects) -> dict[str, list[float]]:
    out: dict[str, list[float]] = {
        "weight": rows.weight.tolist(),
        "wakeable": rows.wakeable.astype(int).tolist(),
    }
    out |= {name: np.round(getattr(rows, name), 1).tolist() for name in _CENTS}
    out |= {name: np.round(getattr(rows, name), 6).tolist() for name in _SHARES}
    for place in range(rows.chance.shape[1]):
        out[f"chance_{place + 1}"] = np.round(rows.chance[:, place], 6).tolist()
        out[f"worth_{place + 1}"] = np.round(rows.worth[:, place], 1).tolist()
    return out
