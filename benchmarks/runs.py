"""Run ``akb eda`` as a user does and measure the whole process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl


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
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"akb eda ended with {code}")
    return Run(seconds, usage.ru_maxrss / 1024, folder)
