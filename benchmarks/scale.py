"""66,000 policies and 15,000 customers in force, 50 months of history: wall time and peak memory of the whole command.

    python -m benchmarks.scale [CUSTOMERS] [--copies 1] [--folder DIR]

`--copies 5` is the same office five times in one export (331,000 policies), each copy with its own relations and
policies; `--copies 50` is 3.3 million. The peak of each stage is that of the process since the stage before; beside
its wall time stands its processor time, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from akb.cli import LIBRARIES
from akb.sample import simulate, write_sample

FILES = ("polissen.csv", "schades.csv", "contacten.csv")
RESET = Path("/proc/self/clear_refs")  # Linux only
SEPARATE = ("Relatienummer", "Polisnummer")


def write_office(customers: int, copies: int, folder: Path, months: int = 50) -> list[Path]:
    """Write the export of a simulated office, or of several that are alike; return its files."""
    once = folder / "once"
    write_sample(simulate(customers, seed=66, months=months), once)
    if copies == 1:
        return [once / name for name in FILES]
    for name in FILES:
        table = pl.read_csv(once / name, separator=";", infer_schema=False)
        with (folder / name).open("wb") as file:
            for copy in range(copies):
                own = [
                    pl.format("{}{}", column, pl.lit(f"{copy:02d}")).alias(column)
                    for column in SEPARATE
                    if column in table.columns
                ]
                rows = table.with_columns(own)
                file.write(rows.write_csv(separator=";", include_header=copy == 0, include_bom=copy == 0).encode())
    return [folder / name for name in FILES]


class Stages:
    """What the story tells, with the peak memory of each stage in MiB."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peak = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and print its peak."""
        began, busy = time.perf_counter(), time.process_time()
        if RESET.exists():
            RESET.write_text("5")  # the peak counts anew
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)
        busy = time.process_time() - busy
        memory = ""
        if RESET.exists():
            status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            peak, now = (int(status[key].split()[0]) // 1024 for key in ("VmHWM", "VmRSS"))
            self.peak = max(self.peak, peak)
            memory = f"{peak:6,} MiB, {now:6,} after it"
        print(f"  {name:<44} {self.seconds[name]:6.1f} s {busy:6.1f} s CPU {memory}", flush=True)

    def detail(self, message: str) -> None:
        """Say nothing."""


def run(files: list[Path], out: Path) -> None:
    """Run the whole command in this process and print its stages."""
    from akb.config import load_settings
    from akb.pipeline import Request, eda

    request = Request(files=files, settings=load_settings(), key=bytes(32), out=out)
    stages = Stages()
    result = eda(request, stages)
    rows = json.loads((result.folder / "manifest.json").read_text("utf-8"))["inputs"]
    policies = next(source for source in rows if source["role"] == "policies")["rows"]["used"]
    print(f"{policies:,} policies, {result.summary['customers']['in_force']:,} customers in force; {stages.peak:,} MiB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", nargs="?", type=int, default=15_000)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--run", nargs="+", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="akb-bench-"))
    if asked.run:
        run(asked.run, folder / "run")
        return
    written = [folder / name for name in FILES]
    if not all(file.exists() for file in written):
        written = write_office(asked.customers, asked.copies, folder)
    command = [sys.executable, "-m", "benchmarks.scale", "--folder", str(folder), "--run", *map(str, written)]
    began = time.perf_counter()
    subprocess.run(command, check=True, env=LIBRARIES | os.environ)
    print(f"{time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
