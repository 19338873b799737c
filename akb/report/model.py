"""The report as data: the typed facts of every chapter, before a single word or template.

Chapters know nothing of HTML; ``summary.json``, the page, the figures and the tests all read these
facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from akb.report.keyed import keyed
from akb.report.plain import plain
from akb.report.typed import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.types import Figures


T = TypeVar("T", bound=Facts)


@dataclass(frozen=True)
class Cover:
    """What stands on the cover: for whom, of whom, what it is called, and a picture as a data
    address.
    """

    client: str | None
    title: str | None = None
    author: str | None = None
    logo: str | None = None
    version: str = ""


@dataclass(frozen=True)
class ReportModel:
    """Everything that a report tells.

    Money in integer cents, shares and chances in [0, 1]; unknown and not applicable are None.

    Parameters
    ----------
    facts
        The facts of every chapter under their `KEY`.
    advisers
        Whether colleagues are told apart; offices always are.
    value, basis
        The figures of the value room and what the page's planner works on, as ``summary.json``
        holds them.
    """

    as_of: date
    cover: Cover
    suppress_below: int
    advisers: bool
    ladder: Mapping[str, str]
    facts: Mapping[str, Facts]
    value: Figures
    basis: Mapping[str, object] | None

    def of(self, kind: type[T]) -> T:
        """Return the facts of a kind."""
        return next(facts for facts in self.facts.values() if isinstance(facts, kind))

    def __getitem__(self, key: str) -> Any:
        """Return facts as ``summary.json`` shows them: plain JSON types."""
        values = plain(self.facts[key])
        return values["rows"] if list(values) == ["rows"] else values

    def with_keys(self) -> ReportModel:
        """Return the same in which every number knows where it stands in ``summary.json``."""
        return replace(
            self,
            as_of=keyed(self.as_of, "as_of"),
            suppress_below=keyed(self.suppress_below, "suppress_below"),
            facts={key: keyed(facts, key) for key, facts in self.facts.items()},
        )
