"""The business case as the value room made it, in a shape for tables, figures and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.disclosure import few, shown

if TYPE_CHECKING:
    from akb.report.context import Context
    from akb.value.types import BusinessCase


def facts(context: Context) -> dict[str, Any]:
    """Return one year's contacts, cash, options, plan, advice and what all of it depends on."""
    value = context.bundle.value
    case = value.case if value else None
    if case is None:
        lacking = [] if context.has_commission else ["commission_case"]
        if context.score("churn_12m") is None:
            lacking.append("churn_case")
        return {"available": False, "missing": lacking or ["case_gate"]}
    figures = value.figures if value else {}
    return {
        **worded(case, context.limit),
        "care": figures.get("care", {}),
        "changed": context.bundle.settings.own_assumptions(),
    }


def worded(case: BusinessCase, limit: int = 5) -> dict[str, Any]:
    """Return a business case for tables, figures and JSON; contacts of too few customers are one row ``_other``."""
    return {
        "available": True,
        "cohort": case.cohort,
        "cash": case.cash,
        "running_year": case.running_year,
        "payback_month": case.payback_month,
        "deepest": case.deepest,
        "curve": case.curve,
        "options": case.options,
        "without_predictions": case.without_predictions,
        "plan": {
            **case.plan,
            "contacts": shown(case.plan["contacts"], limit),
        },
        "advice": case.advice,
        "sensitivity": case.sensitivity,
        "claims": case.claims,
        "why_different": case.why_different,
        "rule_of_thumb": case.rule_of_thumb,
        "multiple": case.multiple,
        "facts": {
            name: few(value, limit) if name.startswith("customers_") else value for name, value in case.facts.items()
        },
        "care": {},
        "changed": {},
        "missing": [],
    }
