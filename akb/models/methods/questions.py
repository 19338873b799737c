"""What a customer will ask (a chance per topic) and by which channel contact with him takes place
(a class).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.context import FitContext, MethodResult, some, why
from akb.models.evidence import binary_evidence, importance_of
from akb.models.method import family, method
from akb.models.methods.families import member_prediction
from akb.models.methods.lean import BEHAVIOUR, frugal, lean
from akb.models.methods.verdict import prediction_of, unavailable
from akb.models.tables import named_rows, wide
from akb.models.temporal import branch_problem, day_number, fit_target
from akb.models.types import DateResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.catalogue.entries import Entry
    from akb.features.types import BranchRows
    from akb.models.temporal import FittedTarget, Problem, TemporalSplits
    from akb.models.types import Evidence

CHANNEL_MONTHS = 6
"""How far ahead the next contact is looked for; the entry itself has no horizon: a channel is for
now.
"""


@family("family_topic", cost=3)
def topics(context: FitContext, entries: Sequence[Entry]) -> MethodResult:
    """Return the chance of a contact about each topic: one model over (T, customer, topic), a level
    per topic.
    """
    began = time.perf_counter()
    rows, names = context.targets.topics, tuple(entry.topic or "" for entry in entries)
    months = entries[0].horizon_months or 3
    made = _asked(context, rows, months)
    if rows is None or made is None:
        return MethodResult(
            tuple(unavailable(entry, why("too_short", months=months)) for entry in entries)
        )
    problem = lean(
        branch_problem(context.matrix, rows, "topic", names), context.matrix, BEHAVIOUR, rows.names
    )
    view = context.grouper(made)
    fitted = fit_target(problem, made, frugal(context.settings.models), view)
    seconds = (time.perf_counter() - began) / len(entries)
    predictions = tuple(
        member_prediction(context, entry, code, fitted, seconds=seconds)
        for code, entry in enumerate(entries)
    )
    keys = {entry.topic or "": entry.key for entry in entries}
    few = {made.key for made in predictions if made.status == "unavailable"}
    scores = wide(
        _chances(fitted, names), {name: key for name, key in keys.items() if key not in few}
    )
    return MethodResult(
        predictions,
        scores,
        importance=importance_of(f"topic_{{topic}}_{30 * months}d", fitted.model.model),
        files=fitted.model.files(fitted.problem),
    )


@method("channel")
def channel(context: FitContext, entry: Entry) -> MethodResult:
    """Return the channel by which the next contact most likely takes place."""
    began = time.perf_counter()
    rows = context.targets.channels
    roles = _asked(context, rows, CHANNEL_MONTHS)
    if rows is None or roles is None:
        return MethodResult((unavailable(entry, why("too_short", months=CHANNEL_MONTHS)),))
    names = tuple(sorted(set(rows.frame["branch"].unique())))
    now = rows.frame["as_of"] == context.as_of
    problem = lean(
        branch_problem(context.matrix, rows, entry.key, names),
        context.matrix,
        BEHAVIOUR,
        rows.names,
    )
    problem = problem.among((rows.frame["asked"] | now).to_numpy())
    fitted = fit_target(problem, roles, frugal(context.settings.models))
    events, least = int(fitted.model.events.sum()), context.settings.models.min_events
    if events < least:
        return MethodResult(
            (
                unavailable(
                    entry, why("few_events", events=some(events, context.limit), least=least)
                ),
            )
        )
    chances = _chances(fitted, names)
    best = (
        chances.sort("customer", "probability", "branch", descending=[False, True, False])
        .unique("customer", keep="first", maintain_order=True)
        .select("customer", pl.col("branch").alias(entry.key))
    )
    together = _together(fitted)
    as_class = replace(fitted, evidence=(together,) * len(names))
    most = int(np.argmax(fitted.model.events))
    made = prediction_of(
        entry,
        as_class,
        most,
        population=best.height,
        seconds=time.perf_counter() - began,
        limit=context.limit,
    )
    return MethodResult(
        (replace(made, pooled_weight=None),),
        classes=best,
        importance=importance_of(entry.key, fitted.model.model),
        files=fitted.model.files(fitted.problem),
    )


def _asked(context: FitContext, rows: BranchRows | None, months: int) -> TemporalSplits | None:
    """Return the roles of the dates that the rows know; None where nothing is closed."""
    if rows is None or rows.frame.is_empty():
        return None
    dates = sorted(set(rows.frame["as_of"].to_list()))
    roles = context.splits(dates, months)
    return roles if roles.train and day_number(context.as_of) == day_number(dates[-1]) else None


def _chances(fitted: FittedTarget, names: tuple[str, ...]) -> pl.DataFrame:
    problem: Problem = fitted.problem
    at = fitted.rows
    return named_rows(problem.customer[at], problem.group[at], names, fitted.expected)


def _together(fitted: FittedTarget) -> Evidence | None:
    """Return the evidence of a class: ranks within each channel, weighted by its events; gain on
    the channels' shares.

    An AUC over all rows would praise the model for knowing that people telephone more than they
    visit. The mean of the intervals is no narrower than that of independent channels would be.
    """
    test, expected = fitted.holdout, fitted.tested
    known = [
        each
        for each in fitted.evidence
        if each is not None and each.auc is not None and each.auc_ci is not None
    ]
    if test is None or expected is None or not known:
        return None
    label = test.problem.label[test.rows].astype(np.float64)
    weight = np.array([each.positives for each in known])
    weight /= weight.sum()

    def mean(values: Sequence[float | None]) -> float:
        return float(weight @ np.array([0.5 if value is None else value for value in values]))

    auc = mean([each.auc for each in known])
    ci = tuple(mean([each.auc_ci[side] for each in known if each.auc_ci]) for side in (0, 1))
    # both dates in the order of `known`, where all channels were judged on both
    dates = [each.by_date for each in known]
    depth = min(len(by_date) for by_date in dates)
    asked = len(np.unique(test.problem.customer[test.rows]))
    by_date = tuple(
        DateResult(
            dates[0][at].day,
            dates[0][at].population,
            float(sum(by_date[at].positives for by_date in dates)),
            mean([by_date[at].auc for by_date in dates]),
        )
        for at in range(depth)
    )
    found = binary_evidence(
        label,
        expected,
        test.problem.customer[test.rows],
        test_date=test.test_date,
        train_dates=test.train_dates,
        train_rows=test.model.rows,
        between_year=test.model.between_year,
    )
    base = float(((label - test.rate) ** 2).sum())
    return replace(
        found,
        population=asked,
        base_rate=None,
        auc=auc,
        auc_ci=(float(ci[0]), float(ci[1])),
        average_precision=None,
        average_precision_ci=None,
        lift_top_decile=None,
        precision_top_decile=None,
        precision_ci=None,
        brier_skill=1 - float(((label - expected) ** 2).sum()) / base if base > 0 else None,
        decile_table=(),
        by_date=by_date,
        events=asked,
    )
