"""Progress for people on stderr: what is being done, and how long it took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.core.wording.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_LONGEST = 4000  # signs of a line


class Stages:
    """Announce the stages of a run on stderr and remember how long each took.

    Parameters
    ----------
    quiet
        Say nothing.
    log_file
        Also append plain lines to this file. Stages hold no data of the client, so neither does the
        log.

    Raises
    ------
    AkbError
        If the log file cannot be written.
    """

    def __init__(self, *, quiet: bool = False, log_file: Path | None = None) -> None:
        from rich.console import Console

        if log_file is not None:  # told before an hour's work, not after
            try:
                log_file.open("a", encoding="utf-8").close()
            except OSError as error:
                raise AkbError(
                    f"cannot write the log {log_file}: {error.strerror}",
                    "Give another file with --log-file.",
                ) from error
        self.seconds: dict[str, float] = {}
        self._quiet = quiet
        self._log_file = (
            log_file.resolve() if log_file else None
        )  # the working directory may be replaced
        self._console = Console(stderr=True, highlight=False)
        self._console.on_broken_pipe = self._fall_silent  # type: ignore[method-assign]
        self._detail = ""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Run one stage: a spinner while it lasts (on a terminal), one line when it is done."""
        began = time.perf_counter()
        self._detail = ""
        if self._quiet or not self._console.is_terminal:
            yield
        else:
            with self._console.status(f"{name} …") as status:
                self._status = status
                try:
                    yield
                finally:
                    del self._status
        took = time.perf_counter() - began
        self.seconds[name] = round(took, 3)
        self.say(f"{name:<46} {took:6.1f} s")

    def detail(self, message: str) -> None:
        """Show what a stage is busy with, behind its spinner."""
        status = getattr(self, "_status", None)
        if status is not None:
            status.update(message)

    def say(self, line: str) -> None:
        """Print one line on stderr (unless quiet) and in the log file."""
        line = printable(line, _LONGEST)
        if not self._quiet:
            self._console.print(line, markup=False, soft_wrap=True)
        if self._log_file is not None:
            with self._log_file.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def _fall_silent(self) -> None:
        """Go on with the work where nobody reads stderr any more; Rich would end it, and take
        stdout along.
        """
        self._quiet = self._console.quiet = True
