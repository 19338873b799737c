"""Recoveries are no claims: money that comes back stands in the same export, as a row or as a list of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.ingest.amounts import read_amounts
from akb.ingest.cells import known, plain, rule
from akb.ingest.notes import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.asof import Clock
    from akb.ingest.notes import Notes, Table

REASON = "recovery"
_WORDS = re.compile(r"\b(?:regres\w*|verhaal|verhaald\w*|verhaals\w*|recover(?:y|ies|ed)\w*|subrogation\w*)\b")


def is_list_of_recoveries(table: Table) -> AkbError | None:
    """Return why a table of claims is none: its name, or the heading of its amounts, speaks of recoveries."""
    if table.headings.role != "claims":
        return None
    amount = table.headings.heading("amount") or ""
    if _WORDS.search(plain(table.raw.name)) or _WORDS.search(plain(amount)):
        return AkbError(f"{table.raw.name}: recoveries are no claims", "Give it a role to read it: claims=FILE.")
    return None


def put_recoveries_aside(tables: Sequence[Table], clock: Clock, settings: Settings, notes: Notes) -> None:
    """Reject rows of claims with a negative amount or a kind that speaks of recovery; AKB-D095 counts them.

    Where most amounts are negative that is how the file writes them, and none is a recovery.
    """
    found = rows = 0
    for table in tables:
        if table.headings.role != "claims":
            continue
        cents = read_amounts(table.texts("amount"), decimal=settings.ingest.decimal).cents
        below = (cents < 0).fill_null(value=False)
        if below.sum() > rule("losses", "share") * (cents.len() - cents.null_count()):
            below = pl.repeat(value=False, n=cents.len(), eager=True)
        said = known(texts_of(table.cells, "entry"))
        words = [text for text in said.drop_nulls().unique() if _WORDS.search(plain(text))]
        back = below | said.is_in(words).fill_null(value=False)
        if back.any():
            notes.reject(table, table.cells.filter(back), "amount", REASON)
            rows += table.cells.height
            found += int(back.sum())
            table.cells = table.cells.filter(~back)
    if found and not clock.replay:
        notes.find("AKB-D095", "tip", found, found / rows)
