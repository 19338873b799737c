"""The business case as the value room made it, in a shape for tables, figures and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from akb.core.privacy.disclosure import few, shown
from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context
    from akb.value.types import BusinessCase


@dataclass(frozen=True)
class Three:
    """A low, a base and a high amount."""

    low: int
    base: int
    high: int


@dataclass(frozen=True)
class CaseLine:
    """A line of benefit."""

    key: str
    low: int
    base: int
    high: int
    mark: str
    given: bool
    customers: int | None = None
    hours: float | None = None


@dataclass(frozen=True)
class CohortTotals:
    """One year of contacts over the life of what it keeps and sells."""

    benefit: int
    contacts: int
    price: int
    net: Three
    lines: tuple[CaseLine, ...]


@dataclass(frozen=True)
class CashYear:
    """Money in and out in one year."""

    year: int
    benefit: int
    contacts: int
    price: int
    net: int


@dataclass(frozen=True)
class RunningYear:
    """A year far ahead, when all cohorts run."""

    benefit: int
    contacts: int
    price: int
    net: int


@dataclass(frozen=True)
class CaseOption:
    """One way to go on."""

    key: str
    years: int
    net: Three


@dataclass(frozen=True)
class WithoutPredictions:
    """The plan that averages make."""

    net: int
    difference: int
    price: int


@dataclass(frozen=True)
class PlannedContact:
    """What the plan has of one contact type."""

    key: str
    pool: str | None
    customers: int | None
    minutes: int | None
    benefit: int | None
    cost: int | None


@dataclass(frozen=True)
class PoolHours:
    """Hours of a pool."""

    used: float
    available: float


@dataclass(frozen=True)
class Plan:
    """Who gets which contact."""

    contacts: tuple[PlannedContact, ...]
    hour_price: Mapping[str, int]
    gap: float
    hours: Mapping[str, PoolHours]
    relations_kept_count: float
    policies_kept_count: float
    policies_sold_count: float


@dataclass(frozen=True)
class TurningPoint:
    """The assumption that turns the result first."""

    key: str
    at: float
    value: float


@dataclass(frozen=True)
class Trial:
    """The trial that would answer most."""

    outcome: str
    per_arm: int
    offices: int
    customers: int
    hours: float
    months: int


@dataclass(frozen=True)
class Information:
    """What an answer is worth, and costs."""

    value: int
    cost: int


@dataclass(frozen=True)
class Advice:
    """Start, pilot or stop."""

    key: str
    probability: float
    turning: TurningPoint | None
    next: str
    trial: Trial | None
    information: Information | None


@dataclass(frozen=True)
class SensitivityBand:
    """All assumptions drawn at once."""

    draws: int
    above_zero: float
    net: Three


@dataclass(frozen=True)
class TornadoRow:
    """The result with one assumption low and high."""

    key: str
    from_: float
    at: float
    to: float
    low: int
    high: int
    choice: bool = False


@dataclass(frozen=True)
class BreakEven:
    """Where an assumption leaves nothing."""

    key: str
    at: float
    value: float | None


@dataclass(frozen=True)
class Sensitivity:
    """What the result depends on."""

    band: SensitivityBand
    tornado: tuple[TornadoRow, ...]
    break_even: tuple[BreakEven, ...]


@dataclass(frozen=True)
class Claim:
    """What a vendor promises, on this book."""

    key: str
    share: float
    promised: int
    relations: int
    kept: int
    needed: float | None


@dataclass(frozen=True)
class RuleStep:
    """A step from the rule of thumb to this plan."""

    key: str
    cents: int


@dataclass(frozen=True)
class RuleOfThumb:
    """What the rule of thumb promises."""

    retention: int
    cross_sell: int
    total: int


@dataclass(frozen=True)
class CareContact:
    """Contact to which no euro is given."""

    customers: float
    minutes: float
    cost: float


@dataclass(frozen=True)
class PortfolioPrice:
    """What the contacts add to the price of the portfolio."""

    multiple: float
    recurring: int
    base: int
    low: int
    high: int


@dataclass(frozen=True)
class CaseFacts(Facts):
    """The business case, or what it lacks."""

    KEY: ClassVar[str] = "case"

    available: bool
    missing: tuple[str, ...]


@dataclass(frozen=True)
class AvailableCase(CaseFacts):
    """One year of contacts and everything that follows from them."""

    cohort: CohortTotals
    cash: tuple[CashYear, ...]
    running_year: RunningYear
    payback_month: int | None
    deepest: int
    curve: tuple[int, ...]
    options: tuple[CaseOption, ...]
    without_predictions: WithoutPredictions
    plan: Plan
    advice: Advice
    sensitivity: Sensitivity
    claims: tuple[Claim, ...]
    why_different: tuple[RuleStep, ...]
    rule_of_thumb: RuleOfThumb
    multiple: PortfolioPrice | None
    facts: Mapping[str, float | None]
    care: Mapping[str, CareContact]
    changed: Mapping[str, float]


def facts(context: Context) -> CaseFacts:
    """Return one year's contacts, cash, options, plan, advice and what all of it depends on."""
    value = context.bundle.value
    case = value.case if value else None
    if case is None:
        lacking = [] if context.has_commission else ["commission_case"]
        if context.score("churn_12m") is None:
            lacking.append("churn_case")
        return CaseFacts(available=False, missing=tuple(lacking or ["case_gate"]))
    figures = value.figures if value else {}
    given: Any = figures.get("care", {})
    care = {key: made(CareContact, row) for key, row in given.items()}
    return replace(
        worded(case, context.limit),
        care=care,
        changed=dict(context.bundle.settings.own_assumptions()),
    )


def worded(case: BusinessCase, limit: int = 5) -> AvailableCase:
    """Return a business case for tables, figures and JSON; contacts of too few customers are one
    row ``_other``.
    """
    given = {
        "available": True,
        "cohort": case.cohort,
        "cash": case.cash,
        "running_year": case.running_year,
        "payback_month": case.payback_month,
        "deepest": case.deepest,
        "curve": case.curve,
        "options": case.options,
        "without_predictions": case.without_predictions,
        "plan": {
            **case.plan,
            "contacts": shown(case.plan["contacts"], limit),
        },
        "advice": case.advice,
        "sensitivity": case.sensitivity,
        "claims": case.claims,
        "why_different": case.why_different,
        "rule_of_thumb": case.rule_of_thumb,
        "multiple": case.multiple,
        "facts": {
            name: few(value, limit) if name.startswith("customers_") else value
            for name, value in case.facts.items()
        },
        "care": {},
        "changed": {},
        "missing": [],
    }
    return made(AvailableCase, given)


FACTS = (facts,)
