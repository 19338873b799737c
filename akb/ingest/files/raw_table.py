"""One table of text as it stands in a file, and what its headings may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.core.privacy.identifiers import identifier_in, redacted
from akb.core.wording.printable import printable
from akb.ingest.cells.texts import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl


class NotATableError(AkbError):
    """A file of another kind, or with no cells in columns: a picture, a web page, a letter,
    nothing.
    """


@dataclass(frozen=True)
class RawTable:
    """One table of text as it stands in a file.

    Parameters
    ----------
    name
        File name without its folder and without identifiers; a workbook's further sheets have
        theirs in brackets.
    sha256
        Hash of the file's bytes.
    dialect
        What was assumed, as text.
    headings
        Headings, made unique.
    header_line
        Line of the headings, 1-based.
    read
        Number of data rows; empty ones do not count.
    ragged
        ``line`` i64, ``shape`` str: rows with too many or too few fields.
    load
        Positions -> frame with ``line`` i64 and one column of text per position (String, or
        Categorical where texts repeat), named by the position as text.
    optional
        From an archive: a table that fits no role is left out without being named by the client.
    sheet
        One of several sheets of a workbook; likewise.
    uncomputed
        Position -> formulas that have no result.
    assumed
        Keys of `dialect` that nothing in the file proves.
    """

    name: str
    sha256: str
    dialect: dict[str, str]
    headings: tuple[str, ...]
    header_line: int
    read: int
    ragged: pl.DataFrame
    load: Callable[[Sequence[int]], pl.DataFrame]
    optional: bool = False
    sheet: bool = False
    uncomputed: Mapping[int, int] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()


def unique_headings(row: Sequence[str | None]) -> tuple[str, ...]:
    """Return headings without line breaks, outer spaces and identifiers, empty ones by their place,
    twins numbered.
    """
    seen: dict[str, int] = {}
    result = []
    for position, cell in enumerate(row, start=1):
        heading = (
            without_identifiers(" ".join(printable(cell or "").split())) or f"(column {position})"
        )
        seen[heading] = seen.get(heading, 0) + 1
        result.append(heading if seen[heading] == 1 else f"{heading} ({seen[heading]})")
    return tuple(result)


def without_identifiers(name: str) -> str:
    """Return a heading or a file's name as it may be told.

    An e-mail address, telephone number or IBAN taken out.
    """
    return redacted(name) if identifier_in(name) else name


def check_width(columns: int, where: str) -> None:
    """Refuse a table with an absurd number of columns."""
    most = int(rule("files", "columns"))
    if columns > most:
        raise AkbError(
            f"{where}: {columns:,} columns, more than {most:,}",
            "This is no export of policies in rows; if it is, leave out the columns that akb does "
            "not use.",
        )
