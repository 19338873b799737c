"""akb against the frozen notebook (benchmarks/notebook.py) on the same simulated office of 66,000 policies, in turn.

    python -m benchmarks.notebook [--customers 15000] [--futures 300]

Wall time: the whole ``akb eda`` (reading, 60 predictions, value, report) and the whole notebook, a process each.
Rank: *expected AUC*, each customer counted as an event with the true chance p and as a non-event with 1 - p; p is the
share of futures drawn from the export's own day with the simulator's known hazards.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from akb.models.evidence import weighted_auc
from akb.sample import simulate, write_sample
from benchmarks.runs import eda, measured
from benchmarks.truth import true_chances

GAIN_ASKED, TIME_ASKED = 0.02, 1 / 3
FILES = ("polissen.csv", "schades.csv", "contacten.csv")


def table(akb: pl.DataFrame, notebook: pl.DataFrame, truth: pl.DataFrame) -> list[tuple[str, float, float, float]]:
    """Return (key, true events, expected AUC of akb, of the notebook) for the targets that both and the truth have."""
    rows = []
    joined = truth.join(akb, left_on="relation", right_on="customer", suffix="_akb")
    joined = joined.join(notebook, left_on="relation", right_on="customer", suffix="_notebook")
    if not truth.height == akb.height == notebook.height == joined.height:
        raise SystemExit(f"not the same customers: {truth.height} {akb.height} {notebook.height} {joined.height}")
    for key in [
        name for name in notebook.columns if name in akb.columns and name in truth.columns and name != "customer"
    ]:
        known = joined.drop_nulls([key, f"{key}_akb"])
        if known.is_empty():
            continue  # too few events: akb has no such prediction
        p = known[key].to_numpy()
        scores = [weighted_auc(p, known[f"{key}_{who}"].to_numpy()) for who in ("akb", "notebook")]
        rows.append((key, float(p.sum()), float(scores[0]), float(scores[1])))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=15_000)
    parser.add_argument("--futures", type=int, default=300)
    asked = parser.parse_args()
    book = simulate(asked.customers, seed=66, months=50)
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "office"
    write_sample(book, folder, truth=False)
    run = eda([folder / name for name in FILES], "--quiet")
    out = folder / "notebook.parquet"
    seconds, _ = measured([sys.executable, "-m", "benchmarks.notebook", "--fit", str(folder), str(out)])
    rows = table(run.scores, pl.read_parquet(out), true_chances(book, asked.futures, 6006))
    print(f"{book.policies.height:,} policies, {run.scores.height:,} customers in force, {asked.futures} futures")
    print("prediction                        true    akb   notebook    gain")
    for key, events, ours, theirs in rows:
        print(f"{key:<30} {events:7.0f}  {ours:.3f}      {theirs:.3f}  {ours - theirs:+.3f}")
    ours, theirs = (float(np.mean([row[place] for row in rows])) for place in (2, 3))
    gain, share = ours - theirs, run.seconds / seconds
    print(f"mean over {len(rows)} targets: {ours:.3f} against {theirs:.3f}, gain {gain:+.3f}", end="")
    print(f" (asked +{GAIN_ASKED:.3f}): {'PASS' if gain >= GAIN_ASKED else 'MISSED'}")
    print(f"wall time: akb eda {run.seconds:.1f} s, notebook {seconds:.1f} s, akb / notebook {share:.2f}", end="")
    print(f" (asked {TIME_ASKED:.2f}): {'PASS' if share <= TIME_ASKED else 'MISSED'}")


if __name__ == "__main__":
    main()
