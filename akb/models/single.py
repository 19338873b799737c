"""Targets with one row per customer: a chance (`binary`) or a count (`count`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl

from akb.models.engine import run_problem
from akb.models.explain import importance_of
from akb.models.parts import Part, Room, tested, why
from akb.models.problem import Problem, customer_problem, happened_within
from akb.models.verdict import shorter_evidence, unavailable, verdict
from akb.models.windows import phases

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.catalogue.entries import Entry
    from akb.models.engine import Outcome
    from akb.models.types import Prediction


def binary(room: Room, entry: Entry) -> Part:
    """Return the chance that the date named by the entry's target falls within its horizon."""

    def over(months: int) -> Problem:
        counts = room.targets.counts
        label = happened_within(counts, entry.target, months)
        problem = customer_problem(room.matrix, entry.key, "binary", label)
        asked = f"{entry.target}_possible"
        return problem.among(counts[asked].to_numpy()) if asked in counts.columns else problem

    return _part(room, entry, over)


def count(room: Room, entry: Entry) -> Part:
    """Return the expected number that the entry's target counts."""
    label = room.targets.counts[entry.target].fill_null(0.0).to_numpy()
    problem = customer_problem(room.matrix, entry.key, "poisson", label)
    return _part(room, entry, lambda months: problem, counted=True)


def _part(room: Room, entry: Entry, over: Callable[[int], Problem], *, counted: bool = False) -> Part:
    began = time.perf_counter()
    months = entry.horizon_months or 12
    roles = phases(room.dates(entry), room.as_of, months, room.targets.gap_days, room.targets.lag_days)
    if not roles.train:
        return Part((unavailable(entry, why("too_short", months=months)),))
    problem: Problem = over(months)
    view = room.view(roles.evidence.test if roles.evidence else None, months)
    outcome = run_problem(problem, roles, room.settings.models, view)
    if not outcome.known.events.sum():
        return Part((unavailable(entry, why("few_events", events=0, least=room.settings.models.min_events)),))
    shorter = None
    if roles.evidence is None and not counted:
        shorter = shorter_evidence(room, entry, room.dates(entry), over)
    seconds = time.perf_counter() - began

    def told(found: Outcome) -> tuple[Prediction, ...]:
        return (verdict(entry, found, population=len(found.rows), seconds=seconds, shorter=shorter),)

    scores = pl.DataFrame({"customer": problem.customer[outcome.rows], entry.key: outcome.expected})
    return Part(
        told(outcome),
        scores,
        importance=importance_of(entry.key, outcome.known.model),
        files=outcome.known.files(outcome.problem),
        tested=tested(outcome, view, told),
    )
