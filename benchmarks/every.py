"""``make bench``: every other measurement, one after the other; real data where AKB_DATA names its folder.

``python -m benchmarks.every``; the one table is ``python -m benchmarks``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULES = (
    "startup",
    "wheel",
    "ecosystem",
    "ingest",
    "features",
    "scale",
    "truth",
    "notebook",
    "directions",
    "clv",
    "commission5",
    "books",
    "drift",
    "plan",
    "trials",
    "year",
    "watch",
    "season",
    "page",
    "portal",
    "small_offices",
    "batch",
    "cluster",
    "contracts",
    "hindsight",
    "mutants",
    "weekly",
    "serve",
)
REAL = ("es_motor", "coil2000", "lapse", "own_columns", "actuarial")
FOLDERS = {"lapse": "casdatasets", "own_columns": ".", "actuarial": "."}


def main() -> None:
    data = os.environ.get("AKB_DATA")
    commands = [[f"benchmarks.{name}"] for name in MODULES]
    if data:
        commands += [[f"benchmarks.{name}", str(Path(data) / FOLDERS.get(name, name))] for name in REAL]
    for command in commands:
        print(f"\n== python -m {' '.join(command)}", flush=True)
        subprocess.run([sys.executable, "-m", *command], check=True)
    if not data:
        print(f"\n{', '.join(REAL)} left out: set AKB_DATA to the folder with es_motor/, coil2000/ and casdatasets/")


if __name__ == "__main__":
    main()
