"""Section 7: the portfolio without action, and what last year's list would have shown; figures of the value room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from akb.report.context import Context


def facts(context: Context) -> dict[str, Any]:
    """Return the bridge, the projection, the concentration and the contact policy; None where unavailable."""
    value = context.bundle.value
    told: dict[str, Any] = dict(value.figures) if value else {}
    bridge, projection = told.get("bridge"), told.get("projection")
    missing = []
    if bridge is None:
        missing.append("bridge")
    if projection is None:
        missing.append("projection_gate" if context.score("churn_12m") is not None else "projection")
    return {
        "bridge": bridge,
        "projection": projection,
        "concentration": told.get("concentration"),
        "contact_policy": told.get("contact_policy"),
        "backtest": told.get("backtest"),
        "missing": missing,
    }
