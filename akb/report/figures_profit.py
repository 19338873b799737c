"""The figure of what more calls would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.plots import Line, lines

if TYPE_CHECKING:
    from akb.report.figure import Figure, Maker

LOOKS = {
    "top_defend": ("@moment", "solid"),
    "churn": ("@klant", "dash"),
    "commission": ("@product", "dashdot"),
    "random": ("@context", "dot"),
}


def profit(m: Maker) -> Figure | None:
    """Profit by number of calls: Top Defend beside an order by chance, by commission and by lot."""
    told = m.model["value"].get("profit")
    if not told:
        return None
    points = told["points"]
    shown = [
        Line(m.words.name("profit_order", key), [(row["calls"], row[key]) for row in points], *look)
        for key, look in LOOKS.items()
    ]
    best, at = told["best"], {row["key"]: row for row in told["orders"]}
    last = points[-1]["calls"]
    hours = (told["capacity"], m.words.plain("axis.hours_reach", calls=f.number(told["capacity"])))
    label = f.euro(best["cents"]) if best["calls"] else ""
    table = [
        (f.number(row["calls"]), *(f.euro_exact(row[key]) for key in LOOKS))
        for row in points
        if row["calls"] in (0, best["calls"], told["capacity"], last) or points.index(row) % 3 == 0
    ]
    pays = bool(best["calls"])
    return m.figure(
        "profit",
        lines(
            shown,
            m.axis("number", "calls"),
            m.axis("euro", "euro_calls"),
            (best["calls"], best["cents"], label),
            hours if told["capacity"] <= last else None,
        ),
        ("calls", *(f"profit_{key}" for key in LOOKS)),
        table,
        variant="title" if pays else "title_none",
        action="action" if pays else "action_none",
        calls=f.number(best["calls"]),
        profit=f.euro(best["cents"]),
        at=f.number(told["at"]),
        listed=f.euro(at["top_defend"]["at_cents"]),
        churn=f.euro(at["churn"]["at_cents"]),
        commission=f.euro(at["commission"]["at_cents"]),
        random=f.euro(at["random"]["at_cents"]),
        rescue=f.percent(told["rescue"]),
        years=f.number(told["years"]),
        customers=f.number(told["customers"]),
        as_of=f.day(m.model["as_of"]),
    )
