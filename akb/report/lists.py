"""``actions/*.csv``: the lists that advisers work from, in Dutch Excel's own format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.report.sections.risk import worded_reasons
from akb.report.tables import dutch_cell, dutch_csv

if TYPE_CHECKING:
    from akb.report.context import Context

ALWAYS = {
    "top_defend": ("customer", "rank", "kind", "adviser", "office", "churn_12m", "value_at_stake", "expected_saving"),
    "next_best_policy": ("customer", "rank", "branch", "probability", "kind", "adviser", "office"),
}
"""Lists of the contract with the columns that they have when nobody could make them."""


def action_lists(context: Context) -> dict[str, bytes]:
    """Return file name -> content of every list; those of the contract exist always, headings at least."""
    value = context.bundle.value
    made = dict(value.lists) if value else {}
    for name, columns in ALWAYS.items():
        made.setdefault(name, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))
    return {f"{name}.csv": _file(context, name, frame) for name, frame in sorted(made.items())}


CASE_SCHEMA: dict[str, Any] = {
    "list": pl.String,
    "place": pl.Int64,
    "customer": pl.String,
    "control": pl.Boolean,
    "worth": pl.Float64,
    "stake": pl.Float64,
    "churn": pl.Float64,
    "cells": pl.List(pl.String),
}
"""Everybody who could stand on a list, best first: the row as it would be shown, and what decides where it ends."""


def case_candidates(context: Context) -> pl.DataFrame:
    """Return everybody who could stand on a list under other assumptions about calls; see `CASE_SCHEMA`."""
    value = context.bundle.value
    made = [pl.DataFrame(schema=CASE_SCHEMA)]
    for name, frame in sorted((value.candidates if value else {}).items()):
        _, cells = _rows(context, name, frame)
        numbers = frame.sort("rank").select("control", "worth", "stake", "churn")
        columns = {
            "list": [name] * len(cells),
            "place": list(range(len(cells))),
            "customer": [row[0].removeprefix("'") for row in cells],
            **numbers.to_dict(as_series=False),
            "cells": cells,
        }
        made.append(pl.DataFrame(columns, schema=CASE_SCHEMA))
    return pl.concat(made)


def list_heads(context: Context) -> dict[str, dict[str, list[str]]]:
    """Return list -> its columns, as keys and in words."""
    value = context.bundle.value
    return {
        name: {"key": _keys(context, name, frame), "head": _rows(context, name, frame.head(0))[0]}
        for name, frame in sorted((value.candidates if value else {}).items())
    }


def _file(context: Context, name: str, frame: pl.DataFrame) -> bytes:
    return dutch_csv(*_rows(context, name, frame))


def _keys(context: Context, name: str, frame: pl.DataFrame) -> list[str]:
    return [*_columns(context, frame), *(["reasons"] if name == "top_defend" else [])]


def _rows(context: Context, name: str, frame: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of a list, as cells for Dutch Excel."""
    columns = _columns(context, frame)
    ordered = frame.sort("rank") if "rank" in frame.columns else frame
    names = _names(context, ordered)
    reasons = worded_reasons(context) if name == "top_defend" else {}
    head = [context.words.name("list_column", key) for key in _keys(context, name, frame)]
    rows: list[list[str]] = []
    for row in ordered.to_dicts():
        cells = [names[row["customer"]], *(_cell(context, column, row[column]) for column in columns[1:])]
        if name == "top_defend":
            cells.append(dutch_cell("; ".join(reasons.get(row["customer"], []))))
        rows.append([dutch_cell(cells[0]), *cells[1:]])
    return head, rows


def _columns(context: Context, frame: pl.DataFrame) -> list[str]:
    """Customer first, rank second, then the list's own order without what only the ledger needs."""
    hidden = set(context.words.table("list_hidden"))
    rest = [column for column in frame.columns if column not in hidden and column not in ("customer", "rank")]
    return ["customer", *(["rank"] if "rank" in frame.columns else []), *rest]


def _names(context: Context, frame: pl.DataFrame) -> dict[int, str]:
    column = "relation" if context.bundle.no_pseudonyms else "pseudonym"
    if frame.is_empty():
        return {}
    known = context.bundle.portfolio.customers.select("customer", column)
    return dict(frame.select("customer").join(known, on="customer", how="left").unique().iter_rows())


def _cell(context: Context, column: str, value: Any) -> str:
    if column in context.shared and value not in context.shared[column]:
        return ""  # who is the only one at an office or with an adviser would be found by it
    if column == "branch" and value is not None:
        return dutch_cell(context.branch_name(str(value)))
    if column == "branches" and value:
        return dutch_cell(", ".join(context.branch_name(part) for part in str(value).split(", ")))
    if column == "kind" and value is not None:
        return dutch_cell(context.words.name("kind", value))
    chance = column.startswith("churn_") or column in ("probability", "threshold")
    return dutch_cell(value, 4 if chance else 2)
