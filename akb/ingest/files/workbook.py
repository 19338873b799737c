"""XLSX (and older Excel files) and Parquet as tables of text."""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.core.wording.printable import printable
from akb.ingest.cells.texts import rule
from akb.ingest.files.apart import (
    PARQUET,
    WORKBOOK,
    is_large_as_its_cells,
    is_small_workbook,
    read_apart,
)
from akb.ingest.files.formulas import uncomputed
from akb.ingest.files.raw_table import RawTable, check_width, unique_headings, without_identifiers
from akb.ingest.files.two_rows import known_together, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PREVIEW = 40
_UNPACKED = 4_000_000_000
_NO_ROWS = {"line": pl.Int64, "shape": pl.String}


def open_workbook(
    raw: bytes, name: str, digest: str, known: Callable[[Sequence[str]], int], skipped: list[str]
) -> list[RawTable]:
    """Return the sheets of a workbook whose headings are recognised (the first filled sheet if none
    are).

    The names of the others go into `skipped`.

    Raises
    ------
    AkbError
        If it is no workbook, is damaged or protected, has no filled sheet, or unpacks to an absurd
        size.
    """
    if raw.startswith(b"PK"):
        _check_archive(raw, name)
    small = is_small_workbook(raw, name)
    sheets = list(read_sheets(raw, name)) if small else read_apart(WORKBOOK, raw, name)
    filled = [(sheet, frame) for sheet, frame in sheets if frame.height and frame.width]
    if not filled:
        raise AkbError(f"{name} is empty", "None of its sheets has a filled cell.")
    tables = [(sheet, frame, *_header(frame, known)) for sheet, frame in filled]
    usable = [table for table in tables if table[3] >= 2] or tables[:1]
    several = len(usable) > 1
    used = {table[0] for table in usable}
    skipped += [
        f"{name} [{without_identifiers(printable(sheet))}]"
        for sheet, _ in filled
        if sheet not in used
    ]
    found = []
    for sheet, frame, row, _ in usable:
        shown = without_identifiers(printable(sheet))
        table = _table(f"{name} [{shown}]" if several else name, digest, frame, row, known)
        found.append(
            replace(
                table,
                dialect={"format": "Excel", "sheet": shown, **table.dialect},
                uncomputed=uncomputed(raw, sheet),
                sheet=several,
            )
        )
    return found


