"""The summary: at most five figures for the first screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from akb.core.dates import add_months
from akb.report.chapters.case import facts as case
from akb.report.chapters.customer import worth
from akb.report.chapters.leaving import facts as leaving
from akb.report.chapters.moment import facts as moment
from akb.report.chapters.portfolio import facts as portfolio
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.report.context import Context

MOST = 5
THREE = 3
MEASURED = 6  # months from the decision to the first look at what contact did
SPREAD = ("leavers", "net", "commission", "customers", "churn")


@dataclass(frozen=True)
class Headline:
    """A figure of the first screen with its mark and, unless counted, its range."""

    key: str
    mark: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Decision:
    """What the directors are asked: the advice, by when, and when is measured."""

    key: str
    decide: date
    measure: date


@dataclass(frozen=True)
class SummaryFacts(Facts):
    """What a reader takes away."""

    KEY: ClassVar[str] = "summary"

    headlines: tuple[Headline, ...]
    spread: tuple[Headline, ...]
    decision: Decision


def facts(context: Context) -> SummaryFacts:
    """Return the figures of the first screen, as their chapters have them."""
    held, left = context.once(portfolio.facts), context.once(leaving.facts)
    risk, business_case = context.once(moment.facts), context.once(case.facts)
    found = [Headline("customers", "counted", held.customers)]
    if held.commission_cents is not None:
        found.append(Headline("commission", held.commission_mark, held.commission_cents))
    year = next(iter(left.years), None)
    if year and year.customer_churn is not None:
        found.append(Headline("churn", "counted", year.customer_churn))
    if risk.horizons and risk.horizons[-1].months == 12:
        ahead = risk.horizons[-1]
        found.append(Headline("leavers", "predicted", ahead.expected, ahead.low, ahead.high))
    if isinstance(business_case, case.AvailableCase):
        net = business_case.cohort.net
        found.append(Headline("net", "assumed", net.base, net.low, net.high))
    lost = context.once(worth.facts).lost
    all_ = [Headline("lost", "predicted", lost.expected, lost.low, lost.high)] if lost else []
    all_ += sorted(found, key=lambda row: SPREAD.index(row.key))
    key, gains = "none", False
    if isinstance(business_case, case.AvailableCase):
        key, gains = business_case.advice.key, business_case.cohort.net.base >= 0
    unsure = key == "stop" and gains
    begin = add_months(context.as_of, 1)
    decision = Decision("stop_unsure" if unsure else key, begin, add_months(begin, MEASURED))
    return SummaryFacts(tuple(found[:MOST]), tuple(all_[:THREE]), decision)


FACTS = (facts,)
