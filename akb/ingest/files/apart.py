"""Workbooks and Parquet files that could take more memory than there is: read in a process of its
own, with a cap.

A file of two kilobytes can claim 400 GB: the library that reads it then ends the process, or the
machine does. So what could grow is read apart, and the end of that process is a sentence."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

from akb.core.errors import AkbError
from akb.core.wording.printable import printable
from akb.ingest.cells.texts import rule
from akb.ingest.files.zipped import BROKEN, column_number, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

WORKBOOK, PARQUET = "workbook", "parquet"
_SMALL_XML = 16_000_000  # bytes; of a workbook that unpacks to more the process finds out
_SMALL_CELLS = 1_000_000
_SMALL_TEXT = 100_000_000  # signs in all cells together, if each had the longest text
_LARGE, _GROWTH = 20_000_000, 60  # bytes of a Parquet file, and of its cells for each of them
_OVERLAP = 64  # bytes: longer than the name of a cell
_LENGTH = struct.Struct("<Q")
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_STRINGS = "xl/sharedStrings.xml"


def is_small_workbook(raw: bytes, name: str) -> bool:
    """Return whether a workbook can be read here: an XLSX of few bytes, few cells and no long
    texts.

    Raises
    ------
    AkbError
        If its filled cells lie so far apart that nobody filled them.
    """
    if not raw.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            sheets = [entry for entry in book.infolist() if _SHEET.fullmatch(entry.filename)]
            strings = [entry for entry in book.infolist() if entry.filename == _STRINGS]
            if not sheets or sum(entry.file_size for entry in book.infolist()) > _SMALL_XML:
                return False
            shapes = [_shape(book, entry) for entry in sheets]
            longest = max((_longest_string(book, entry) for entry in strings), default=0)
    except BROKEN:
        return False  # what reads it says what is wrong with it
    extent = max(extent for extent, _ in shapes)
    if extent > rule("files", "cells"):
        raise AkbError(
            f"{name}: its filled cells lie {extent:,} cells apart, too much for a workbook",
            "It may be harmful. If it is not, take the stray cell out, or save the sheet as CSV.",
        )
    return extent <= _SMALL_CELLS and longest * sum(cells for _, cells in shapes) <= _SMALL_TEXT


def is_large_as_its_cells(cells: int, size: int) -> bool:
    """Return whether a Parquet file can be read here: it is so large itself that its cells are no
    surprise.
    """
    return size >= _LARGE and 16 * cells <= _GROWTH * size


def read_apart(
    kind: str, raw: bytes, name: str, asked: Mapping[str, Any] | None = None
) -> list[tuple[str, pl.DataFrame]]:
    """Return the tables of a file, read in a process of its own.

    Parameters
    ----------
    kind
        ``workbook`` or ``parquet``; `akb.ingest.files.child` has a reader for each.
    asked
        What the reader wants to know besides the bytes.

    Raises
    ------
    AkbError
        If the file is refused, cannot be read, or takes more memory or time than a file of its size
        may.
    """
    cap = int(max(rule("files", "memory"), rule("files", "memory_per_byte") * len(raw)))
    order = {
        "kind": kind,
        "name": name,
        "memory": cap,
        "seconds": int(rule("files", "seconds")),
        "asked": asked or {},
    }
    process = subprocess.Popen(
        [sys.executable, "-c", "from akb.ingest.files.child import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"},
    )
    assert process.stdin
    assert process.stdout
    feeding = Thread(
        target=_feed, args=(process.stdin, json.dumps(order).encode(), raw), daemon=True
    )
    feeding.start()
    try:
        return list(_tables(process.stdout, name, cap))
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        feeding.join()


def _feed(target: IO[bytes], *parts: bytes) -> None:
    try:
        send(target, parts)
        target.close()
    except OSError:
        pass  # it has ended: what it says, or that it says nothing, is read by the other side


def _tables(source: IO[bytes], name: str, cap: int) -> Iterator[tuple[str, pl.DataFrame]]:
    import polars as pl

    left = (
        cap // 4
    )  # of all tables together: the side that receives holds them twice while it reads them
    while True:
        header = json.loads(_part(source, name, cap, left) or b"{}")
        if "message" in header:
            raise AkbError(header["message"], header["hint"])
        if "end" in header:
            return
        if "table" not in header:
            raise _too_much(name, cap)
        content = _part(source, name, cap, left)
        left -= len(content)
        yield header["table"], pl.read_ipc(io.BytesIO(content))


def _part(source: IO[bytes], name: str, cap: int, most: int) -> bytes:
    """Return what the other side sends next, `most` bytes at most; nothing where it has ended."""
    length = source.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return b""
    (size,) = _LENGTH.unpack(length)
    if size > most:
        raise _too_much(name, cap)
    return source.read(size)


def _too_much(name: str, cap: int) -> AkbError:
    return AkbError(
        f"{name} cannot be read within {cap / 1e6:,.0f} MB of memory, which is ample for a file "
        f"of its size",
        "It may be harmful or damaged. If it is not, save it as CSV UTF-8.",
    )


def _chunks(book: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part of a workbook in overlapping pieces; what grows beyond its size is damaged."""
    tail = b""
    for piece in pieces(book, entry):
        yield tail + piece
        tail = piece[-_OVERLAP:]


def _shape(book: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return how many cells the rectangle round all filled cells of a sheet has, and about how many
    are filled.
    """
    rows: list[int] = []
    columns: list[int] = []
    cells = 0
    for chunk in _chunks(book, entry):
        places = _CELL.findall(chunk)
        cells += chunk.count(b"<c")
        if places:
            numbers = [int(row) for _, row in places]
            letters = [column_number(word) for word in {word for word, _ in places}]
            rows += [min(numbers), max(numbers)]
            columns += [min(letters), max(letters)]
    if not rows:
        return cells, cells
    return (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1), cells


def _longest_string(book: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return the bytes of the longest shared string, with its markup."""
    longest, begun = 0, 0
    for chunk in _chunks(book, entry):
        first, *others = chunk.split(b"<si")
        longest = max(longest, begun + len(first), *(len(part) for part in others), 0)
        begun = len(others[-1]) if others else begun + len(first)
    return longest


def refused(error: AkbError) -> dict[str, str | None]:
    """Return a refusal as it goes from one process to the other."""
    return {"message": printable(error.message, 2000), "hint": error.hint}


def send(target: IO[bytes], parts: Sequence[bytes | memoryview]) -> None:
    """Send parts to the process that asked for them."""
    for part in parts:
        target.write(_LENGTH.pack(len(part)))
        target.write(part)
    target.flush()


def receive(source: IO[bytes]) -> bytes:
    """Return the next part that was sent."""
    (size,) = _LENGTH.unpack(source.read(_LENGTH.size))
    return source.read(size)
