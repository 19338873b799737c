"""What more calls would bring: profit by number of calls in four orders, and the profit measure of the churn scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import leavers
from akb.value.case.profit import empc, profit_curve

if TYPE_CHECKING:
    from akb.value.in_force import Floats, InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.eligibility import Desk
    from akb.value.targeting.retention import Defence

POINTS = 30
BEYOND = 3
"""The curves go on to this many times the calls at the furthest of their tops, where there are so many customers."""
SHORTEST = 100
LITERATURE = {"alpha": 6.0, "beta": 14.0, "clv": 200.0, "incentive": 10.0, "contact": 1.0}
"""Verbraken, Verbeke and Baesens (2013): what makes EMPC of one office comparable with that of another."""


def profit_figures(
    base: InForce, paths: Relations | None, value: Lifetime | None, found: Defence | None, desk: Desk
) -> dict[str, Any] | None:
    """Return the profit of calling the first k customers to keep, in four orders; None where no euro may be named.

    Profit of a call = what it earns within the payback years (see `calls`) - its cost: a forecast times an assumption.
    Everybody who may be called takes part; the control group does not.

    Returns
    -------
    dict
        ``customers`` who may be called; ``years`` within which a call has to pay; ``capacity``:
        calls that fit in the hours, at most all of them; ``rescue``;
        ``call`` (cost, cents); ``best`` {calls, cents}: the top of the curve of Top Defend, zero calls where none pays;
        ``at``: the calls at which orders are compared: the best, as far as they fit; where none pays the hours.
        ``orders``: rows {key (``top_defend``, ``commission``, ``churn``, ``random``), best_calls, best_cents,
        at_cents}; ``points``: rows {calls, and cents per order}.
    """
    if value is None or paths is None or found is None or not base.churn_in_euros:
        return None
    rows = np.flatnonzero(~desk.barred & ~desk.control)
    n, limit = len(rows), base.settings.report.suppress_below
    if n < limit:
        return None
    earned = found.earned[rows]
    orders = {
        "top_defend": earned,
        "commission": base.commission_customer[rows].astype(np.float64),
        "churn": paths.churn_12m[rows],
    }
    profit = {key: profit_curve(order, earned, desk.contact_cost).profit for key, order in orders.items()}
    profit["random"] = np.linspace(0.0, float(profit["top_defend"][-1]), n + 1)  # the mean of all draws
    capacity = min(desk.capacity, n)
    tops = {key: _best(curve, limit) for key, curve in profit.items()}
    best = tops["top_defend"]
    at = min(best, capacity) if best else capacity
    shown = _calls(best, max(tops.values()), capacity, n, limit)
    return {
        "customers": n,
        "years": base.value("value.payback_years"),
        "capacity": capacity,
        "rescue": found.rescue,
        "call": desk.contact_cost,
        "best": {"calls": best, "cents": round(float(profit["top_defend"][best]))},
        "at": at,
        "orders": [
            {
                "key": key,
                "best_calls": tops[key],
                "best_cents": round(float(curve[tops[key]])),
                "at_cents": round(float(curve[at])),
            }
            for key, curve in profit.items()
        ],
        "points": [
            {"calls": calls, **{key: round(float(curve[calls])) for key, curve in profit.items()}} for calls in shown
        ],
    }


def _best(profit: Floats, limit: int) -> int:
    """Return the calls at the top of a curve; none where too few customers stand behind it."""
    top = int(np.argmax(profit))
    return top if top >= limit else 0


def _calls(best: int, far: int, capacity: int, n: int, limit: int) -> list[int]:
    """Return the numbers of calls that are shown: evenly, with the optimum and the hours.

    Between any two of them stand enough customers, so that no difference tells about one.
    """
    end = min(n, max(BEYOND * far if far else capacity, SHORTEST))
    even = np.linspace(0, end, POINTS).round().astype(np.int64).tolist()
    shown: list[int] = []
    for calls in (0, best, capacity, *even):
        if 0 <= calls <= end and all(abs(calls - other) >= limit for other in shown):
            shown.append(calls)
    return sorted(shown)


def empc_figures(base: InForce, history: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return prediction -> its expected maximum profit a year ago, for the scores that were kept of that day.

    Parameters
    ----------
    history
        `rates.spells` of the portfolio.

    Returns
    -------
    dict
        Key of a prediction -> ``empc`` (euros per customer at the values of `LITERATURE`), ``random`` (the same for an
        order that knows nothing), ``customers``, ``left``, ``from`` and the values used. Empty without a closed year
        or with too few leavers.
    """
    told = base.models.backtest
    if told is None:
        return {}
    until = add_months(told.as_of, 12)
    left = leavers(history, told.as_of, until).filter("left")
    counted = {
        "churn_12m": left,
        "churn_preventable_12m": left.filter(pl.col("cause") == "preventable"),
    }
    made = {}
    for key, gone in counted.items():
        scores = told.scores.select("customer", key).drop_nulls().sort("customer")
        happened = scores["customer"].is_in(gone["customer"].implode()).to_numpy().astype(np.float64)
        if happened.sum() < max(base.settings.models.min_events, base.settings.report.suppress_below):
            continue
        made[key] = {
            "empc": empc(happened, scores[key].to_numpy(), **LITERATURE),
            "random": empc(happened, np.zeros(scores.height), **LITERATURE),
            "customers": scores.height,
            "left": int(happened.sum()),
            "from": told.as_of.isoformat(),
            **LITERATURE,
        }
    return made
