"""Grouped reports: the customer stands on the first row of his policies only, with subtotals
between the groups.

Only where the table shows that it is a report, the rows below are filled down: no customer stands
twice, and either other columns are empty together with his number, or a row with a total follows
his policies. Numbers that are just missing stay missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import known, packed, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.columns.notes import Notes, Table

_LIKE = {"policies": "start"}  # role -> column that every row of the list itself has
_KEPT = frozenset({"policy", "start", "end", "reason", "premium", "commission", "line"})
_TOGETHER = 0.95


def fill_down(tables: Sequence[Table], notes: Notes) -> None:
    """Give the rows of grouped reports the customer of the row above; changes the cells and adds
    AKB-D094.
    """
    for table in tables:
        if table.headings.role not in _LIKE or "customer" not in table.headings.at:
            continue
        rows = _groups(table)
        if rows is None:
            continue
        filled = rows.filter("below").height
        columns = ["customer", *_with_the_customer(table, rows)]
        first = [pl.col(name).first().over("group").alias(f"_{name}") for name in columns]
        cells = table.cells.with_columns(pl.col(name).cast(pl.String) for name in columns)
        cells = cells.with_columns(rows["group"], rows["below"]).sort("line").with_columns(first)
        below = pl.col("below")
        cells = cells.with_columns(
            pl.when(below).then(f"_{name}").otherwise(name).alias(name) for name in columns
        )
        table.cells = packed(cells.select(table.cells.columns))
        heading = (table.headings.heading("customer") or "")[:40]
        notes.find(
            "AKB-D094", "issue", filled, filled / rows.height, file=table.raw.name, column=heading
        )


def _groups(table: Table) -> pl.DataFrame | None:
    """Return per row ``group`` and whether it stands ``below`` its customer; None where the table
    is no report.
    """
    like = _LIKE[table.headings.role]
    rows = pl.DataFrame(
        {
            "line": table.cells["line"],
            "customer": table.identifiers("customer")[1],
            "body": table.identifiers("policy")[1].is_not_null()
            & known(table.texts(like)).is_not_null(),
        }
    )
    head = pl.col("body") & pl.col("customer").is_not_null()
    below = pl.col("body") & pl.col("customer").is_null()
    rows = rows.with_columns(group=head.cast(pl.Int32).cum_sum(), below=below, head=head)
    body, heads, empty = int(rows["body"].sum()), rows.filter("head"), rows.filter("below")
    if empty.height < max(rule("grouped", "minimum"), rule("grouped", "share") * body):
        return None
    once = heads["customer"].n_unique() >= _TOGETHER * heads.height
    begins = empty["group"].min() != 0
    totals = rows.filter(~pl.col("body"))["group"].n_unique() >= 0.5 * heads.height
    return rows if once and begins and (totals or _with_the_customer(table, rows)) else None


def _with_the_customer(table: Table, rows: pl.DataFrame) -> list[str]:
    """Return the columns that are empty where the customer's number is, and filled where it
    stands.
    """
    found = []
    for column in table.cells.columns:
        if column in _KEPT or column == "customer":
            continue
        filled = known(table.cells[column]).is_not_null()
        on_head, on_others = filled.filter(rows["head"]).mean(), filled.filter(rows["below"]).mean()
        if float(on_head or 0) >= 0.5 and float(on_others or 0) <= 1 - _TOGETHER:  # type: ignore[arg-type]
            found.append(column)
    return found
