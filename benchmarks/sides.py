"""akb's side of comparisons of one stage: what it takes to build features, or survival, once the export is read.

python -m benchmarks.sides features FOLDER DATE... | lifetimes FOLDER
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

from akb.config import load_settings
from akb.features import build_matrix
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from benchmarks.lifetimes import in_force_of

FILES = ("polissen.csv", "schades.csv", "contacten.csv")


def main(what: str, folder: Path, days: list[str]) -> None:
    """Print the seconds of a stage, as its peer does."""
    settings = load_settings()
    portfolio = read_portfolio(Sources([folder / name for name in FILES], bytes(32)), settings)
    began = time.perf_counter()
    if what == "features":
        matrix = build_matrix(portfolio, [date.fromisoformat(day) for day in days], settings, everybody=True)
        print(f"rows {matrix.frame.height} columns {len(matrix.names)}")
    else:
        base = in_force_of(portfolio, settings)
        print(f"customers {base.models.scores.height}")
    print(f"seconds {time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
