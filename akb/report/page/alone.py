"""Pages beside the report and in its style, each one file without scripts or requests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from akb.report.page.html import faces, held_together

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
STYLES = ("tokens.css", "tables.css")


def page_alone(folder: Path, said: Callable[..., str], language: str = "nl", **values: Any) -> str:
    """Return the page that ``page.html`` of a room makes, which extends ``alone.html``.

    Parameters
    ----------
    folder
        Where that template stands.
    said
        Key and values -> text, ``t`` in the template; ``page.title`` is the title.
    values
        What else the template names.
    """
    made = (
        _environment(folder)
        .get_template("page.html")
        .render(t=said, lang=language, faces=faces(), styles=_styles(), **values)
    )
    return held_together(made.strip()) + "\n"


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader([folder, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
        trim_blocks=True,
    )


@cache
def _styles() -> Markup:
    assets = HERE.parent / "assets"
    return Markup("\n".join((assets / name).read_text("utf-8") for name in STYLES))
