"""``akb eda`` on a loopback cluster against one machine, and with one worker against two.

    python -m benchmarks.cluster [CUSTOMERS] [--copies 1] [--repeat 1] [--workers 1 2]

A scheduler and worker processes of one thread each on this machine; the runs in turn, whole processes. Asked: two
workers at most 1.3 times the wall time of ``--jobs 2``, with the same scores to the byte; four offices of 100,000
customers (``100000 --copies 4``) at least 1.7 times as fast with two workers as with one. It means something only where
nothing else runs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.runs import Run, eda
from benchmarks.scale import write_office
from tests.loopback import loopback

ALONE, MOST, LEAST = 0, 1.3, 1.7


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", nargs="?", type=int, default=15_000)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-"))
    files = write_office(asked.customers, asked.copies, folder)
    runs: dict[int, list[Run]] = {}
    for number in range(asked.repeat):
        for workers in (ALONE, *asked.workers):
            out = folder / f"run-{workers}-{number}"
            if workers == ALONE:
                made = eda(files, "--jobs", "2", "--quiet", folder=out)
            else:
                with loopback(folder / f"cluster-{workers}-{number}", workers) as cluster:
                    made = eda(files, "--cluster", cluster.address, "--quiet", folder=out)
            runs.setdefault(workers, []).append(made)
            what = "--jobs 2" if workers == ALONE else f"{workers} worker{'s' * (workers > 1)}"
            print(f"{what:>10}: {made.seconds:7.1f} s, client {made.peak_mib:,.0f} MiB", flush=True)
    same = {(each.folder / "scores.parquet").read_bytes() for made in runs.values() for each in made}
    print(f"scores {'byte-equal' if len(same) == 1 else 'DIFFER'}")
    seconds = {workers: statistics.median(each.seconds for each in made) for workers, made in runs.items()}
    if 2 in seconds:
        ratio = seconds[2] / seconds[ALONE]
        print(f"two workers / --jobs 2: {ratio:.2f} (asked: at most {MOST}): {'holds' if ratio <= MOST else 'SHORT'}")
    if {1, 2} <= seconds.keys():
        gain = seconds[1] / seconds[2]
        print(f"one worker / two: {gain:.2f} (asked: at least {LEAST}): {'holds' if gain >= LEAST else 'SHORT'}")


if __name__ == "__main__":
    main()
