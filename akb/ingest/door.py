"""What may not come in: direct identifiers that stand in columns where nobody expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.privacy import is_bsn, kinds_of, looks_like_name, redacted
from akb.core.text import text
from akb.ingest.cells import distinct_of, identifiers, known, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.notes import Notes, Table

KEPT_AS_TEXT = ("insurer", "product", "adviser", "office", "sub_office", "manager", "region", "channel")
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


def keep_out_names(tables: Sequence[Table], notes: Notes) -> None:
    """Drop the columns kept as text whose values are written as names of persons, nearly one per customer.

    The heading says adviser, office or product; the values are the customers themselves. An adviser has a name too,
    but one for many customers. Changes the tables' cells and dropped headings, and adds AKB-P004.
    """
    found: dict[str, int] = {}
    for table in tables:
        customers = table.texts("customer").n_unique()
        for column in KEPT_AS_TEXT:
            if column not in table.cells.columns:
                continue
            texts = known(table.cells[column])
            distinct = distinct_of(texts)
            least = max(rule("privacy", "names_least"), rule("privacy", "names_per_customer") * customers)
            if distinct.len() < least:
                continue
            names = sum(looks_like_name(value) for value in distinct)
            if names >= rule("privacy", "names_share") * distinct.len():
                heading = table.headings.heading(column) or column
                found[heading] = found.get(heading, 0) + texts.len() - texts.null_count()
                table.dropped.append(heading)
                table.cells = table.cells.with_columns(pl.lit(None, dtype=pl.String).alias(column))
    if found:
        columns = ", ".join(heading[:40] for heading in sorted(found)[:10])
        notes.find("AKB-P004", "issue", sum(found.values()), columns=columns)


def tell_of_citizen_numbers(tables: Sequence[Table], notes: Notes) -> None:
    """Say so where the relation numbers look like citizen service numbers: nine digits that pass the eleven-test.

    Of arbitrary numbers one in eleven passes. The numbers stay, for they are all that tells customers apart; they
    leave as pseudonyms. Adds AKB-P003, without a value.
    """
    for table in tables:
        if "customer" not in table.cells.columns:
            continue
        distinct = distinct_of(identifiers(table.texts("customer"))[1])
        nine = distinct.filter(distinct.str.contains(r"^\d{8,9}$")).str.zfill(9)
        if nine.len() < max(rule("privacy", "bsn_least"), rule("privacy", "bsn_share") * distinct.len()):
            continue
        passing = sum(is_bsn(number) for number in nine)
        if passing >= rule("privacy", "bsn_share") * distinct.len():
            heading = table.headings.heading("customer") or ""
            notes.find("AKB-P003", "issue", passing, passing / distinct.len(), column=heading[:40], file=table.raw.name)


def _without(column: str, found: dict[str, str], *, many: bool) -> pl.Expr:
    if many:
        return pl.lit(None, dtype=pl.String).alias(column)
    instead = {value: redacted(value) if column == SPOKEN else None for value in found}
    return pl.col(column).replace(instead)
