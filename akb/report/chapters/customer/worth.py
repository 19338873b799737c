"""What customers cost and bring: next year's loss, the way from premium to customer value, and the
proof of CLV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.report.typed import Facts
from akb.value.types import Accounts, Figures, LostCommission, PastValue, Waterfall

if TYPE_CHECKING:
    from akb.report.context import Context

_MISSING = {"history": "clv_history", "few": "clv_few"}


@dataclass(frozen=True)
class WorthFacts(Facts):
    """What customers cost and bring."""

    KEY: ClassVar[str] = "worth"

    lost: LostCommission | None
    waterfall: Waterfall | None
    past: PastValue | None
    missing: tuple[str, ...]
    accounts: Accounts | None = None


def facts(context: Context) -> WorthFacts:
    """Return the value room's ``lost_commission``, ``waterfall`` and ``clv_past``, and what could
    not be proven.
    """
    value = context.bundle.value
    found = value.figures if value else Figures()
    why = found.clv_past_missing
    enough = len(context.customers) >= context.limit
    return WorthFacts(
        lost=found.lost_commission if enough else None,
        waterfall=found.waterfall if enough else None,
        past=found.clv_past,
        missing=(_MISSING[why],) if why in _MISSING else (),
        accounts=found.accounts if enough else None,
    )
