"""``akb eda`` on a loopback cluster against one machine, with one worker against two, and with a worker killed.

    python -m benchmarks.cluster [--customers 20000] [--offices 4] [--each 100000] [--repeat 1]

A scheduler and worker processes of one thread each on this machine; the runs in turn, whole processes. Asked: two
workers at most 1.3 times the wall time of ``--jobs 2``, with the same scores to the byte, also when one of them is
killed at a random moment; `offices` offices of `each` customers in one export at least 1.7 times as fast with two
workers as with one. Beside each run stand the seconds of its stages and the client's peak memory. It means something
only where nothing else runs. ``--each 0`` leaves the offices out.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.runs import Run, eda
from benchmarks.scale import write_office
from tests.loopback import loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

ALONE, MOST, LEAST = 0, 1.3, 1.7
SHORT = {
    "reading and checking the export": "read",
    "building point-in-time features": "features",
    "fitting and evaluating the predictions": "fits",
    "looking back three years": "back",
    "working out value and business case": "value",
    "writing the report": "report",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--offices", type=int, default=4)
    parser.add_argument("--each", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=1)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-"))
    if asked.customers:
        files = write_office(asked.customers, 1, folder / "one")
        print(f"an office of {asked.customers:,} customers", flush=True)
        runs = in_turn(files, folder / "one", (ALONE, 2), asked.repeat)
        ratio = seconds(runs[2]) / seconds(runs[ALONE])
        print(f"two workers / --jobs 2: {ratio:.2f} (asked: at most {MOST}): {'holds' if ratio <= MOST else 'SHORT'}")
        moment = random.uniform(0.1, 0.7) * seconds(runs[2])
        run = one_run(files, folder / "one" / "killed", 2, moment)
        told("one killed", run)
        same([run, *runs[2], *runs[ALONE]], f"also with a worker killed after {moment:.0f} s")
    if asked.each:
        files = write_office(asked.each, asked.offices, folder / "more")
        print(f"{asked.offices} offices of {asked.each:,} customers", flush=True)
        runs = in_turn(files, folder / "more", (1, 2), asked.repeat)
        gain = seconds(runs[1]) / seconds(runs[2])
        print(f"one worker / two: {gain:.2f} (asked: at least {LEAST}): {'holds' if gain >= LEAST else 'SHORT'}")
        same([*runs[1], *runs[2]], "with one worker and two")


def in_turn(files: list[Path], folder: Path, workers: Sequence[int], repeat: int) -> dict[int, list[Run]]:
    """Run with each number of workers, one after the other, some times over."""
    runs: dict[int, list[Run]] = {number: [] for number in workers}
    for turn in range(repeat):
        for number in workers:
            run = one_run(files, folder / f"{number}-{turn}", number)
            told("--jobs 2" if number == ALONE else f"{number} worker{'s' * (number > 1)}", run)
            runs[number].append(run)
    return runs


def one_run(files: list[Path], folder: Path, workers: int, kill_after: float | None = None) -> Run:
    """Run on so many workers, of which one is killed after some seconds if asked; `ALONE`: on none."""
    folder.mkdir(parents=True)
    with nullcontext() if workers == ALONE else loopback(folder / "cluster", workers) as cluster:
        on = ["--jobs", "2"] if cluster is None else ["--cluster", cluster.address]
        if cluster is not None and kill_after is not None:
            killer = threading.Timer(kill_after, subprocess.Popen.kill, [cluster.workers[0]])
            killer.daemon = True
            killer.start()
        return eda(files, *on, "--quiet", folder=folder / "run")


def told(name: str, run: Run) -> None:
    """Print what a run took, by stage."""
    stages = json.loads((run.folder / "manifest.json").read_text("utf-8"))["seconds"]
    split = ", ".join(f"{short} {stages[stage]:.1f}" for stage, short in SHORT.items() if stage in stages)
    print(f"{name:>10}: {run.seconds:7.1f} s ({split}), client {run.peak_mib:,.0f} MiB", flush=True)


def seconds(runs: Sequence[Run]) -> float:
    """Return the median wall time."""
    return statistics.median(run.seconds for run in runs)


def same(runs: Sequence[Run], when: str) -> None:
    """Print whether all runs have the same scores, to the byte."""
    found = {(run.folder / "scores.parquet").read_bytes() for run in runs}
    print(f"scores {'byte-equal' if len(found) == 1 else 'DIFFER'} {when}", flush=True)


if __name__ == "__main__":
    main()
