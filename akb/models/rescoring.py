"""Scores at X from stored models: the rows of X go through the same problems and the same coherence
as when the models were fitted, and nothing is fitted.

What was shown on later data, and so every grade and gate, stays that of the run that fitted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from akb.core.errors import RefusedError
from akb.features.types import Feature, Matrix
from akb.models.churn import (
    Causes,
    ChurnResult,
    Landmarks,
    ages,
    announced_later,
    churn_scores,
    compose,
    fit_lifetime,
    highest,
    survival_frame,
    tenures,
)
from akb.models.coherence import coherent_scores
from akb.models.context import FitContext, MethodResult, why
from akb.models.method import Method, MethodRun
from akb.models.methods.behaviour_files import BehaviourGroups, UnusualChange
from akb.models.methods.descriptions import EFFECT_FILE, needs, stored_effects
from akb.models.methods.single import margin_as_it_is, problem_of
from akb.models.methods.verdict import unavailable
from akb.models.reference import read_reference
from akb.models.run import churn_reasons, former_scores, method_jobs
from akb.models.saved import (
    CAUSE,
    CHURN,
    of_whole,
    saved_causes,
    saved_continuation,
    saved_hazard,
    saved_level,
    score_problem,
)
from akb.models.tables import named_rows, wide
from akb.models.temporal import branch_problem, customer_problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import BranchRows, Targets
    from akb.ingest.types import History
    from akb.models.evidence import People
    from akb.models.temporal import Problem
    from akb.models.types import ModelRun, Prediction

    Files = Mapping[str, bytes]
    Floats = NDArray[np.float64]

_AGAIN = "Run akb eda again: that fits the models anew."


@dataclass(frozen=True)
class StoredModels:
    """The models of a run: their files, and what the run said when they were fitted."""

    files: Files
    run: ModelRun

    def available(self, key: str) -> bool:
        """Whether the run gave this prediction."""
        return any(p.key == key and p.status != "unavailable" for p in self.run.predictions)

    def derived(self, key: str) -> bool:
        """Whether it was worked out, not learned."""
        return any(p.key == key and p.status == "derived" for p in self.run.predictions)


Scorer = Callable[[FitContext, "Sequence[Entry]", StoredModels], MethodResult]


def columns_of(files: Files) -> list[str]:
    """Return the features of customers that stored models expect."""
    known = read_reference(files).spreads.keys()
    asked: set[str] = set()
    for name, content in files.items():
        if name.endswith(".json"):
            asked |= set(json.loads(content).get("columns", ()))
    return sorted(asked & known)


def lacking_features(files: Files, names: Sequence[str]) -> list[str]:
    """Return the columns that stored models expect of customers and a matrix does not have."""
    return sorted(set(columns_of(files)) - set(names))


def score_models(
    matrix: Matrix,
    targets: Targets,
    entries: Sequence[Entry],
    settings: Settings,
    stored: StoredModels,
    *,
    as_of: date,
    history: History,
    people: People | None = None,
) -> ModelRun:
    """Return what stored models say of the customers in force at X.

    Parameters
    ----------
    matrix, targets
        Of X alone, with the branches that the models were taught.
    entries
        The catalogue's entries of this room.

    Raises
    ------
    RefusedError
        If a model was made for columns that the matrix does not have.
    """
    from threadpoolctl import threadpool_limits

    context = FitContext(matrix, targets, settings, as_of, history, lambda words: None, people)
    able = [entry for entry in entries if _can(entry, stored)]
    whole = targets.of_whole_relation()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(settings.models.jobs) as pool:
        entire_job = pool.submit(_churn, context, whole, of_whole(stored.files), stored)
        churn_job = (
            entire_job
            if whole is targets
            else pool.submit(_churn, context, targets, stored.files, stored)
        )
        jobs = [
            pool.submit(_run, context, made, members, stored) for made, members in method_jobs(able)
        ]
        entire, churn = entire_job.result(), churn_job.result()
        runs = [job.result() for job in jobs]
        predictions = {p.key: p for p in stored.run.predictions}
        coherent = coherent_scores(context, runs, churn, entire, predictions)
        reasons = churn_reasons(churn)
    today = tuple(
        predictions.get(entry.key) or unavailable(entry, why("untaught")) for entry in entries
    )
    named = [entry.key for entry in able if entry.key in coherent.scores.columns]
    scores = coherent.scores.select("customer", *named)
    return replace(
        stored.run,
        as_of=as_of,
        scores=scores,
        survival=entire.survival,
        branch_lapse=coherent.lapses,
        branch_purchase=coherent.purchases,
        predictions=tuple(_of_today(each, scores) for each in today),
        winback=former_scores([run.result for run in runs]),
        reasons=reasons,
        files=dict(stored.files),
        standing=targets.eligible.standing,
    )


@dataclass(frozen=True)
class PlainScores:
    """What stored models say of some rows, before anything is made to cohere.

    scores
        customer and a column per key.
    lapses, purchases
        customer, branch, ``probability``.
    """

    scores: pl.DataFrame
    lapses: pl.DataFrame
    purchases: pl.DataFrame


PLAIN_KEYS = ("policy_lapse_any_12m", "cross_sell_any_12m")
"""What is told of one customer beside churn and the branches."""


def plain_scores(
    matrix: Matrix,
    branches: tuple[BranchRows, BranchRows],
    targets: Targets,
    settings: Settings,
    stored: StoredModels,
) -> PlainScores:
    """Return what stored models say of the rows of a matrix of one date, announced ends left alone.

    Parameters
    ----------
    branches
        The held and the eligible rows of its customers.
    targets
        Of the whole portfolio: its gap and what else does not depend on the customer.
    """
    from threadpoolctl import threadpool_limits

    nothing = matrix.rows.with_columns(
        end_date=pl.lit(None, dtype=pl.Date),
        cause=pl.lit(None, dtype=pl.String),
        censored_on=pl.lit(None, dtype=pl.Date),
    )
    quiet = replace(targets, relation=nothing, whole=None, announced=targets.announced.clear())
    history = cast("History", None)  # nothing that is asked here looks at it
    day = matrix.rows["as_of"][0]
    context = FitContext(matrix, quiet, settings, day, history, lambda words: None)
    with threadpool_limits(1, user_api="blas"):
        scores = _churn(context, quiet, of_whole(stored.files), stored).scores
        for key in PLAIN_KEYS:
            if stored.available(key) and f"models/{key}.level.json" in stored.files:
                label = np.zeros(matrix.height, dtype=np.float32)
                problem = customer_problem(matrix, key, "binary", label)
                _, expected = _scored(context, problem, stored.files)
                scores = scores.with_columns(pl.Series(key, expected))
        lapses, purchases = (
            _plain_branches(context, rows, name, stored)
            for rows, name in zip(branches, ("lapse", "purchase"), strict=True)
        )
    return PlainScores(scores, lapses, purchases)


def _plain_branches(
    context: FitContext, rows: BranchRows, name: str, stored: StoredModels
) -> pl.DataFrame:
    if f"models/{name}.level.json" not in stored.files:
        schema = {"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64}
        return pl.DataFrame(schema=schema)
    groups = tuple(saved_level(stored.files, name))
    return _branches(context, rows, name, groups, stored)


def _of_today(prediction: Prediction, scores: pl.DataFrame) -> Prediction:
    """Return a prediction with how many customers have it now."""
    if prediction.key not in scores.columns:
        return prediction
    return replace(prediction, population=scores[prediction.key].drop_nulls().len())


def _can(entry: Entry, stored: StoredModels) -> bool:
    """Whether an entry can be scored; of a family with one model every member that it knows."""
    family = _FAMILIES.get(entry.method)
    if family is None:
        return stored.available(entry.key)
    name, member = family
    if f"models/{name}.level.json" not in stored.files:
        return False
    return (getattr(entry, member) or "") in saved_level(stored.files, name)


_FAMILIES = {
    "family_lapse": ("lapse", "branch"),
    "family_purchase": ("purchase", "branch"),
    "family_topic": ("topic", "topic"),
}
"""Method -> the name of its model, and what an entry calls its group."""


def _run(
    context: FitContext, made: Method, entries: tuple[Entry, ...], stored: StoredModels
) -> MethodRun:
    scorer = _SCORERS.get(made.name)
    if scorer is None:
        raise RefusedError(f"this akb cannot score {entries[0].key} with stored models", _AGAIN)
    return MethodRun(made.role_of(entries[0]), entries, scorer(context, entries, stored))


def _churn(
    context: FitContext, targets: Targets, files: Files, stored: StoredModels
) -> ChurnResult:
    landmarks = Landmarks(context.matrix, targets, context.people)
    now = landmarks.rows_of(len(landmarks.dates) - 1)
    if f"{CHURN}.level.json" not in files:
        return _no_churn(landmarks, now, stored)
    hazard, lean = saved_hazard(files, landmarks)
    hazard = replace(hazard, day=context.as_of)  # what is announced counts from here
    split = None
    if f"{CAUSE}.json" in files:
        model, narrow = saved_causes(files, landmarks)
        split = Causes(model, np.empty(0), 0, 0, narrow.names).split(narrow, now)
    composed = compose(lean, targets, hazard, split, now)
    horizon = context.settings.models.lifetime_horizon_years
    lifetime = fit_lifetime(
        saved_continuation(files),
        composed.by_cause,
        tenure_years=tenures(landmarks, now),
        age=ages(landmarks, now),
        horizon_years=horizon,
        certain=announced_later(
            targets.announced, composed.customers, context.as_of, composed.lag, horizon
        ),
    )
    scores = churn_scores(composed, lifetime, causes=split is not None, peak=hazard.name != "rate")
    explained = highest(scores)
    return ChurnResult(
        scores=scores,
        survival=survival_frame(composed.customers, lifetime),
        curve=stored.run.curve,
        predictions={},
        hazard=hazard,
        names=lean.names + lean.lag_names,
        explained=explained,
        x=lean.design(now[explained], composed.peak[explained]),
    )


def _no_churn(landmarks: Landmarks, now: NDArray[np.int64], stored: StoredModels) -> ChurnResult:
    customers = pl.DataFrame({"customer": landmarks.customer[now]})
    return ChurnResult(customers, stored.run.survival.clear(), stored.run.curve, {})


def _scored(
    context: FitContext, problem: Problem, files: Files
) -> tuple[NDArray[np.int64], Floats]:
    rows = problem.rows_on([context.as_of])
    return rows, score_problem(files, problem, rows)


def _single(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    (entry,) = entries
    if entry.method == "margin" and stored.derived(entry.key):
        return margin_as_it_is(context, entry)
    problem = problem_of(context, entry)
    if problem is None:
        raise RefusedError(f"this export no longer counts what {entry.key} is about", _AGAIN)
    rows, expected = _scored(context, problem, stored.files)
    return MethodResult((), pl.DataFrame({"customer": problem.customer[rows], entry.key: expected}))


def _branches(
    context: FitContext, rows: BranchRows, name: str, groups: tuple[str, ...], stored: StoredModels
) -> pl.DataFrame:
    problem = branch_problem(context.matrix, rows, name, groups)
    at, expected = _scored(context, problem, stored.files)
    return named_rows(problem.customer[at], problem.group[at], groups, expected)


def _lapses(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    groups = tuple(entry.branch or "" for entry in entries)
    return MethodResult(
        (), branches=_branches(context, context.targets.held, "lapse", groups, stored)
    )


def _purchases(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    groups = tuple(entry.branch or "" for entry in entries)
    branches = _branches(context, context.targets.eligible, "purchase", groups, stored)
    ranking = stored.run.ranking
    if ranking is not None and ranking.delivered == "popularity":
        level = saved_level(stored.files, "purchase")
        share = {name: float(level[name]["rate"]) for name in groups}
        order = pl.DataFrame(
            {"branch": list(share), "order": list(share.values())},
            schema={"branch": pl.String, "order": pl.Float64},
        )
        branches = branches.join(order, on="branch", how="left", maintain_order="left")
    return MethodResult((), branches=branches)


def _topics(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    rows, names = context.targets.topics, tuple(entry.topic or "" for entry in entries)
    if rows is None:
        raise RefusedError("this export has no contacts, and the models expect them", _AGAIN)
    chances = _branches(context, rows, "topic", names, stored)
    keys = {entry.topic or "": entry.key for entry in entries if stored.available(entry.key)}
    return MethodResult((), wide(chances, keys))


def _channel(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    (entry,) = entries
    rows = context.targets.channels
    if rows is None:
        raise RefusedError("this export has no contacts, and the models expect them", _AGAIN)
    known = set(saved_level(stored.files, entry.key))
    names = tuple(sorted(set(rows.frame["branch"].unique()) & known))
    chances = _branches(context, rows, entry.key, names, stored)
    best = (
        chances.sort("customer", "probability", "branch", descending=[False, True, False])
        .unique("customer", keep="first", maintain_order=True)
        .select("customer", pl.col("branch").alias(entry.key))
    )
    return MethodResult((), classes=best)


def _winback(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    (entry,) = entries
    former = context.targets.former
    if former is None or former.frame.is_empty():
        return MethodResult(())
    matrix = Matrix(former.frame, tuple(Feature(name, "former", name, "") for name in former.names))
    label = np.zeros(former.frame.height, dtype=np.float32)
    problem = customer_problem(matrix, entry.key, "binary", label)
    rows, expected = _scored(context, problem, stored.files)
    scores = pl.DataFrame({"customer": problem.customer[rows], entry.key: expected})
    return MethodResult((), former=scores.with_columns(pl.col(entry.key).cast(pl.Float32)))


def _effects(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    known = [entry for entry in entries if stored.available(entry.key)]
    made = stored_effects(context, known, json.loads(_file(stored, EFFECT_FILE)))
    return replace(made, predictions=())


def _needs(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    return replace(needs(context, entries), predictions=())


def _today(context: FitContext, names: Sequence[str]) -> pl.DataFrame:
    return context.matrix.on(context.as_of, names)


def _groups(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    (entry,) = entries
    groups = BehaviourGroups.read(json.loads(_file(stored, f"models/{entry.key}.json")))
    frame = _today(context, groups.names)
    classes = pl.Series(entry.key, groups.classes(frame))
    return MethodResult((), classes=frame.select("customer", classes))


def _unusual(context: FitContext, entries: Sequence[Entry], stored: StoredModels) -> MethodResult:
    (entry,) = entries
    stem = f"models/{entry.key}"
    change = UnusualChange.read(
        json.loads(_file(stored, f"{stem}.json")), _file(stored, f"{stem}.trees.parquet")
    )
    frame = _today(context, change.names)
    return MethodResult((), frame.select("customer", pl.Series(entry.key, change.rank(frame))))


def _file(stored: StoredModels, name: str) -> bytes:
    if name not in stored.files:
        raise RefusedError(f"{name} is not among the saved models", _AGAIN)
    return stored.files[name]


_SCORERS: dict[str, Scorer] = {
    **dict.fromkeys(("binary", "count", "events", "margin"), _single),
    "family_lapse": _lapses,
    "family_purchase": _purchases,
    "family_topic": _topics,
    "channel": _channel,
    "winback": _winback,
    "need": _needs,
    "churn_effect": _effects,
    "cluster": _groups,
    "unusual": _unusual,
}
