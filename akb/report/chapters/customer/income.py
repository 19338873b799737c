"""Income by kind: what recurs with its lifetime value, and what is earned once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.report.typed import Facts
from akb.value.types import IncomeRow

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class IncomeFacts(Facts):
    """Income by kind; empty where the export knows of commission alone."""

    KEY: ClassVar[str] = "income"

    rows: tuple[IncomeRow, ...]


def facts(context: Context) -> IncomeFacts:
    """Return the value room's ``income``."""
    value = context.bundle.value
    enough = len(context.customers) >= context.limit
    return IncomeFacts(value.figures.income if value and enough else ())
