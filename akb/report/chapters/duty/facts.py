"""The duty of care as a book: gaps, contact, work, and how leaving went with contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.core.privacy.disclosure import OTHER
from akb.report.typed import Facts
from akb.value.types import DutyBook, GapBranch

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class NamedGap(GapBranch):
    """The gaps of a branch, by its name."""

    name: str


@dataclass(frozen=True)
class NamedDutyBook(DutyBook):
    """The book, branches by their name."""

    rows: tuple[NamedGap, ...]


@dataclass(frozen=True)
class DutyFacts(Facts):
    """The duty of care; None where there is no gap to speak of."""

    KEY: ClassVar[str] = "duty"

    book: NamedDutyBook | None


def facts(context: Context) -> DutyFacts:
    """Return the book of the run, branches by their name."""
    value = context.bundle.value
    found = value.figures.duty if value else None
    if found is None:
        return DutyFacts(None)
    other = context.words.plain("duty.others")
    rows = tuple(
        NamedGap(**vars(row), name=other if row.key == OTHER else context.branch_name(row.key))
        for row in found.rows
    )
    return DutyFacts(NamedDutyBook(**{**vars(found), "rows": rows}))


FACTS = (facts,)
