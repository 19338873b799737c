"""Figures of last year's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.outlook.facts import OutlookFacts
from akb.report.page.plots import Bar, bars

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str | None:
    """Who left of last year's list, beside chance."""
    backtest = m.of(OutlookFacts).backtest
    rows = {row.key: row for row in backtest.lists} if backtest else {}
    if backtest is None or not rows or rows["top_defend"].left_share is None:
        return None
    return m.words.html(
        "finding.backtest" if backtest.split else "finding.backtest_any",
        listed=f.of_hundred(rows["top_defend"].left_share),
        random=f.of_hundred(rows["random"].left_share),
    )


def backtest(m: Maker) -> Figure | None:
    """Who really left of last year's list, beside the list by commission and at random."""
    backtest = m.of(OutlookFacts).backtest
    rows = {row.key: row for row in backtest.lists} if backtest else {}
    if backtest is None or not rows or rows["top_defend"].left_share is None:
        return None
    shown, table = [], []
    for key, row in rows.items():
        name = m.words.name("list_kind", key)
        if row.left_share is None:
            table.append((name, m.words.plain("page.hidden"), *[f.NOTHING] * 4))
            continue
        colour = "moment" if key == "top_defend" else "context"
        label = m.words.plain("axis.of_hundred", count=f.of_hundred(row.left_share))
        shown.append(Bar(name, row.left_share, label, colour, low=row.low, high=row.high))
        table.append(
            (
                name,
                f.rough(row.left),
                f.percent(row.left_share, 1),
                f.span(f.percent(row.low, 1), f.percent(row.high, 1)),
                f.euro_exact(row.cents),
                f.span(f.euro(row.cents_low), f.euro(row.cents_high)),
            )
        )
    return m.figure(
        "backtest",
        bars(shown, m.axis("share", "share_left")),
        ("list", "left", "rate", "range", "lost", "lost_range"),
        table,
        listed=f.of_hundred(rows["top_defend"].left_share),
        random=f.of_hundred(rows["random"].left_share),
        lost=f.euro(rows["top_defend"].cents),
        share=f.percent(backtest.list_share),
        contacts=backtest.contacts,
        customers=backtest.customers,
        first=f.day(backtest.from_),
        last=f.day(backtest.to),
    )


FIGURES = (backtest,)
