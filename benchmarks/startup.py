"""How long ``akb --help`` takes, the whole process.

python -m benchmarks.startup
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 11


def main() -> None:
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "akb", "--help"], capture_output=True, check=True)
        seconds.append(time.perf_counter() - began)
    print(f"akb --help: median {statistics.median(seconds):.2f} s of {RUNS} runs, slowest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
