"""One insurer or adviser, one spelling: KROONLINDE, Kroonlinde and "Kroonlinde " are the same
company.

A policy is known by its number and insurer, and an adviser's hours by his name, so a second
spelling would make a second policy and a second adviser. Texts that differ in capitals, accents,
punctuation or spaces only are one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from akb.core.findings import Finding
from akb.ingest.cells.texts import distinct_of, packed, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.columns.notes import Notes, Table

_ERROR = re.compile(r"#[A-Z\d/]{1,12}[!?]?|Err:\d{3}|#+")
_NAMES = ("insurer", "adviser", "office", "sub_office", "manager", "region")


def without_errors(tables: Sequence[Table], notes: Notes) -> None:
    """Empty the cells of names in which a spreadsheet put an error (#REF!, #VERW!): no adviser is
    called so.
    """
    for table in tables:
        for name in (*_NAMES, "product"):
            if name not in table.headings.at:
                continue
            errors = [
                text for text in distinct_of(table.texts(name)) if _ERROR.fullmatch(text.strip())
            ]
            if errors:
                texts = table.cells[name].cast(pl.String)
                cells = pl.DataFrame({name: texts}).select(
                    pl.when(~pl.col(name).is_in(errors)).then(name).alias(name)
                )
                rows = int(texts.is_in(errors).sum())
                table.cells = table.cells.with_columns(packed(cells)[name])
                heading = (table.headings.heading(name) or "")[:40]
                notes.find(
                    "AKB-D132",
                    "issue",
                    rows,
                    rows / table.cells.height,
                    column=heading,
                    file=table.raw.name,
                )


def one_spelling(tables: Sequence[Table]) -> list[Finding]:
    """Spell the names of insurers and people in one way; changes the cells and returns AKB-D064 per
    column.

    Of several spellings the one that reads best is kept, not the one that occurs most: how often a
    text occurs up to X must not tell of what comes later."""
    found = []
    for name in _NAMES:
        mine = [table for table in tables if name in table.headings.at]
        if not mine:
            continue
        instead = _instead(pl.concat(distinct_of(table.texts(name)) for table in mine).unique())
        rows = sum(_respell(table, name, instead) for table in mine) if instead else 0
        if rows:
            heading = (mine[0].headings.heading(name) or "")[:40]
            share = rows / sum(table.cells.height for table in mine)
            found.append(Finding("AKB-D064", "tip", rows, share, {"column": heading}))
    return found


def _instead(texts: pl.Series) -> dict[str, str]:
    """Return text -> the spelling to read it as, of the texts that are not spelled so already."""
    kept: dict[str, str] = {}
    for text in sorted(texts.to_list(), key=_reads_well):
        kept.setdefault(plain(text), text.strip())
    return {
        text: kept[plain(text)]
        for text in texts
        if plain(text) and text.strip() != kept[plain(text)]
    }


def _reads_well(text: str) -> tuple[bool, bool, int, str]:
    """Order spellings: capitals and small letters before one of them, then the fullest, then the
    alphabet.
    """
    return (text.isupper() or text.islower(), text.islower(), -len(text.strip()), text)


def _respell(table: Table, name: str, instead: dict[str, str]) -> int:
    texts = table.cells[name].cast(pl.String)
    rows = int(texts.is_in(list(instead)).sum())
    if rows:
        table.cells = table.cells.with_columns(
            packed(texts.replace(instead).alias(name).to_frame())[name]
        )
    return rows
