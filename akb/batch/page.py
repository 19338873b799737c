"""``comparison.html``: the offices beside each other as one page in the style of the report,
without scripts or requests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import euro_in, number_in, percent_in
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC = "batch"
NOTHING = "–"
LANGUAGES = ("nl", "en")


class Written:
    """Words and numbers of the page in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def said(self, key: str, **values: Any) -> str:
        """Return a text with its values."""
        return text(TOPIC, self.language, *key.split(".")).format(**values)

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Return a number, a dash for none."""
        return NOTHING if value is None else number_in(self.language, value, decimals)

    def percent(self, share: float | None, decimals: int = 1) -> str:
        """Return a share."""
        return NOTHING if share is None else percent_in(self.language, share, decimals)

    def euro(self, cents: float | None) -> str:
        """Return cents as euros."""
        return NOTHING if cents is None else euro_in(self.language, cents / 100)


def page(document: Mapping[str, Any], language: str) -> str:
    """Return the whole page."""
    from akb.report.page.alone import page_alone

    words = Written(language)
    return page_alone(
        Path(__file__).parent,
        words.said,
        language,
        d=document,
        w=words,
        offices=[row for row in document["offices"] if row["status"] == "made"],
        failed=[row for row in document["offices"] if row["status"] == "failed"],
    )
