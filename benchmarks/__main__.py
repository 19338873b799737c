"""``make bench``: every measurement, one after the other; real data where AKB_DATA names its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULES = ("startup", "ingest", "features", "scale", "truth", "clv", "books", "defend")


def main() -> None:
    data = os.environ.get("AKB_DATA")
    commands = [[f"benchmarks.{name}"] for name in MODULES]
    if data:
        commands.append(["benchmarks.es_motor", str(Path(data) / "es_motor")])
    for command in commands:
        print(f"\n== python -m {' '.join(command)}", flush=True)
        subprocess.run([sys.executable, "-m", *command], check=True)
    if not data:
        print("\nes_motor left out: set AKB_DATA to the folder that holds es_motor/portfolio.csv")


if __name__ == "__main__":
    main()
