"""What the summary shows beside its words: the advice above it, the sentence of the cover, ranges
as strips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from akb.report import formats as f
from akb.report.chapters.customer.worth import WorthFacts
from akb.report.chapters.moment.facts import RiskFacts
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.chapters.summary.facts import Headline, SummaryFacts

if TYPE_CHECKING:
    from akb.report.page.figure import Maker

COLOURS = {"lost": "moment", "leavers": "moment", "net": "product"}
EUROS = ("lost", "net", "commission")
_WIDE = 300


def heading(m: Maker) -> str:
    """Return the advice."""
    return m.words.html(f"decision.{m.of(SummaryFacts).decision.key}")


def lead(m: Maker) -> str:
    """Return the one finding of the cover: next year's loss, else who leaves, else what is held."""
    lost, risk, held = m.of(WorthFacts).lost, m.of(RiskFacts), m.of(PortfolioFacts)
    if lost:
        single = next((row.expected for row in lost.parts if row.key == "single"), 0)
        key = "cover.lost_single" if 2 * single > lost.expected else "cover.lost"
        return m.words.html(
            key, lost=f.euro(lost.expected), range=f.span(f.euro(lost.low), f.euro(lost.high))
        )
    customers = m.words.count(held.customers, "klant")
    if risk.horizons and risk.horizons[-1].low is not None:
        year = risk.horizons[-1]
        range_ = f.interval(year.low, year.high)
        return m.words.html(
            "cover.leavers", customers=customers, leavers=f.rough(year.expected), range=range_
        )
    policies = m.words.count(held.policies, "lopende polis")
    return m.words.html("cover.held", customers=customers, policies=policies)


def shown(row: Headline, value: float | None) -> str:
    """Return a value of a figure of the first screen as it is written."""
    if row.key in EUROS:
        return f.euro(value)
    if row.key == "churn":
        return f.percent(value)
    return f.number(value) if row.key == "customers" else f.rough(value)


def range_of(row: Headline) -> str:
    """Return the range of a figure of the first screen; nothing where it was counted."""
    return (
        f.span(shown(row, row.low), shown(row, row.high))
        if row.low is not None and row.high is not None
        else ""
    )


def strip(row: Headline) -> Markup:
    """Return a range as a thin line with its point, from zero or from its own low end."""
    if row.low is None or row.high is None:
        return Markup()
    low, high = min(0.0, row.low), max(0.0, row.high)
    scale = (_WIDE - 12) / ((high - low) * 1.15 or 1.0)
    a, at, b, zero = (
        round(6 + (float(value) - low) * scale, 1) for value in (row.low, row.value, row.high, 0.0)
    )
    colour = COLOURS.get(row.key, "klant")
    return Markup(
        '<svg class="strip" viewBox="0 0 300 16" aria-hidden="true">'
        '<line x1="6" x2="294" y1="8" y2="8" class="hair"/><line x1="{zero}" x2="{zero}" y1="2" '
        'y2="14" class="zero"/>'
        '<line x1="{a}" x2="{b}" y1="8" y2="8" class="range {colour}"/>'
        '<circle cx="{at}" cy="8" r="5" class="point {colour}"/></svg>'
    ).format(a=a, b=b, at=at, zero=zero, colour=colour)
