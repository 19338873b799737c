"""Open a file, whatever it is: a table of text with its headings, its line numbers and what was
assumed.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.core.wording.printable import printable
from akb.ingest.cells.texts import rule
from akb.ingest.files import archive, csvfile, workbook
from akb.ingest.files.raw_table import NotATableError, without_identifiers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from akb.config import Ingest
    from akb.ingest.files.raw_table import RawTable


_OTHER = (
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database"),
    (b"{\\rtf", "a text document"),
    (b"MIME-Version:", "a web archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"ARROW1", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"\0\1\0\0Standard Jet DB", "an Access database"),
    (b"\0\1\0\0Standard ACE DB", "an Access database"),
)
_JSON = re.compile(rb"^(?:\[\s*[\[{\"\d]|\{\s*\")")
_TAG = re.compile(rb"^<[A-Za-z_][\w:.-]*(?:\s[^<>]*)?/?>\s*<")
_COMPOUND = (  # what an old Office file is besides a workbook, by a name in its directory
    ("EncryptedPackage", "protected with a password"),
    ("WordDocument", "a Word document"),
    ("PowerPoint Document", "a presentation"),
    ("__substg1.0", "an e-mail"),
)
_SQL = re.compile(
    rb"^(?:--[^\n]*\n\s*)*(?:insert\s+into|create\s+table|drop\s+table|begin;)\b", re.IGNORECASE
)
_MAIL = re.compile(rb"^(?:[A-Za-z-]+: [^\n]*\n)*(?:from|received|return-path): ", re.IGNORECASE)
_PAGE = re.compile(
    rb"<(?:!doctype\s+html|html|head|meta|body|table|title|style|script|div)\b", re.IGNORECASE
)
_SPREADSHEET = (b"urn:schemas-microsoft-com:office:spreadsheet", b"urn:oasis:names:tc:opendocument")


def open_file(
    path: Path,
    ingest: Ingest,
    known: Callable[[Sequence[str]], int],
    skipped: list[str] | None = None,
    *,
    content: bytes | None = None,
) -> list[RawTable]:
    """Return the tables of a file: one, one per usable sheet of a workbook, or those of the files
    in a ZIP.

    Parameters
    ----------
    path
        The file.
    ingest
        The client's settings (encoding, separator).
    known
        How many headings of a row are recognised; finds the row of headings.
    skipped
        Receives the names of the sheets, and of the files in an archive, that are no tables.
    content
        What the file holds, where it is in memory and not on a disk.

    Raises
    ------
    AkbError
        If the file is missing, empty, a folder, no table, or too large; with what to do.
    """
    raw = _bytes_of(path) if content is None else content
    name = without_identifiers(printable(path.stem)) + printable(path.suffix)
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")) and archive.is_archive(raw):
        left_out = skipped if skipped is not None else []
        one = partial(_open_bytes, ingest=ingest, known=known, skipped=left_out)
        return archive.open_archive(raw, name, one, left_out)
    digest = hashlib.sha256(raw).hexdigest()
    return _open_bytes(
        raw,
        name,
        digest,
        ingest=ingest,
        known=known,
        skipped=skipped if skipped is not None else [],
    )


def _open_bytes(
    raw: bytes,
    name: str,
    digest: str,
    *,
    ingest: Ingest,
    known: Callable[[Sequence[str]], int],
    skipped: list[str],
) -> list[RawTable]:
    """Return the tables of one file by its first bytes."""
    if not raw:
        raise NotATableError(f"{name} is empty", "Export it again; the file has no bytes.")
    if raw.startswith(b"PAR1"):
        return [workbook.open_parquet(raw, name, digest)]
    if raw.startswith(b"PK\x03\x04"):
        return workbook.open_workbook(raw, name, digest, known, skipped)
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        compound = next((what for word, what in _COMPOUND if word.encode("utf-16-le") in raw), None)
        if compound and b"W\0o\0r\0k\0b\0o\0o\0k" not in raw:
            raise NotATableError(
                f"{name} is {compound}", "Export it again as CSV or XLSX, without a password."
            )
        return workbook.open_workbook(raw, name, digest, known, skipped)
    what = kind_of(raw[:4096])
    if what:
        raise NotATableError(
            f"{name} is {what}, not a table", "Export it again as CSV, XLSX or Parquet."
        )
    return [csvfile.open_csv(raw, name, digest, ingest, known)]


def kind_of(begin: bytes) -> str | None:
    """Return what a file is that begins so, where it is no table: by its first words, in any
    encoding.
    """
    begin = (
        begin.removeprefix(codecs.BOM_UTF8)
        .removeprefix(codecs.BOM_UTF16_LE)
        .removeprefix(codecs.BOM_UTF16_BE)
    )
    text = begin.replace(b"\0", b"").lstrip()
    for magic, what in _OTHER:
        if begin.startswith(magic) or text[: len(magic)].lower() == magic.lower():
            return what
    while text.startswith(b"<!--") and b"-->" in text:
        text = text.split(b"-->", 1)[1].lstrip()
    if _PAGE.match(text):
        return "a web page"
    for pattern, what in (
        (_JSON, "a JSON file"),
        (_SQL, "a script for a database"),
        (_MAIL, "an e-mail"),
    ):
        if pattern.match(text):
            return what
    if text[:5].lower() == b"<?xml":
        if _PAGE.search(text[:512]):
            return "a web page"
        return "an XML spreadsheet" if any(word in text for word in _SPREADSHEET) else "an XML file"
    return "an XML file" if _TAG.match(text) else None


def _bytes_of(path: Path) -> bytes:
    if path.is_dir():
        inside = sorted(entry.name for entry in path.iterdir() if entry.suffix.lower() in _TABLES)
        names = ", ".join(inside[:12]) or "it holds no CSV, XLSX or Parquet files"
        raise AkbError(f"{path} is a folder; name the files to read", f"In it: {names}")
    try:
        if path.is_symlink() and not path.exists():
            raise AkbError(f"{path} is a link to a file that is not there", "Name the file itself.")
        if not path.exists():
            near = _near(path)
            raise AkbError(f"there is no file {path}{near}", "Check the name and the folder.")
        if not path.is_file():
            raise AkbError(f"{path} is no ordinary file", "Give a CSV, XLSX or Parquet file.")
        size = path.stat().st_size
        if size == 0:
            raise NotATableError(f"{path.name} is empty", "Export it again; the file has no bytes.")
        if size > rule("files", "bytes"):
            raise AkbError(
                f"{path.name} is larger than {rule('files', 'bytes') / 1e9:.0f} GB",
                "Export fewer columns or years, or as Parquet.",
            )
        return path.read_bytes()
    except OSError as error:
        raise AkbError(f"cannot read {path}: {error.strerror}") from None


_TABLES = {".csv", ".txt", ".tsv", ".xlsx", ".xls", ".xlsm", ".parquet", ".zip"}


def _near(path: Path) -> str:
    from akb.core.errors import did_you_mean

    if not path.parent.is_dir():
        return ""
    return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()])
