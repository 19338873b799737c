"""Run ``akb eda`` as a user does and measure the whole process."""

from __future__ import annotations

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


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; return its wall time in seconds and its peak memory in MiB."""
    launched = [sys.executable, "-c", _LAUNCHER, *command]
    seconds, mib, code = subprocess.run(launched, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
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


def eda(files: list[Path], *options: str) -> Run:
    """Run ``akb eda FILES --no-pseudonyms OPTIONS`` into a temporary folder; wall time and peak memory."""
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "run"
    command = [sys.executable, "-m", "akb", "eda", *map(str, files), "--no-pseudonyms", "--out", str(folder), *options]
    return Run(*measured(command), folder)
