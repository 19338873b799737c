"""``comparison.html``: the offices beside each other as one page in the style of the report,
without scripts or requests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from akb.core.wording.numbers import euro_nl, number_nl, percent_nl
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC = "batch"
NOTHING = "–"
STYLES = ("tokens.css", "tables.css")
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
        if value is None:
            return NOTHING
        return number_nl(value, decimals) if self.language == "nl" else f"{value:,.{decimals}f}"

    def percent(self, share: float | None, decimals: int = 1) -> str:
        """Return a share."""
        if share is None:
            return NOTHING
        if self.language == "nl":
            return percent_nl(share, decimals)
        return f"{100 * share:.{decimals}f}%"

    def euro(self, cents: float | None) -> str:
        """Return cents as euros."""
        if cents is None:
            return NOTHING
        return euro_nl(cents / 100) if self.language == "nl" else f"€{cents / 100:,.0f}"


def page(document: Mapping[str, Any], language: str) -> str:
    """Return the whole page."""
    from akb.report.page.html import faces, held_together

    words = Written(language)
    made = (
        _environment()
        .get_template("page.html")
        .render(
            d=document,
            w=words,
            t=words.said,
            offices=[row for row in document["offices"] if row["status"] == "made"],
            failed=[row for row in document["offices"] if row["status"] == "failed"],
            faces=faces(),
            styles=_styles(),
        )
    )
    return held_together(made.strip()) + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
        trim_blocks=True,
    )


@cache
def _styles() -> Markup:
    from akb import report

    assets = Path(report.__file__).parent / "assets"
    return Markup("\n".join((assets / name).read_text("utf-8") for name in STYLES))
