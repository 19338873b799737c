"""Income by kind: what recurs with its lifetime value, and what is earned once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class IncomeRow:
    """A kind of income: cents a year, lifetime value of what is in force, and its part in the
    case.
    """

    key: str
    year: int
    customers: int
    clv: int | None
    case: int | None
    expected: int | None


@dataclass(frozen=True)
class IncomeFacts(Facts):
    """Income by kind; empty where the export knows of commission alone."""

    KEY: ClassVar[str] = "income"

    rows: tuple[IncomeRow, ...]


def facts(context: Context) -> IncomeFacts:
    """Return the value room's ``income``."""
    value = context.bundle.value
    enough = len(context.customers) >= context.limit
    rows = value.figures.get("income", []) if value and enough else []
    return made(IncomeFacts, {"rows": rows})
