"""Families: one pooled model over (T, customer, branch) rows, a level per branch, evidence per branch."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.findings import Finding
from akb.core.numbers import number_nl
from akb.models.context import Part, Room, some, tested, why
from akb.models.evidence.explain import importance_of
from akb.models.learners.link import from_link
from akb.models.methods.ranking import ranking
from akb.models.methods.verdict import shorter_evidence, unavailable, verdict
from akb.models.temporal.problem import Problem, branch_problem, happened_within
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import fit_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.catalogue.entries import Entry
    from akb.features.types import BranchRows
    from akb.models.methods.verdict import Shorter
    from akb.models.temporal.target import FittedTarget
    from akb.models.types import Prediction


def lapses(room: Room, entries: Sequence[Entry]) -> Part:
    """Return the chance that at least one policy lapses, per customer and branch held at X."""
    return _family(room, entries, room.targets.held, "lapse")


def purchases(room: Room, entries: Sequence[Entry]) -> Part:
    """Return the chance that a branch is taken, per customer and branch open at X, and how well these are ordered."""
    made: list[FittedTarget] = []
    part = _family(room, entries, room.targets.eligible, "purchase", made)
    found = ranking(made[0], room.settings.models.seed) if made else None
    if found is None or part.branches is None:
        return part
    branches, findings = part.branches, part.findings
    if found.delivered == "popularity":
        branches = branches.join(_popular(made[0]), on="branch", how="left", maintain_order="left")
    if found.gain_ci[0] <= 0:
        findings = (*findings, Finding("AKB-M005", "tip", found.customers, params={"gain": number_nl(found.gain, 3)}))
    return replace(part, branches=branches, findings=findings, ranking=found)


def _popular(outcome: FittedTarget) -> pl.DataFrame:
    """Return branch and ``order``: the share of everyone it is open to who takes it."""
    known, groups = outcome.model, outcome.problem.groups
    share = from_link(outcome.problem.objective, known.base + known.flat_shift)
    return pl.DataFrame({"branch": list(groups), "order": share}, schema={"branch": pl.String, "order": pl.Float64})


def _family(
    room: Room, entries: Sequence[Entry], rows: BranchRows, name: str, made: list[FittedTarget] | None = None
) -> Part:
    began = time.perf_counter()
    months = entries[0].horizon_months or 12
    groups = tuple(entry.branch or "" for entry in entries)
    given = set(rows.frame["as_of"].unique())  # the rows may know fewer dates than the matrix
    dates = [day for day in room.dates(entries[0]) if day in given]
    roles = temporal_splits(dates, room.as_of, months, room.targets.gap_days, room.targets.lag_days)
    if not roles.train or rows.frame.is_empty():
        reason = why("nobody") if roles.train else why("too_short", months=months)
        return Part(tuple(unavailable(entry, reason) for entry in entries))

    problem = replace(branch_problem(room.matrix, rows, name, groups), outcome=entries[0].outcome)

    def over(shorter: int) -> Problem:
        return problem.with_label(happened_within(rows.frame, "event_date", shorter))

    view = room.view(roles.test.day if roles.test else None, months)
    outcome = fit_target(problem, roles, room.settings.models, view)
    if made is not None:
        made.append(outcome)
    shorter = shorter_evidence(room, entries[0], dates, over) if roles.test is None else None
    seconds = (time.perf_counter() - began) / len(entries)

    def told(found: FittedTarget) -> tuple[Prediction, ...]:
        return tuple(
            member_prediction(room, entry, code, found, seconds, shorter, rows.seldom.get(groups[code], 0))
            for code, entry in enumerate(entries)
        )

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
        importance=importance_of(f"{name}_{{branch}}_{months}m", outcome.model.model),
        findings=findings,
        files=outcome.model.files(outcome.problem),
        tested=tested(outcome, view, told),
    )


def member_prediction(
    room: Room, entry: Entry, code: int, outcome: FittedTarget, seconds: float, shorter: Shorter | None, seldom: int = 0
) -> Prediction:
    """Return the verdict on one member of a family; with too few events of its own it is unavailable.

    Parameters
    ----------
    seldom
        Events of a member that has too few for rows.
    """
    events, least = max(int(outcome.model.events[code]), seldom), room.settings.models.min_events
    population = int((outcome.problem.group[outcome.rows] == code).sum())
    if events < least:
        return unavailable(entry, why("few_events", events=some(events, room.limit), least=least))
    if not population:
        return unavailable(entry, why("nobody"))
    return verdict(entry, outcome, code, population=population, seconds=seconds, shorter=shorter, limit=room.limit)
