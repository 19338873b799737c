"""The aggregates that the value room hands to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from akb.value.types.actions import ActionFigures, CareContact, DutyBook
from akb.value.types.outlook import (
    Bridge,
    ContactPolicy,
    ListBacktest,
    NextYear,
    Projection,
    SmallOffice,
    Stresses,
)
from akb.value.types.segments import SegmentFigures
from akb.value.types.worth import (
    Accounts,
    Concentration,
    CustomerPair,
    IncomeRow,
    LostCommission,
    NextBestBranch,
    PastValue,
    ProfitMeasure,
    Waterfall,
)


@dataclass(frozen=True)
class Figures:
    """Aggregates, never over fewer customers than may be shown; None where unavailable.

    Parameters
    ----------
    case_missing, clv_past_missing
        Why there is no business case, and no proof of lifetime value.
    empc
        Prediction -> its expected maximum profit.
    care
        Action without euros -> the work that it takes.
    """

    concentration: Concentration | None = None
    next_best: tuple[NextBestBranch, ...] = ()
    pair: CustomerPair | None = None
    actions: ActionFigures | None = None
    bridge: Bridge | None = None
    projection: Projection | None = None
    contact_policy: ContactPolicy | None = None
    backtest: ListBacktest | None = None
    next_year: NextYear | None = None
    empc: Mapping[str, ProfitMeasure] = field(default_factory=dict)
    segments: SegmentFigures | None = None
    case_missing: str | None = None
    duty: DutyBook | None = None
    care: Mapping[str, CareContact] = field(default_factory=dict)
    lost_commission: LostCommission | None = None
    waterfall: Waterfall | None = None
    small_office: SmallOffice | None = None
    stress: Stresses | None = None
    accounts: Accounts | None = None
    clv_past: PastValue | None = None
    clv_past_missing: str | None = None
    income: tuple[IncomeRow, ...] = ()
