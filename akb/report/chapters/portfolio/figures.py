"""Figures of what is held today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.page.plots import Bar, bars, known

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def branches(m: Maker) -> Figure | None:
    """Share of customers per branch held."""
    shown_rows = (row for row in m.of(PortfolioFacts).branches if not row.suppressed)
    rows = sorted(
        shown_rows, key=lambda row: -known(row.share)
    )  # by policies a fleet comes before what more customers have
    if not rows:
        return None
    widest = max(rows, key=lambda row: known(row.customers))
    shown = [
        Bar(r.name, known(r.share), f.percent(r.share), "@klant" if r is widest else "@context") for r in rows[:10]
    ]
    table = [
        (
            r.name,
            f.number(r.customers),
            f.percent(r.share),
            f.number(r.policies),
            f.euro_exact(r.commission_cents),
        )
        for r in rows
    ]
    return m.figure(
        "branches",
        bars(shown, m.axis("share", "share_customers")),
        ("branch", "customers", "share", "policies", "commission"),
        table,
        branch=widest.name,
        share=f.of_hundred(widest.share),
        customers=m.of(PortfolioFacts).customers,
        as_of=f.day(m.as_of),
        shown=len(shown),
    )


FIGURES = (branches,)
