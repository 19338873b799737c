"""How much the definition of churn matters: who would change class under each of the five.

Counted: who churned in the last closed year under each definition. Predicted: who would stand in
the top tenth, by a small model per definition (the set one's tenth is the hazard's). Descriptions,
not predictions: they get no grade.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.evidence import top
from akb.models.learners import fitters
from akb.models.temporal import Problem, customer_problem, fit_calibrated

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.context import FitContext

SCHEMA = {
    "definition": pl.String,
    "chosen": pl.Boolean,
    "test_date": pl.Date,
    "customers": pl.Int64,
    "left": pl.Int64,
    "changed": pl.Int64,
    "customers_now": pl.Int64,
    "top": pl.Int64,
    "top_changed": pl.Int64,
}
_SHARE, _TREES = 0.15, 50  # of the rows of a target, and rounds: five small fits that get no grade
_ENOUGH = 100  # events from which a small model says something about an order


def compare(
    context: FitContext,
    churn: NDArray[np.float32] | None,
    features: tuple[str, ...],
    pool: Executor,
) -> pl.DataFrame:
    """Return one row per definition, see `ModelRun.definitions`; empty without a closed year.

    Parameters
    ----------
    churn
        The chance to leave at X under the definition that is set, in the order of customers; None
        without one.
    features
        The columns that the small models learn from.
    pool
        Where the small models are fitted, side by side.
    """
    labels = context.targets.definitions
    if labels is None or labels.is_empty() or churn is None:
        return pl.DataFrame(schema=SCHEMA)
    chosen, test_date = context.settings.churn.definition, labels["as_of"].max()
    year = labels.filter(pl.col("as_of") == test_date)
    known = year.drop_nulls([chosen])
    own_top = set(top(churn.astype(np.float64)).tolist())
    others = [definition for definition in labels.columns[2:] if definition != chosen]
    tops = dict(
        zip(
            others,
            pool.map(lambda each: _top(context, labels, each, features), others),
            strict=True,
        )
    )
    tops[chosen] = own_top
    rows = []
    for definition in labels.columns[2:]:
        row = {"definition": definition, "chosen": definition == chosen, "test_date": test_date}
        both = known.drop_nulls([definition])
        row |= {"customers": both.height, "left": int(both[definition].sum())}
        row |= {
            "changed": int((both[definition] != both[chosen]).sum()),
            "customers_now": len(churn),
        }
        ranked = tops[definition]
        row |= {"top": None, "top_changed": None}
        if ranked is not None:
            row |= {"top": len(ranked), "top_changed": len(ranked - own_top)}
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def _top(
    context: FitContext, labels: pl.DataFrame, definition: str, features: tuple[str, ...]
) -> set[int] | None:
    """Positions of the customers in the top tenth at X by a small model of one definition; None
    with few events.
    """
    problem = _problem(context, labels, definition).only(features)
    train: tuple[date, ...] = tuple(sorted(set(labels["as_of"].to_list())))
    if float(problem.label[problem.training_rows(train)].sum()) < _ENOUGH:
        return None
    settings = context.settings.models
    fit = fitters("binary", settings, min(_TREES, settings.trees))["boosting"]
    known = fit_calibrated(problem, train, fit, settings, share=_SHARE, role=definition)
    return set(top(known.predict(problem, problem.rows_on([context.as_of]))).tolist())


def _problem(context: FitContext, labels: pl.DataFrame, definition: str) -> Problem:
    """The matrix's rows with this definition's label; rows of other dates and those not to be
    followed take no part.
    """
    keys = context.matrix.rows
    label = keys.join(
        labels.select("as_of", "customer", definition), on=["as_of", "customer"], how="left"
    )[definition]
    now = (keys["as_of"] == context.as_of).to_numpy()
    known = label.is_not_null().to_numpy() | now
    problem = customer_problem(
        context.matrix, f"definition_{definition}", "binary", label.fill_null(0.0).to_numpy()
    )
    return replace(problem, group=np.where(known, 0, -1).astype(np.int16))
