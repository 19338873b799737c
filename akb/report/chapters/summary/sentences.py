"""The five sentences of the summary, and the rows of the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from akb.report import formats as f
from akb.report.chapters.case.facts import AvailableCase, CaseFacts
from akb.report.chapters.leaving.facts import LeavingFacts
from akb.report.chapters.moment.facts import RiskFacts
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.chapters.product.facts import ProductFacts
from akb.report.chapters.summary.facts import SummaryFacts

if TYPE_CHECKING:
    from akb.report.page.figure import Maker
    from akb.report.page.phrases import Phrases


@dataclass(frozen=True)
class DecisionRow:
    """A row of the decision: what it is about, what it says, and how we come by its numbers."""

    head: str
    text: str
    mark: str = ""


def sentences(m: Maker, phrases: Phrases) -> list[str]:
    """Return what a reader takes away: held, left, expected, sold, and the advice."""
    return [_held(m), _left(m, phrases), _ahead(m), _products(m), _case(m)]


def rows(m: Maker, phrases: Phrases) -> list[DecisionRow]:
    """Return what to decide, what it brings, why, what would change our mind, and who decides by
    when.
    """
    say = m.words.html
    decision, case = m.of(SummaryFacts).decision, m.of(CaseFacts)
    made = [DecisionRow(say("decision.what"), _what(m))]
    if isinstance(case, AvailableCase):
        net, advice = case.cohort.net, case.advice
        made.append(
            DecisionRow(
                say("decision.gain"),
                say(
                    "decision.gain_text",
                    net=f.euro(net.base),
                    range=f.span(f.euro(net.low), f.euro(net.high)),
                    contacts=f.euro(case.cohort.contacts),
                    price=f.euro(case.cohort.price),
                ),
                "assumed",
            )
        )
        made.append(
            DecisionRow(
                say("decision.why"),
                say("decision.why_text", share=f.of_hundred(advice.probability)),
                "assumed",
            )
        )
        turn = advice.turning
        text = (
            say(
                "decision.turn_text",
                name=phrases.assumption(turn.key),
                value=phrases.amount(turn.key, turn.at),
                at=phrases.amount(turn.key, turn.value),
            )
            if turn
            else say("decision.turn_none")
        )
        made.append(DecisionRow(say("decision.turn"), text))
    when = say("decision.who_text", decide=f.day(decision.decide), measure=f.day(decision.measure))
    return [*made, DecisionRow(say("decision.who"), when)]


def _what(m: Maker) -> str:
    case = m.of(CaseFacts)
    if not isinstance(case, AvailableCase):
        return m.words.html("decision.what_none")
    trial, plan = case.advice.trial, case.plan
    if case.advice.key == "pilot" and trial:
        return m.words.html(
            "decision.what_trial" if trial.offices > 1 else "decision.what_trial_own",
            months=trial.months,
            customers=f.number(trial.customers),
            hours=f.rough(trial.hours),
            offices=f.number(trial.offices),
        )
    if case.advice.key == "stop":
        return m.words.html("decision.what_stop")
    hours: dict[str, Any] = {pool: f.rough(row.used) for pool, row in plan.hours.items()}
    planned = case.facts.get("customers_planned_count")
    customers = (
        f.number(planned)
        if planned is not None
        else m.words.html("page.suppressed", limit=m.model.suppress_below)
    )
    return m.words.html(
        "decision.what_plan",
        inside=hours.get("inside", f.number(0)),
        adviser=hours.get("adviser", f.number(0)),
        customers=customers,
    )


def _held(m: Maker) -> str:
    held = m.of(PortfolioFacts)
    counted: dict[str, Any] = {
        "as_of": f.day(m.as_of),
        "customers": m.words.count(held.customers, "klant"),
        "policies": m.words.count(held.policies, "lopende polis"),
    }
    if held.commission_cents is None:
        return m.words.html("summary.portfolio_no_commission", **counted)
    key = "summary.portfolio_assumed" if held.commission_mark == "assumed" else "summary.portfolio"
    return m.words.html(key, **counted, commission=f.euro(held.commission_cents))


def _left(m: Maker, phrases: Phrases) -> str:
    leaving = m.of(LeavingFacts)
    year, gone = leaving.last_year, leaving.gone
    if year is None:
        key = "leaving_none" if "ended" in leaving.missing else "leaving_short"
        return m.words.html(f"summary.{key}", recorded_from=f.day(leaving.recorded_from))
    if leaving.years[0].suppressed:
        return m.words.html("summary.leaving_few", to=f.day(year.to))
    churn = f.percent(year.customer_churn)
    if gone and gone.reasons and not gone.reasons[0].suppressed:
        reason = phrases.words.reason_name(gone.reasons[0].reason).lower()
        return m.words.html("summary.leaving", to=f.day(year.to), churn=churn, reason=reason)
    return m.words.html("summary.leaving_no_reason", to=f.day(year.to), churn=churn)


def _ahead(m: Maker) -> str:
    risk = m.of(RiskFacts)
    if not risk.horizons:
        return m.words.html("summary.risk_none")
    ahead = risk.horizons[-1]
    counted: dict[str, Any] = {"months": ahead.months, "expected": f.rough(ahead.expected)}
    if ahead.low is None:
        return m.words.html("summary.risk_point", **counted)
    counted["range"] = f.interval(ahead.low, ahead.high)
    if not risk.proof:
        return m.words.html("summary.risk_range", **counted)
    listed, random = f.of_hundred(risk.proof.precision), f.of_hundred(risk.proof.base_rate)
    return m.words.html("summary.risk", **counted, listed=listed, random=random)


def _products(m: Maker) -> str:
    product = m.of(ProductFacts)
    first = next((row for row in product.branches if not row.suppressed), None)
    if first is None:
        return m.words.html("summary.products_none")
    branch = first.name.lower()
    if product.any:
        key = "summary.products" if product.first_clear else "summary.products_any"
        return m.words.html(key, expected=f.rough(product.any.expected), branch=branch)
    return m.words.html("summary.products_branch", expected=f.rough(first.expected), branch=branch)


def _case(m: Maker) -> str:
    case = m.of(CaseFacts)
    if not isinstance(case, AvailableCase):
        return m.words.html("summary.case_none")
    net, key = case.cohort.net, case.advice.key
    range_ = f.span(f.euro(net.low), f.euro(net.high))
    if net.base < 0:
        result = m.words.html("summary.result_loss", net=f.size(net.base), range=range_)
    else:
        result = m.words.html(
            "summary.result_unsure" if key == "stop" else "summary.result",
            net=f.euro(net.base),
            range=range_,
        )
    name = "stop_no_trial" if key == "stop" and not case.advice.trial else key
    return m.words.html(f"summary.case_{name}", result=result)
