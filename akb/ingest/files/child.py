"""The process in which a workbook or a Parquet file is read: see `apart`. It writes no file and no
log.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError
from akb.ingest.files.apart import PARQUET, WORKBOOK, receive, refused, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl


def main() -> None:
    """Read one file from stdin and write its tables to stdout, within the memory and time that the
    order allows.
    """
    order = json.loads(receive(sys.stdin.buffer))
    import fastexcel  # noqa: F401  # before the cap, which counts from here
    import polars as pl  # noqa: F401

    from akb.ingest.files import workbook  # noqa: F401

    _limit(order["memory"], order["seconds"])
    raw = receive(sys.stdin.buffer)
    try:
        for name, frame in _READERS[order["kind"]](raw, order["name"], order["asked"]):
            target = io.BytesIO()
            frame.write_ipc(target)
            send(sys.stdout.buffer, [json.dumps({"table": name}).encode(), target.getbuffer()])
        document: dict[str, Any] = {"end": True}
    except AkbError as error:
        document = refused(error)
    send(sys.stdout.buffer, [json.dumps(document).encode()])


def _limit(memory: int, seconds: int) -> None:
    """Set the cap: what the process has by now, and `memory` bytes more. Where a system knows no
    such cap, none.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        cap = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (cap, cap))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _sheets(raw: bytes, name: str, _: Mapping[str, Any]) -> Iterator[tuple[str, pl.DataFrame]]:
    from akb.ingest.files.workbook import read_sheets

    return read_sheets(raw, name)


def _parquet(raw: bytes, name: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, pl.DataFrame]]:
    from akb.ingest.files.workbook import read_parquet

    yield "", read_parquet(raw, name, asked["positions"])


_READERS = {WORKBOOK: _sheets, PARQUET: _parquet}
