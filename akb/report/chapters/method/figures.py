"""Figures of what goes together with leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.method.determinants import DeterminantFacts
from akb.report.page.plots import Bar, bars

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def determinants(m: Maker) -> Figure | None:
    """Which groups of features weigh most in the first outcome."""
    if not m.of(DeterminantFacts).rows:
        return None
    found = m.of(DeterminantFacts).rows[0]
    rows = found.groups
    if not rows:
        return None
    shown = [
        Bar(
            row.words,
            row.share,
            f.at_most_all(row.share),
            "moment" if row is rows[0] else "context",
            low=row.low,
            high=row.high,
        )
        for row in rows
    ]
    table = [
        (r.words, f.at_most_all(r.share), f.span(f.at_most_all(r.low), f.at_most_all(r.high)))
        for r in rows
    ]
    return m.figure(
        "determinants",
        bars(shown, m.axis("share", "share_known")),
        ("feature_group", "known_share", "share_range"),
        table,
        top=f"{rows[0].words[:1].upper()}{rows[0].words[1:]}",
        outcome=found.name.lower(),
        share=f.percent(rows[0].share),
        population=found.population,
        test_date=f.day(found.test_date),
    )


FIGURES = (determinants,)
