"""Figures of what customers bring and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.customer.facts import SegmentFacts
from akb.report.chapters.customer.worth import WorthFacts
from akb.report.chapters.outlook.facts import OutlookFacts
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.page.plots import Bar, bars, line

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker

_BEFORE = ("premium", "insurer")  # stand above the commission: as a share of it they say nothing


def heading(m: Maker) -> str:
    """How far value moves customers from where commission has them."""
    classes, concentration = m.of(SegmentFacts).classes, m.of(OutlookFacts).concentration
    if classes and classes.moved_share:
        return m.words.html("finding.customer_moved", share=f.percent(classes.moved_share))
    if concentration:
        share = f.percent(concentration.commission_share)
        return m.words.html(
            "finding.customer_top", top=f.percent(concentration.top_share), share=share
        )
    return m.words.html("finding.customer_none")


def waterfall(m: Maker) -> Figure | None:
    """From premium to customer value: a bridge, in euros a year."""
    found = m.of(WorthFacts).waterfall
    if not found:
        return None
    mark = m.of(PortfolioFacts).commission_mark
    marks = {
        "premium": "counted",
        "insurer": mark,
        "commission": mark,
    }  # the insurer keeps the difference
    rows: list[
        tuple[str, int, int, str]
    ] = []  # key, where it begins, what the facts have for it, colour
    if found.premium is not None:
        rows.append(("premium", 0, found.premium, "context"))
        rows.append(("insurer", found.premium, found.kept_by_insurer or 0, "context"))
    kinds = {part.key for part in found.income} if len(found.income) > 1 else set()
    at = 0
    for part in found.income if kinds else ():
        rows.append((f"income_{part.key}", at, part.cents, "klant"))
        marks[f"income_{part.key}"] = mark
        at += part.cents
    rows.append(("commission", 0, found.commission, "klant"))
    at = found.commission
    for step in found.steps:
        rows.append((step.key, at, step.cents, "aandacht"))
        marks[step.key] = step.mark
        at -= step.cents
    rows.append(("value", 0, found.value, "klant"))
    marks["value"] = "assumed"
    total = found.commission
    names = {key: m.words.name("waterfall_step", key) for key, *_ in rows}
    spent = {*_BEFORE[1:], *(step.key for step in found.steps)}  # bars that go down
    shown = [
        Bar(
            names[key],
            -cents if key in spent else cents,
            f.cost(cents) if key in spent else f.euro(cents),
            colour,
            base=base,
        )
        for key, base, cents, colour in rows
        if key not in _BEFORE
    ]
    table = [
        (
            names[key],
            f.cost_exact(cents) if key in spent else f.euro_exact(cents),
            f.like(
                f.euro_exact((-cents if key in spent else cents) / found.customers),
                cents,
                found.customers,
            ),
            f.like(f.percent((-cents if key in spent else cents) / total), cents, total)
            if total and key not in _BEFORE
            else f.NOTHING,
            m.words.plain(f"mark.{marks[key]}"),
        )
        for key, _, cents, _ in rows
    ]
    return m.figure(
        "waterfall",
        bars(shown, m.axis("euro", "euro_year")),
        ("line", "amount", "per_customer", "of_commission", "mark"),
        table,
        variant="title" if found.value >= 0 else "title_loss",
        left=f.like(f.euro(abs(found.value) / total * 10_000), found.value, total)
        if total
        else f.NOTHING,
        as_of=f.day(m.as_of),
        customers=found.customers,
        origin=m.words.plain(f"commission_origin.{mark}"),
    )


def clv_past(m: Maker) -> Figure | None:
    """Lifetime value of three years ago against what was earned since, by tenths."""
    found = m.of(WorthFacts).past
    if not found:
        return None
    axis = m.axis("euro", "euro_three_years")
    rows = found.deciles
    names = [f.like(m.words.plain("worth.decile", number=row.decile), row.decile) for row in rows]
    shown = [
        Bar(
            name,
            row.realised,
            m.words.plain(
                "worth.decile_shown", realised=f.euro(row.realised), expected=f.euro(row.expected)
            ),
            "klant",
            second=row.expected,
        )
        for name, row in zip(names, rows, strict=True)
    ]
    table = [
        (name, f.number(row.customers), f.euro_exact(row.expected), f.euro_exact(row.realised))
        for name, row in zip(names, rows, strict=True)
    ]
    own = next(row for row in found.models if row.key == "clv")
    return m.figure(
        "clv_past",
        bars(shown, axis),
        ("group", "customers", "expected_mean", "realised_mean"),
        table,
        ratio=f.of_hundred(own.ratio),
        first=f.day(found.from_),
        last=f.day(found.to),
        customers=found.customers,
    )


def concentration(m: Maker) -> Figure | None:
    """How much of the commission the best customers bring, also after cost to serve."""
    concentration = m.of(OutlookFacts).concentration
    if not concentration:
        return None
    x, y = m.axis("share", "best_customers"), m.axis("share", "share_commission")
    points = [(0.0, 0.0), *((share, part) for share, part in concentration.curve)]
    top, part = concentration.top_share, concentration.commission_share
    after = concentration.curve_after_cost
    highest = max([1.0, *(value for _, value in after or ())])
    lines = [[(0.0, 0.0), *((share, value) for share, value in after)]] if after else []
    plot = line(
        points,
        x,
        y,
        "klant",
        [(top, part, f.percent(part))],
        top=1.12 * highest,
        beside=lines,
        shift=(28, -12),
    )
    table = [
        (f.percent(share), f.percent(value, 1), f.percent(after[i][1], 1) if after else f.NOTHING)
        for i, (share, value) in enumerate(concentration.curve)
        if round(100 * share) % 10 == 0
    ]
    return m.figure(
        "concentration",
        plot,
        ("best", "share_commission", "share_after_cost"),
        table,
        variant="title" if concentration.after_cost_share is not None else "title_commission",
        top=f.percent(top),
        share=f.percent(part),
        after=f.percent(concentration.after_cost_share),
        customers=m.of(PortfolioFacts).customers,
        as_of=f.day(m.as_of),
    )


FIGURES = (
    waterfall,
    clv_past,
    concentration,
)
