"""Who left comes back: one row per (T, former customer) with a small matrix of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl

from akb.features.types import Feature, Matrix
from akb.models.context import Part, Room, some, why
from akb.models.evidence.explain import importance_of
from akb.models.methods.verdict import unavailable, verdict
from akb.models.temporal.problem import customer_problem, happened_within
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import fit_target

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry

HISTORY = 60
"""Months of ended policies from which years of absence and a year of returns can both be seen, twice."""


def winback(room: Room, entry: Entry) -> Part:
    """Return the chance that a former customer starts a new relation within the horizon; scores are of former ones."""
    began = time.perf_counter()
    months, former = entry.horizon_months or 12, room.targets.former
    if room.history.months < HISTORY:
        return Part((unavailable(entry, why("needs_history", months=HISTORY, known=room.history.months)),))
    if former is None or former.frame.filter(pl.col("as_of") == room.as_of).is_empty():
        return Part((unavailable(entry, why("nobody")),))
    seen = sorted(set(former.frame["as_of"].to_list()))
    dates = [day for day in room.dates(entry) if day in seen]
    roles = temporal_splits(dates, room.as_of, months, room.targets.gap_days, room.targets.lag_days)
    if not roles.train:
        return Part((unavailable(entry, why("too_short", months=months)),))
    matrix = Matrix(former.frame, tuple(Feature(name, "former", name, "") for name in former.names))
    problem = customer_problem(matrix, entry.key, "binary", happened_within(former.frame, "event_date", months))
    outcome = fit_target(problem, roles, room.settings.models)
    events, least = int(outcome.model.events.sum()), room.settings.models.min_events
    if events < least:
        return Part((unavailable(entry, why("few_events", events=some(events, room.limit), least=least)),))
    prediction = verdict(
        entry, outcome, population=len(outcome.rows), seconds=time.perf_counter() - began, limit=room.limit
    )
    scores = pl.DataFrame({"customer": problem.customer[outcome.rows], entry.key: outcome.expected})
    return Part(
        (prediction,),
        former=scores.with_columns(pl.col(entry.key).cast(pl.Float32)),
        importance=importance_of(entry.key, outcome.model.model),
        files=outcome.model.files(problem),
    )
