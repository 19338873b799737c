"""What stands in a file for who looks: packed content unpacked, for a search through bytes finds nothing in a ZIP."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import polars as pl


def everything_in(path: Path) -> dict[str, bytes]:
    """Return name -> bytes of a file, and of what is packed in it: parts of archives and workbooks, rows of Parquet."""
    return _unpacked(path.name, path.read_bytes())


def _unpacked(name: str, content: bytes) -> dict[str, bytes]:
    found = {name: content}
    if content[:4] == b"PAR1":
        found[f"{name}: rows"] = pl.read_parquet(io.BytesIO(content)).write_ndjson().encode()
    elif zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.namelist():
                found |= _unpacked(f"{name}: {part}", archive.read(part))
    return found
