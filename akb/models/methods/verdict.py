"""From the outcome of a problem to predictions: status, gate, grade, and why in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.findings import Finding
from akb.core.gates import FEW_EVENTS
from akb.core.numbers import number_nl
from akb.models.context import Room, some, why
from akb.models.evidence.grading import gate, grade, significant
from akb.models.temporal.selection import ENOUGH_FOR_SPLINES
from akb.models.temporal.splits import months_to_prove, temporal_splits
from akb.models.temporal.target import evaluate_target
from akb.models.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.models.temporal.problem import Problem
    from akb.models.temporal.target import FittedTarget
    from akb.models.types import Evidence, Gate, Grade

Shorter = tuple[int, "tuple[Evidence | None, ...]"]  # a horizon in months, and the evidence per group over it
SHORTER = (6, 3, 1)
TOO_GOOD = 0.93
LEFT = 0.4  # of the errors of what stood at T already: honest margins leave more than half


def unavailable(entry: Entry, reason: str) -> Prediction:
    """Return an entry that this export cannot support, with the reason."""
    return Prediction(entry.key, "unavailable", reason, entry.horizon_months)


def shorter_evidence(
    room: Room, entry: Entry, dates: Sequence[date], problem_for: Callable[[int], Problem | None]
) -> Shorter | None:
    """Return the evidence over the longest shorter horizon that the history can prove, and that horizon.

    Parameters
    ----------
    problem_for
        What is asked over so many months; None where nobody counted that. A yearly comparison (a drop, a margin) never
        happens sooner and proves nothing over less.
    """
    for months in SHORTER:
        if months >= (entry.horizon_months or 0):
            continue
        roles = temporal_splits(dates, room.as_of, months, room.targets.gap_days, room.targets.lag_days)
        problem = problem_for(months) if roles.test is not None else None
        if problem is not None and (problem.label > 0).any():
            return months, evaluate_target(problem, roles, room.settings.models)
    return None


def verdict(
    entry: Entry,
    outcome: FittedTarget,
    code: int = 0,
    *,
    population: int,
    seconds: float,
    shorter: Shorter | None = None,
    limit: int,
) -> Prediction:
    """Return what a reader should know of one group of an outcome.

    With evidence over a shorter horizon only, the grade is *indicative* at best and the gate stays shut: ranks may hold
    over twelve months, a level need not. Numbers of events below `limit` stay hidden, see `some`.
    """
    evidence = outcome.evidence[code]
    flat = bool(outcome.model.flat[code])
    level: Gate = gate(evidence)
    if evidence is None and shorter is not None:
        evidence = shorter[1][code]
    gained = outcome.gains[code] if outcome.gains and not flat and outcome.evidence[code] is not None else None
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
        status="baseline" if flat or outcome.winner in ("rate", "rule") else "fitted",
        why=_why(entry, outcome, evidence, level, shorter[0] if shorter else None, limit=limit, flat=flat),
        horizon_months=entry.horizon_months,
        population=population,
        evidence=evidence,
        gate=level,
        grade=given,
        winner="rate" if flat else outcome.winner,
        candidates=outcome.competition.candidates if outcome.competition else (),
        pooled_weight=float(outcome.model.pooled_weight[code]) if len(outcome.problem.groups) > 1 else None,
        seconds=seconds,
        gain_p=gained,
        evidence_months=shorter[0] if shorter is not None and outcome.evidence[code] is None else None,
    )


def _why(
    entry: Entry,
    outcome: FittedTarget,
    evidence: Evidence | None,
    level: Gate,
    shorter: int | None,
    limit: int,
    *,
    flat: bool,
) -> str:
    months = entry.horizon_months or 12
    events = some(evidence.tested, limit) if evidence else number_nl(0)
    if flat:
        few = evidence is not None and evidence.tested < FEW_EVENTS
        if outcome.chosen == "rate" and outcome.competition is None:  # no T1: nothing was tried
            known = int(outcome.model.events.sum())
            return why("few_to_learn", events=some(known, limit), least=ENOUGH_FOR_SPLINES)
        reason = "base_rate" if outcome.chosen == "rate" else "few_base_rate" if few else "worse_than_chance"
        return why(reason, events=events)
    if evidence is None:
        return why("no_evidence", months=months_to_prove(months))
    if shorter is not None:
        return why("shorter", months=months, shorter=shorter)
    doubts = {
        "few_to_prove": evidence.tested < FEW_EVENTS,
        "borrowed": evidence.auc_ci is None or evidence.auc_ci[0] <= 0.5,
        "off_level": level == "fail",
        "rule": outcome.winner == "rule",
    }
    first = next((doubt for doubt, holds in doubts.items() if holds), None)
    return why(first, events=events, proof=evidence.shown(entry.horizon_months, level).order_words()) if first else ""


def too_good(proof: Evidence) -> bool:
    """Return whether a rank over a year is better than honest ones are.

    Where the outcome mostly stands at T (what a customer has decides his margin), what stood there ranks well without
    any model. A leak shows then as taking away most of the errors that this baseline makes.
    """
    if proof.auc is None or proof.auc <= TOO_GOOD or proof.tested < FEW_EVENTS:
        return False
    stood = proof.last_year.auc if proof.last_year is not None else None
    return stood is None or 1 - proof.auc < LEFT * (1 - stood)


def noticed(predictions: Iterable[Prediction], names: dict[str, str]) -> list[Finding]:
    """Return the findings over all predictions: not provable, too good, off level."""
    seen = [each for each in predictions if each.status in ("fitted", "baseline")]
    found = []
    unproven = [each for each in seen if each.gate == "none"]
    if unproven:
        found.append(Finding("AKB-M001", "tip", len(unproven), len(unproven) / len(seen)))
    for each in seen:
        proof = each.evidence
        if proof is None or proof.auc is None or (each.horizon_months or 0) < 12 or each.gate == "none":
            continue  # over a month or two a renewal calendar may rank this well without a leak
        if too_good(proof):
            params = {"name": names.get(each.key, each.key), "auc": number_nl(proof.auc, 2)}
            found.append(Finding("AKB-M002", "issue", params=params))
    failed = [each for each in seen if each.gate == "fail" and each.grade == "indicative"]
    if failed:
        found.append(Finding("AKB-M003", "tip", len(failed), len(failed) / len(seen)))
    return found
