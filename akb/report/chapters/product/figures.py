"""Figures of what customers may still take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.chapters.product.facts import ProductFacts
from akb.report.page.plots import Bar, bars, known

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str:
    """How many customers take something more by themselves."""
    product = m.of(ProductFacts)
    if product.any:
        return m.words.html("finding.product_any", expected=f.rough(product.any.expected))
    first = next((row for row in product.branches if not row.suppressed), None)
    if first:
        key = "product_branch" if product.first_clear else "product_unclear"
        return m.words.html(f"finding.{key}", branch=first.name.lower())
    return m.words.html("finding.product_none")


def products(m: Maker) -> Figure | None:
    """Expected number of new policies per branch."""
    rows = [row for row in m.of(ProductFacts).branches if not row.suppressed]
    if not rows:
        return None
    shown = [
        Bar(r.name, known(r.expected), f.rough(r.expected), "product", low=r.low, high=r.high)
        for r in rows[:10]
    ]
    table = [
        (
            r.name,
            f.number(r.customers),
            f.percent(r.chance, 1),
            f.number(r.expected, 1),
            f.interval(r.low, r.high),
            _commission(m, r.expected_commission_cents, banned=r.commission_ban),
        )
        for r in rows
    ]
    return m.figure(
        "products",
        bars(shown, m.axis("number", "expected_customers")),
        ("branch", "eligible", "chance", "expected", "range", "commission"),
        table,
        variant="title" if len(rows) == 1 or m.of(ProductFacts).first_clear else "title_unclear",
        branch=rows[0].name.lower(),
        second=rows[min(1, len(rows) - 1)].name.lower(),
        expected=f.rough(rows[0].expected),
        shown=f.named(f.number(len(shown)), "figure.products"),
        as_of=f.day(m.as_of),
        customers=m.of(PortfolioFacts).customers,
    )


def _commission(m: Maker, cents: int | None, *, banned: bool) -> str:
    return m.words.plain("products.banned_short") if banned else f.euro_exact(cents)


FIGURES = (products,)
