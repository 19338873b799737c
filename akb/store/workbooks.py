"""Workbooks that akb wrote: take a customer out, or put relation numbers in, without a spreadsheet
program.

An XLSX file is a zip of XML. Text stands once, in a table of shared strings; a cell holds the
number of its string."""

from __future__ import annotations

import html
import io
import re
import zipfile
from typing import TYPE_CHECKING

from akb.core.errors import RefusedError
from akb.store.folders import CUSTOMER_HEADINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRINGS = "xl/sharedStrings.xml"
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
_STRING = re.compile(r"<si>(.*?)</si>", re.DOTALL)
_TEXT = re.compile(r"(<t\b[^>]*>)(.*?)(</t>)", re.DOTALL)
_ROW = re.compile(r'<row r="(\d+)"[^>]*?(?:/>|>.*?</row>)', re.DOTALL)
_SHARED = re.compile(r'<c [^>]*t="s"[^>]*><v>(\d+)</v></c>')
_CELL = re.compile(r'<c r="([A-Z]+)\d+"[^>]*t="s"[^>]*><v>(\d+)</v></c>')


def workbook_without(content: bytes, names: frozenset[str]) -> tuple[bytes, int]:
    """Return a workbook without the rows of a customer, and how many rows went.

    A customer is looked for under the heading that says customer (in a sheet without one:
    everywhere), for an office may have the same number. Later rows move up. Texts that no cell
    holds any more are emptied, so that nothing of the row stays behind.

    Raises
    ------
    RefusedError
        If the file is no workbook as akb writes them.
    """
    parts = _opened(content)
    texts = _texts(parts[_STRINGS])
    gone = {place for place, text in enumerate(texts) if text.removeprefix("'") in names}
    titles = {place for place, text in enumerate(texts) if text in CUSTOMER_HEADINGS}
    if not gone:
        return content, 0
    removed, used = 0, set()
    for name in parts:
        if _SHEET.fullmatch(name):
            parts[name], rows = _rows_without(parts[name], gone, titles)
            removed += rows
            used |= {int(number) for number in _SHARED.findall(parts[name])}
    places = iter(range(len(_STRING.findall(parts[_STRINGS]))))
    parts[_STRINGS] = _STRING.sub(
        lambda found: found.group(0) if next(places) in used else "<si><t></t></si>",
        parts[_STRINGS],
    )
    return _closed(content, parts), removed


def workbook_renamed(content: bytes, names: Mapping[str, str]) -> bytes:
    """Return a workbook in which every text that is a key of `names` reads as its value; text stays
    text.

    Raises
    ------
    RefusedError
        If the file is no workbook as akb writes them.
    """
    parts = _opened(content)

    def renamed(found: re.Match[str]) -> str:
        new = names.get(html.unescape(found.group(2)).removeprefix("'"))
        return (
            found.group(0)
            if new is None
            else f"{found.group(1)}{html.escape(new, quote=False)}{found.group(3)}"
        )

    parts[_STRINGS] = _TEXT.sub(renamed, parts[_STRINGS])
    return _closed(content, parts)


def texts_of(content: bytes) -> list[str]:
    """Return every text in a workbook, each once."""
    return _texts(_opened(content)[_STRINGS])


def _texts(strings: str) -> list[str]:
    return [
        html.unescape("".join(part[1] for part in _TEXT.findall(body)))
        for body in _STRING.findall(strings)
    ]


def _rows_without(sheet: str, gone: set[int], titles: set[int]) -> tuple[str, int]:
    removed = 0
    columns = {letters for letters, number in _CELL.findall(sheet) if int(number) in titles}

    def moved(found: re.Match[str]) -> str:
        nonlocal removed
        row = found.group(0)
        if gone & {
            int(number)
            for letters, number in _CELL.findall(row)
            if not columns or letters in columns
        }:
            removed += 1
            return ""
        if not removed:
            return row
        old, new = found.group(1), str(int(found.group(1)) - removed)
        row = row.replace(f'<row r="{old}"', f'<row r="{new}"', 1)
        return re.sub(rf'(<c r="[A-Z]+){old}"', rf'\g<1>{new}"', row)

    return _ROW.sub(moved, sheet), removed


def _opened(content: bytes) -> dict[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            parts = {name: book.read(name).decode("utf-8") for name in book.namelist()}
    except (zipfile.BadZipFile, UnicodeDecodeError):
        parts = {}
    if _STRINGS not in parts:
        raise RefusedError(
            "this is no workbook of akb, so it can't be searched", "Move it out of the folder."
        )
    return parts


def _closed(content: bytes, parts: Mapping[str, str]) -> bytes:
    """Return the parts as a zip with the order, dates and compression of the old one."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry, parts[entry.filename])
    return target.getvalue()
