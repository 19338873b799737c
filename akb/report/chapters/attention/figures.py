"""Figures of hours and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.outlook.facts import OutlookFacts
from akb.report.page.plots import Bar, bars

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def contact_policy(m: Maker) -> Figure | None:
    """What the contact policy asks in hours beside the hours that there are."""
    told = m.of(OutlookFacts).contact_policy
    rows = [row for row in told.rows if row.hours] if told else []
    if told is None or not rows:
        return None
    names = {row.key: m.words.name("contact_group", row.key) for row in told.rows}
    shown = [Bar(m.words.plain("axis.hours_available"), told.available, f.rough(told.available), "@context")]
    shown.append(Bar(m.words.plain("axis.hours_policy"), told.hours, f.rough(told.hours), "@aandacht"))
    shown += [Bar(f"— {names[row.key]}", row.hours or 0.0, f.rough(row.hours), "@aandacht") for row in rows]
    table = [
        (
            names[row.key],
            f.number(row.customers),
            f.trimmed(row.years),
            f.rough(row.talks),
            f.rough(row.hours),
            f.percent(row.seen),
        )
        for row in told.rows
    ]
    return m.figure(
        "contact_policy",
        bars(shown, m.axis("number", "hours_year")),
        ("contact_group", "customers", "interval", "talks", "hours", "seen"),
        table,
        variant="title" if told.hours <= told.available else "title_short",
        hours=f.rough(told.hours),
        available=f.rough(told.available),
        load=f.percent(told.load),
        advisers=told.advisers,
        per_adviser=f.number(told.customers_per_adviser),
    )


FIGURES = (contact_policy,)
