"""What may and must. No figure: a finding above the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from akb.report.page.figure import Maker


def heading(m: Maker) -> str | None:
    """Return the finding of the chapter."""
    return m.words.html("finding.duty")
