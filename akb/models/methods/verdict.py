"""From the outcome of a problem to predictions: status, gate, grade, and why in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.gates import FEW_EVENTS
from akb.core.wording.reasons import Reason
from akb.models.context import FitContext, some, why
from akb.models.evidence import gate, grade, significant
from akb.models.temporal import ENOUGH_FOR_SPLINES, evaluate_target, months_to_evaluate
from akb.models.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.models.temporal import FittedTarget, Problem
    from akb.models.types import Evidence, Gate, Grade

Shorter = tuple[
    int, "tuple[Evidence | None, ...]"
]  # a horizon in months, and the evidence per group over it
SHORTER = (6, 3, 1)  # months, the longest first: it says most of twelve


def unavailable(entry: Entry, reason: Reason) -> Prediction:
    """Return an entry that this export cannot support, with the reason."""
    return Prediction(entry.key, "unavailable", reason, entry.horizon_months)


def shorter_evidence(
    context: FitContext,
    entry: Entry,
    dates: Sequence[date],
    problem_for: Callable[[int], Problem | None],
) -> Shorter | None:
    """Return the evidence over the longest shorter horizon that the history can prove, and that
    horizon; None where no grade is asked, for it opens no gate.

    Parameters
    ----------
    problem_for
        What is asked over so many months; None where nobody counted that. A yearly comparison (a
        drop, a margin) never happens sooner and proves nothing over less.
    """
    for months in SHORTER if context.challenged else ():
        if months >= (entry.horizon_months or 0):
            continue
        roles = context.splits(dates, months)
        problem = problem_for(months) if roles.test is not None else None
        if problem is not None and (problem.label > 0).any():
            return months, evaluate_target(problem, roles, context.settings.models)
    return None


def prediction_of(
    entry: Entry,
    fitted: FittedTarget,
    code: int = 0,
    *,
    population: int,
    seconds: float,
    shorter: Shorter | None = None,
    limit: int,
) -> Prediction:
    """Return what a reader should know of one group of an outcome.

    With evidence over a shorter horizon only, the grade is *indicative* at best and the gate stays
    shut: ranks may hold over twelve months, a level need not. Numbers of events below `limit` stay
    hidden, see `some`.
    """
    evidence = fitted.evidence[code]
    flat = bool(fitted.model.flat[code])
    level: Gate = gate(evidence)
    if evidence is None and shorter is not None:
        evidence = shorter[1][code]
    gained = (
        fitted.gains[code]
        if fitted.gains and not flat and fitted.evidence[code] is not None
        else None
    )
    given: Grade = "none"
    if evidence is not None:
        given = grade(
            evidence,
            level,
            evidence.tested,
            evidence.test_dates,
            gain_significant=significant(gained),
        )
    return Prediction(
        key=entry.key,
        status="baseline" if flat or fitted.winner in ("rate", "rule") else "fitted",
        why=_why(
            entry, fitted, evidence, level, shorter[0] if shorter else None, limit=limit, flat=flat
        ),
        horizon_months=entry.horizon_months,
        population=population,
        evidence=evidence,
        gate=level,
        grade=given,
        winner="rate" if flat else fitted.winner,
        candidates=fitted.competition.candidates if fitted.competition else (),
        pooled_weight=float(fitted.model.pooled_weight[code])
        if len(fitted.problem.groups) > 1
        else None,
        seconds=seconds,
        gain_p=gained,
        evidence_months=shorter[0]
        if shorter is not None and fitted.evidence[code] is None
        else None,
    )


def _why(
    entry: Entry,
    fitted: FittedTarget,
    evidence: Evidence | None,
    level: Gate,
    shorter: int | None,
    *,
    limit: int,
    flat: bool,
) -> Reason | str:
    months = entry.horizon_months or 12
    events = some(evidence.tested, limit) if evidence else 0
    if flat:
        few = evidence is not None and evidence.tested < FEW_EVENTS
        if fitted.chosen == "rate" and fitted.competition is None:  # nothing was tried
            known = int(fitted.model.events.sum())
            return why("few_to_learn", events=some(known, limit), least=ENOUGH_FOR_SPLINES)
        reason = (
            "base_rate"
            if fitted.chosen == "rate"
            else "few_base_rate"
            if few
            else "worse_than_chance"
        )
        return why(reason, events=events)
    if evidence is None:
        return why("no_evidence", months=months_to_evaluate(months))
    if shorter is not None:
        return why("shorter", months=months, shorter=shorter)
    doubts = {
        "few_to_prove": evidence.tested < FEW_EVENTS,
        "borrowed": evidence.auc_ci is None or evidence.auc_ci[0] <= 0.5,
        "off_level": level == "fail",
        "rule": fitted.winner == "rule",
    }
    first = next((doubt for doubt, holds in doubts.items() if holds), None)
    return (
        why(first, events=events, proof=evidence.shown(entry.horizon_months, level))
        if first
        else ""
    )
