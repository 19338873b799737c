"""Figures of the business case: one year's contacts and what they depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.assumptions.facts import AssumptionFacts
from akb.report.chapters.case.facts import AvailableCase, CaseFacts
from akb.report.page.plots import Bar, bars

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker
    from akb.value.types import TornadoRow

SIDES = ("low", "base", "high")
TORNADO = 6  # assumptions shown; the table behind has them all
BESIDE = "exploration"  # a line that stands beside the net


def available_case(m: Maker) -> AvailableCase | None:
    """Return the business case, if there is one."""
    case = m.of(CaseFacts)
    return case if isinstance(case, AvailableCase) else None


def heading(m: Maker) -> str:
    """What one year of contacts leaves, as sure as it is."""
    case = available_case(m)
    if case is None:
        return m.words.html("finding.case_none")
    net = case.cohort.net
    if net.base < 0:
        return m.words.html("finding.case_loss", net=f.size(net.base))
    return m.words.html(
        "finding.case_plus" if net.low > 0 else "finding.case_unsure", net=f.euro(net.base)
    )


def ledger(m: Maker) -> Figure | None:
    """One year's contacts: what every line brings, what contacts and predictions cost, and what is
    left.
    """
    case = available_case(m)
    if case is None:
        return None
    cohort = case.cohort
    given = [row for row in cohort.lines if row.given and row.key != BESIDE]
    steps = [(row.key, row.base, "product") for row in given]
    steps += [(name, -getattr(cohort, name), "aandacht") for name in ("contacts", "price")]
    shown, at = [], 0
    for key, cents, colour in steps:
        shown.append(Bar(m.words.name("ledger", key), cents, f.euro(cents), colour, base=at))
        at += cents
    net = cohort.net
    name = m.words.plain("ledger.net")
    shown.append(Bar(name, net.base, f.euro(net.base), "klant", low=net.low, high=net.high))
    table = [
        (m.words.name("ledger", row.key), *(f.euro_exact(getattr(row, side)) for side in SIDES))
        for row in given
    ]
    table += [
        (m.words.name("ledger", name), f.NOTHING, f.cost_exact(getattr(cohort, name)), f.NOTHING)
        for name in ("contacts", "price")
    ]
    table.append((name, *(f.euro_exact(getattr(net, side)) for side in SIDES)))
    best = max(given, key=lambda row: row.base, default=None)
    return m.figure(
        "ledger",
        bars(shown, m.axis("euro", "euro_life")),
        ("line", *SIDES),
        table,
        # what is left stands above the chapter; here, where it comes from
        variant="title" if best and best.base > 0 else "title_none",
        best=m.words.name("ledger", best.key) if best else f.NOTHING,
        amount=f.euro(best.base) if best else f.NOTHING,
        net=f.euro(net.base),
        range=f.span(f.euro(net.low), f.euro(net.high)),
    )


def tornado(m: Maker) -> Figure | None:
    """What is left of one year's contacts if one assumption is at its low or its high end, the
    widest first.
    """
    case = available_case(m)
    rows = case.sensitivity.tornado if case else ()
    if case is None or not rows:
        return None
    label = {row.key: row.label for row in m.of(AssumptionFacts).rows}
    shown = []
    for row in rows[:TORNADO]:
        low, high = sorted((row.low, row.high))
        name = _named(m, label[row.key], row)
        colour = "context" if row.choice else "klant"
        shown.append(Bar(name, high - low, f.span(f.euro(low), f.euro(high)), colour, base=low))
    table = [
        (
            _named(m, label[row.key], row),
            f.trimmed(row.from_),
            f.trimmed(row.to),
            f.euro_exact(row.low),
            f.euro_exact(row.high),
        )
        for row in rows
    ]
    return m.figure(
        "tornado",
        bars(shown, m.axis("euro", "euro_life")),
        ("assumption", "from_value", "to_value", "low", "high"),
        table,
        name=label[rows[0].key],
        net=f.euro(case.cohort.net.base),
    )


def _named(m: Maker, label: str, row: TornadoRow) -> str:
    """Return what an assumption is called, and of a choice that it is one."""
    return f"{label} ({m.words.plain('whatif.choice')})" if row.choice else label


def rule(m: Maker) -> Figure | None:
    """From what the rule of thumb promises to keep to what the planned contacts keep, step by
    step.
    """
    case = available_case(m)
    steps = case.why_different if case else ()
    if case is None or not steps or not steps[0].cents:
        return None
    shown = [
        Bar(
            m.words.name("rule_step", row.key),
            row.cents,
            f.euro(row.cents),
            "klant" if row is steps[-1] else "context",
        )
        for row in steps
    ]
    table = [
        (
            m.words.name("rule_step", row.key),
            f.euro_exact(row.cents),
            m.words.name("rule_step_why", row.key),
        )
        for row in steps
    ]
    return m.figure(
        "rule",
        bars(shown, m.axis("euro", "euro_year")),
        ("rule_step", "amount", "rule_step_why"),
        table,
        variant="title" if steps[-1].cents < steps[0].cents else "title_more",
        rule=f.euro(steps[0].cents),
        ours=f.euro(steps[-1].cents),
    )


FIGURES = (
    ledger,
    tornado,
    rule,
)
