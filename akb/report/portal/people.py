"""Who the customers in force are, as the portal and the advisers' sheets show them: no exact
chance, value or age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.privacy.identifiers import shared
from akb.core.wording.text import load_toml
from akb.describe import relations

if TYPE_CHECKING:
    from akb.report.context import Context

UNITS = ("manager", "office", "sub_office", "adviser")
_AGE_BAND = (30, 45, 60, 75)
_FEWEST = 20
"""Comparable customers from which their mean says something."""


def people(context: Context) -> pl.DataFrame:
    """Return a row per customer in force, in the order of the name that is shown.

    Columns
    -------
    customer, shown, kind, policies, like
        ``like``: how many policies comparable customers have (rounded; null with too few of them).
    manager, office, sub_office, adviser
        Null where too few customers share the name.
    segment, service
        Class A to D by value, else by commission; how the office wants to serve the customer.
    clv, churn
        Band from 1 on; null where unknown.
    announced
        Day on which the relation ends, where that is known.
    no_marketing, deceased
        Whether nobody may contact the customer.
    """
    known = context.bundle.portfolio.customers
    column = "relation" if context.bundle.no_pseudonyms else "pseudonym"
    who = known.select(
        "customer",
        "adviser",
        shown=pl.col(column),
        manager=_optional(known, "manager"),
        sub_office=_optional(known, "sub_office"),
        no_marketing=pl.col("no_marketing").fill_null(value=False),
        deceased=pl.col("deceased").fill_null(value=False),
    )
    table = context.customers.select("customer", "kind", "office", "policies", "birth_year").join(
        who, on="customer", how="left", maintain_order="left"
    )
    for name in ("manager", "sub_office", "adviser"):
        allowed = shared(who[name], who["customer"], context.limit)
        table = table.with_columns(
            pl.when(pl.col(name).is_in(list(allowed))).then(pl.col(name)).alias(name)
        )
    classes = context.classes
    table = table.with_columns(
        segment=_class(classes),
        service=_service(context, classes),
        clv=band_of(context.score("clv"), "clv", table.height),
        churn=band_of(context.score("churn_12m"), "churn", table.height),
        like=_comparable(table, context.as_of.year),
    )
    ends = relations.announced(context.bundle.portfolio, context.relations)
    ends = ends.group_by("customer").agg(announced=pl.col("end").max())
    table = table.join(ends, on="customer", how="left", maintain_order="left")
    return table.drop("birth_year").sort("shown", "customer")


def band_of(values: np.ndarray[Any, Any] | None, kind: str, rows: int) -> pl.Series:
    """Return in which band of ``configs/lists.toml`` values fall, from 1 on; null for unknown."""
    if values is None:
        return pl.Series([None] * rows, dtype=pl.Int64)
    uppers = load_toml("lists.toml")["bands"][kind]["uppers"]
    codes = np.searchsorted(uppers, values, side="right") + 1
    return pl.Series(np.where(np.isnan(values), 0, codes), dtype=pl.Int64).replace(0, None)


def _optional(table: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in table.columns else pl.lit(None, dtype=pl.String)


def _class(classes: pl.DataFrame) -> pl.Expr | pl.Series:
    for name in ("class_value", "class_commission"):
        if name in classes.columns and classes[name].null_count() < classes.height:
            return classes[name]
    return pl.lit(None, dtype=pl.String)


def _service(context: Context, classes: pl.DataFrame) -> pl.Expr | pl.Series:
    """Return how the position segment is served, in the neutral words of the files."""
    if "position_segment" not in classes.columns:
        return pl.lit(None, dtype=pl.String)
    names = context.words.table("crm_name.position_segment")
    return classes["position_segment"].replace_strict(names, default=None, return_dtype=pl.String)


def _comparable(table: pl.DataFrame, year: int) -> pl.Expr:
    """Return how many policies customers of the same kind, and private ones of the same band of
    age, have.
    """
    age = pl.lit(year) - pl.col("birth_year")
    band = pl.when(pl.col("kind") == "private").then(
        sum((age >= lower).cast(pl.Int32) for lower in _AGE_BAND)
    )
    group = [pl.col("kind"), band.fill_null(-1)]
    mean = pl.col("policies").mean().over(group)
    return pl.when(pl.len().over(group) >= _FEWEST).then(mean.round().cast(pl.Int64))
