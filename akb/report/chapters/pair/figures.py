"""Two customers beside each other. No figure: a finding above the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.chapters.moment.facts import RiskFacts

if TYPE_CHECKING:
    from akb.report.page.figure import Maker


def heading(m: Maker) -> str | None:
    """Return the finding of the chapter."""
    return m.words.html("finding.pair") if m.of(RiskFacts).pair else None
