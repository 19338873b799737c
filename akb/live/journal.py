"""One line of JSON per command in the book's ``log.jsonl``, for whoever watches the weekly run.

It tells what was done, how it ended and how long it took; nothing of any customer."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError
from akb.live.registry import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.live.book import ClientBook

LOG = "log.jsonl"
SCHEMA = "akb.log/1"
FAULT, INTERRUPTED = 70, 130


@contextmanager
def journal(
    book: ClientBook | None, command: str, *, dry_run: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield a dictionary for what is worth a word; one line is written however the command ends.

    A dry run, and a command without a book, leave none."""
    line: dict[str, Any] = {}
    if book is None or dry_run:
        yield line
        return
    began, code, why = time.perf_counter(), 0, ""
    try:
        yield line
    except AkbError as error:
        code, why = error.exit_code, error.message
        raise
    except KeyboardInterrupt:
        code, why = INTERRUPTED, "interrupted"
        raise
    except BaseException as error:
        code, why = FAULT, type(error).__name__  # its message may hold data of the client
        raise
    finally:
        line = {
            "schema": SCHEMA,
            "time": now(),
            "command": command,
            "exit": code,
            "seconds": round(time.perf_counter() - began, 1),
            **line,
            **({"why": why} if why else {}),
        }
        _append(book, json.dumps(line, ensure_ascii=False) + "\n")


def _append(book: ClientBook, line: str) -> None:
    """Append in one write, so that lines of two commands never mix."""
    descriptor = os.open(book.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
