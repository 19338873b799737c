"""Figures of hours and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.privacy.disclosure import OTHER
from akb.report import formats as f
from akb.report.chapters.attention.facts import AttentionFacts
from akb.report.chapters.case.facts import AvailableCase, CaseFacts
from akb.report.chapters.outlook.facts import OutlookFacts
from akb.report.page.plots import Bar, bars, known

INSIDE = "inside"

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str:
    """What an hour more would bring, or that hours are not what limits."""
    case = m.of(CaseFacts)
    if isinstance(case, AvailableCase) and INSIDE in case.plan.hours:
        price, hours = case.plan.hour_price.get(INSIDE), case.plan.hours[INSIDE]
        if price:
            return m.words.html("finding.attention_price", price=f.euro(price))
        used, available = f.rough(hours.used), f.rough(hours.available)
        return m.words.html("finding.attention_enough", used=used, available=available)
    return m.words.html(
        "finding.attention_plan" if m.of(AttentionFacts).available else "finding.attention_none"
    )


def ladder(m: Maker) -> Figure | None:
    """Every type of contact in the plan: what it brings beside what it costs."""
    case = m.of(CaseFacts)
    rows = (
        [row for row in case.plan.contacts if row.benefit]
        if isinstance(case, AvailableCase)
        else []
    )
    if not rows:
        return None
    best = max(rows, key=lambda row: known(row.benefit))
    names = {row.key: _contact(m, row.key) for row in rows}
    shown = [
        Bar(
            names[row.key],
            known(row.benefit),
            f.euro(row.benefit),
            "product",
            second=row.cost or 0,
            second_shown=f.euro(row.cost),
            second_colour="aandacht",
        )
        for row in rows
    ]
    table = [
        (
            names[row.key],
            m.words.name("pool", row.pool) if row.pool else f.NOTHING,
            f.number(row.customers),
            f.hours(row.minutes),
            f.euro_exact(row.benefit),
            f.euro_exact(row.cost),
        )
        for row in rows
    ]
    return m.figure(
        "ladder",
        bars(shown, m.axis("euro", "euro_life")),
        ("contact_kind", "who", "customers", "hours", "benefit", "contact_cost"),
        table,
        best=names[best.key],
        benefit=f.euro(best.benefit),
        as_of=f.day(m.as_of),
    )


def _contact(m: Maker, key: str) -> str:
    return (
        m.words.plain("case.other_contacts")
        if key == OTHER
        else m.model.ladder.get(key, key.replace("_", " "))
    )


def contact_policy(m: Maker) -> Figure | None:
    """What the contact policy asks in hours beside the hours that there are."""
    policy = m.of(OutlookFacts).contact_policy
    rows = [row for row in policy.rows if row.hours] if policy else []
    if policy is None or not rows:
        return None
    names = {row.key: m.words.name("contact_group", row.key) for row in policy.rows}
    shown = [
        Bar(
            m.words.plain("axis.hours_available"),
            policy.available,
            f.rough(policy.available),
            "context",
        )
    ]
    shown.append(
        Bar(m.words.plain("axis.hours_policy"), policy.hours, f.rough(policy.hours), "aandacht")
    )
    shown += [
        Bar(f"— {names[row.key]}", row.hours or 0.0, f.rough(row.hours), "aandacht") for row in rows
    ]
    table = [
        (
            names[row.key],
            f.number(row.customers),
            f.trimmed(row.years),
            f.rough(row.talks),
            f.rough(row.hours),
            f.percent(row.seen),
        )
        for row in policy.rows
    ]
    return m.figure(
        "contact_policy",
        bars(shown, m.axis("number", "hours_year")),
        ("contact_group", "customers", "interval", "talks", "hours", "seen"),
        table,
        variant="title" if policy.hours <= policy.available else "title_short",
        hours=f.rough(policy.hours),
        available=f.rough(policy.available),
        load=f.percent(policy.load),
        advisers=policy.advisers,
        per_adviser=f.number(policy.customers_per_adviser),
    )


FIGURES = (
    ladder,
    contact_policy,
)
