"""Two checkouts of akb on the same simulated offices: is what one predicts nearer to the truth than the other's is?

    python -m benchmarks.no_worse OLD NEW [--seeds 4] [--first 1] [--customers 20000] [--futures 300]

The truth is drawn once per office, from the simulator's known hazards, by the checkout that this runs in; each
checkout's own code then makes a run of the same export. Compared per prediction with at least 200 true events: expected
AUC (`benchmarks.truth`), and the expected log loss beside the truth's own, for level and rank together. A difference
counts per office, over its predictions; its standard error is that between offices. NEW is no worse where the mean
difference lies above two standard errors below zero.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from akb.models.evidence import weighted_auc
from akb.sample import simulate, write_sample
from benchmarks.runs import eda
from benchmarks.truth import COUNTS, FEW, FILES, true_chances

TINY = 1e-6  # a chance that a log loss is asked of lies this far from 0 and 1


def excess_loss(truth: np.ndarray, score: np.ndarray) -> float:
    """Return how many nats a customer a score's expected log loss lies above that of the truth.

    >>> float(excess_loss(np.array([0.2, 0.4]), np.array([0.2, 0.4])))
    0.0
    """
    p, q = np.clip(truth, TINY, 1 - TINY), np.clip(score, TINY, 1 - TINY)
    return float(np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))))


def judged(scores: pl.DataFrame, truth: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Return expected AUC and excess of log loss per prediction with enough true events."""
    joined = scores.join(truth, left_on="customer", right_on="relation", suffix="_true")
    if joined.height != scores.height:
        raise SystemExit(f"not the same customers: {joined.height} of {scores.height}")
    found = {}
    for key in [name for name in truth.columns if name in scores.columns and name not in COUNTS]:
        known = joined.drop_nulls([key, f"{key}_true"])
        p, score = known[f"{key}_true"].to_numpy(), known[key].to_numpy().astype(np.float64)
        if p.sum() >= FEW:
            found[key] = (float(weighted_auc(p, score)), excess_loss(p, score))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    for name, default in (("seeds", 4), ("first", 1), ("customers", 20_000), ("futures", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    sides = (asked.old.resolve(), asked.new.resolve())
    gains: dict[str, list[list[float]]] = {"expected AUC": [], "log loss": []}
    for seed in range(asked.first, asked.first + asked.seeds):
        with tempfile.TemporaryDirectory(prefix="akb-bench-") as folder:
            book = simulate(asked.customers, seed=seed)
            write_sample(book, Path(folder), truth=False)
            truth = true_chances(book, asked.futures, seed + 10_000)
            files = [Path(folder) / name for name in FILES]
            old, new = (judged(eda(files, "--quiet", checkout=side).scores, truth) for side in sides)
        both = sorted(old.keys() & new.keys())
        if lost := sorted(old.keys() ^ new.keys()):
            print(f"seed {seed}: one side alone predicts {', '.join(lost)}")
        auc = [new[key][0] - old[key][0] for key in both]
        loss = [old[key][1] - new[key][1] for key in both]
        gains["expected AUC"].append(auc)
        gains["log loss"].append(loss)
        most = sorted(both, key=lambda key: -abs(new[key][0] - old[key][0]))[:3]
        moved = ", ".join(f"{key} {new[key][0] - old[key][0]:+.4f}" for key in most)
        print(f"seed {seed}: {len(both)} predictions; sum of expected AUC {sum(old[key][0] for key in both):.4f} -> "
              f"{sum(new[key][0] for key in both):.4f}; excess of log loss {sum(old[key][1] for key in both):.5f} -> "
              f"{sum(new[key][1] for key in both):.5f}; most moved in rank {moved}", flush=True)  # fmt: skip
    for name, offices in gains.items():
        per_office = np.array([np.mean(office) for office in offices])
        error = float(per_office.std(ddof=1) / np.sqrt(len(per_office))) if len(per_office) > 1 else float("nan")
        mean = float(per_office.mean())
        held = "PASS" if mean >= -2 * error else "MISSED"
        print(f"{name}: gain per prediction {mean:+.6f}, standard error {error:.6f} between offices: no worse {held}")


if __name__ == "__main__":
    main()
