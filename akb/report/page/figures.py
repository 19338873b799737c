"""Every figure of the report, in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.chapters.registry import chapters
from akb.report.page.figure import Figure, Maker

if TYPE_CHECKING:
    from akb.report.model import Model
    from akb.report.words import Words


def figures(model: Model, words: Words) -> dict[str, Figure]:
    """Return the figures that have data, by id."""
    maker = Maker(model.with_keys(), words)
    made = (make(maker) for chapter in chapters() for make in chapter.figures)
    return {figure.id: figure for figure in made if figure is not None}
