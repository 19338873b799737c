"""Reading files inside a ZIP that may be damaged or harmful; a workbook is one too."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
"""What reading a damaged, encrypted or oddly packed file raises."""
_PIECE = 1 << 20  # bytes


def pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a file unpacks to, a megabyte at a time; never more than its size says.

    Raises
    ------
    zipfile.BadZipFile
        If it unpacks to more than its size says; others of `BROKEN` if it is damaged.
    """
    size = 0
    with archive.open(entry) as packed:
        while piece := packed.read(_PIECE):
            size += len(piece)
            if size > entry.file_size:
                raise zipfile.BadZipFile("more than its size says")
            yield piece


def column_number(letters: bytes) -> int:
    """Return the number of a worksheet's column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
