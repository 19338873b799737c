"""A preview of an export: which heading means what and how sure that is, which text means which
branch or reason.

Nothing of it is a value of the export, but for branch and reason texts that enough customers share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.privacy.identifiers import shared
from akb.ingest.cells.taxonomy import OTHER, Mapped, map_branches, map_reasons
from akb.ingest.cells.texts import distinct_of, known, plain, shape
from akb.ingest.cells.words import LISTED, OWN, read_words
from akb.ingest.columns.boxes import read_status
from akb.ingest.columns.languages import with_motor_as_car
from akb.ingest.columns.legibility import legible
from akb.ingest.columns.matching import _match, key_of
from akb.ingest.columns.notes import Notes
from akb.ingest.customers.consent import read_permissions
from akb.ingest.money_conventions.term_words import read_term_words
from akb.ingest.policies.own_branches import stand_in
from akb.ingest.portfolio import build_portfolio, open_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from akb.config import Settings
    from akb.ingest.columns.notes import Table
    from akb.ingest.types import Portfolio, Sources

Confidence = Literal["given", "certain", "likely", "guess"]
_SHAPES = 3
_ROWS = 20_000  # of a larger file every so many-th row is looked at: enough for shapes and shares
_LEGIBLE = 0.9


@dataclass(frozen=True)
class ColumnPreview:
    """A heading that akb uses.

    Parameters
    ----------
    heading
        As in the file.
    column
        The canonical column.
    sure
        ``given`` by the settings; ``certain``: the heading is known as it stands; ``likely``:
        without the words around it, or cut off with cells that fit; ``guess``: cut off, or the
        cells are not what they should be.
    shapes
        What most cells look like, without saying what they are.
    filled
        Share of the cells that say something.
    legible
        Share of the filled cells that can be read as the date or amount that they should be; None
        for texts.
    """

    heading: str
    column: str
    sure: Confidence
    shapes: tuple[str, ...]
    filled: float
    legible: float | None


@dataclass(frozen=True)
class TextMeaning:
    """A text of the export in the words of a taxonomy: on how many rows it stands, and its key
    (None: unknown).
    """

    text: str
    rows: int
    key: str | None


@dataclass(frozen=True)
class RolePreview:
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
    proposals
        Canonical column -> unused heading that may be it; not read as long as the settings do not
        say so.
    """

    role: str
    files: tuple[str, ...]
    columns: tuple[ColumnPreview, ...]
    differing: tuple[str, ...]
    unused: tuple[str, ...]
    proposals: dict[str, str]


@dataclass(frozen=True)
class TextMeanings:
    """Texts of a column: those that may be shown, and rows and texts of those that too few
    customers share.
    """

    shown: tuple[TextMeaning, ...]
    hidden_texts: int
    hidden_rows: int


@dataclass(frozen=True)
class ExportPreview:
    """A preview of a whole export: what each role's files hold, and the texts that mean something.

    Parameters
    ----------
    roles
        A preview per role.
    branches, reasons
        Their texts.
    words
        Table of ``[ingest]`` (``statuses``, ``kinds`` …) -> the words of that column, where the
        export has it.
    """

    roles: tuple[RolePreview, ...]
    branches: TextMeanings
    reasons: TextMeanings
    words: dict[str, TextMeanings]


def read_and_preview(sources: Sources, settings: Settings) -> tuple[Portfolio, ExportPreview]:
    """Read an export and say how; parameters and errors as `read_portfolio`."""
    notes = Notes()
    tables = open_tables(sources, settings, notes, propose=True)
    preview = preview_of(tables, with_motor_as_car(tables, settings))
    return build_portfolio(tables, settings, notes, sources), preview


def preview_of(tables: Sequence[Table], settings: Settings) -> ExportPreview:
    """Return how opened tables are understood."""
    by_role: dict[str, list[Table]] = {}
    for table in tables:
        by_role.setdefault(table.headings.role, []).append(table)
    policies, limit = by_role["policies"], settings.report.suppress_below
    return ExportPreview(
        roles=tuple(_role_preview(role, found, settings) for role, found in by_role.items()),
        branches=_words(
            policies, _branches_in(policies), lambda texts: map_branches(texts, settings), limit
        ),
        reasons=_words(policies, "reason", lambda texts: map_reasons(texts, settings), limit),
        words={
            OWN[column]: words
            for column in LISTED
            if (words := _coded(tables, column, settings)) is not None
        }
        | _permissions(tables, settings),
    )


def _permissions(tables: Sequence[Table], settings: Settings) -> dict[str, TextMeanings]:
    """Return the words under a permission (``permissions``), where a file has one."""
    mine = [table for table in tables if "mailing" in table.headings.at]

    def mapped(texts: pl.Series) -> Mapped:
        meanings = read_permissions(texts, settings)
        return Mapped(meanings.values, meanings.unknown)

    return (
        {"permissions": _words(mine, "mailing", mapped, settings.report.suppress_below)}
        if mine
        else {}
    )


def _branches_in(policies: Sequence[Table]) -> str:
    """Return the column that is read as branches."""
    return next((stand_in(table.cells, table) for table in policies), "branch")


