"""``scores.parquet``, ``scores.csv`` and ``rejects.csv``: data for programs; comma, point, null
where not eligible.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from akb.report.files.tables import neutralised

if TYPE_CHECKING:
    from akb.report.context import Context

REJECT_SCHEMA = {
    "file": pl.String,
    "line": pl.Int64,
    "column": pl.String,
    "shape": pl.String,
    "reason": pl.String,
}


def score_table(context: Context) -> pl.DataFrame:
    """Return one row per customer in force at X: ``customer`` and a Float32 or text column per
    catalogue key.

    Columns stand in catalogue order; what nobody made is a column of nulls. Rows are ordered by the
    name shown, so that with pseudonyms their order says nothing about the export."""
    bundle = context.bundle
    column = "relation" if bundle.no_pseudonyms else "pseudonym"
    known = bundle.portfolio.customers.select("customer", shown=pl.col(column))
    table = context.customers.select("customer").join(known, on="customer", how="left")
    for run in (bundle.models, bundle.value):
        if run is not None:
            table = table.join(run.scores, on="customer", how="left")
    columns = [
        _score(table, entry.key, text=entry.kind == "class")
        for entry in bundle.entries
        if entry.rows == "customers"
    ]
    scores = table.select(pl.col("shown").alias("customer"), *columns).sort("customer")
    plainly = context.words.table("crm_name")  # a customer may ask to see how he is called
    return scores.with_columns(
        pl.col(key).replace_strict(names, default=None) for key, names in plainly.items()
    )


def former_table(context: Context) -> pl.DataFrame:
    """Return one row per former customer with a score: ``customer`` and a Float32 column per
    catalogue key.
    """
    bundle = context.bundle
    column = "relation" if bundle.no_pseudonyms else "pseudonym"
    known = bundle.portfolio.customers.select("customer", shown=pl.col(column))
    made = bundle.models.winback if bundle.models is not None else None
    table = known.head(0) if made is None else known.join(made, on="customer", how="inner")
    columns = [
        _score(table, entry.key, text=False) for entry in bundle.entries if entry.rows == "former"
    ]
    return table.select(pl.col("shown").alias("customer"), *columns).sort("customer")


def scores_parquet(table: pl.DataFrame, words: dict[str, str] | None = None) -> bytes:
    """Return the table as Parquet; the same table gives the same bytes.

    Parameters
    ----------
    words
        What its columns mean, for its metadata.
    """
    target = io.BytesIO()
    table.write_parquet(
        target,
        compression="zstd",
        compression_level=3,
        statistics=True,
        row_group_size=100_000,
        metadata=words,
    )
    return target.getvalue()


def scores_csv(table: pl.DataFrame) -> bytes:
    """Return the table as CSV: comma, point, empty where not eligible; no text is a formula."""
    target = io.BytesIO()
    safe = table.with_columns(neutralised(pl.col(pl.String)))
    safe.write_csv(target, line_terminator="\n")
    return target.getvalue()


def rejects_csv(context: Context) -> bytes:
    """Return the rejected rows as CSV: file, line, column, shape of the value, reason. Never a
    person's data.
    """
    rejects = context.bundle.portfolio.rejects
    table = pl.DataFrame(schema=REJECT_SCHEMA)
    if rejects.width:
        table = rejects.select(*REJECT_SCHEMA).cast(REJECT_SCHEMA)  # type: ignore[arg-type]
    safe = [neutralised(pl.col(name)) for name in ("file", "column", "shape", "reason")]
    return (
        table.sort("file", "line", "column", nulls_last=True)
        .with_columns(safe)
        .write_csv(line_terminator="\n")
        .encode()
    )


def _score(table: pl.DataFrame, key: str, *, text: bool) -> pl.Expr:
    if key not in table.columns:
        return pl.lit(None, dtype=pl.String if text else pl.Float32).alias(key)
    if table.schema[key].is_numeric():
        return pl.col(key).cast(pl.Float32).fill_nan(None)
    return pl.col(key).cast(pl.String)
