"""Targets with one row per customer: a chance (`binary`) or a count (`count`)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.context import FitContext, MethodResult, tested_scores, why
from akb.models.evidence import importance_of
from akb.models.method import Role, method
from akb.models.methods.lean import SERVICE, frugal, lean
from akb.models.methods.verdict import prediction_of, shorter_evidence, unavailable
from akb.models.temporal import Problem, customer_problem, fit_target, happened_within, probe_of
from akb.models.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.catalogue.entries import Entry
    from akb.models.temporal import FittedTarget


BINARY_ROLES = {
    "first_lapse": Role.ANY_LAPSE,
    "first_purchase": Role.ANY_PURCHASE,
    "first_nonpayment": Role.NONPAYMENT,
}


@method("binary", role=Role.STAYER, by_target=BINARY_ROLES)
def binary(context: FitContext, entry: Entry) -> MethodResult:
    """Return the chance that the date named by the entry's target falls within its horizon."""

    return _result(
        context, entry, lambda months: _happens(context, entry, months), spare=entry.spare
    )


@method("count", role=Role.STAYER, by_target={"lapses_12m": Role.LAPSES})
def count(context: FitContext, entry: Entry) -> MethodResult:
    """Return the expected number that the entry's target counts."""
    return _result(context, entry, lambda months: _counted(context, entry, months))


@method("events")
def events(context: FitContext, entry: Entry) -> MethodResult:
    """Return the expected number of contacts or claims: leavers have theirs until they leave."""

    return _result(context, entry, lambda months: _service(context, entry, months), spare=True)


@method("margin")
def margin(context: FitContext, entry: Entry) -> MethodResult:
    """Return the chance that the realised margin falls on one side: learned where events are
    counted, else derived.

    Derived is what the yearly margin as of X says by itself, a chance of 0 or 1, without evidence.
    """
    counts = context.targets.counts
    if f"{entry.target}_possible" in counts.columns and context.dates(entry):
        part = _result(
            context, entry, lambda months: _on_one_side(context, entry, months), spare=True
        )
        if part.scores is not None:
            return part
    return margin_as_it_is(context, entry)


def margin_as_it_is(context: FitContext, entry: Entry) -> MethodResult:
    """Return on which side of the line the yearly margin as of X stands."""
    counts = context.targets.counts
    now = f"{entry.target}_now"
    if now not in counts.columns:
        return MethodResult((unavailable(entry, why("nobody")),))
    scores = counts.filter(pl.col("as_of") == context.as_of).select(
        "customer", pl.col(now).cast(pl.Float64)
    )
    scores = scores.drop_nulls().rename({now: entry.key}).sort("customer")
    if scores.is_empty():
        return MethodResult((unavailable(entry, why("nobody")),))
    made = Prediction(
        entry.key, "derived", why("margin_derived"), entry.horizon_months, scores.height
    )
    return MethodResult((made,), scores)


def problem_of(context: FitContext, entry: Entry) -> Problem | None:
    """Return the rows of an entry over its own horizon, as its fit asks for them."""
    return _PROBLEMS[entry.method](context, entry, entry.horizon_months or 12)


def _happens(context: FitContext, entry: Entry, months: int) -> Problem:
    counts = context.targets.counts
    label = happened_within(counts, entry.target, months)
    problem = customer_problem(context.matrix, entry.key, "binary", label)
    asked = f"{entry.target}_possible"
    return problem.among(counts[asked].to_numpy()) if asked in counts.columns else problem


def _service(context: FitContext, entry: Entry, months: int) -> Problem | None:
    problem = _counted(context, entry, months)
    return None if problem is None else lean(problem, context.matrix, SERVICE)


def _on_one_side(context: FitContext, entry: Entry, months: int) -> Problem:
    counts = context.targets.counts
    label = happened_within(counts, entry.target, months)
    problem = customer_problem(context.matrix, entry.key, "binary", label)
    stands = (
        counts["margin_now"].fill_null(np.nan).to_numpy()
        if "margin_now" in counts.columns
        else None
    )
    asked = replace(problem, standing=stands).among(counts[f"{entry.target}_possible"].to_numpy())
    return lean(asked, context.matrix, SERVICE)


def _counted(context: FitContext, entry: Entry, months: int) -> Problem | None:
    """What is counted within so many months; None where only a year was counted."""
    counts = context.targets.counts
    column = f"{entry.target.removesuffix(f'_{entry.horizon_months}m')}_{months}m"
    if column not in counts.columns:
        return None
    problem = customer_problem(
        context.matrix, entry.key, "poisson", counts[column].fill_null(0.0).to_numpy()
    )
    asked = f"{entry.target}_possible"
    return problem.among(counts[asked].to_numpy()) if asked in counts.columns else problem


_PROBLEMS: dict[str, Callable[[FitContext, Entry, int], Problem | None]] = {
    "binary": _happens,
    "count": _counted,
    "events": _service,
    "margin": _on_one_side,
}


def _result(
    context: FitContext, entry: Entry, over: Callable[[int], Problem | None], *, spare: bool = False
) -> MethodResult:
    began = time.perf_counter()
    months = entry.horizon_months or 12
    settings = frugal(context.settings.models) if spare else context.settings.models
    roles = context.splits(context.dates(entry), months)

    def asking(horizon: int) -> Problem | None:
        asked = over(horizon)
        return None if asked is None else replace(asked, outcome=entry.outcome)

    problem = asking(months) if roles.train else None
    if problem is None:
        return MethodResult((unavailable(entry, why("too_short", months=months)),))
    view = context.grouper(roles)
    fitted = fit_target(problem, roles, settings, view)
    if not fitted.model.events.sum():
        return MethodResult(
            (
                unavailable(
                    entry, why("few_events", events=0, least=context.settings.models.min_events)
                ),
            )
        )
    shorter = None
    if roles.test is None:
        shorter = shorter_evidence(context, entry, context.dates(entry), asking)
    seconds = time.perf_counter() - began

    def judged(found: FittedTarget) -> tuple[Prediction, ...]:
        made = prediction_of(
            entry,
            found,
            population=len(found.rows),
            seconds=seconds,
            shorter=shorter,
            limit=context.limit,
        )
        return (made,)

    scores = pl.DataFrame({"customer": problem.customer[fitted.rows], entry.key: fitted.expected})
    return MethodResult(
        judged(fitted),
        scores,
        importance=importance_of(entry.key, fitted.model.model),
        files=fitted.model.files(fitted.problem),
        tested=tested_scores(fitted, view, judged),
        probe=probe_of(entry.key, fitted) if entry.determinants else None,
    )
