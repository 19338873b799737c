"""What customers cost and bring: next year's loss, the way from premium to customer value, and the
proof of CLV.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context

_MISSING = {"history": "clv_history", "few": "clv_few"}


@dataclass(frozen=True)
class LostPart:
    """A part of the commission that is expected to go."""

    key: str
    expected: int


@dataclass(frozen=True)
class Deviation:
    """Where the range of a loss comes from, as standard deviations."""

    chance: int
    level: int
    year: int


@dataclass(frozen=True)
class LostCommission:
    """The commission that the next 12 months are expected to take."""

    expected: int
    low: int
    high: int
    share: float
    commission: int
    years: int
    parts: tuple[LostPart, ...]
    deviation: Deviation
    between: float


@dataclass(frozen=True)
class WaterfallStep:
    """A cost between commission and what is left."""

    key: str
    cents: int
    mark: str


@dataclass(frozen=True)
class WaterfallPart:
    """A kind of income in what comes in."""

    key: str
    cents: int


@dataclass(frozen=True)
class Waterfall:
    """From premium to what is left after service."""

    premium: int | None
    kept_by_insurer: int | None
    commission: int
    value: int
    customers: int
    estimated: tuple[str, ...]
    steps: tuple[WaterfallStep, ...]
    income: tuple[WaterfallPart, ...] = ()


@dataclass(frozen=True)
class AccountRow:
    """A total of the annual accounts beside the file or the model, and the factor between them."""

    key: str
    accounts: int
    counted: int
    factor: float | None
    far: bool


@dataclass(frozen=True)
class ServiceHours:
    """What serving takes a year beside what there is."""

    needed: float
    available: float


@dataclass(frozen=True)
class NetByCost:
    """Net of a year's contacts on the cost of the model and on that of the accounts."""

    model: int | None
    accounts: int | None


@dataclass(frozen=True)
class Accounts:
    """The annual accounts beside the file; see `akb.value.revenue.account_figures`."""

    lines: tuple[AccountRow, ...]
    basis: str
    income: int
    service: int
    result: int | None
    result_share: float | None
    contribution_share: float | None
    hours: ServiceHours | None
    case: NetByCost


@dataclass(frozen=True)
class PastModel:
    """A forecast of three years ago beside what was earned."""

    key: str
    expected: int
    ratio: float
    rmse: float
    rank: float
    gain: float | None = None
    gain_ci: tuple[float, float] | None = None


@dataclass(frozen=True)
class PastDecile:
    """A tenth of the customers of three years ago."""

    decile: int
    customers: int
    expected: int
    realised: int


@dataclass(frozen=True)
class PastValue:
    """Lifetime value of three years ago beside what was earned since."""

    available: bool
    from_: date
    to: date
    customers: int
    realised: int
    models: tuple[PastModel, ...]
    winner: str
    beats_all_stay: bool
    lift: tuple[float, ...]
    lifetime_years: float
    deciles: tuple[PastDecile, ...]


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
    figures: dict[str, Any] = dict(value.figures) if value else {}
    past = figures.get("clv_past") or {"available": False}
    missing = (
        []
        if past["available"]
        else [_MISSING[past["reason"]]]
        if past.get("reason") in _MISSING
        else []
    )
    enough = len(context.customers) >= context.limit
    given = {
        "lost": figures.get("lost_commission") if enough else None,
        "waterfall": figures.get("waterfall") if enough else None,
        "past": past if past["available"] else None,
        "missing": missing,
        "accounts": figures.get("accounts") if enough else None,
    }
    return made(WorthFacts, given)
