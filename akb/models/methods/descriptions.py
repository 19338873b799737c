"""``need_{branch}`` and ``churn_effect_{branch}``: what comparable customers hold, and whether
holders leave less.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.wording.reasons import Reason
from akb.models.context import FitContext, MethodResult, why
from akb.models.descriptive import (
    ChurnDifference,
    FollowedPeers,
    Peers,
    churn_difference,
    has_holdings,
    in_own_group,
    need,
)
from akb.models.method import family
from akb.models.methods.verdict import unavailable
from akb.models.temporal import happened_within
from akb.models.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry

LIMIT = 5  # customers under which a share stays hidden where the settings say nothing
EFFECT_FILE = "models/churn_effect.json"
YEARS = 3  # closed years that are compared
MONTHS = 12
EFFECTS = {
    "branch": pl.String,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "holders": pl.Float64,
    "others": pl.Float64,
    "covered": pl.Float64,
    "left": pl.Int64,
}
"""Shares of a year; `comparable.Effect` says what each is."""


@family("need", cost=2)
def needs(context: FitContext, entries: Sequence[Entry]) -> MethodResult:
    """Return per branch the share of comparable customers who hold it, for everyone to whom it is
    open at X.
    """
    began = time.perf_counter()
    branches = _branches(context)
    now = _now(context, branches)
    peers = Peers.of(now, branches)
    limit = context.people.limit if context.people else LIMIT
    columns: dict[str, NDArray[np.float64]] = {}
    for entry in entries:
        if entry.branch in branches:
            columns[entry.key] = need(
                peers, branches.index(entry.branch), _open(context, now, entry.branch), limit
            )
    return _result(entries, now, columns, dict.fromkeys(columns, why("need")), began=began)


@family("churn_effect", cost=1)
def churn_effects(context: FitContext, entries: Sequence[Entry]) -> MethodResult:
    """Return per branch the difference in churn between holders and comparable others, in
    percentage points.
    """
    began = time.perf_counter()
    branches = _branches(context)
    closed = _years(context, entries[0])
    rows = _followed(context, closed) if closed else None
    now = _now(context, branches)
    columns: dict[str, NDArray[np.float64]] = {}
    reasons: dict[str, Reason] = {}
    found: list[dict[str, object]] = []
    cells: dict[str, list[list[float | None]]] = {}
    if rows is not None and rows.any():
        at = rows.arg_true().to_numpy()
        past, today = Peers.among(context.matrix, at, branches), Peers.of(now, branches)
        customer = context.matrix.rows["customer"].gather(at).to_numpy()
        gone = happened_within(context.targets.relation.filter(rows), "end_date", MONTHS) > 0
        for entry in entries:
            if entry.branch not in branches:
                continue
            made = churn_difference(
                FollowedPeers(past, customer, gone),
                today,
                branches.index(entry.branch),
                _open(context, now, entry.branch),
            )
            if made is not None:
                columns[entry.key], reasons[entry.key] = 100 * made.per_customer, _reason(made)
                cells[entry.branch] = [
                    [None if np.isnan(value) else value, *cell]
                    for cell, value in sorted(made.cells.items())
                ]
                found.append(
                    {
                        "branch": entry.branch,
                        **{name: getattr(made, name) for name in list(EFFECTS)[1:]},
                    }
                )
    part = _result(
        entries,
        now,
        columns,
        reasons,
        began=began,
        lacking="too_short" if rows is None else "no_overlap",
    )
    return MethodResult(
        part.predictions,
        part.scores,
        effects=pl.DataFrame(found, schema=EFFECTS),
        files={EFFECT_FILE: (json.dumps({"kind": "cells", "cells": cells}) + "\n").encode()},
    )


def stored_effects(
    context: FitContext, entries: Sequence[Entry], card: Mapping[str, Any]
) -> MethodResult:
    """Return the differences that were found before, for the customers of today."""
    branches = _branches(context)
    now = _now(context, branches)
    today = Peers.of(now, branches)
    columns: dict[str, NDArray[np.float64]] = {}
    for entry in entries:
        if entry.branch in branches and entry.branch in card["cells"]:
            cells = {
                tuple(cell): np.nan if value is None else value
                for value, *cell in card["cells"][entry.branch]
            }
            open_ = _open(context, now, entry.branch)
            columns[entry.key] = 100 * in_own_group(
                cells, today, branches.index(entry.branch), open_
            )
    reasons = dict.fromkeys(columns, why("need"))  # never told: the stored ones are
    return _result(entries, now, columns, reasons, began=time.perf_counter())


def _followed(context: FitContext, closed: list[date]) -> pl.Series:
    """Which rows of these dates were followed for the whole year: not those transferred or
    converted out of sight.
    """
    frame, relation = context.matrix.rows, context.targets.relation
    followed = pl.Series(context.matrix.teaches(frame["customer"].to_numpy()))
    rows = frame["as_of"].is_in(closed) & followed
    if "censored_on" not in relation.columns:
        return rows
    return rows & pl.Series(happened_within(relation, "censored_on", MONTHS) == 0)


def _reason(made: ChurnDifference) -> Reason:
    """The difference with its interval in percentage points, and that it is no cause."""
    return why(
        "churn_effect",
        **{name: 100 * getattr(made, name) for name in ("difference", "low", "high")},
    )


def _years(context: FitContext, entry: Entry) -> list[date]:
    """Return at most three closed dates a year apart, so that no year is counted twice."""
    roles = context.splits(context.dates(entry), MONTHS)
    chosen: list[date] = []
    for day in reversed(roles.train):
        if len(chosen) < YEARS and (not chosen or add_months(day, MONTHS) <= chosen[-1]):
            chosen.append(day)
    return chosen


def _now(context: FitContext, branches: Sequence[str]) -> pl.DataFrame:
    """The customers at X with what makes them comparable."""
    return context.matrix.on(context.as_of, Peers.columns(context.matrix, branches))


def _branches(context: FitContext) -> list[str]:
    """The branches of which the matrix knows who holds them, in its own order."""
    names = [name.removeprefix("n_") for name in context.matrix.names if name.startswith("n_")]
    return [name for name in names if has_holdings(context.matrix, name)]


def _open(context: FitContext, now: pl.DataFrame, branch: str) -> NDArray[np.bool_]:
    """Whom a branch is open to at X."""
    rows = context.targets.eligible.open
    if rows is None:
        return np.zeros(now.height, dtype=np.bool_)
    return (
        now["customer"]
        .is_in(rows.filter(pl.col("branch") == branch)["customer"].implode())
        .to_numpy()
    )


def _result(
    entries: Sequence[Entry],
    now: pl.DataFrame,
    columns: dict[str, NDArray[np.float64]],
    reasons: dict[str, Reason],
    *,
    began: float,
    lacking: str = "nobody",
) -> MethodResult:
    seconds = (time.perf_counter() - began) / len(entries)
    predictions = []
    for entry in entries:
        size = int(np.isfinite(columns[entry.key]).sum()) if entry.key in columns else 0
        if size:
            predictions.append(
                Prediction(
                    entry.key,
                    "derived",
                    reasons[entry.key],
                    entry.horizon_months,
                    size,
                    seconds=seconds,
                )
            )
        else:
            predictions.append(
                unavailable(
                    entry, why("nobody" if entry.key in columns else lacking, months=MONTHS)
                )
            )
    series = [
        pl.Series(prediction.key, columns[prediction.key], dtype=pl.Float32, nan_to_null=True)
        for prediction in predictions
        if prediction.status == "derived"
    ]
    return MethodResult(tuple(predictions), now.select("customer").with_columns(series))
