"""Simulated offices whose true chances are known: level and ranking of every probability.

    python -m benchmarks.truth [--seeds 3] [--customers 20000] [--futures 400]

The truth is the share of futures, drawn from the export day with the simulator's known hazards. *Expected AUC* counts
each customer once as an event with weight p and once as a non-event with weight 1 - p. The reference is what the same
model class (LightGBM, 7 leaves) reaches when it is fitted to the true chances themselves, by five-fold cross-fitting
over the same customers and akb's own features: the ceiling of these columns.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl

from akb.config import load_settings
from akb.features import build_matrix
from akb.ingest import read_portfolio
from akb.models.evidence import weighted_auc
from akb.sample import simulate, write_sample
from benchmarks.runs import eda

SHARED = ("churn_1m", "churn_3m", "churn_6m", "churn_12m", "policy_lapse_any_12m", "cross_sell_any_12m")


def reference_auc(features: np.ndarray, truth: np.ndarray, seed: int) -> float:
    """Expected AUC of LightGBM fitted to the true chances, five-fold."""
    fold = np.random.default_rng(seed).integers(0, 5, len(truth))
    score = np.empty(len(truth))
    parameters = {
        "objective": "cross_entropy", "num_leaves": 7, "learning_rate": 0.05, "min_data_in_leaf": 50,
        "lambda_l2": 5.0, "feature_fraction": 0.5, "verbose": -1, "seed": seed,
    }  # fmt: skip
    for k in range(5):
        inside = fold != k
        booster = lgb.train(parameters, lgb.Dataset(features[inside], truth[inside]), num_boost_round=200)
        score[~inside] = booster.predict(features[~inside])
    return float(weighted_auc(truth, score))


def measure(seed: int, customers: int, futures: int) -> list[tuple[str, float, float, float, float]]:
    """Rows (key, true expectation, predicted, expected AUC, reference AUC) of one office."""
    book = simulate(customers, seed=seed)
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "office"
    write_sample(book, folder)
    files = [folder / "polissen.csv", folder / "schades.csv", folder / "contacten.csv"]
    run = eda(files, "--quiet")
    truth = book.futures(futures, seed=seed + 10_000).probabilities()
    truth = truth.rename(
        {name: f"{name}_12m" for name in truth.columns if name != "relation" and not name.endswith("m")}
    )
    joined = run.scores.join(truth, left_on="customer", right_on="relation", how="inner", suffix="_true")
    assert joined.height == run.scores.height == truth.height, (joined.height, run.scores.height, truth.height)

    settings = load_settings()
    portfolio = read_portfolio(files, settings, key=bytes(32))
    matrix = build_matrix(portfolio, [portfolio.as_of], settings)
    relation = portfolio.customers.select("customer", "relation")
    at_x = matrix.frame.join(relation, on="customer").join(truth, on="relation", how="inner")
    features = at_x.select(matrix.names).to_numpy()

    rows = []
    for key in [name for name in truth.columns if name in run.scores.columns]:
        known = joined.filter(pl.col(key).is_not_null())
        p = known[f"{key}_true"].to_numpy()
        reference = reference_auc(features, at_x[key].to_numpy(), seed) if key in SHARED else float("nan")
        rows.append((key, p.sum(), known[key].sum(), float(weighted_auc(p, known[key].to_numpy())), reference))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--futures", type=int, default=400)
    asked = parser.parse_args()
    print("seed  prediction                        true  predicted  ratio   expected AUC  reference")
    for seed in range(1, asked.seeds + 1):
        for key, true, predicted, auc, reference in measure(seed, asked.customers, asked.futures):
            shown = "" if np.isnan(reference) else f"{reference:.3f}"
            ratio = predicted / true
            print(f"{seed:4d}  {key:<30} {true:8.1f}   {predicted:8.1f}  {ratio:5.2f}   {auc:11.3f}  {shown:>9}")


if __name__ == "__main__":
    main()
