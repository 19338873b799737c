"""Saved models brought back to life: the same files score the same rows to the same bytes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.errors import RefusedError
from akb.models.churn import CauseTrees, Continuation, Hazard, Multinomial, Shares
from akb.models.learners import Boosted, Logistic, Rate, Rule, Spline
from akb.models.temporal import BRANCH, CalibratedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from akb.models.churn import CauseModel, Landmarks
    from akb.models.learners.boosting import BoostingObjective
    from akb.models.temporal import Problem

    Floats = NDArray[np.float64]
    Files = Mapping[str, bytes]

CHURN, CAUSE = "models/churn", "models/churn_cause"
WHOLE = "models/whole_"  # churn of the whole relation, where [churn] definition is another one
COLUMNS = "models/features.parquet"


def saved_model(files: Files, stem: str) -> tuple[Any, tuple[str, ...]]:
    """Return the model under ``<stem>.json`` (and ``.txt``) and the columns that it expects, in
    order.

    Raises
    ------
    RefusedError
        If it is missing or of a kind that this version does not know.
    """
    card = _json(files, f"{stem}.json")
    if card.get("kind") == "own":
        raise RefusedError(
            f"{stem}.json is the candidate '{card.get('candidate')}', whose state no run keeps",
            "Run akb eda again where it is installed.",
        )
    read = _KINDS.get(str(card.get("kind")))
    if read is None:
        raise RefusedError(f"{stem}.json holds no model that this akb knows", "Run akb eda again.")
    columns = tuple(str(name) for name in card.get("columns", ()))
    return read(card, columns, files.get(f"{stem}.txt", b"").decode()), columns


def _json(files: Files, name: str) -> dict[str, Any]:
    if name not in files:
        raise RefusedError(f"{name} is not among the saved models", "Run akb eda again.")
    card: dict[str, Any] = json.loads(files[name])
    return card


@lru_cache(maxsize=128)
def _boosted(text: str, columns: tuple[str, ...], objective: BoostingObjective) -> Boosted:
    """The trees, read once: who is asked about one customer after the other waits for nothing."""
    return Boosted(text, columns, objective)


def _logistic(card: dict[str, Any], columns: tuple[str, ...], text: str) -> Logistic:
    splines = tuple(
        Spline(
            columns.index(each["feature"]),
            each["low"],
            each["high"],
            tuple(each["knots"]),
            each["fill"],
        )
        for each in card["splines"]
    )
    centre, scale, coefficients = (
        np.array(card[name]) for name in ("centre", "scale", "coefficients")
    )
    slope, intercept = card["offset_slope"], card["intercept"]
    return Logistic(
        card["objective"], columns, splines, centre, scale, coefficients, slope, intercept
    )


def _rule(card: dict[str, Any], columns: tuple[str, ...], text: str) -> Rule:
    position = columns.index(card["feature"])
    edges, ratios = tuple(card["edges"]), tuple(card["ratios"])
    return Rule(card["objective"], card["feature"], position, edges, ratios, columns)


def _multinomial(card: dict[str, Any], columns: tuple[str, ...], text: str) -> Multinomial:
    centre, scale, weight, intercept = (
        np.array(card[name]) for name in ("centre", "scale", "weight", "intercept")
    )
    return Multinomial(centre, scale, weight, intercept, columns)


_KINDS: dict[str, Callable[[dict[str, Any], tuple[str, ...], str], Any]] = {
    "lightgbm": lambda card, columns, text: _boosted(text, columns, card["objective"]),
    "logistic": _logistic,
    "rule": _rule,
    "rate": lambda card, columns, text: Rate(card["objective"]),
    "shares": lambda card, columns, text: Shares(np.array(card["shares"])),
    "multinomial": _multinomial,
}


def saved_hazard(files: Files, landmarks: Landmarks) -> tuple[Hazard, Landmarks]:
    """Return the churn hazard, and the person-months with the columns that it expects.

    ``hazard.monthly(lean, rows)`` then gives the hazards that the run gave before announced ends
    were taken in.
    """
    model, columns = saved_model(files, CHURN)
    level = _json(files, f"{CHURN}.level.json")
    hazard = Hazard(
        name=level["winner"],
        model=model,
        offset=np.array(level["offset"]),
        shift=np.array(level["shift"]),
        day=date.fromisoformat(level["day"]),
        rows=level["rows"],
        train_dates=tuple(date.fromisoformat(day) for day in level["train_dates"]),
    )
    return hazard, landmarks.with_columns(columns) if columns else landmarks


def saved_causes(files: Files, landmarks: Landmarks) -> tuple[CauseModel, Landmarks]:
    """Return the model of P(cause | end), and the person-months with the columns that it
    expects.
    """
    model, columns = saved_model(files, CAUSE)
    made: CauseModel = CauseTrees(model) if isinstance(model, Boosted) else model
    return made, landmarks.with_columns(columns) if columns else landmarks


def saved_continuation(files: Files) -> Continuation:
    """Return what is known of the years after the first."""
    kept = _json(files, f"{CHURN}.level.json")["lifetime"]
    by_age = kept["by_age"]
    return Continuation(
        kept["attenuation"],
        None,
        np.array(kept["by_tenure"]),
        None if by_age is None else np.array(by_age),
    )


def apart(files: Files) -> dict[str, bytes]:
    """Return the churn models of the whole relation under names of their own."""
    return {name.replace("models/", WHOLE, 1): content for name, content in files.items()}


def of_whole(files: Files) -> Files:
    """Return the files under which the churn models of the whole relation are found: those that
    `apart` named, else all.
    """
    own = {name: content for name, content in files.items() if name.startswith(WHOLE)}
    return {name.replace(WHOLE, "models/", 1): data for name, data in own.items()} or files


def with_level(files: Files, factor: float) -> dict[str, bytes]:
    """Return stored models whose hazard of ending is a factor times what it was: of relations, of
    policies per branch and of any policy. The order of customers stays, causes keep their shares.
    """
    changed = dict(files)
    for name in (name for name in files if name.endswith(".level.json")):
        stem = name.removesuffix(".level.json").rpartition("/")[2]
        card = json.loads(files[name])
        if stem == CHURN.rpartition("/")[2]:
            card["shift"] = [each + log(factor) for each in card["shift"]]  # monthly: rare
        elif stem in _ENDS:
            for group in card["level"].values():
                group["shift"] += _moved(float(group["rate"]), factor)
        elif stem in _COUNTED:
            for group in card["level"].values():
                group["shift"] += log(factor)
        else:
            continue
        changed[name] = json.dumps(card, sort_keys=True).encode()
    return changed


_ENDS, _COUNTED = ("lapse", "policy_lapse_any_12m"), ("policies_lost_12m",)


def _moved(rate: float, factor: float) -> float:
    """The shift of the log-odds that brings a yearly chance to a factor times its hazard."""
    rate = min(max(rate, 1e-6), 1 - 1e-6)
    more = min(1 - (1 - rate) ** factor, 1 - 1e-6)
    return log(more / (1 - more)) - log(rate / (1 - rate))


def saved_level(files: Files, name: str) -> dict[str, dict[str, Any]]:
    """Return the level per group of a target: base and shift on the link scale, and whether it is
    flat.
    """
    level: dict[str, dict[str, Any]] = _json(files, f"models/{name}.level.json")["level"]
    return level


def score_problem(files: Files, problem: Problem, rows: NDArray[np.int64]) -> Floats:
    """Return the chance or expected count per row, as the run gave it before the predictions were
    made to cohere.

    Parameters
    ----------
    problem
        The rows to score, under the name and with the groups of the run; outcomes are not looked
        at.
    """
    stem = f"models/{problem.name}"
    model, columns = saved_model(files, stem)
    level = saved_level(files, problem.name)
    lacking = {*columns} - {*problem.names, BRANCH}
    groups = [level.get(name or problem.name, {}) for name in problem.groups]
    if lacking or not all(groups):
        raise RefusedError(f"{stem} was made for other columns or branches", "Run akb eda again.")
    if isinstance(model, (Logistic, Rule)):  # of millions of rows the others are not gathered
        model = model.narrowed()
        columns = model.names
    base, shift = (np.array([group[name] for group in groups]) for name in ("base", "shift"))
    known = CalibratedModel(
        model=model,
        base=base,
        shift=shift,
        flat_shift=shift,
        flat=np.array([group["flat"] for group in groups], dtype=np.bool_),
        events=np.zeros(len(groups), dtype=np.int64),
        pooled_weight=np.zeros(len(groups)),
        rows=0,
        between_year=0.0,
    )
    return known.predict(replace(problem, names=columns or problem.names), rows)


def feature_table(files: Files) -> bytes:
    """Return which columns each model expects, in order, as Parquet: model, position, feature."""
    import polars as pl

    rows = [
        (name.removeprefix("models/").removesuffix(".json"), position, column)
        for name, content in sorted(files.items())
        if name.endswith(".json")
        for position, column in enumerate(json.loads(content).get("columns", ()))
    ]
    schema = {"model": pl.String, "position": pl.Int32, "feature": pl.String}
    buffer = io.BytesIO()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(buffer)
    return buffer.getvalue()
