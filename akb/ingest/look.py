"""A first look at an export: which heading means what and how sure that is, which text means which branch or reason.

Nothing of it is a value of the export, but for branch and reason texts that enough customers share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.privacy import shared
from akb.ingest.cells import distinct_of, known, plain, shape
from akb.ingest.columns import _match
from akb.ingest.notes import Notes
from akb.ingest.portfolio import open_tables
from akb.ingest.taxonomy import OTHER, map_branches, map_reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from akb.config import Settings
    from akb.ingest.notes import Table
    from akb.ingest.taxonomy import Mapped

Sure = Literal["certain", "likely", "guess"]
_SHAPES = 3


@dataclass(frozen=True)
class Column:
    """A heading that akb uses: the canonical column, how sure that is, and what the filled cells look like."""

    heading: str
    column: str
    sure: Sure
    shapes: tuple[str, ...]
    filled: float


@dataclass(frozen=True)
class Word:
    """A text of the export in the words of a taxonomy: on how many rows it stands, and its key (None: unknown)."""

    text: str
    rows: int
    key: str | None


@dataclass(frozen=True)
class Look:
    """What a role's files hold.

    Parameters
    ----------
    role
        The role.
    files
        Names of its files.
    columns
        Columns that all its files call the same.
    differing
        Columns that the files call differently: these cannot be written down for all of them.
    unused
        Headings that akb does not use.
    """

    role: str
    files: tuple[str, ...]
    columns: tuple[Column, ...]
    differing: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class Words:
    """Texts of a column: those that may be told, and rows and texts of those that too few customers share."""

    told: tuple[Word, ...]
    hidden_texts: int
    hidden_rows: int


def look(files: Sequence[Path], settings: Settings, roles: Mapping[str, Path]) -> tuple[list[Look], dict[str, Words]]:
    """Return what each role's files hold, and the texts of ``branches`` and ``reasons``.

    Raises
    ------
    AkbError
        As `read_portfolio`.
    """
    tables = open_tables(files, roles, settings, Notes())
    by_role: dict[str, list[Table]] = {}
    for table in tables:
        by_role.setdefault(table.headings.role, []).append(table)
    policies, limit = by_role["policies"], settings.report.suppress_below
    words = {
        "branches": _words(policies, "branch", lambda texts: map_branches(texts, settings), limit),
        "reasons": _words(policies, "reason", lambda texts: map_reasons(texts, settings), limit),
    }
    return [_look(role, found) for role, found in by_role.items()], words


def _look(role: str, tables: list[Table]) -> Look:
    names = [{column: name for name, column in table.headings.named.items() if column} for table in tables]
    every = {column: heading for found in names for column, heading in found.items()}
    same = [column for column, heading in every.items() if all(found.get(column) == heading for found in names)]
    return Look(
        role=role,
        files=tuple(table.raw.name for table in tables),
        columns=tuple(_column(role, column, every[column], tables) for column in same),
        differing=tuple(sorted(set(every) - set(same))),
        unused=tuple(
            dict.fromkeys(
                name for table in tables for name, column in table.headings.named.items()
                if column is None and name not in table.headings.dropped
            )
        ),
    )  # fmt: skip


def _column(role: str, column: str, heading: str, tables: list[Table]) -> Column:
    cells = known(pl.concat([table.texts(column).cast(pl.String).alias(column) for table in tables]))
    counts = cells.drop_nulls().value_counts(sort=False)
    shapes = (
        counts.with_columns(shape=pl.Series([shape(text, 20) for text in counts[column].to_list()], dtype=pl.String))
        .group_by("shape")
        .agg(pl.col("count").sum())
        .sort("count", "shape", descending=[True, False])["shape"]
        .head(_SHAPES)
    )
    match = _match(heading, role)
    rank = match[1] if match and match[0] == column else 1000
    sure: Sure = "certain" if rank < 100 else "likely" if rank < 1000 else "guess"
    filled = 1 - cells.null_count() / cells.len() if cells.len() else 0.0
    return Column(heading, column, sure, tuple(shapes), filled)


def _words(tables: list[Table], column: str, mapped: Callable[[pl.Series], Mapped], limit: int) -> Words:
    """Return the texts of a column with their meaning, the most frequent first."""
    texts = known(pl.concat([table.texts(column).cast(pl.String).alias("text") for table in tables]))
    customers = pl.concat([table.texts("customer").cast(pl.String).alias("customer") for table in tables])
    distinct = distinct_of(texts)
    counts = dict(texts.drop_nulls().value_counts().iter_rows())
    meaning = mapped(distinct)
    keys = dict(zip(distinct, meaning.keys, strict=True))
    keys |= dict.fromkeys(meaning.unknown, None)
    tellable = shared(texts, customers, limit)
    told = [Word(text, counts[text], keys[text]) for text in distinct if text in tellable]
    hidden = [text for text in distinct if text not in tellable]
    return Words(
        tuple(sorted(told, key=lambda word: (-word.rows, word.text))), len(hidden), sum(counts[text] for text in hidden)
    )


def settled(words: Words) -> list[Word]:
    """Return the texts whose meaning can be written down: one per text as akb compares them, known and undisputed."""
    meanings: dict[str, set[str | None]] = {}
    for word in words.told:
        meanings.setdefault(plain(word.text), set()).add(word.key)
    seen: set[str] = set()
    result = []
    for word in words.told:
        name = plain(word.text)
        if name and name not in seen and word.key and len(meanings[name]) == 1:
            seen.add(name)
            result.append(word)
    return result


def unknown(words: Words) -> list[Word]:
    """Return the texts that no taxonomy knows."""
    return [word for word in words.told if word.key in (None, OTHER) and plain(word.text) != OTHER]
