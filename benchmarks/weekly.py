"""Scoring a large export with stored models, and one customer in a call: seconds, memory, milliseconds.

python -m benchmarks.weekly [CUSTOMERS] [COPIES]

The models are fitted on an office of CUSTOMERS; what is scored is that office COPIES times under other numbers.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.scoring.inbound import InboundScorer
from akb.sample import simulate, write_sample

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")


def many_times(source: Path, target: Path, copies: int) -> list[Path]:
    """Write every file of an export `copies` times below itself, each time under other numbers."""
    target.mkdir()
    for name in NAMES:
        frame = pl.read_csv(source / name, separator=";", infer_schema=False)
        numbers = [
            column for column in frame.columns if column.lower() in ("relatienummer", "polisnummer", "klantnummer")
        ]
        parts = [frame.with_columns(pl.col(numbers) + f"{copy:02d}") for copy in range(copies)]
        pl.concat(parts).write_csv(target / name, separator=";", line_terminator="\r\n")
    return [target / name for name in NAMES]


def timed(arguments: list[str]) -> tuple[float, float]:
    """Run akb; return seconds and peak MiB of it."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "akb", *arguments])
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"akb {arguments[0]} failed")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 15_000
    copies = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    home = Path(tempfile.mkdtemp(prefix="akb-bench-"))
    write_sample(simulate(customers, seed=66, months=50), home / "office", truth=False)
    key = ["--key", str(home / "key"), "--quiet"]
    office = [str(home / "office" / name) for name in NAMES]
    seconds, _ = timed(["eda", *office, "--out", str(home / "eda"), *key])
    print(f"akb eda on {customers:,} customers: {seconds:.1f} s")
    files = [str(path) for path in many_times(home / "office", home / "many", copies)]
    out = home / "score"
    seconds, peak = timed(["score", *files, "--from", str(home / "eda"), "--out", str(out), "--accept", *key])
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    scored = json.loads((out / "scored.json").read_text("utf-8"))["customers"]
    print(f"akb score on {scored:,} customers: {seconds:.1f} s, {peak:.0f} MiB")
    for stage, took in manifest["seconds"].items():
        print(f"  {stage:<44} {took:6.1f} s")
    began = time.perf_counter()
    scorer = InboundScorer(home / "eda", load_or_create_key(home / "key"))
    print(f"a call: {time.perf_counter() - began:.1f} s to load")
    names = pl.read_parquet(home / "eda" / "scores.parquet")["customer"].head(200).to_list()
    for words, sets, adds in (("as he is", [], []), ("older, and a car", ["age=63"], ["auto"])):
        took = []
        for name in names:
            began = time.perf_counter()
            scorer.ask(name, sets=sets, adds=adds)
            took.append(1000 * (time.perf_counter() - began))
        half, most = np.quantile(took, [0.5, 0.95])
        print(f"  {words:<20} median {half:.0f} ms, 95 % within {most:.0f} ms")
    print(f"peak of the calls: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
