"""Every figure of the report, in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.chapters.registry import chapters
from akb.report.page.figure import Figure, Maker

if TYPE_CHECKING:
    from akb.report.model import ReportModel
    from akb.report.words import Words


def figures(model: ReportModel, words: Words) -> dict[str, Figure]:
    """Return the figures that have data, by id."""
    return drawn_by(Maker(model.with_keys(), words))


def drawn_by(maker: Maker) -> dict[str, Figure]:
    """Return the figures that have data, by id."""
    made = (make(maker) for chapter in chapters() for make in chapter.figures)
    return {figure.id: figure for figure in made if figure is not None}


def headings(maker: Maker) -> dict[str, str | None]:
    """Return chapter -> the finding above it; None where it is called by its name."""
    return {each.name: each.heading(maker) if each.heading else None for each in chapters()}
