"""Plain files that outlive a kill: written beside, synced, renamed; lines are added, never
changed."""

from __future__ import annotations

import csv
import io
import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError
from akb.store.atomic import locked, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one command at a time change what is in a folder; a second one is told.

    Raises
    ------
    AkbError
        If another command is at it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / ".lock", wait=False))
        except BlockingIOError:
            raise AkbError(
                f"another akb is at work in {folder}", "Try again in a moment."
            ) from None
        yield


def read_document(path: Path, what: str) -> dict[str, Any]:
    """Return a JSON document.

    Raises
    ------
    AkbError
        If it is not there or cannot be read.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError:
        raise AkbError(
            f"{path.parent} holds no {what.rpartition(' ')[2]}: {path.name} is missing"
        ) from None
    except ValueError:
        raise AkbError(f"{path} cannot be read as {what}") from None
    if not isinstance(document, dict):
        raise AkbError(f"{path} cannot be read as {what}")
    return document


def read_rows(path: Path, schema: dict[str, Any]) -> pl.DataFrame:
    """Return the rows of a CSV of ours; none where it is not there yet.

    Raises
    ------
    AkbError
        If it has other columns, or a value that is none.
    """
    if not path.is_file():
        return pl.DataFrame(schema=schema)
    try:
        frame = pl.read_csv(path, schema=schema, try_parse_dates=False)
    except (pl.exceptions.PolarsError, OSError):
        raise AkbError(f"{path} cannot be read as akb wrote it") from None
    if frame.columns != list(schema):
        raise AkbError(f"{path} cannot be read as akb wrote it")
    return frame


def add_rows(path: Path, columns: Sequence[str], rows: pl.DataFrame) -> None:
    """Add rows to a CSV; every byte that stood there stays."""
    before = path.read_bytes() if path.is_file() else _line(columns)
    write_atomically(path, before + rows.select(columns).write_csv(include_header=False).encode())


def _line(cells: Sequence[str]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerow(cells)
    return target.getvalue().encode()
