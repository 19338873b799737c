"""What may not come in: direct identifiers that stand in columns where nobody expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.privacy.identifiers import kinds_of, looks_like_name, pass_eleven_test, redacted
from akb.core.wording.phrases import Listed, Phrase
from akb.ingest.cells.texts import identifiers, known, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.columns.notes import Notes, Table

KEPT_AS_TEXT = (
    "insurer",
    "product",
    "adviser",
    "office",
    "sub_office",
    "manager",
    "region",
    "channel",
)
"""Columns whose texts are kept as they are; all others become a number, a date or a word of a
taxonomy.
"""
_LOOKED_AT = 2000
SPOKEN = "subject"
"""A sentence about a contact: of it only the identifier goes, for the rest tells a complaint from a
question.
"""


def keep_out_identifiers(tables: Sequence[Table], notes: Notes) -> None:
    """Blank direct identifiers in the columns that are kept as text; drop a column that holds many.

    Changes the tables' cells, their lists of dropped headings, and adds the finding AKB-P002.
    """
    kinds: dict[str, Listed] = {}
    cells = 0
    for table in tables:
        for column in (*KEPT_AS_TEXT, SPOKEN):
            if column not in table.cells.columns:
                continue
            found = kinds_of(table.cells[column])
            if not found:
                continue
            heading = table.headings.heading(column) or column
            hits = int(table.cells[column].cast(pl.String).is_in(list(found)).sum())
            filled = table.cells.height - table.cells[column].null_count()
            many = column != SPOKEN and hits >= rule("privacy", "column_share") * filled
            if many:
                table.dropped.append(heading)
            table.cells = table.cells.with_columns(_without(column, found, many=many))
            cells += hits
            named = tuple(
                Phrase(f"columns.identifiers.{kind}") for kind in sorted(set(found.values()))
            )
            kinds[heading] = Listed(named, alphabetical=True)
    if kinds:
        where = tuple(
            Phrase("columns.listed.column", {"column": heading[:40], "what": kinds[heading]})
            for heading in sorted(kinds)[:10]
        )
        notes.find("AKB-P002", "issue", cells, columns=Listed(where, between="; "))


def keep_out_names(tables: Sequence[Table], notes: Notes) -> None:
    """Drop the columns kept as text whose values are written as names of persons, nearly one per
    customer.

    The heading says adviser, office or product; the values are the customers themselves. An adviser
    has a name too, but one for many customers. Changes the tables' cells and dropped headings, and
    adds AKB-P004."""
    found: dict[str, int] = {}
    for table in tables:
        least = max(
            rule("privacy", "names_least"), rule("privacy", "names_per_customer") * _people(table)
        )
        for column in KEPT_AS_TEXT:
            if column not in table.cells.columns or table.cells[column].n_unique() < least:
                continue
            if _are_names(known(table.cells[column].unique()).drop_nulls().sort(), least):
                heading = table.headings.heading(column) or column
                found[heading] = (
                    found.get(heading, 0) + table.cells.height - table.cells[column].null_count()
                )
                table.dropped.append(heading)
                table.cells = table.cells.with_columns(pl.lit(None, dtype=pl.String).alias(column))
    if found:
        columns = ", ".join(heading[:40] for heading in sorted(found)[:10])
        notes.find("AKB-P004", "issue", sum(found.values()), columns=columns)


def _people(table: Table) -> int:
    return table.texts("customer").n_unique()


def _are_names(distinct: pl.Series, least: float) -> bool:
    """Return whether so many distinct texts are written as names; of very many every so manieth is
    read.
    """
    if distinct.len() < least:
        return False
    some = distinct.gather_every(max(1, distinct.len() // _LOOKED_AT))
    return (
        sum(looks_like_name(value) for value in some) >= rule("privacy", "names_share") * some.len()
    )


def tell_of_citizen_numbers(tables: Sequence[Table], notes: Notes) -> None:
    """Say so where the relation numbers look like citizen service numbers: nine digits that pass
    the eleven-test.

    Of arbitrary numbers one in eleven passes. The numbers stay, for they are all that tells
    customers apart; they leave as pseudonyms. Adds AKB-P003, without a value."""
    for table in tables:
        if "customer" not in table.cells.columns:
            continue
        distinct = identifiers(table.texts("customer").unique())[1].drop_nulls().unique()
        nine = distinct.filter(distinct.str.contains(r"^\d{8,9}$")).str.zfill(9)
        if nine.len() < max(
            rule("privacy", "bsn_least"), rule("privacy", "bsn_share") * distinct.len()
        ):
            continue
        passing = int(pass_eleven_test(nine).sum())
        if passing >= rule("privacy", "bsn_share") * distinct.len():
            heading = table.headings.heading("customer") or ""
            notes.find(
                "AKB-P003",
                "issue",
                passing,
                passing / distinct.len(),
                column=heading[:40],
                file=table.raw.name,
            )


def _without(column: str, found: dict[str, str], *, many: bool) -> pl.Expr:
    if many:
        return pl.lit(None, dtype=pl.String).alias(column)
    instead = {value: redacted(value) if column == SPOKEN else None for value in found}
    return pl.col(column).cast(pl.String).replace(instead)