def read_sheets(raw: bytes, name: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the sheets of a workbook as text, by their name.

    Raises
    ------
    AkbError
        If it is no workbook, is damaged or protected, or has a sheet of absurd width.
    """
    import fastexcel

    try:
        reader = fastexcel.read_excel(raw)
        for sheet in reader.sheet_names:
            yield sheet, _sheet(reader, sheet)
    except AkbError:
        raise
    except BaseException as error:  # the reader's panics are no Exceptions
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        raise AkbError(
            f"{name}: this workbook cannot be opened ({type(error).__name__})",
            "Is it protected or damaged? Open it in Excel and save it as CSV UTF-8 or as a new "
            "XLSX.",
        ) from None


def _check_archive(raw: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise AkbError(f"{name} is a damaged archive or workbook", "Export it again.") from None
    names = {entry.filename for entry in entries}
    if not any(entry.startswith("xl/") for entry in names) and "content.xml" not in names:
        inside = ", ".join(printable(entry) for entry in sorted(names)[:8])
        raise AkbError(
            f"{name} is a ZIP archive", f"Unpack it and name the files to read. In it: {inside}"
        )
    size = sum(entry.file_size for entry in entries)
    if size > _UNPACKED or size > rule("files", "ratio") * max(len(raw), 1):
        raise AkbError(
            f"{name} unpacks to {size / 1e6:,.0f} MB, too much for a workbook", "Export it as CSV."
        )


def _sheet(reader: object, sheet: str) -> pl.DataFrame:
    loaded = reader.load_sheet(sheet, header_row=None, dtypes="string")  # type: ignore[attr-defined]
    if not loaded.width:
        return pl.DataFrame()
    check_width(loaded.width, f"sheet {printable(sheet)}")
    frame: pl.DataFrame = loaded.to_polars()
    return frame


def _header(frame: pl.DataFrame, known: Callable[[Sequence[str]], int]) -> tuple[int, int]:
    """Return the row (0-based) that holds most known headings, and how many."""
    best = (0, -1, 0)
    above: list[str] = []
    for place, row in enumerate(frame.head(_PREVIEW).iter_rows()):
        cells = ["" if cell is None else str(cell) for cell in row]
        hits = known_together(above, cells, known)
        above = cells
        filled = sum(bool(cell.strip()) for cell in cells)
        if (hits, filled if hits == 0 else 0) > (best[1], best[2]):
            best = (place, hits, filled if hits == 0 else 0)
    return best[0], max(best[1], 0)


def _table(
    name: str, digest: str, frame: pl.DataFrame, header: int, known: Callable[[Sequence[str]], int]
) -> RawTable:
    headings: list[str | None] = list(frame.row(header)) if frame.height else []
    if header:
        headings = [*merged(frame.row(header - 1), headings, known)]
    while headings and not (headings[-1] or "").strip():
        headings.pop()
    body = frame.slice(header + 1).with_columns(
        line=pl.int_range(header + 2, pl.len() + header + 2, dtype=pl.Int64)
    )
    cells = list(frame.columns[: len(headings)])
    body = (
        body.filter(pl.any_horizontal(pl.col(cells).str.strip_chars() != ""))
        if cells
        else body.head(0)
    )

    def load(positions: Sequence[int]) -> pl.DataFrame:
        return body.select(
            *(pl.col(frame.columns[p]).alias(str(p)) for p in sorted(set(positions))), "line"
        )

    return RawTable(
        name=name,
        sha256=digest,
        dialect={"header_line": str(header + 1)},
        headings=unique_headings(headings),
        header_line=header + 1,
        read=body.height,
        ragged=pl.DataFrame(schema=_NO_ROWS),
        load=load,
    )


def open_parquet(raw: bytes, name: str, digest: str) -> RawTable:
    """Return a Parquet file as a table of text.

    Raises
    ------
    AkbError
        If it is damaged.
    """
    with _damaged(name):
        schema = pl.read_parquet_schema(io.BytesIO(raw))
        rows = pl.scan_parquet(io.BytesIO(raw)).select(pl.len()).collect().item()
    check_width(len(schema), name)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        wanted = sorted(set(positions))
        if is_large_as_its_cells(rows * len(wanted), len(raw)):
            read = read_parquet(raw, name, wanted)
        else:
            [(_, read)] = read_apart(PARQUET, raw, name, {"positions": wanted})
        return read.with_columns(line=pl.int_range(1, read.height + 1, dtype=pl.Int64))

    return RawTable(
        name=name,
        sha256=digest,
        dialect={"format": "Parquet"},
        headings=unique_headings(list(schema)),
        header_line=0,
        read=rows,
        ragged=pl.DataFrame(schema=_NO_ROWS),
        load=load,
    )


def read_parquet(raw: bytes, name: str, positions: Sequence[int]) -> pl.DataFrame:
    """Return columns of a Parquet file as text, named by their position.

    Raises
    ------
    AkbError
        If it is damaged.
    """
    with _damaged(name):
        schema = pl.read_parquet_schema(io.BytesIO(raw))
        names = list(schema)
        columns = [_as_text(names[p], schema[names[p]]).alias(str(p)) for p in positions]
        return pl.scan_parquet(io.BytesIO(raw)).select(columns).collect()


@contextmanager
def _damaged(name: str) -> Iterator[None]:
    """Turn what Polars says of a broken Parquet file into a sentence."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise AkbError(
            f"{name}: damaged Parquet file ({type(error).__name__})", "Export it again."
        ) from None


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.lit(None, dtype=pl.String)
    if dtype == pl.Datetime:
        return _moment(name, dtype)
    if dtype.is_float():
        whole = pl.col(name).cast(pl.Int64, strict=False)
        return (
            pl.when(whole == pl.col(name))
            .then(whole.cast(pl.String))
            .otherwise(pl.col(name).cast(pl.String))
        )
    return pl.col(name).cast(pl.String)


def _moment(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return moments as text: a day, with its time where it has one; universal time says that it
    is.
    """
    zone = getattr(dtype, "time_zone", None)
    form = "%Y-%m-%d %H:%M:%SZ" if zone in ("UTC", "Etc/UTC", "GMT") else "%Y-%m-%d %H:%M:%S"
    return pl.col(name).dt.to_string(form).str.strip_suffix(" 00:00:00")
