"""stdout and stderr as people use them: a terminal of any encoding, a file, a reader that stops
reading.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TextIO

from akb.core.wording.printable import printable

_LONGEST = 4000  # signs of a line that is said to somebody


def prepare_streams() -> None:
    """Let nothing fail on a sign that a terminal does not have; what goes into a file is UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            if _is_file(stream):
                reconfigure(encoding="utf-8", errors="backslashreplace")
            else:
                reconfigure(errors="replace")


def write_out(text: str) -> None:
    """Write data (JSON, a list) on stdout as UTF-8, whatever the terminal's encoding."""
    content = text.encode(
        errors="backslashreplace"
    )  # half a pair of a file's name is \\udcff, also in JSON
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(content)
    buffer.flush()


def say(*lines: str | None) -> None:
    """Say lines on stderr, without anything in them that steers a terminal; nobody listening is no
    error.
    """
    with suppress(BrokenPipeError):
        for line in lines:
            for part in (line or "").splitlines():
                sys.stderr.write(printable(part, _LONGEST) + "\n")
        sys.stderr.flush()


def let_go() -> None:
    """Send what is still to come on stdout nowhere: its reader has gone."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False
