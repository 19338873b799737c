"""The report as data: the typed facts of every chapter, before a single word or template.

Chapters know nothing of HTML; ``summary.json``, the page, the figures and the tests all read these facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from akb.report.chapters.registry import chapters
from akb.report.context import Context
from akb.report.keyed import keyed
from akb.report.plain import plain
from akb.report.typed import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.report.bundle import RunBundle

T = TypeVar("T", bound=Facts)


@dataclass(frozen=True)
class Cover:
    """What stands on the cover: for whom, of whom, what it is called, and a picture as a data address."""

    client: str | None
    title: str | None = None
    author: str | None = None
    logo: str | None = None
    version: str = ""


@dataclass(frozen=True)
class Model:
    """Everything that a report tells.

    Money in integer cents, shares and chances in [0, 1]; unknown and not applicable are None.

    Parameters
    ----------
    told
        The facts of every chapter under their `KEY`.
    advisers
        Whether colleagues are told apart; offices always are.
    value, basis
        The figures of the value room and what the page's planner works on, as ``summary.json`` holds them.
    """

    as_of: date
    cover: Cover
    suppress_below: int
    advisers: bool
    ladder: Mapping[str, str]
    told: Mapping[str, Facts]
    value: Mapping[str, object]
    basis: Mapping[str, object] | None

    def of(self, kind: type[T]) -> T:
        """Return the facts of a kind."""
        return next(facts for facts in self.told.values() if isinstance(facts, kind))

    def __getitem__(self, key: str) -> Any:
        """Return facts as ``summary.json`` shows them: plain JSON types."""
        told = plain(self.told[key])
        return told["rows"] if list(told) == ["rows"] else told

    def with_keys(self) -> Model:
        """Return the same in which every number knows where it stands in ``summary.json``."""
        return replace(
            self,
            as_of=keyed(self.as_of, "as_of"),
            suppress_below=keyed(self.suppress_below, "suppress_below"),
            told={key: keyed(facts, key) for key, facts in self.told.items()},
        )


def build(bundle: RunBundle, context: Context | None = None) -> Model:
    """Return everything that the report of a run tells, figures suppressed where they must be.

    Parameters
    ----------
    context
        Of the same bundle, with what others made of it already; a new one if None.
    """
    context = context or Context(bundle)
    made = [context.once(make) for chapter in chapters() for make in chapter.facts]
    case = bundle.value.case if bundle.value else None
    return Model(
        as_of=context.as_of,
        cover=_cover(bundle),
        suppress_below=context.limit,
        advisers=bundle.settings.report.advisers,
        ladder=context.ladder,
        told={facts.KEY: facts for facts in made},
        value=dict(bundle.value.figures) if bundle.value else {},
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
