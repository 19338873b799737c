"""What akb notices while it reads: rejected rows, findings, assumptions per file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.findings import Finding
from akb.core.wording.phrases import Phrase
from akb.ingest.cells.texts import distinct_of, identifiers, look_up, nothing, shape

if TYPE_CHECKING:
    from akb.core.findings import Severity
    from akb.ingest.cells.words import Meanings
    from akb.ingest.columns.matching import Headings
    from akb.ingest.columns.readings import MoneyConventions
    from akb.ingest.files.raw_table import RawTable

REJECTS = {
    "file": pl.String,
    "line": pl.Int64,
    "column": pl.String,
    "shape": pl.String,
    "reason": pl.String,
}


@dataclass
class Table:
    """One understood table: where it came from, what its headings mean, its cells.

    Parameters
    ----------
    raw
        The table as it stands in the file.
    headings
        Its role and columns.
    cells
        ``line`` i64 and a text column per canonical column (String, or Categorical where texts
        repeat).
    own
        ``line`` and, by their headings, the cells of the columns without a role.
    money_conventions, one_off
        How its money was read; rows with a one-off commission.
    proposals
        Canonical column -> unused heading that may be it.
    to_the_letter
        Column of numbers -> what of their writing tells them apart (see `cells.identifiers`).
    """

    raw: RawTable
    headings: Headings
    cells: pl.DataFrame
    own: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"line": pl.Int64}))
    dialect: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    rejected: int = 0
    money_conventions: MoneyConventions | None = None
    one_off: int = 0
    proposals: dict[str, str] = field(default_factory=dict)
    to_the_letter: dict[str, frozenset[str]] = field(default_factory=dict)

    def identifiers(
        self, canonical: str, cells: pl.DataFrame | None = None
    ) -> tuple[pl.Series, pl.Series]:
        """Return the numbers of a column, of the table or of rows of it: as written, and the key to
        join on.
        """
        letters = self.to_the_letter.get(canonical, frozenset())
        return identifiers(texts_of(self.cells if cells is None else cells, canonical), letters)

    def texts(self, canonical: str) -> pl.Series:
        """Return the cells of a column, null where the file has no such column; see `texts_of`."""
        return texts_of(self.cells, canonical)


def texts_of(cells: pl.DataFrame, canonical: str) -> pl.Series:
    """Return a column of text, null where the frame has none.

    It is String, or Categorical with a dictionary of its own: the readers of
    `akb.ingest.cells.texts` take both and give String; cast it before anything else is done with
    it."""
    if canonical in cells.columns:
        return cells[canonical]
    return nothing(canonical, cells.height)


@dataclass
class Notes:
    """Collects what a run has to say about its input."""

    findings: list[Finding] = field(default_factory=list)
    rejects: list[pl.DataFrame] = field(default_factory=list)
    unreadable: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unknown_reasons: int = 0
    unknown_words: dict[str, dict[str, int]] = field(default_factory=dict)

    def find(
        self,
        code: str,
        severity: Severity,
        count: int | None = None,
        share: float | None = None,
        **params: Any,
    ) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, severity, count, share, params))

    def reject(self, table: Table, cells: pl.DataFrame, column: str | None, reason: str) -> None:
        """Put rows aside: their line, the heading of the column to blame and the shape of what
        stands there.
        """
        if not cells.height:
            return
        heading = table.headings.heading(column) if column else None
        values = texts_of(cells, column) if column and heading else nothing("", cells.height)
        distinct = distinct_of(values)
        shapes = pl.Series([shape(value) for value in distinct], dtype=pl.String)
        self.add(
            table,
            cells.select(
                "line", shape=look_up(values.cast(pl.String), distinct, shapes).fill_null("")
            ).select(
                file=pl.lit(table.raw.name),
                line="line",
                column=pl.lit(heading, dtype=pl.String),
                shape="shape",
                reason=pl.lit(reason),
            ),
        )

    def add(self, table: Table, rejects: pl.DataFrame) -> None:
        """Add a frame of rejects."""
        table.rejected += rejects.height
        self.rejects.append(rejects)

    def count_unreadable(self, column: str, count: int) -> None:
        """Remember cells of an optional column that could not be read."""
        if count:
            self.unreadable[column] = self.unreadable.get(column, 0) + count

    def words(self, column: str, meanings: Meanings) -> pl.Series:
        """Return what the words of a column mean, and remember those that mean nothing."""
        counts = self.unknown_words.setdefault(column, {})
        for text, count in meanings.unknown.items():
            counts[text] = counts.get(text, 0) + count
        return meanings.values

    def all_rejects(self) -> pl.DataFrame:
        """Return the rejects, by file and line."""
        return pl.concat([pl.DataFrame(schema=REJECTS), *self.rejects]).sort(
            "file", "line", "reason"
        )


def label(column: str) -> Phrase:
    """Return what people call a canonical column."""
    return Phrase(f"columns.columns.{column}")
