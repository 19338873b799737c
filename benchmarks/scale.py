"""66,000 policies and 15,000 customers in force, 50 months of history: wall time and peak memory of the whole command.

python -m benchmarks.scale [CUSTOMERS]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from akb.sample import simulate, write_sample
from benchmarks.runs import eda


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 15_000
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "office"
    write_sample(simulate(customers, seed=66, months=50), folder)
    run = eda([folder / "polissen.csv", folder / "schades.csv", folder / "contacten.csv"])
    manifest = json.loads((run.folder / "manifest.json").read_text("utf-8"))
    policies = next(source for source in manifest["inputs"] if source["role"] == "policies")["rows"]["used"]
    print(f"{policies:,} policies, {run.scores.height:,} customers in force")
    print(f"{run.seconds:.1f} s, {run.peak_mib:.0f} MiB")
    for stage, seconds in manifest["seconds"].items():
        print(f"  {stage:<44} {seconds:6.1f} s")


if __name__ == "__main__":
    main()
