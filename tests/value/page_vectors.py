"""Random settings of the page's sliders, and what the planner says of them on the page's rows."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import value_fixtures as f

from akb.config import Settings
from akb.value.case.basis import LINES, net
from akb.value.case.case import case_basis
from akb.value.case.options import options
from akb.value.case.page import bins, block
from akb.value.case.page.worked import page_case
from akb.value.case.sensitivity import Draws, band, tornado
from akb.value.targeting.planning.benefits import SIDES
from akb.value.valuation import Valuation, valuation

CHEAP = f.CALLS_PAY | {"capacity__hours_per_year_inside": 3.0, "capacity__hours_per_year_adviser": 2.0}
"""Calls that pay for many, and hours for a part of them."""


@cache
def valued(n: int = 240) -> Valuation:
    made = f.earning(f.portfolio(n), 3)
    return valuation(made, f.with_lapses(f.models(made)), f.settings(**CHEAP), say=lambda _: None)


@cache
def page_block(most: int = bins.MOST_ROWS, n: int = 240) -> dict[str, Any]:
    """Return the page's rows of a small office; with fewer than customers they are bins."""
    usual, block.bins_of = block.bins_of, lambda plan: bins.bins_of(plan, most)
    try:
        return block.page_basis(valued(n), Draws(case_basis(valued(n)), 1))
    finally:
        block.bins_of = usual


def drawn_settings(count: int, seed: int = 7) -> list[tuple[dict[str, float], list[str]]]:
    """Return values of the register and contact types that are switched off; the first changes nothing."""
    rng = np.random.default_rng(seed)
    register, ladder = page_block()["register"], list(page_block()["ladder"])
    out: list[tuple[dict[str, float], list[str]]] = [({}, [])]
    while len(out) < count:
        off = [str(rng.choice(ladder))] if len(out) % 5 == 0 else []
        gone = [*off, *(["inbound_else_call"] if "call" in off else [])]
        values = {}
        for name, entry in register.items():
            low, high = entry["low"], entry["high"]
            if name.startswith("capacity."):
                low, high = 0.0, 6.0
            elif rng.random() < 0.2:  # beyond the range that is shipped
                low, high = 0.5 * low, 1.3 * high
            if rng.random() < 0.5 and name.split(".")[1] not in gone:
                values[name] = float(min(rng.uniform(low, high), 1.0 if entry["kind"] == "share" else np.inf))
        out.append((values, off))
    return out


def settings_with(values: dict[str, float], off: list[str]) -> Settings:
    usual = f.settings(**CHEAP).assumptions
    names = f.settings().model_copy(update={"contacts": {key: {"enabled": False} for key in off}}).assumed()
    given = {name: value for name, value in {**usual, **values}.items() if name in names}
    return f.settings().model_copy(update={"assumptions": given, "contacts": {key: {"enabled": False} for key in off}})


def told(rows: dict[str, Any], values: dict[str, float], off: list[str]) -> dict[str, Any]:
    """Return what Python says: everything that the page shows."""
    case = page_case(rows, settings_with(values, off))
    basis = case.basis
    draws, span = Draws(basis, 1), net(basis.cohort, basis)
    types = sorted({each.key for each in basis.cohort.sums})
    return {
        "benefit": basis.cohort.benefit,
        "contacts": basis.cohort.contacts,
        "net": [span.side(side) for side in SIDES],
        "lines": {line: basis.cohort.line(line) for line in LINES},
        "customers": {key: sum(e.customers for e in basis.cohort.sums if e.key == key) for key in types},
        "hours": {pool: sum(e.minutes[pool] for e in basis.cohort.sums) / 60 for pool in ("inside", "adviser")},
        "hour_price": basis.plan["hour_price"],
        "cash": [row.net for row in case.cash],
        "running": case.running_year.net,
        "payback": case.payback_month,
        "deepest": case.deepest,
        "options": [[getattr(row.net, side) for side in SIDES] for row in options(basis)],
        "tornado": {row.key: [row.low, row.high] for row in tornado(draws)},
        "above": band(draws).above_zero,
    }
