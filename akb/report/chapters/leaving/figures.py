"""Figures of why customers leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.leaving.facts import LeavingFacts, RateBand
from akb.report.page.plots import Bar, bars, known, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str:
    """The strongest signal, if it is one; else how many left."""
    leaving = m.of(LeavingFacts)
    if leaving.held_differs:
        first, last = leaving.by_held[0], leaving.by_held[-1]
        many = m.words.span("policies", last)
        return m.words.html(
            "finding.leaving_held",
            first=f.percent(first.rate),
            last=f.percent(last.rate),
            many=many,
        )
    if leaving.last_year and leaving.last_year.customer_churn is not None:
        return m.words.html(
            "finding.leaving_churn", churn=f.percent(leaving.last_year.customer_churn)
        )
    return m.words.html("finding.leaving_none")


def _policies(m: Maker, row: RateBand) -> str:
    """Return ``1 polis``, ``2 polissen``, ``4 of meer polissen``."""
    if row.upper is not None and row.upper - row.lower == 1:
        return m.words.count(row.lower, "polis")
    return m.words.plain("leaving.held_more", held=m.words.span("policies", row))


def held(m: Maker) -> Figure | None:
    """Churn rate by how many policies someone holds."""
    leaving = m.of(LeavingFacts)
    rows = [row for row in leaving.by_held if row.rate is not None and not row.suppressed]
    year = leaving.last_year
    if len(rows) < 2 or year is None or year.suppressed:
        return None
    colour = "moment" if leaving.held_differs else "context"
    one = leaving.held_differs and rows[0] is leaving.by_held[0] and rows[0].left is not None
    shown = [
        Bar(
            _policies(m, row),
            known(row.rate),
            f.percent(row.rate, 1),
            colour if row is rows[0] else "context",
        )
        for row in rows
    ]
    average = (
        known(year.customer_churn),
        m.words.plain("axis.average", value=f.percent(year.customer_churn)),
    )
    return m.figure(
        "held",
        bars(shown, m.axis("share", "share_customers"), average),
        ("held", "customers", "left", "churn"),
        [
            (
                m.words.span("policies", r),
                f.number(r.customers),
                f.number(r.left),
                f.percent(r.rate, 1),
            )
            for r in rows
        ],
        # the chapter's heading has the two rates; under it stands what they come to
        variant="title" if one else "title_rates" if leaving.held_differs else "title_flat",
        left=rows[0].left,
        gone=year.left,
        first=f.percent(rows[0].rate),
        last=f.percent(rows[-1].rate),
        many=m.words.span("policies", rows[-1]),
        from_=f.day(year.from_),
        to=f.day(year.to),
        customers=year.customers,
    )


def rates(m: Maker) -> Figure | None:
    """Policy lapse, customer churn and commission churn of the last closed year, side by side."""
    year = m.of(LeavingFacts).last_year
    if not year or m.of(LeavingFacts).years[0].suppressed:
        return None
    kinds = (
        ("policy_lapse", "policies", "lapsed"),
        ("customer_churn", "customers", "left"),
        ("commission_churn", "commission_cents", "commission_lost_cents"),
    )
    shown, table = [], []
    for key, whole, part in kinds:
        if getattr(year, key) is None:
            continue
        name = m.words.plain(f"rate.{key}")
        shown.append(
            Bar(
                name,
                getattr(year, key),
                f.percent(getattr(year, key)),
                "moment" if key == "customer_churn" else "context",
            )
        )
        amount = f.euro_exact if key == "commission_churn" else f.number
        table.append(
            (
                name,
                amount(getattr(year, whole)),
                amount(getattr(year, part)),
                f.percent(getattr(year, key), 1),
            )
        )
    return m.figure(
        "rates",
        bars(shown, m.axis("share", "share_year")),
        ("measure", "at_start", "gone", "rate"),
        table,
        variant="title" if year.commission_churn is not None else "title_no_commission",
        lapse=f.percent(year.policy_lapse),
        churn=f.percent(year.customer_churn),
        commission=f.percent(year.commission_churn),
        first=f.day(year.from_),
        last=f.day(year.to),
        customers=year.customers,
        policies=year.policies,
    )


def yearly(m: Maker) -> Figure | None:
    """Customer churn over the closed years."""
    years = [row for row in reversed(m.of(LeavingFacts).years) if not row.suppressed]
    if len(years) < 2:
        return None
    points = [(float(i), known(year.customer_churn)) for i, year in enumerate(years)]
    labels = [(x, y, f.percent(y)) for x, y in points]
    ticks = [(float(i), f.month_year(year.to)) for i, year in enumerate(years)]
    first, last = points[0][1], points[-1][1]
    variant = (
        "title_flat"
        if abs(last - first) < max(0.005, 0.1 * first)
        else "title_up"
        if last > first
        else "title_down"
    )
    plot = line(
        points,
        m.axis("number", "year_to"),
        m.axis("share", "share_customers"),
        "moment",
        labels,
        markers=True,
        ticks=ticks,
    )
    table = [
        (
            f.day(y.from_),
            f.day(y.to),
            f.number(y.customers),
            f.number(y.left),
            f.percent(y.customer_churn, 1),
            f.percent(y.policy_lapse, 1),
            f.percent(y.commission_churn, 1),
        )
        for y in years
    ]
    return m.figure(
        "yearly",
        plot,
        ("after", "until", "customers", "left", "churn", "lapse", "commission_churn"),
        table,
        variant=variant,
        first=f.percent(first),
        last=f.percent(last),
        lowest=f.percent(min(years, key=lambda year: known(year.customer_churn)).customer_churn),
        highest=f.percent(max(years, key=lambda year: known(year.customer_churn)).customer_churn),
        years=f.named(f.number(len(years)), "leaving.years"),
        start=f.day(years[0].from_),
        end=f.day(years[-1].to),
    )


def reasons(m: Maker) -> Figure | None:
    """Reasons of customers who left, coloured where attention could matter."""
    gone = m.of(LeavingFacts).gone
    rows = [row for row in gone.reasons if not row.suppressed] if gone else []
    if not gone or not rows:
        return None
    names = {id(r): m.words.reason_name(r.reason) for r in rows}
    shown = [
        Bar(
            names[id(r)],
            known(r.share),
            f.percent(r.share),
            "moment" if r.cause == "preventable" else "context",
        )
        for r in rows[:10]
    ]
    table = [
        (names[id(r)], m.words.name("cause", r.cause), f.number(r.customers), f.percent(r.share))
        for r in rows
    ]
    low, high = gone.preventable_low, gone.preventable_high
    return m.figure(
        "reasons",
        bars(shown, m.axis("share", "share_leavers")),
        ("reason", "cause", "customers", "share"),
        table,
        variant="title" if gone.preventable_share is not None else "title_top",
        share=f.of_hundred(gone.preventable_share),
        top=names[id(rows[0])],
        top_share=f.percent(rows[0].share),
        customers=gone.customers,
        first=f.day(gone.from_),
        last=f.day(gone.to),
        range=f.span(f.percent(low), f.percent(high)),
    )


def tenure(m: Maker) -> Figure | None:
    """Churn rate by how long someone has been a customer."""
    rows = [
        row for row in m.of(LeavingFacts).by_tenure if row.rate is not None and not row.suppressed
    ]
    year = m.of(LeavingFacts).last_year
    if len(rows) < 2 or year is None or year.suppressed:
        return None
    worst = max(rows, key=lambda row: known(row.rate))
    shown = [
        Bar(
            m.words.span("years", r),
            known(r.rate),
            f.percent(r.rate),
            "moment" if r is worst else "context",
        )
        for r in rows
    ]
    plot = bars(
        shown,
        m.axis("share", "share_customers"),
        (
            known(year.customer_churn),
            m.words.plain("axis.average", value=f.percent(year.customer_churn)),
        ),
    )
    table = [
        (m.words.span("years", r), f.number(r.customers), f.number(r.left), f.percent(r.rate, 1))
        for r in rows
    ]
    return m.figure(
        "tenure",
        plot,
        ("tenure", "customers", "left", "churn"),
        table,
        band=m.words.span("years", worst),
        share=f.of_hundred(worst.rate),
        average=f.of_hundred(year.customer_churn),
        first=f.day(year.from_),
        last=f.day(year.to),
        customers=year.customers,
    )


def curve(m: Maker) -> Figure | None:
    """How long customers stay."""
    points = [(row.years, row.share) for row in m.of(LeavingFacts).curve]
    if len(points) < 3:
        return None
    marks = [_nearest(points, at) for at in (5, 10) if points[-1][0] >= at] or [points[-1]]
    labels = [(x, y, f.percent(y)) for x, y in marks]
    plot = line(
        points,
        m.axis("number", "tenure_years"),
        m.axis("share", "share_customers"),
        "klant",
        labels,
        top=1.05,
    )
    last = points[-1][0]
    shown = [_nearest(points, at) for at in (1, 2, 3, 5, 7, 10, 15, 20, 25, 30) if at <= last]
    table = [(f.trimmed(x), f.percent(y, 1)) for x, y in shown]
    return m.figure(
        "curve",
        plot,
        ("years", "still"),
        table,
        years=f.number(marks[0][0]),
        share=f.of_hundred(marks[0][1]),
    )


def _nearest(points: Sequence[tuple[float, float]], at: float) -> tuple[float, float]:
    return min(points, key=lambda point: (abs(point[0] - at), point[0]))


FIGURES = (
    held,
    rates,
    yearly,
    reasons,
    tenure,
    curve,
)
