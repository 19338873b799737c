"""The business case in parts. Money is integer cents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
class PortfolioPrice:
    """What the contacts add to the price of the portfolio."""

    multiple: float
    recurring: int
    base: int
    low: int
    high: int


@dataclass(frozen=True)
class BusinessCase:
    """One year's contacts and everything that follows from them; whole cents, plain dicts and lists
    for JSON.

    Parameters
    ----------
    cohort
        ``benefit``, ``contacts``, ``price``, ``net`` {low, base, high} and ``lines`` {key
        (relation, policy, purchase, exploration), low, base, high, mark, given}: one year's
        contacts over the life of what they keep and sell, less those contacts, less that year's
        price of predictions. Exploration stands beside: it buys knowledge.
    cash
        Rows {year (1..5), benefit, contacts, price, net}: money in and out when contacts go on
        every year.
    running_year
        The same for a year far ahead on a constant book; `payback_month` and `deepest` follow the
        first five years.
    options
        Rows {key (once, self, service), years, net}: see `akb.value.case.options`.
    without_predictions
        ``net`` (benefit less contacts of the plan that averages make), ``difference`` (what
        predictions add to it) and their ``price``.
    plan
        ``contacts`` rows {key, pool, customers, minutes, benefit, cost}, ``hour_price`` {pool:
        cents}, ``gap``, ``hours`` {pool: {used, available}}, and counts of what is kept and sold.
    advice
        See `akb.value.case.advice.advice`.
    sensitivity
        ``band``, ``tornado``, ``break_even``: see `akb.value.case.sensitivity`.
    claims, why_different, rule_of_thumb
        See `akb.value.case.claims`.
    multiple
        What the contacts add to the price of the portfolio; None until the client gives a multiple.
    facts
        Numbers that explain the case.
    curve
        What has come back at the end of years 1 to 5, less everything paid.
    basis
        What the page works on: see `akb.value.case.page`.
    """

    cohort: CohortTotals
    cash: tuple[CashYear, ...]
    running_year: RunningYear
    payback_month: int | None
    deepest: int
    options: tuple[CaseOption, ...]
    without_predictions: WithoutPredictions
    plan: Plan
    advice: Advice
    sensitivity: Sensitivity
    claims: tuple[Claim, ...]
    why_different: tuple[RuleStep, ...]
    rule_of_thumb: RuleOfThumb
    multiple: PortfolioPrice | None
    facts: Mapping[str, float]
    curve: tuple[int, ...]
    basis: Mapping[str, object]
