"""The stages of a run as people see them on stderr: a bar on a terminal, lines through a pipe."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.core.wording.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from akb.commands.console.estimate import Estimate

_LONGEST = 4000  # signs of a line
_PATIENCE = 5.0  # seconds of a run after which people want to know how long it will take
_BAR = 24  # columns
_OFTEN = 4  # times a second


class Stages:
    """Announce the stages of a run on stderr and remember how long each took.

    Parameters
    ----------
    quiet
        Say nothing.
    log_file
        Also append plain lines to this file. Stages hold no data of the client, so neither does the
        log.
    reads
        The files that ``akb eda`` reads in this process: what an estimate of its time starts from.
        Without them there is none.

    Raises
    ------
    AkbError
        If the log file cannot be written.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        log_file: Path | None = None,
        reads: Sequence[Path] = (),
    ) -> None:
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
        self._began = time.perf_counter()
        self._estimate = _estimate(reads)
        self._name = self._detail = ""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Run one stage: a bar while it lasts (on a terminal), or a line when it begins (through a
        pipe); one line when it is done.
        """
        began = time.perf_counter()
        self._name, self._detail = name, ""
        if self._estimate is not None:
            self._estimate.begin(name, *_clocks())
        if self._quiet or not self._console.is_terminal:
            self._announce()
            yield
        else:
            from rich.live import Live

            live = Live(
                console=self._console,
                get_renderable=self._shown,
                refresh_per_second=_OFTEN,
                transient=True,
            )
            with live:
                yield
        took = time.perf_counter() - began
        if self._estimate is not None:
            self._estimate.done(*_clocks())
        self.seconds[name] = round(took, 3)
        self.say(f"{name:<46} {took:6.1f} s")

    def detail(self, message: str) -> None:
        """Show what a stage is busy with, behind its spinner."""
        self._detail = message

    def left(self) -> str:
        """Return how long it will still take, in words; empty in the first seconds of a run, and
        where nobody knows.
        """
        if self._estimate is None or time.perf_counter() - self._began < _PATIENCE:
            return ""
        from akb.commands.console.estimate import in_words

        seconds = self._estimate.left(*_clocks())
        return "" if seconds is None else in_words(seconds)

    def _announce(self) -> None:
        """Say on stderr that a stage begins; the log has the line of its end."""
        if not self._quiet:
            left = self.left()
            line = f"{self._name} …" + (f" {left}" if left else "")
            self._console.print(printable(line, _LONGEST), markup=False, soft_wrap=True)

    def _shown(self) -> RenderableType:
        """Return what a terminal shows of the stage that is running."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        line = Table.grid(padding=(0, 1))
        words = Text(printable(f"{self._name} … {self._detail}".rstrip(), _LONGEST))
        left = self.left()
        if not left or self._estimate is None:
            line.add_row(self._spinner(), words)
        else:
            share = self._estimate.share(*_clocks())
            bar = ProgressBar(total=1.0, completed=share, width=_BAR)
            line.add_row(self._spinner(), bar, Text(left), words)
        return line

    def _spinner(self) -> RenderableType:
        if not hasattr(self, "_turning"):
            from rich.spinner import Spinner

            self._turning = Spinner("dots")
        return self._turning

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


def _clocks() -> tuple[float, float]:
    """Return the seconds of the clock and of the processor."""
    return time.perf_counter(), time.process_time()


def _estimate(reads: Sequence[Path]) -> Estimate | None:
    if not reads:
        return None
    from akb.commands.console.estimate import Estimate, megabytes

    try:
        return Estimate(megabytes({path: path.stat().st_size for path in reads}))
    except OSError:
        return None  # whoever reads it says what is wrong with it
