"""Run ``akb eda`` as a user does and measure the whole process."""

from __future__ import annotations

import os
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
print(time.perf_counter() - began, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
"""


def measured(command: list[str], checkout: Path | None = None) -> tuple[float, float]:
    """Run a command, with the code of a checkout; return its wall time in seconds and its peak memory in MiB."""
    launched = [sys.executable, "-c", _LAUNCHER, *command]
    env = None if checkout is None else {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(launched, stdout=subprocess.PIPE, text=True, check=True, cwd=checkout, env=env)
    seconds, mib, code = done.stdout.split()
    if int(code):
        raise SystemExit(f"{' '.join(command[:4])} ended with {code}")
    return float(seconds), float(mib)


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
