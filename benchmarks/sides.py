"""akb's side of comparisons of one stage: what it takes to build features, or survival, once the export is read.

python -m benchmarks.sides features | shared FOLDER DATE... | lifetimes FOLDER

`features` are all groups of akb's features. `shared` are those groups that say what featuretools is asked
(`benchmarks/peers/ft_features.py`): counts, recency, amounts and variety of policies, their ends, claims and contacts,
over all time and over the last year. akb looks back 1 to 36 months in them, so it makes more columns than its peer.
The export is read before the clock starts, on both sides; akb then knows which columns features must not see
(`without_hindsight`), which its peer does not ask.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

from akb.config import load_settings
from akb.features import build_matrix, without_hindsight
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from benchmarks.lifetimes import in_force_of

FILES = ("polissen.csv", "schades.csv", "contacten.csv")
SHARED = ("holdings", "tenure", "lapses", "insurers", "claims", "contacts")


def main(what: str, folder: Path, days: list[str]) -> None:
    """Print the seconds of a stage, as its peer does."""
    settings = load_settings()
    read = read_portfolio(Sources([folder / name for name in FILES], bytes(32)), settings)
    portfolio = without_hindsight(read, settings)
    began = time.perf_counter()
    if what in ("features", "shared"):
        dates, groups = [date.fromisoformat(day) for day in days], SHARED if what == "shared" else None
        matrix = build_matrix(portfolio, dates, settings, groups=groups, everybody=True)
        print(f"rows {matrix.frame.height} columns {len(matrix.names)}")
    else:
        base = in_force_of(portfolio, settings)
        print(f"customers {base.models.scores.height}")
    print(f"seconds {time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
