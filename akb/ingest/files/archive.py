"""A ZIP of tables: checked before anything is unpacked, each file read as if it had been given by
itself.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.core.wording.printable import printable
from akb.ingest.cells.texts import rule
from akb.ingest.files.raw_table import without_identifiers
from akb.ingest.files.zipped import BROKEN, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.ingest.files.raw_table import RawTable

_NESTED = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_NESTED_NAMES = (".zip", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".tar")
_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # others unpack as a whole, however much that is
_HELP = "Unpack it and name the files to read."


def is_archive(raw: bytes) -> bool:
    """Say whether bytes that begin as a ZIP are an archive of files and not a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError):
        return False
    return not any(name.startswith("xl/") for name in names) and "content.xml" not in names


def open_archive(
    raw: bytes, name: str, open_one: Callable[[bytes, str, str], list[RawTable]], skipped: list[str]
) -> list[RawTable]:
    """Return the tables of the files in a ZIP.

    Parameters
    ----------
    raw, name
        The archive.
    open_one
        Bytes, name and hash of one file to its tables.
    skipped
        Receives the names of the files that are no tables.

    Raises
    ------
    AkbError
        If it is damaged, protected, holds archives or paths outside itself, unpacks to too much, or
        holds no table.
    """
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        entries = [
            entry
            for entry in archive.infolist()
            if not entry.is_dir() and not _clutter(entry.filename)
        ]
        _check_entries(entries, len(raw), name)
        tables: list[RawTable] = []
        for entry in sorted(entries, key=lambda entry: entry.filename):
            content = _read(archive, entry, name)
            path = PurePosixPath(entry.filename)
            inner = (
                f"{name}/{without_identifiers(printable(path.stem))}{printable(path.suffix, 20)}"
            )
            if content.startswith(_NESTED) and not is_workbook(content):
                raise AkbError(f"{inner} is an archive inside an archive", _HELP)
            try:
                found = open_one(content, inner, hashlib.sha256(content).hexdigest())
            except AkbError:
                skipped.append(inner)
                continue
            tables += [replace(table, optional=True) for table in found]
    if not tables:
        inside = ", ".join(skipped[:8]) or "nothing"
        raise AkbError(
            f"{name} holds no table", f"In it: {inside}. akb reads CSV, XLSX and Parquet."
        )
    return tables


def is_workbook(raw: bytes) -> bool:
    """Say whether bytes that begin as a ZIP are a workbook."""
    return raw.startswith(b"PK") and not is_archive(raw)


def _clutter(path: str) -> bool:
    return path.startswith(_CLUTTER) or path.rsplit("/", 1)[-1].startswith((".", *_CLUTTER))


def _check_entries(entries: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    """Refuse an archive by its table of contents."""
    if len(entries) > rule("files", "entries"):
        raise AkbError(f"{name} holds {len(entries):,} files", _HELP)
    for entry in entries:
        path = entry.filename.replace("\\", "/")
        if path.startswith("/") or ".." in path.split("/") or path[1:2] == ":":
            raise AkbError(
                f"{name} holds a file on a path outside itself",
                "It may be harmful; ask for a new export.",
            )
        if entry.flag_bits & 1:
            raise AkbError(f"{name} is protected with a password", _HELP)
        if entry.compress_type not in _METHODS:
            raise AkbError(f"{name} is packed in a way that akb does not unpack", _HELP)
        if path.lower().endswith(_NESTED_NAMES):
            raise AkbError(
                f"{name}/{printable(path.rsplit('/', 1)[-1])} is an archive inside an archive",
                _HELP,
            )
    size = sum(entry.file_size for entry in entries)
    worst = max((entry.file_size / max(entry.compress_size, 1) for entry in entries), default=0.0)
    most = rule("files", "ratio" if size <= rule("files", "large") else "large_ratio")
    if max(worst, size / max(packed, 1)) > most or size > rule("files", "bytes"):
        raise AkbError(
            f"{name} unpacks to {size / 1e6:,.0f} MB, more than {most:.0f} times its size",
            "It may be harmful. If it is not, unpack it and name the files to read.",
        )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """Return a file of an archive; never more than its size says, whatever it unpacks to."""
    try:
        return b"".join(pieces(archive, entry))
    except BROKEN as error:
        raise AkbError(
            f"{name} is a damaged archive ({type(error).__name__})", "Export it again."
        ) from None
