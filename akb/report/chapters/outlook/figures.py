"""Figures of what lies ahead without action."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.customer.worth import WorthFacts
from akb.report.chapters.outlook.facts import OutlookFacts
from akb.report.keyed import joined
from akb.report.page.plots import Bar, bars, line, steps

REST = "rest"  # what two calculations differ in: in the table, not in the figure

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str:
    """What next year takes, and where."""
    found = m.of(WorthFacts).lost
    if not found:
        return m.words.html("finding.outlook_none")
    if _single(m):
        return m.words.html("finding.outlook_single")
    return m.words.html(
        "finding.outlook_lost",
        lost=f.euro(found.expected),
        range=f.span(f.euro(found.low), f.euro(found.high)),
    )


def _single(m: Maker) -> bool:
    """Whether single policies take clearly more than all relations that end: twice the spread of
    the whole apart.
    """
    found = m.of(WorthFacts).lost
    if found is None:
        return False
    parts = {row.key: row.expected for row in found.parts}
    single = parts.pop("single", 0)
    return single - sum(parts.values()) > (found.high - found.low) / 2


def next_year(m: Maker) -> Figure | None:
    """From this year's commission to next year's, if nothing is done."""
    next_year = m.of(OutlookFacts).next_year
    if next_year is None:
        return None
    say = m.words.name
    shown = [Bar(say("next_year", "now"), next_year.now, f.euro(next_year.now), "ink")]
    table = [(say("next_year", "now"), f.euro_exact(next_year.now))]
    at = 0
    for step in next_year.steps:
        table.append((say("next_year", step.key), _signed(step.cents, f.euro_exact)))
        if step.key == REST:
            continue
        colour = "product" if step.cents > 0 else "context" if step.key == "other" else "moment"
        shown.append(
            Bar(say("next_year", step.key), step.cents, _signed(step.cents), colour, base=at)
        )
        at += step.cents
    shown.append(
        Bar(say("next_year", "next"), next_year.next - next_year.now, f.euro(next_year.next), "ink")
    )
    table.append((say("next_year", "next"), f.euro_exact(next_year.next)))
    variant = "title_up" if next_year.next >= next_year.now else "title_down"
    return m.figure(
        "next_year",
        steps(shown, m.axis("euro", "euro_year")),
        ("step", "amount"),
        table,
        variant=variant,
        first=f.day(next_year.from_),
        last=f.day(next_year.to),
        now=f.euro(next_year.now),
        next=f.euro(next_year.next),
    )


def lost(m: Maker) -> Figure | None:
    """What the coming 12 months are expected to take, by cause, with the interval of the whole."""
    found = m.of(WorthFacts).lost
    if not found:
        return None
    rows = [row for row in found.parts if row.expected]
    name = m.words.plain("worth.lost_total")
    whole = Bar(
        name, found.expected, f.euro(found.expected), "moment", low=found.low, high=found.high
    )
    shown = [whole] + [
        Bar(m.words.name("lost_part", row.key), row.expected, f.euro(row.expected)) for row in rows
    ]
    table = [
        (
            name,
            f.euro_exact(found.expected),
            f.span(f.euro_exact(found.low), f.euro_exact(found.high)),
        )
    ]
    table += [
        (m.words.name("lost_part", row.key), f.euro_exact(row.expected), f.NOTHING) for row in rows
    ]
    most = max(rows, key=lambda row: row.expected, default=None)
    again = most is not None and not _single(m)  # the sum stands above the chapter
    return m.figure(
        "lost",
        bars(shown, m.axis("euro", "euro_year")),
        ("part", "amount", "range90"),
        table,
        variant="title_most" if again else "title",
        most=m.words.name("lost_part", most.key) if most else f.NOTHING,
        amount=f.euro(most.expected) if most else f.NOTHING,
        expected=f.euro(found.expected),
        range=f.span(f.euro(found.low), f.euro(found.high)),
        share=f.percent(found.share),
        as_of=f.day(m.as_of),
        commission=f.euro(found.commission),
    )


def bridge(m: Maker) -> Figure | None:
    """From the commission of a year ago to that of today."""
    bridge = m.of(OutlookFacts).bridge
    if not bridge:
        return None
    first, last = (m.words.plain("bridge.on", day=f.day(end)) for end in (bridge.from_, bridge.to))
    shown = [Bar(first, bridge.then, f.euro(bridge.then), "context")]
    table = [(first, f.NOTHING, f.NOTHING, f.euro_exact(bridge.then))]
    level = bridge.then
    for step in bridge.steps:
        name = m.words.name("bridge_step", step.key)
        cents = step.cents
        colour = "klant" if cents >= 0 else "moment"
        shown.append(Bar(name, cents, _signed(cents), colour, base=level))
        table.append((name, f.number(step.customers), f.number(step.policies), f.euro_exact(cents)))
        level += cents
    shown.append(Bar(last, bridge.now, f.euro(bridge.now), "context"))
    table.append((last, f.NOTHING, f.NOTHING, f.euro_exact(bridge.now)))
    by_key = {step.key: step.cents for step in bridge.steps}
    lost = by_key.get("lapses", 0) + by_key.get("leavers", 0)
    return m.figure(
        "bridge",
        bars(shown, m.axis("euro", "euro_year")),
        ("step", "customers", "policies", "commission"),
        table,
        variant="title_up" if bridge.now >= bridge.then else "title_down",
        then=f.euro(bridge.then),
        now=f.euro(bridge.now),
        lost=f.euro(-lost),
        first=f.day(bridge.from_),
        last=f.day(bridge.to),
    )


def ahead(m: Maker) -> Figure | None:
    """Customers in five years if nothing changes."""
    projection = m.of(OutlookFacts).projection
    if not projection:
        return None
    rows = projection.rows
    begin, end = rows[0], rows[-1]
    x, y = m.axis("number", "year_end"), m.axis("number", "expected_customers")
    points = [(float(row.year), row.customers) for row in rows]
    labels = [(*point, f.number(point[1])) for point in (points[0], points[-1])]
    plot = line(
        points,
        x,
        y,
        "klant",
        labels,
        markers=True,
        ticks=[(float(row.year), f.year(row.year)) for row in rows],
        top=1.18 * max(row.high for row in rows),
        beside=[
            [(float(row.year), getattr(row, side)) for row in rows] for side in ("low", "high")
        ],
    )
    table = [
        (
            f.year(row.year),
            f.number(row.customers),
            f.span(f.number(row.low), f.number(row.high)),
            f.number(row.customers_list),
            f.euro(row.commission),
            f.euro(row.commission_list),
            f.number(row.age, 1),
            f.number(row.per_adviser),
        )
        for row in rows
    ]
    sure = not end.low <= begin.customers <= end.high
    return m.figure(
        "ahead",
        plot,
        (
            "year",
            "customers",
            "range",
            "with_list",
            "commission",
            "commission_list",
            "mean_age",
            "per_adviser",
        ),
        table,
        variant="title_flat"
        if not sure
        else "title_up"
        if end.low > begin.customers
        else "title_down",
        first=f.number(begin.customers),
        last=f.number(end.customers),
        year=f.year(end.year),
        range=f.span(f.number(end.low), f.number(end.high)),
        inflow=f.number(projection.inflow.mean),
        as_of=f.day(m.as_of),
    )


def _signed(cents: int, form: Callable[[float | None], str] = f.euro) -> str:
    """Return an amount with its sign in front."""
    return joined(["+", form(cents)]) if cents > 0 else form(cents)


FIGURES = (
    next_year,
    lost,
    bridge,
    ahead,
)
