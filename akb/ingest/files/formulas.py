"""Formulas in a workbook whose result was never computed: a program wrote them, and no spreadsheet
opened it since.

Such cells read as empty, so end dates and premiums would be gone without a word.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from typing import TYPE_CHECKING

from akb.ingest.files.zipped import BROKEN, column_number

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 4_000_000  # bytes of a sheet that are looked at together
_SHEET = re.compile(rb"<sheet\b[^>]*>")
_RELATION = re.compile(rb"<Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(rb'([\w:]+)="([^"]*)"')
_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]+)\d+"')
_UNCOMPUTED = re.compile(
    rb"<c\b([^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>",
)
_PLACE = re.compile(rb'\br="([A-Z]+)\d+"')


def uncomputed(raw: bytes, sheet: str) -> dict[int, int]:
    """Return position of a column -> its formulas without a result, in a sheet of an XLSX workbook.

    A formula whose result is an empty text (``t="str"``) was computed. Positions count from the
    first used column."""
    found: dict[int, int] = {}
    first: int | None = None
    for chunk in _chunks(raw, sheet):
        for cell in _CELL.finditer(chunk) if first is None else ():
            place = column_number(cell[1])
            first = place if first is None else min(first, place)
        for formula in _UNCOMPUTED.finditer(chunk) if b"<f" in chunk else ():
            at = _PLACE.search(formula[1])
            if at and b't="str"' not in formula[1]:
                place = column_number(at[1])
                found[place] = found.get(place, 0) + 1
    return {place - (first or 1): count for place, count in sorted(found.items())}


def _chunks(raw: bytes, sheet: str) -> Iterator[bytes]:
    """Return the text of a sheet in pieces that end behind a cell; nothing where it cannot be
    found.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            path = _path(archive, sheet)
            if path is None:
                return
            with archive.open(path) as source:
                rest = b""
                while piece := source.read(_CHUNK):
                    whole, cell, rest = (rest + piece).rpartition(b"</c>")
                    yield whole + cell
                yield rest
    except (*BROKEN, KeyError):
        return  # the reader of the workbook says what is wrong with it


def _path(archive: zipfile.ZipFile, sheet: str) -> str | None:
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    for tag in _SHEET.findall(archive.read("xl/workbook.xml")):
        listed = _attributes(tag)
        if listed.get("name") == sheet:
            for relation in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels")):
                target = _attributes(relation)
                if target.get("Id") == listed.get("r:id"):
                    path = target.get("Target", "").removeprefix("/").removeprefix("xl/")
                    return f"xl/{path}" if f"xl/{path}" in names else None
    return None


def _attributes(tag: bytes) -> dict[str, str]:
    return {
        name.decode(): html.unescape(value.decode(errors="replace"))
        for name, value in _ATTRIBUTE.findall(tag)
    }
