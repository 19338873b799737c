"""Families: one pooled model over (T, customer, branch) rows, a level per branch, evidence per
branch.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.findings import Finding
from akb.core.wording.phrases import Listed, Rounded, Translated
from akb.models.context import FitContext, MethodResult, some, tested_scores, why
from akb.models.evidence import importance_of
from akb.models.learners import from_link
from akb.models.method import Role, family
from akb.models.methods.ranking import ranking
from akb.models.methods.verdict import prediction_of, shorter_evidence, unavailable
from akb.models.tables import named_rows
from akb.models.temporal import Problem, branch_problem, fit_target, happened_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.catalogue.entries import Entry
    from akb.features.types import BranchRows
    from akb.models.methods.verdict import Shorter
    from akb.models.temporal import FittedTarget
    from akb.models.types import Prediction


@family("family_lapse", role=Role.BRANCH_LAPSE, lifetime=True, cost=5)
def lapses(context: FitContext, entries: Sequence[Entry]) -> MethodResult:
    """Return the chance that at least one policy lapses, per customer and branch held at X."""
    return _family(context, entries, context.targets.held, "lapse")


@family("family_purchase", role=Role.BRANCH_PURCHASE, cost=4)
def purchases(context: FitContext, entries: Sequence[Entry]) -> MethodResult:
    """Return the chance that a branch is taken, per customer and branch open at X, and how well
    these are ordered.
    """
    made: list[FittedTarget] = []
    part = _family(context, entries, context.targets.eligible, "purchase", made)
    found = ranking(made[0], context.settings.models.seed) if made else None
    if found is None or part.branches is None:
        return part
    branches, findings = part.branches, part.findings
    if found.delivered == "popularity":
        branches = branches.join(_popular(made[0]), on="branch", how="left", maintain_order="left")
    if found.gain_ci[0] <= 0:
        findings = (
            *findings,
            Finding("AKB-M005", "tip", found.customers, params={"gain": Rounded(found.gain, 3)}),
        )
    return replace(part, branches=branches, findings=findings, ranking=found)


def _popular(fitted: FittedTarget) -> pl.DataFrame:
    """Return branch and ``order``: the share of everyone it is open to who takes it."""
    known, groups = fitted.model, fitted.problem.groups
    share = from_link(fitted.problem.objective, known.base + known.flat_shift)
    return pl.DataFrame(
        {"branch": list(groups), "order": share}, schema={"branch": pl.String, "order": pl.Float64}
    )


def _family(
    context: FitContext,
    entries: Sequence[Entry],
    rows: BranchRows,
    name: str,
    made: list[FittedTarget] | None = None,
) -> MethodResult:
    began = time.perf_counter()
    months = entries[0].horizon_months or 12
    groups = tuple(entry.branch or "" for entry in entries)
    given = set(rows.frame["as_of"].unique())  # the rows may know fewer dates than the matrix
    dates = [day for day in context.dates(entries[0]) if day in given]
    roles = context.splits(dates, months)
    if not roles.train or rows.frame.is_empty():
        reason = why("nobody") if roles.train else why("too_short", months=months)
        return MethodResult(tuple(unavailable(entry, reason) for entry in entries))

    problem = replace(
        branch_problem(context.matrix, rows, name, groups), outcome=entries[0].outcome
    )

    def over(shorter: int) -> Problem:
        return problem.with_label(happened_within(rows.frame, "event_date", shorter))

    view = context.grouper(roles)
    fitted = fit_target(problem, roles, context.settings.models, view)
    if made is not None:
        made.append(fitted)
    shorter = shorter_evidence(context, entries[0], dates, over) if roles.test is None else None
    seconds = (time.perf_counter() - began) / len(entries)

    def judged(found: FittedTarget) -> tuple[Prediction, ...]:
        return tuple(
            member_prediction(
                context,
                entry,
                code,
                found,
                seconds=seconds,
                shorter=shorter,
                seldom=rows.seldom.get(groups[code], 0),
            )
            for code, entry in enumerate(entries)
        )

    predictions = judged(fitted)
    few = [p.key for p in predictions if p.status == "unavailable"]
    rows_now = fitted.rows
    branches = named_rows(
        problem.customer[rows_now], problem.group[rows_now], groups, fitted.expected
    )
    named = tuple(Translated(entry.name_nl, entry.name_en) for entry in entries if entry.key in few)
    findings = (
        (
            Finding(
                "AKB-M004", "tip", len(few), len(few) / len(entries), {"names": Listed(named, "; ")}
            ),
        )
        if few
        else ()
    )
    return MethodResult(
        predictions,
        branches=branches,
        importance=importance_of(f"{name}_{{branch}}_{months}m", fitted.model.model),
        findings=findings,
        files=fitted.model.files(fitted.problem),
        tested=tested_scores(fitted, view, judged),
    )


def member_prediction(
    context: FitContext,
    entry: Entry,
    code: int,
    fitted: FittedTarget,
    *,
    seconds: float,
    shorter: Shorter | None = None,
    seldom: int = 0,
) -> Prediction:
    """Return the verdict on one member of a family; with too few events of its own it is
    unavailable.

    Parameters
    ----------
    seldom
        Events of a member that has too few for rows.
    """
    events, least = max(int(fitted.model.events[code]), seldom), context.settings.models.min_events
    population = int((fitted.problem.group[fitted.rows] == code).sum())
    if events < least:
        return unavailable(
            entry, why("few_events", events=some(events, context.limit), least=least)
        )
    if not population:
        return unavailable(entry, why("nobody"))
    return prediction_of(
        entry,
        fitted,
        code,
        population=population,
        seconds=seconds,
        shorter=shorter,
        limit=context.limit,
    )
