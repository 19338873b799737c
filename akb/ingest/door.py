"""What may not come in: direct identifiers that stand in columns where nobody expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.privacy import kinds_of, redacted
from akb.core.text import text
from akb.ingest.cells import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.notes import Notes, Table

KEPT_AS_TEXT = ("insurer", "product", "adviser", "office", "region", "channel")
"""Columns whose texts are kept as they are; all others become a number, a date or a word of a taxonomy."""
SPOKEN = "subject"
"""A sentence about a contact: of it only the identifier goes, for the rest tells a complaint from a question."""


def keep_out_identifiers(tables: Sequence[Table], notes: Notes) -> None:
    """Blank direct identifiers in the columns that are kept as text; drop a column that holds many.

    Changes the tables' cells, their lists of dropped headings, and adds the finding AKB-P002.
    """
    kinds: dict[str, str] = {}
    cells = 0
    for table in tables:
        for column in (*KEPT_AS_TEXT, SPOKEN):
            if column not in table.cells.columns:
                continue
            found = kinds_of(table.cells[column])
            if not found:
                continue
            heading = table.headings.heading(column) or column
            hits = int(table.cells[column].is_in(list(found)).sum())
            filled = table.cells.height - table.cells[column].null_count()
            many = column != SPOKEN and hits >= rule("privacy", "column_share") * filled
            if many:
                table.dropped.append(heading)
            table.cells = table.cells.with_columns(_without(column, found, many=many))
            cells += hits
            kinds[heading] = ", ".join(sorted({text("columns", "nl", "identifiers", kind) for kind in found.values()}))
    if kinds:
        where = "; ".join(f"{heading[:40]} ({words})" for heading, words in sorted(kinds.items())[:10])
        notes.find("AKB-P002", "issue", cells, columns=where)


def _without(column: str, found: dict[str, str], *, many: bool) -> pl.Expr:
    if many:
        return pl.lit(None, dtype=pl.String).alias(column)
    instead = {value: redacted(value) if column == SPOKEN else None for value in found}
    return pl.col(column).replace(instead)
