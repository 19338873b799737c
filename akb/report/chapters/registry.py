"""The chapters in the order of the story: the one place that knows which there are.

A chapter is a folder of this package with ``page.html``, its words under ``[chapter.<name>]`` in
``configs/text`` and, where it has any, ``facts.py`` (`FACTS`: what makes its facts of a run) and
``figures.py`` (`FIGURES`: what draws them, `heading`: the finding above it)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.report.context import Context
    from akb.report.page.figure import Figure, Maker
    from akb.report.typed import Facts

CHAPTERS = (
    "summary",
    "portfolio",
    "outlook",
    "leaving",
    "customer",
    "moment",
    "attention",
    "product",
    "pair",
    "backtest",
    "case",
    "live",
    "duty",
)
ANNEXES = (
    "quality",
    "evidence",
    "cards",
    "assumptions",
    "method",
    "actuarial",
    "glossary",
)


@dataclass(frozen=True)
class Chapter:
    """A chapter or annex: its folder, its number or letter, what makes its facts and its
    figures.
    """

    name: str
    number: str
    facts: tuple[Callable[[Context], Facts], ...]
    figures: tuple[Callable[[Maker], Figure | None], ...]
    heading: Callable[[Maker], str | None] | None
    annex: bool


@cache
def chapters() -> tuple[Chapter, ...]:
    """Return every chapter, then every annex."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    numbered = [
        _chapter(name, str(place), annex=False) for place, name in enumerate(CHAPTERS, start=1)
    ]
    return (
        *numbered,
        *(_chapter(name, letters[place], annex=True) for place, name in enumerate(ANNEXES)),
    )


def _chapter(name: str, number: str, *, annex: bool) -> Chapter:
    facts: tuple[Callable[[Context], Facts], ...] = _of(name, "facts")
    figures: tuple[Callable[[Maker], Figure | None], ...] = _of(name, "figures")
    heading: Callable[[Maker], str | None] | None = _of(name, "figures", "heading") or None
    return Chapter(name, number, facts, figures, heading, annex=annex)


def _of(name: str, what: str, part: str = "") -> Any:
    """Return a part of a module of a chapter; nothing where it has none."""
    place = f"{__package__}.{name}.{what}"
    return getattr(import_module(place), part or what.upper(), ()) if find_spec(place) else ()
