"""Run ``akb eda`` as a user does and measure the whole process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

# A process of its own starts the command: the peak of a child counts from what its parent held when it was made.
_LAUNCHER = """
import os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - began
print(wall, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Cost:
    """What a process took: wall and processor seconds, and its peak memory in MiB."""

    seconds: float
    processor: float
    mib: float


def cost_of(command: list[str], checkout: Path | None = None, timeout: float | None = None) -> Cost:
    """Run a command, with the code of a checkout, and return what it took.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer than `timeout` seconds; it is ended.
    """
    launched = [sys.executable, "-c", _LAUNCHER, *command]
    env = None if checkout is None else {**os.environ, "PYTHONPATH": str(checkout)}
    with subprocess.Popen(
        launched, stdout=subprocess.PIPE, text=True, cwd=checkout, env=env, start_new_session=True
    ) as process:
        try:
            out, _ = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    seconds, mib, processor, code = out.split()
    if int(code):
        raise SystemExit(f"{' '.join(command[:4])} ended with {code}")
    return Cost(float(seconds), float(processor), float(mib))


def measured(command: list[str], checkout: Path | None = None) -> tuple[float, float]:
    """Run a command, with the code of a checkout; return its wall time in seconds and its peak memory in MiB."""
    cost = cost_of(command, checkout)
    return cost.seconds, cost.mib


@dataclass(frozen=True)
class Run:
    seconds: float
    peak_mib: float
    folder: Path

    @property
    def scores(self) -> pl.DataFrame:
        """Scores by relation number (runs are made with --no-pseudonyms)."""
        return pl.read_parquet(self.folder / "scores.parquet")


def eda(files: list[Path], *options: str, checkout: Path | None = None, folder: Path | None = None) -> Run:
    """Run ``akb eda FILES --no-pseudonyms OPTIONS``; wall time and peak memory.

    Parameters
    ----------
    checkout
        Whose code runs; None: the code that is imported here.
    folder
        Where the run goes; None: a temporary folder.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "run"
    named = [str(file.resolve()) for file in files]
    command = [sys.executable, "-m", "akb", "eda", *named, "--no-pseudonyms", "--out", str(folder), *options]
    return Run(*measured(command, checkout), folder)
