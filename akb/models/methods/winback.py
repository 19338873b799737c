"""Who left comes back: one row per (T, former customer) with a small matrix of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl

from akb.features.types import Feature, Matrix
from akb.models.context import FitContext, MethodResult, some, why
from akb.models.evidence import importance_of
from akb.models.method import method
from akb.models.methods.verdict import prediction_of, unavailable
from akb.models.temporal import customer_problem, fit_target, happened_within

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry

HISTORY = 60
"""Months of ended policies from which years of absence and a year of returns can both be seen,
twice.
"""


@method("winback")
def winback(context: FitContext, entry: Entry) -> MethodResult:
    """Return the chance that a former customer starts a new relation within the horizon; scores are
    of former ones.
    """
    began = time.perf_counter()
    months, former = entry.horizon_months or 12, context.targets.former
    if context.history.months < HISTORY:
        return MethodResult(
            (
                unavailable(
                    entry, why("needs_history", months=HISTORY, known=context.history.months)
                ),
            )
        )
    if former is None or former.frame.filter(pl.col("as_of") == context.as_of).is_empty():
        return MethodResult((unavailable(entry, why("nobody")),))
    seen = sorted(set(former.frame["as_of"].to_list()))
    dates = [day for day in context.dates(entry) if day in seen]
    roles = context.splits(dates, months)
    if not roles.train:
        return MethodResult((unavailable(entry, why("too_short", months=months)),))
    features = tuple(Feature(name, "former", name, "") for name in former.names)
    matrix = Matrix(former.frame, features, context.matrix.identity)
    problem = customer_problem(
        matrix, entry.key, "binary", happened_within(former.frame, "event_date", months)
    )
    fitted = fit_target(problem, roles, context.settings.models)
    events, least = int(fitted.model.events.sum()), context.settings.models.min_events
    if events < least:
        return MethodResult(
            (
                unavailable(
                    entry, why("few_events", events=some(events, context.limit), least=least)
                ),
            )
        )
    prediction = prediction_of(
        entry,
        fitted,
        population=len(fitted.rows),
        seconds=time.perf_counter() - began,
        limit=context.limit,
    )
    scores = pl.DataFrame({"customer": problem.customer[fitted.rows], entry.key: fitted.expected})
    return MethodResult(
        (prediction,),
        former=scores.with_columns(pl.col(entry.key).cast(pl.Float32)),
        importance=importance_of(entry.key, fitted.model.model),
        files=fitted.model.files(problem),
    )
