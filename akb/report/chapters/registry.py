"""The chapters in the order of the story: the one place that knows which there are.

A chapter is a folder of this package with ``page.html``, its words under ``[chapter.<name>]`` in ``configs/text`` and,
where it has any, ``facts.py`` (`FACTS`: what makes its facts of a run) and ``figures.py`` (`FIGURES`: what draws them).
"""

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
    "glossary",
)


@dataclass(frozen=True)
class Chapter:
    """A chapter or annex: its folder, its number or letter, what makes its facts and its figures."""

    name: str
    number: str
    facts: tuple[Callable[[Context], Facts], ...]
    figures: tuple[Callable[[Maker], Figure | None], ...]
    annex: bool


@cache
def chapters() -> tuple[Chapter, ...]:
    """Return every chapter, then every annex."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    told = [_chapter(name, str(place), annex=False) for place, name in enumerate(CHAPTERS, start=1)]
    return (*told, *(_chapter(name, letters[place], annex=True) for place, name in enumerate(ANNEXES)))


def _chapter(name: str, number: str, *, annex: bool) -> Chapter:
    facts: tuple[Callable[[Context], Facts], ...] = _of(name, "facts")
    figures: tuple[Callable[[Maker], Figure | None], ...] = _of(name, "figures")
    return Chapter(name, number, facts, figures, annex=annex)


def _of(name: str, what: str) -> tuple[Callable[..., Any], ...]:
    place = f"{__package__}.{name}.{what}"
    if find_spec(place) is None:
        return ()
    found: tuple[Callable[..., Any], ...] = getattr(import_module(place), what.upper())
    return found
