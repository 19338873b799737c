"""The business case as the value room made it, in a shape for tables, figures and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from akb.core.privacy.disclosure import few, shown
from akb.core.typed import made
from akb.report.typed import Facts
from akb.value.types import (
    Advice,
    CareContact,
    CaseOption,
    CashYear,
    Claim,
    CohortTotals,
    Plan,
    PlannedContact,
    PortfolioPrice,
    RuleOfThumb,
    RuleStep,
    RunningYear,
    Sensitivity,
    WithoutPredictions,
)

if TYPE_CHECKING:
    from akb.report.context import Context
    from akb.value.types import BusinessCase


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
    return replace(
        worded(case, context.limit),
        care=value.figures.care if value else {},
        changed=dict(context.bundle.settings.own_assumptions()),
    )


def worded(case: BusinessCase, limit: int = 5) -> AvailableCase:
    """Return a business case for tables, figures and JSON; contacts of too few customers are one
    row ``_other``.
    """
    contacts = shown([dict(vars(row)) for row in case.plan.contacts], limit)
    return AvailableCase(
        available=True,
        missing=(),
        cohort=case.cohort,
        cash=case.cash,
        running_year=case.running_year,
        payback_month=case.payback_month,
        deepest=case.deepest,
        curve=case.curve,
        options=case.options,
        without_predictions=case.without_predictions,
        plan=replace(case.plan, contacts=tuple(made(PlannedContact, row) for row in contacts)),
        advice=case.advice,
        sensitivity=case.sensitivity,
        claims=case.claims,
        why_different=case.why_different,
        rule_of_thumb=case.rule_of_thumb,
        multiple=case.multiple,
        facts={
            name: few(value, limit) if name.startswith("customers_") else value
            for name, value in case.facts.items()
        },
        care={},
        changed={},
    )


FACTS = (facts,)
