"""Simulated offices whose true chances are known: level and ranking of every probability, five seeds.

    python -m benchmarks.truth [--seeds 5] [--customers 20000] [--futures 1000] [--others 150000] [--other-futures 100]
                               [--jobs 2] [--all]

The truth is the share of futures, drawn from the export day with the simulator's known hazards. *Expected AUC* counts
each customer once as an event with weight p and once as a non-event with weight 1 - p; p comes from the second half of
the futures, and the first half, as a score, is the most that anybody could reach (*oracle*).

The reference is LightGBM fitted to the true chances (not to what happened) of other customers, in eight other offices
of the same size, on what their exports' columns say on that day: akb's features, those of the branch, and the ends that
are announced. One model per prediction with at least 200 true events in some seed, the same for all seeds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl

from akb.config import load_settings
from akb.features import build_matrix, build_targets
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models.evidence import weighted_auc
from akb.sample import Book, simulate, write_sample
from benchmarks.runs import eda

FILES = ("polissen.csv", "schades.csv", "contacten.csv")
COUNTS = ("policies_lost_12m",)  # no chance, so no AUC
FEW, MANY = 200, 500
TOLERANCE = {MANY: 0.10, FEW: 0.15}
CELLS_ASKED, SHARE_ASKED = 0.90, 0.90
OFFICES, OTHER_SEED = 8, 100
COLUMNS, SCREENED = 80, 30_000  # a first fit on some rows says which columns the trees keep
ADDITIVE = 1e-6  # the scores are stored as float32; before that akb itself keeps 1e-9 (tests/models)


def true_chances(book: Book, futures: int, seed: int, first: int = 0) -> pl.DataFrame:
    """Return the true chances under the names of the predictions; one row per relation."""
    table = book.futures(futures, seed=seed, first=first).probabilities()
    return table.rename(
        {name: f"{name}_12m" for name in table.columns if name != "relation" and not name.endswith("m")}
    )


@dataclass(frozen=True)
class Office:
    """One office on disk: truth (two halves), features at X, features per branch held or not, scores of akb."""

    folder: Path
    seconds: dict[str, float]

    def read(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")


def _announced(policies: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """What the export says of ends that lie ahead: how many policies go on, when the first and the last end."""
    end = (pl.col("end_date") - pl.col("today")).dt.total_days()
    return policies.group_by(by).agg(
        going_on=pl.col("end_date").is_null().sum().cast(pl.Float32),
        first_end=end.min().cast(pl.Float32),
        last_end=pl.when(pl.col("end_date").is_not_null().all()).then(end.max()).cast(pl.Float32),
    )


def _write_features(files: list[Path], folder: Path) -> None:
    """Write what the columns of an export say on its own day: per customer, and per customer and branch."""
    settings = load_settings()
    portfolio = read_portfolio(Sources(files, bytes(32)), settings)
    matrix = build_matrix(portfolio, [portfolio.as_of], settings)
    relation = portfolio.customers.select("customer", "relation")
    now = pl.col("start_date") <= portfolio.as_of
    ahead = pl.col("end_date").is_null() | (pl.col("end_date") > portfolio.as_of)
    policies = portfolio.policies.filter(now, ahead).with_columns(today=pl.lit(portfolio.as_of))
    known = matrix.on(portfolio.as_of, matrix.names)
    known = known.join(_announced(policies, ["customer"]), on="customer", how="left").join(relation, on="customer")
    known.drop("customer").write_parquet(folder / "features.parquet")
    targets = build_targets(portfolio, matrix, settings)
    ends = _announced(policies, ["customer", "branch"]).rename(
        lambda n: n if n in ("customer", "branch") else f"own_{n}"
    )
    for name in ("held", "eligible"):
        rows = getattr(targets, name)
        frame = rows.frame.filter(pl.col("as_of") == portfolio.as_of).select(
            "customer", pl.col("branch").cast(pl.String), *rows.names
        )
        frame = frame.join(ends, on=["customer", "branch"], how="left").join(relation, on="customer").drop("customer")
        frame.write_parquet(folder / f"{name}.parquet")


def make_office(folder: Path, seed: int, customers: int, futures: int, *, judged: bool) -> Office:
    """Simulate an office, draw its truth, work out its features; run akb on it if it is one of those judged."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    book = simulate(customers, seed=seed)
    write_sample(book, folder / "export", truth=False)
    files = [folder / "export" / name for name in FILES]
    seconds = {"office": time.perf_counter() - began}
    began = time.perf_counter()
    true_chances(book, futures - futures // 2, seed + 10_000, futures // 2).write_parquet(folder / "weigh.parquet")
    if judged:
        true_chances(book, futures // 2, seed + 10_000).write_parquet(folder / "rank.parquet")
    seconds["futures"] = time.perf_counter() - began
    began = time.perf_counter()
    _write_features(files, folder)
    seconds["features"] = time.perf_counter() - began
    if judged:
        run = eda(files, "--quiet", "--jobs", "1")
        run.scores.write_parquet(folder / "scores.parquet")
        seconds["akb eda"] = run.seconds
    return Office(folder, seconds)


def _inputs(office: Office, key: str) -> tuple[pl.DataFrame, np.ndarray, list[str]]:
    """Return relation and features of those who can be asked, their true chance, and the names of the features."""
    truth = office.read("weigh").select("relation", truth=key).drop_nulls()
    frame = truth.join(office.read("features"), on="relation")
    for prefix, table in (("lapse_", "held"), ("next_policy_", "eligible")):
        branch = key.removeprefix(prefix).removesuffix("_12m")
        rows = office.read(table).filter(pl.col("branch") == branch).drop("branch") if key.startswith(prefix) else None
        if rows is not None and rows.height:
            frame = frame.join(rows, on="relation", how="left", suffix="_branch")
    names = [name for name in frame.columns if name not in ("relation", "truth")]
    return frame.sort("relation"), frame.sort("relation")["truth"].to_numpy(), names


def _learn(x: np.ndarray, truth: np.ndarray, rounds: int, rate: float) -> lgb.Booster:
    parameters = {
        "objective": "cross_entropy", "num_leaves": 15, "learning_rate": rate, "min_data_in_leaf": 100,
        "lambda_l2": 5.0, "feature_fraction_bynode": 0.5, "max_bin": 127, "num_threads": 1, "verbose": -1, "seed": 1,
    }  # fmt: skip
    return lgb.train(parameters, lgb.Dataset(x, np.clip(truth, 0, 1)), num_boost_round=rounds)


def reference(key: str, others: list[Office], judged: list[Office]) -> tuple[str, list[float]]:
    """Return the expected AUC in each judged office of LightGBM fitted to the true chances in the others."""
    parts = [_inputs(office, key) for office in others]
    names = [name for name in parts[0][2] if all(name in part[2] for part in parts)]
    names = [name for name in names if all(name in _inputs(office, key)[2] for office in judged)]
    x = np.concatenate([part[0].select(names).to_numpy().astype(np.float32) for part in parts])
    truth = np.concatenate([part[1] for part in parts])
    some = np.random.default_rng(1).permutation(len(truth))[:SCREENED]
    gain = _learn(x[some], truth[some], 60, 0.1).feature_importance("gain")
    kept = [names[place] for place in np.argsort(-gain, kind="stable")[:COLUMNS] if gain[place] > 0]
    model = _learn(x[:, [names.index(name) for name in kept]], truth, 250, 0.08)
    found = []
    for office in judged:
        frame, p, _ = _inputs(office, key)
        found.append(float(weighted_auc(p, np.asarray(model.predict(frame.select(kept).to_numpy())))))
    return key, found


@dataclass(frozen=True)
class Cell:
    """One prediction in one office."""

    seed: int
    key: str
    true: float
    predicted: float
    auc: float
    oracle: float

    @property
    def near(self) -> bool:
        """Whether the total is as near to the truth as asked."""
        within = TOLERANCE[MANY if self.true >= MANY else FEW]
        return abs(self.predicted / self.true - 1) <= within


def judge_office(office: Office, seed: int) -> list[Cell]:
    """Return every prediction of akb beside the truth; ends the program if horizons or causes do not fit together."""
    scores, rank, weigh = office.read("scores"), office.read("rank"), office.read("weigh")
    joined = scores.join(weigh, left_on="customer", right_on="relation", suffix="_true")
    joined = joined.join(rank, left_on="customer", right_on="relation", suffix="_rank")
    if not joined.height == scores.height == weigh.height:
        raise SystemExit(f"not the same customers: {joined.height} {scores.height} {weigh.height}")
    cells = []
    for key in [name for name in weigh.columns if name in scores.columns]:
        known = joined.drop_nulls([key, f"{key}_true"])
        if known.is_empty():
            continue
        p, first = known[f"{key}_true"].to_numpy(), known[f"{key}_rank"].to_numpy()
        score = known[key].to_numpy()
        auc, oracle = (np.nan if key in COUNTS else float(weighted_auc(p, each)) for each in (score, first))
        cells.append(Cell(seed, key, float((p + first).sum() / 2), float(score.sum()), auc, oracle))
    return cells


def consistent(scores: pl.DataFrame) -> tuple[float, float]:
    """Return by how much a shorter horizon exceeds a longer one, and causes miss their sum, at most."""
    churn = scores.select(f"churn_{months}m" for months in (1, 3, 6, 12)).to_numpy().astype(np.float64)
    causes = scores.select(f"churn_{cause}_12m" for cause in ("natural", "insurer", "preventable"))
    total = causes.to_numpy().astype(np.float64).sum(axis=1)
    return float((churn[:, :-1] - churn[:, 1:]).max()), float(np.abs(total - churn[:, -1]).max())


def report(cells: list[Cell], references: dict[str, list[float]], seeds: list[int], *, everything: bool) -> None:
    """Print what was asked per seed, and the share of the reference."""
    print("prediction                     seed     true  predicted  ratio   AUC    reference  oracle")
    kept: list[tuple[float, float]] = []
    for cell in sorted(cells, key=lambda each: (each.key, each.seed)):
        theirs = references.get(cell.key, [np.nan] * len(seeds))[seeds.index(cell.seed)]
        if cell.true >= FEW and not np.isnan(cell.auc):
            kept.append((cell.auc - 0.5, theirs - 0.5))
        if everything or (cell.true >= FEW and not cell.near):
            mark = "  <-" if cell.true >= FEW and not cell.near else ""
            level = f"{cell.true:8.1f}   {cell.predicted:8.1f}  {cell.predicted / cell.true:5.2f}"
            print(f"{cell.key:<30} {cell.seed:4d} {level}  {cell.auc:.3f}   {theirs:8.3f}  {cell.oracle:.3f}{mark}")
    if not everything:
        print("(only totals further from the truth than asked; --all prints every prediction)")
    for seed in seeds:
        asked = [cell for cell in cells if cell.seed == seed and cell.true >= FEW]
        share = sum(cell.near for cell in asked) / max(len(asked), 1)
        many = sum(cell.true >= MANY for cell in asked)
        print(f"seed {seed}: {sum(cell.near for cell in asked)} of {len(asked)} totals near enough ({many} with {MANY} "
              f"events or more): {share:.0%}, asked {CELLS_ASKED:.0%}: {_said(share >= CELLS_ASKED)}")  # fmt: skip
    if not kept:
        print(f"no prediction with {FEW} true events: nothing to compare ranks on")
        return
    ours, theirs = (float(sum(pair[side] for pair in kept)) for side in (0, 1))
    print(f"rank: akb {ours:.2f} / reference {theirs:.2f} = {ours / theirs:.3f} over {len(kept)} predictions, "
          f"asked {SHARE_ASKED:.2f}: {_said(ours / theirs >= SHARE_ASKED)}")  # fmt: skip


def _said(held: bool) -> str:
    return "PASS" if held else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("seeds", 5), ("customers", 20_000), ("futures", 1000), ("others", 150_000),
                          ("other-futures", 100), ("jobs", 2)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--all", action="store_true")
    asked = parser.parse_args()
    began = time.perf_counter()
    os.environ.update(POLARS_MAX_THREADS="1", OMP_NUM_THREADS="1")  # for the workers: each has one processor
    root, seeds = Path(tempfile.mkdtemp(prefix="akb-bench-")), list(range(1, asked.seeds + 1))
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        judged_jobs = [
            pool.submit(make_office, root / f"judged{seed}", seed, asked.customers, asked.futures, judged=True)
            for seed in seeds
        ]
        other_jobs = [
            pool.submit(make_office, root / f"other{k}", OTHER_SEED + k, asked.others // OFFICES,
                        2 * asked.other_futures, judged=False)
            for k in range(OFFICES)
        ]  # fmt: skip
        judged, others = [job.result() for job in judged_jobs], [job.result() for job in other_jobs]
        cells = [cell for seed, office in zip(seeds, judged, strict=True) for cell in judge_office(office, seed)]
        keys = sorted({cell.key for cell in cells if cell.true >= FEW and not np.isnan(cell.auc)})
        references = dict(pool.map(reference, keys, [others] * len(keys), [judged] * len(keys)))
    report(cells, references, seeds, everything=asked.all)
    gaps = [consistent(office.read("scores")) for office in judged]
    nested, additive = (max(gap[side] for gap in gaps) for side in (0, 1))
    print(f"horizons nested for every customer: {_said(nested <= 0)}; causes add up to churn_12m within {additive:.1e} "
          f"(stored as float32): {_said(additive <= ADDITIVE)}")  # fmt: skip
    spent = {name: sum(office.seconds.get(name, 0.0) for office in (*judged, *others)) for name in judged[0].seconds}
    print(f"{time.perf_counter() - began:.0f} s with {asked.jobs} processes; of their time "
          + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in spent.items()))  # fmt: skip


if __name__ == "__main__":
    main()
