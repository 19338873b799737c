"""Figures of what is held today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.page.plots import Bar, bars, known

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str:
    """How the commission is spread, and how many hold one policy only."""
    held = m.of(PortfolioFacts)
    single = f.percent(held.single_policy_share)
    if held.top_fifth_share is None:
        return m.words.html("finding.portfolio_plain", single=single)
    return m.words.html("finding.portfolio", share=f.percent(held.top_fifth_share), single=single)


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
        Bar(r.name, known(r.share), f.percent(r.share), "klant" if r is widest else "context")
        for r in rows[:10]
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
        shown=f.named(f.number(len(shown)), "figure.branches"),
    )


FIGURES = (branches,)
