"""Families: one pooled model over (T, customer, branch) rows, a level per branch, evidence per branch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.findings import Finding
from akb.models.engine import run_problem
from akb.models.explain import importance_of
from akb.models.parts import Part, Room, tested, why
from akb.models.problem import Problem, branch_problem, happened_within
from akb.models.verdict import shorter_evidence, unavailable, verdict
from akb.models.windows import phases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.catalogue.entries import Entry
    from akb.features.types import BranchRows
    from akb.models.engine import Outcome
    from akb.models.types import Prediction
    from akb.models.verdict import Shorter


def lapses(room: Room, entries: Sequence[Entry]) -> Part:
    """Return the chance that at least one policy lapses, per customer and branch held at X."""
    return _family(room, entries, room.targets.held, "lapse")


def purchases(room: Room, entries: Sequence[Entry]) -> Part:
    """Return the chance that a branch is taken, per customer and branch not held at X."""
    return _family(room, entries, room.targets.eligible, "purchase")


def _family(room: Room, entries: Sequence[Entry], rows: BranchRows, name: str) -> Part:
    began = time.perf_counter()
    months = entries[0].horizon_months or 12
    groups = tuple(entry.branch or "" for entry in entries)
    given = set(rows.frame["as_of"].unique())  # the rows may know fewer dates than the matrix
    dates = [day for day in room.dates(entries[0]) if day in given]
    roles = phases(dates, room.as_of, months, room.targets.gap_days, room.targets.lag_days)
    if not roles.train or rows.frame.is_empty():
        reason = why("nobody") if roles.train else why("too_short", months=months)
        return Part(tuple(unavailable(entry, reason) for entry in entries))

    problem = branch_problem(room.matrix, rows, name, groups)

    def over(shorter: int) -> Problem:
        return problem.with_label(happened_within(rows.frame, "event_date", shorter))

    view = room.view(roles.evidence.test if roles.evidence else None, months)
    outcome = run_problem(problem, roles, room.settings.models, view)
    shorter = shorter_evidence(room, entries[0], dates, over) if roles.evidence is None else None
    seconds = (time.perf_counter() - began) / len(entries)

    def told(found: Outcome) -> tuple[Prediction, ...]:
        return tuple(_prediction(room, entry, code, found, seconds, shorter) for code, entry in enumerate(entries))

    predictions = told(outcome)
    few = [p.key for p in predictions if p.status == "unavailable"]
    branches = pl.DataFrame(
        {
            "customer": problem.customer[outcome.rows],
            "branch": np.array(groups, dtype=object)[problem.group[outcome.rows]].tolist(),
            "probability": outcome.expected,
        },
        schema={"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64},
    ).sort("customer", "branch")
    named = [entry.name_nl for entry in entries if entry.key in few]
    findings = (
        (Finding("AKB-M004", "tip", len(few), len(few) / len(entries), {"names": "; ".join(named)}),) if few else ()
    )
    return Part(
        predictions,
        branches=branches,
        importance=importance_of(f"{name}_{{branch}}_{months}m", outcome.known.model),
        findings=findings,
        files=outcome.known.files(outcome.problem),
        tested=tested(outcome, view, told),
    )


def _prediction(
    room: Room, entry: Entry, code: int, outcome: Outcome, seconds: float, shorter: Shorter | None
) -> Prediction:
    events, least = int(outcome.known.events[code]), room.settings.models.min_events
    population = int((outcome.problem.group[outcome.rows] == code).sum())
    if events < least:
        return unavailable(entry, why("few_events", events=events, least=least))
    if not population:
        return unavailable(entry, why("nobody"))
    return verdict(entry, outcome, code, population=population, seconds=seconds, shorter=shorter)
