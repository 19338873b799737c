"""The facts of every chapter of a run, put together in the order of the chapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.chapters.registry import chapters
from akb.report.context import Context
from akb.report.model import Cover, ReportModel
from akb.value.types import Figures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def build(bundle: RunBundle, context: Context | None = None) -> ReportModel:
    """Return everything that the report of a run tells, figures suppressed where they must be.

    Parameters
    ----------
    context
        Of the same bundle, with what others made of it already; a new one if None.
    """
    context = context or Context(bundle)
    made = [context.once(make) for chapter in chapters() for make in chapter.facts]
    case = bundle.value.case if bundle.value else None
    return ReportModel(
        as_of=context.as_of,
        cover=_cover(bundle),
        suppress_below=context.limit,
        advisers=bundle.settings.report.advisers,
        ladder=context.ladder,
        facts={facts.KEY: facts for facts in made},
        value=bundle.value.figures if bundle.value else Figures(),
        basis=case.basis if case else None,
    )


def _cover(bundle: RunBundle) -> Cover:
    asked = bundle.settings.report
    return Cover(
        client=asked.client or bundle.settings.client.name,
        title=asked.title or None,
        author=asked.author or None,
        logo=asked.logo or None,
        version=bundle.versions.get("akb", ""),
    )
