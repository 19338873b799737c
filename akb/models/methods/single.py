"""Targets with one row per customer: a chance (`binary`) or a count (`count`)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.context import Part, Room, tested, why
from akb.models.evidence.explain import importance_of
from akb.models.methods.lean import SERVICE, frugal, lean
from akb.models.methods.verdict import shorter_evidence, unavailable, verdict
from akb.models.temporal.probe import probe_of
from akb.models.temporal.problem import Problem, customer_problem, happened_within
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import fit_target
from akb.models.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.catalogue.entries import Entry
    from akb.models.temporal.target import FittedTarget


def binary(room: Room, entry: Entry) -> Part:
    """Return the chance that the date named by the entry's target falls within its horizon."""

    def over(months: int) -> Problem:
        counts = room.targets.counts
        label = happened_within(counts, entry.target, months)
        problem = customer_problem(room.matrix, entry.key, "binary", label)
        asked = f"{entry.target}_possible"
        return problem.among(counts[asked].to_numpy()) if asked in counts.columns else problem

    return _part(room, entry, over, spare=entry.spare)


def count(room: Room, entry: Entry) -> Part:
    """Return the expected number that the entry's target counts."""
    return _part(room, entry, lambda months: _counted(room, entry, months))


def events(room: Room, entry: Entry) -> Part:
    """Return the expected number of contacts or claims: leavers have theirs until they leave."""

    def over(months: int) -> Problem | None:
        problem = _counted(room, entry, months)
        return None if problem is None else lean(problem, room.matrix, SERVICE)

    return replace(_part(room, entry, over, spare=True), agrees=False)


def margin(room: Room, entry: Entry) -> Part:
    """Return the chance that the realised margin falls on one side: learned where events are counted, else derived.

    Derived is what the yearly margin as of X says by itself, a chance of 0 or 1, without evidence.
    """
    counts = room.targets.counts
    if f"{entry.target}_possible" in counts.columns and room.dates(entry):

        def over(months: int) -> Problem:
            label = happened_within(counts, entry.target, months)
            problem = customer_problem(room.matrix, entry.key, "binary", label)
            stands = counts["margin_now"].fill_null(np.nan).to_numpy() if "margin_now" in counts.columns else None
            asked = replace(problem, standing=stands).among(counts[f"{entry.target}_possible"].to_numpy())
            return lean(asked, room.matrix, SERVICE)

        part = _part(room, entry, over, spare=True)
        if part.scores is not None:
            return replace(part, agrees=False)
    now = f"{entry.target}_now"
    if now not in counts.columns:
        return Part((unavailable(entry, why("nobody")),))
    scores = counts.filter(pl.col("as_of") == room.as_of).select("customer", pl.col(now).cast(pl.Float64))
    scores = scores.drop_nulls().rename({now: entry.key}).sort("customer")
    if scores.is_empty():
        return Part((unavailable(entry, why("nobody")),))
    made = Prediction(entry.key, "derived", why("margin_derived"), entry.horizon_months, scores.height)
    return Part((made,), scores, agrees=False)


def _counted(room: Room, entry: Entry, months: int) -> Problem | None:
    """What is counted within so many months; None where only a year was counted."""
    counts = room.targets.counts
    column = f"{entry.target.removesuffix(f'_{entry.horizon_months}m')}_{months}m"
    if column not in counts.columns:
        return None
    problem = customer_problem(room.matrix, entry.key, "poisson", counts[column].fill_null(0.0).to_numpy())
    asked = f"{entry.target}_possible"
    return problem.among(counts[asked].to_numpy()) if asked in counts.columns else problem


def _part(room: Room, entry: Entry, over: Callable[[int], Problem | None], *, spare: bool = False) -> Part:
    began = time.perf_counter()
    months = entry.horizon_months or 12
    settings = frugal(room.settings.models) if spare else room.settings.models
    roles = temporal_splits(room.dates(entry), room.as_of, months, room.targets.gap_days, room.targets.lag_days)

    def asking(horizon: int) -> Problem | None:
        asked = over(horizon)
        return None if asked is None else replace(asked, outcome=entry.outcome)

    problem = asking(months) if roles.train else None
    if problem is None:
        return Part((unavailable(entry, why("too_short", months=months)),))
    view = room.view(roles.test.day if roles.test else None, months)
    outcome = fit_target(problem, roles, settings, view)
    if not outcome.model.events.sum():
        return Part((unavailable(entry, why("few_events", events=0, least=room.settings.models.min_events)),))
    shorter = None
    if roles.test is None:
        shorter = shorter_evidence(room, entry, room.dates(entry), asking)
    seconds = time.perf_counter() - began

    def told(found: FittedTarget) -> tuple[Prediction, ...]:
        made = verdict(entry, found, population=len(found.rows), seconds=seconds, shorter=shorter, limit=room.limit)
        return (made,)

    scores = pl.DataFrame({"customer": problem.customer[outcome.rows], entry.key: outcome.expected})
    return Part(
        told(outcome),
        scores,
        importance=importance_of(entry.key, outcome.model.model),
        files=outcome.model.files(outcome.problem),
        tested=tested(outcome, view, told),
        probe=probe_of(entry.key, outcome) if entry.determinants else None,
    )
