"""The duty of care as a book: gaps, contact, work, and how leaving went with contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.core.privacy.disclosure import OTHER
from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class GapBranch:
    """Customers whose widest gap is in a branch, with how many the office began a contact, and of
    how many the register says that it was discussed or refused.
    """

    key: str
    name: str
    customers: int
    recent: int | None
    long: int | None
    discussed: int | None
    refused: int | None


@dataclass(frozen=True)
class ContactAssociation:
    """Leavers among those the office contacted in the year before and the others, and their ratio
    within equal strata.
    """

    first: date
    last: date
    contacted: int
    others: int
    left_contacted: int
    left_others: int
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class GapRegister:
    """What the register of the client's book says of the gaps together."""

    discussed: int | None
    refused: int | None
    agreed: int | None


@dataclass(frozen=True)
class DutyBook:
    """See `akb.value.targeting.duty`."""

    customers: int
    of: int
    rows: tuple[GapBranch, ...]
    recent: int | None
    long: int | None
    register: GapRegister | None
    recorded: bool
    hours: float
    cost: int
    association: ContactAssociation | None


@dataclass(frozen=True)
class DutyFacts(Facts):
    """The duty of care; None where there is no gap to speak of."""

    KEY: ClassVar[str] = "duty"

    book: DutyBook | None


def facts(context: Context) -> DutyFacts:
    """Return the book of the run, branches by their name."""
    value = context.bundle.value
    found: Any = value.figures.get("duty") if value else None
    if not found:
        return DutyFacts(None)
    other = context.words.plain("duty.others")
    rows = [
        {**row, "name": other if row["key"] == OTHER else context.branch_name(row["key"])}
        for row in found["rows"]
    ]
    return made(DutyFacts, {"book": {**found, "rows": rows}})


FACTS = (facts,)