def _coded(tables: Sequence[Table], column: str, settings: Settings) -> TextMeanings | None:
    """Return the words of a coded column with their meaning, None where no file has it."""
    mine = [
        table
        for table in tables
        if table.headings.role in LISTED[column] and column in table.headings.at
    ]
    readers = {"status": read_status, "term": read_term_words}
    read = readers.get(column, partial(read_words, column=column))

    def mapped(texts: pl.Series) -> Mapped:
        meanings = read(texts, settings=settings)
        return Mapped(meanings.values, meanings.unknown)

    return _words(mine, column, mapped, settings.report.suppress_below) if mine else None


def _role_preview(role: str, tables: list[Table], settings: Settings) -> RolePreview:
    names = [
        {column: name for name, column in table.headings.named.items() if column}
        for table in tables
    ]
    every = {column: heading for found in names for column, heading in found.items()}
    same = [
        column
        for column, heading in every.items()
        if all(found.get(column) == heading for found in names)
    ]
    unused = tuple(
        dict.fromkeys(
            name
            for table in tables
            for name, column in table.headings.named.items()
            if column is None and name not in (*table.headings.dropped, *table.headings.leaking)
        )
    )
    return RolePreview(
        role=role,
        files=tuple(table.raw.name for table in tables),
        columns=tuple(_column(role, column, every[column], tables, settings) for column in same),
        differing=tuple(sorted(set(every) - set(same))),
        unused=unused,
        proposals={
            column: heading
            for table in tables
            for column, heading in table.proposals.items()
            if column not in every
        },
    )


def _column(
    role: str, column: str, heading: str, tables: list[Table], settings: Settings
) -> ColumnPreview:
    texts = pl.concat([table.texts(column).cast(pl.String).alias(column) for table in tables])
    cells = known(texts.gather_every(max(1, texts.len() // _ROWS)))
    counts = cells.drop_nulls().value_counts(sort=False)
    shapes = (
        counts.with_columns(
            shape=pl.Series([shape(text, 20) for text in counts[column].to_list()], dtype=pl.String)
        )
        .group_by("shape")
        .agg(pl.col("count").sum())
        .sort("count", "shape", descending=[True, False])["shape"]
        .head(_SHAPES)
    )
    filled = 1 - cells.null_count() / cells.len() if cells.len() else 0.0
    share = legible(column, cells.drop_nulls(), settings)
    sure = _sure(role, column, heading, tables, settings)
    if share is not None and sure != "given":
        sure = "guess" if share < _LEGIBLE else "likely" if sure == "guess" else sure
    return ColumnPreview(heading, column, sure, tuple(shapes), filled, share)


def _sure(
    role: str, column: str, heading: str, tables: list[Table], settings: Settings
) -> Confidence:
    """Say how sure the meaning of a heading is, going by the heading alone."""
    if key_of(settings.ingest.columns.get(role, {}).get(column, "")) == key_of(heading):
        return "given"
    match = _match(heading, role)
    rank = match[1] if match and match[0] == column else 1000
    if (
        rank < 100
        or (rank < 200 and "->" in heading)
        or all("preset" in table.dialect for table in tables)
    ):
        return "certain"  # what stands before -> is a table of the back office
    return "likely" if rank < 1000 else "guess"


def _words(
    tables: list[Table], column: str, mapped: Callable[[pl.Series], Mapped], limit: int
) -> TextMeanings:
    """Return the texts of a column with their meaning, the most frequent first."""
    texts = known(
        pl.concat([table.texts(column).cast(pl.String).alias("text") for table in tables])
    )
    customers = pl.concat(
        [table.texts("customer").cast(pl.String).alias("customer") for table in tables]
    )
    distinct = distinct_of(texts)
    counts = dict(texts.drop_nulls().value_counts().iter_rows())
    meaning = mapped(distinct)
    keys = dict(zip(distinct, meaning.keys, strict=True))
    keys |= dict.fromkeys(meaning.unknown, None)
    tellable = shared(texts, customers, limit)
    shown = [TextMeaning(text, counts[text], keys[text]) for text in distinct if text in tellable]
    hidden = [text for text in distinct if text not in tellable]
    return TextMeanings(
        tuple(sorted(shown, key=lambda word: (-word.rows, word.text))),
        len(hidden),
        sum(counts[text] for text in hidden),
    )


def settled_texts(words: TextMeanings) -> list[TextMeaning]:
    """Return the texts whose meaning can be written down: one per text as akb compares them, known
    and undisputed.
    """
    meanings: dict[str, set[str | None]] = {}
    for word in words.shown:
        meanings.setdefault(plain(word.text), set()).add(word.key)
    seen: set[str] = set()
    result = []
    for word in words.shown:
        name = plain(word.text)
        if name and name not in seen and word.key and len(meanings[name]) == 1:
            seen.add(name)
            result.append(word)
    return result


def unknown_texts(words: TextMeanings) -> list[TextMeaning]:
    """Return the texts that no taxonomy knows."""
    return [word for word in words.shown if word.key in (None, OTHER) and plain(word.text) != OTHER]
