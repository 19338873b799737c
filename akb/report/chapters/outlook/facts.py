"""Section 7: the portfolio without action, and what last year's list would have shown; figures of
the value room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class ProjectionYear:
    """The portfolio at the end of a year."""

    year: int
    date: date
    customers: float
    low: float
    high: float
    commission: int | None
    commission_low: int | None
    commission_high: int | None
    age: float | None
    per_adviser: float
    customers_list: float
    commission_list: int | None
    age_list: float | None
    per_adviser_list: float


@dataclass(frozen=True)
class Inflow:
    """New customers a year."""

    mean: float
    low: float | None
    high: float | None
    years: int
    factor: float


@dataclass(frozen=True)
class AgeOnList:
    """An age on the list beside its part of the portfolio."""

    key: str
    customers: int | None
    share: float | None
    listed: int | None
    listed_share: float | None


@dataclass(frozen=True)
class Projection:
    """The next five years."""

    rows: tuple[ProjectionYear, ...]
    inflow: Inflow
    newcomer_commission: int
    newcomer_age: float | None
    extra_cents: int
    level: tuple[float, ...] | None
    kept: float | None
    kept_cents: int
    advisers: int
    advisers_needed: float | None
    norm: float
    advisers_at_norm: float
    list_ages: tuple[AgeOnList, ...]


@dataclass(frozen=True)
class Concentration:
    """How much the best customers bring."""

    top_share: float
    commission_share: float
    after_cost_share: float | None
    curve: tuple[tuple[float, ...], ...]
    curve_after_cost: tuple[tuple[float, ...], ...] | None


@dataclass(frozen=True)
class PolicyGroup:
    """What the contact policy asks for a group."""

    key: str
    customers: int | None
    years: float | None
    talks: float | None
    hours: float | None
    seen: float | None


@dataclass(frozen=True)
class ContactPolicy:
    """The contact policy beside the hours."""

    rows: tuple[PolicyGroup, ...]
    hours: float
    available: float
    advisers: int
    advisers_counted: bool
    load: float | None
    customers_per_adviser: float


@dataclass(frozen=True)
class PastList:
    """Who left of one of last year's lists."""

    key: str
    left: float | None
    left_share: float | None
    low: float | None
    high: float | None
    cents: int | None
    cents_low: int | None
    cents_high: int | None


@dataclass(frozen=True)
class ListBacktest:
    """Last year's list beside other lists."""

    from_: date
    to: date
    customers: int
    left: int | None
    unknown: int | None
    cents: int | None
    contacts: int
    split: bool
    amounts: str
    lists: tuple[PastList, ...]
    list_share: float | None = None


@dataclass(frozen=True)
class BridgeStep:
    """A step of the bridge: what it did to the commission."""

    key: str
    customers: int | None
    policies: int | None
    cents: int


@dataclass(frozen=True)
class Bridge:
    """From the commission of a year ago to that of today."""

    from_: date
    to: date
    then: int
    now: int
    steps: tuple[BridgeStep, ...]


@dataclass(frozen=True)
class AheadStep:
    """A step of the bridge of the year ahead."""

    key: str
    cents: int


@dataclass(frozen=True)
class NextYear:
    """From this year's commission to next year's, if nothing is done."""

    now: int
    next: int
    from_: date
    to: date
    steps: tuple[AheadStep, ...]


@dataclass(frozen=True)
class OutlookFacts(Facts):
    """The portfolio without action."""

    KEY: ClassVar[str] = "outlook"

    bridge: Bridge | None
    next_year: NextYear | None
    projection: Projection | None
    concentration: Concentration | None
    contact_policy: ContactPolicy | None
    backtest: ListBacktest | None
    missing: tuple[str, ...]


def facts(context: Context) -> OutlookFacts:
    """Return the bridge, the projection, the concentration and the contact policy; None where
    unavailable.
    """
    value = context.bundle.value
    figures: dict[str, Any] = dict(value.figures) if value else {}
    bridge, projection = figures.get("bridge"), figures.get("projection")
    missing = []
    if bridge is None:
        missing.append("bridge")
    if projection is None:
        missing.append(
            "projection_gate" if context.score("churn_12m") is not None else "projection"
        )
    values = {
        "bridge": bridge,
        "next_year": figures.get("next_year"),
        "projection": projection,
        "concentration": figures.get("concentration"),
        "contact_policy": figures.get("contact_policy"),
        "backtest": _backtest(figures.get("backtest")),
        "missing": missing,
    }
    return made(OutlookFacts, values)


def _backtest(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return last year's lists with the part of all that was lost that the first of them had."""
    if not given:
        return None
    lost = next((row["cents"] for row in given["lists"] if row["key"] == "top_defend"), None)
    return {
        **given,
        "list_share": lost / given["cents"] if lost is not None and given["cents"] else None,
    }


FACTS = (facts,)
