"""What customers cost and bring: next year's loss, the way from premium to customer value, and the proof of CLV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from akb.report.context import Context

_MISSING = {"history": "clv_history", "few": "clv_few"}


def facts(context: Context) -> dict[str, Any]:
    """Return the value room's ``lost_commission``, ``waterfall`` and ``clv_past``, and what could not be proven."""
    value = context.bundle.value
    figures: dict[str, Any] = dict(value.figures) if value else {}
    past = figures.get("clv_past") or {"available": False}
    missing = [] if past["available"] else [_MISSING[past["reason"]]] if past.get("reason") in _MISSING else []
    enough = len(context.customers) >= context.limit
    return {
        "lost": figures.get("lost_commission") if enough else None,
        "waterfall": figures.get("waterfall") if enough else None,
        "past": past if past["available"] else None,
        "missing": missing,
    }
