"""How long ``akb --help`` takes, the whole process, with its modules compiled as an installed akb has them.

python -m benchmarks.startup
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

RUNS = 11


def main() -> None:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "akb", "--help"]
    subprocess.run(command, capture_output=True, check=True, env=kept)
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True, env=kept)
        seconds.append(time.perf_counter() - began)
    print(f"akb --help: median {statistics.median(seconds):.2f} s of {RUNS} runs, slowest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
