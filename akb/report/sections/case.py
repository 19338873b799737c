"""Section 6: the business case as the value room made it, in a shape for tables, figures and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from akb.report.context import Context
    from akb.value.types import BusinessCase, Line

COUNTED = ("calls_pay_", "pays_at_rescue_", "offers_in_talks_")
"""Facts that count customers and that no rule keeps from being few; calls of a kind are none or enough."""


def facts(context: Context) -> dict[str, Any]:
    """Return the ledger (cents a year), its totals at run rate and in year 1, and the rule of thumb beside it."""
    value = context.bundle.value
    case = value.case if value else None
    if case is None:
        lacking = [] if context.has_commission else ["commission_case"]
        if context.score("churn_12m") is None:
            lacking.append("churn_case")
        return {"available": False, "missing": lacking or ["case_gate"]}
    return {**told(case), "changed": context.bundle.settings.own_assumptions()}


def told(case: BusinessCase) -> dict[str, Any]:
    """Return a business case for tables, figures and JSON; costs stand in the scenario in which they are made."""
    benefits, costs = [_line(line) for line in case.benefits], [_swapped(_line(line)) for line in case.costs]
    return {
        "available": True,
        "benefits": benefits,
        "costs": costs,
        "total_benefits": _total(benefits),
        "total_costs": _total(costs),
        "net": _range(case.net),
        "roi": _range(case.roi),
        "year1": _totals(case.year1),
        "three_years": _totals(case.three_years),
        "npv": _range(case.npv) if case.npv else None,
        "payback_month": case.payback_month,
        "rule_of_thumb": dict(case.rule_of_thumb),
        "facts": _large_enough(case),
        "multiple": case.multiple,
        "band": {key: _range(made) if isinstance(made, tuple) else made for key, made in case.band.items()},
        "tornado": list(case.tornado),
        "break_even": list(case.break_even),
        "claims": list(case.claims),
        "changed": {},
        "missing": [],
    }


def _large_enough(case: BusinessCase) -> dict[str, float | None]:
    """Return the facts without the counts of customers that are too few to be named; zero is named."""
    least = case.basis.get("least", 0)
    return {
        name: None if name.startswith(COUNTED) and 0 < value < least else value for name, value in case.facts.items()
    }


def _line(line: Line) -> dict[str, Any]:
    return {"key": line.key, "low": line.low, "base": line.base, "high": line.high, "mark": line.mark}


def _totals(amounts: dict[str, tuple[int, int, int]]) -> dict[str, Any]:
    made = {key: _range(three) for key, three in amounts.items()}
    return {key: _swapped(three) if key == "costs" else three for key, three in made.items()}


def _swapped(row: dict[str, Any]) -> dict[str, Any]:
    """Return a cost as it stands in the scenarios: the low one has the high costs, so that columns add up."""
    return {**row, "low": row["high"], "high": row["low"]}


def _total(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {scenario: sum(row[scenario] for row in rows) for scenario in ("low", "base", "high")}


def _range(amounts: tuple[float, float, float]) -> dict[str, Any]:
    low, base, high = amounts
    return {"low": low, "base": base, "high": high}
