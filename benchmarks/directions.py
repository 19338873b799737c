"""Sure directions with and without, in one run: expected AUC against the truth, and seconds of the models.

    python -m benchmarks.directions [--seeds 2] [--customers 8000] [--futures 300] [--first 1] [--each]

Each simulated office (with claims, contacts and a premium history) is read once; on the same matrix the models are
fitted without and with ``configs/directions.toml``, then once more in the other order: the seconds (of the processor,
on one thread) are the lesser of two. ``--each`` fits with one entry of the table at a time instead. Contacts and claims
have no true expectation in the simulator's futures: for them stands the deviance skill on the latest closed date. The
simulator writes no reminders or reversals, so what they say is not measured here.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

from akb.catalogue import directions
from akb.catalogue.entries import Entry, entries
from akb.config import Settings, load_settings
from akb.core.wording.text import load_toml
from akb.features import as_of_grid, build_matrix, build_targets
from akb.features.types import Matrix, Targets
from akb.ingest import read_portfolio
from akb.ingest.types import Portfolio, Sources
from akb.models import run_models
from akb.models.evidence import weighted_auc
from akb.models.method import Role
from akb.models.methods import METHODS
from akb.sample import simulate, write_sample
from benchmarks.truth import true_chances

LEAST = 100  # true events below which a rank says nothing here
KINDS = (("churn_", "churn"), ("policy_lapse", "any lapse"), ("lapse_", "lapse per branch"),
         ("cross_sell", "any purchase"), ("next_policy", "purchase per branch"))  # fmt: skip
SKILLED = ("contacts_12m", "claims_12m")
Found = dict[str, float]
Pairs = defaultdict[str, list[tuple[Found, Found]]]


@dataclass(frozen=True)
class Office:
    """What the models learn from, and the truth about it."""

    portfolio: Portfolio
    matrix: Matrix
    targets: Targets
    truth: pl.DataFrame
    entries: tuple[Entry, ...]
    settings: Settings

    def fit(self, table: dict[str, Any], outcomes: frozenset[str] | None = None) -> tuple[Found, float]:
        """Return expected AUC (or skill) per prediction with these directions, and the seconds of the models.

        With `outcomes` only predictions of these kinds are fitted (the hazard always is).
        """
        wanted = [each for each in self.entries if outcomes is None or each.outcome in {*outcomes, None}]
        wanted = [
            each for each in wanted if outcomes is None or each.outcome or METHODS[each.method].role is Role.CHURN
        ]
        given = directions.by_feature(table)
        began = time.process_time()
        with patch.object(directions, "directions", lambda: given):
            models = run_models(
                self.matrix,
                self.targets,
                wanted,
                self.settings,
                as_of=self.portfolio.as_of,
                history=self.portfolio.history,
                progress=lambda _: None,
            )
        seconds = time.process_time() - began
        joined = models.scores.join(self.portfolio.customers.select("customer", "relation"), on="customer")
        joined = joined.join(self.truth, on="relation", suffix="_true")
        found = {}
        for key in (name for name in self.truth.columns if name in models.scores.columns):
            pairs = joined.select(key, f"{key}_true").drop_nulls().to_numpy()
            if key != "policies_lost_12m" and pairs[:, 1].sum() >= LEAST:
                found[key] = float(weighted_auc(pairs[:, 1], pairs[:, 0]))
        shown = {p.key: p.evidence.deviance_skill for p in models.predictions if p.evidence and p.key in SKILLED}
        return found | {key: skill for key, skill in shown.items() if skill is not None}, seconds


def office(seed: int, customers: int, futures: int) -> Office:
    """Simulate an office and read it as a user does."""
    book, settings = simulate(customers, seed=seed), load_settings(models__jobs=1)
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as made:
        portfolio = read_portfolio(
            Sources(write_sample(book, Path(made), truth=False, premiums=True), bytes(32)), settings
        )
    matrix = build_matrix(portfolio, as_of_grid(portfolio, settings), settings)
    held = set(portfolio.policies["branch"].unique())
    catalogue = entries([(key, each.name_nl) for key, each in settings.taxonomy().items() if key in held])
    return Office(
        portfolio,
        matrix,
        build_targets(portfolio, matrix, settings),
        true_chances(book, futures, seed + 10_000),
        tuple(entry for entry in catalogue if entry.room == "models"),
        settings,
    )


def kind(key: str) -> str:
    """Return under which row a prediction is counted."""
    return next((words for prefix, words in KINDS if key.startswith(prefix)), f"{key} (skill)")


def mean_gains(found: list[tuple[Found, Found]]) -> dict[str, tuple[float, float, int]]:
    """Return per kind the mean without, the mean difference with, and the number of cells."""
    cells = defaultdict(list)
    for without, given in found:
        for key in sorted(without.keys() & given.keys()):
            cells[kind(key)].append((without[key], given[key] - without[key]))
    return {words: (*np.mean(pairs, axis=0).tolist(), len(pairs)) for words, pairs in cells.items()}


def show(words: str, found: list[tuple[Found, Found]]) -> None:
    print(f"\n{words}")
    for name, (without, gain, cells) in mean_gains(found).items():
        print(f"  {name:<24} {without:.4f} {gain:+.4f}   {cells:3d} cells", flush=True)


def one_by_one(made: Office, whole: dict[str, Any], found: Pairs) -> None:
    """Fit with each entry alone what it is about."""
    without: dict[frozenset[str], Found] = {}
    for entry in whole["direction"]:
        outcomes = frozenset(entry["outcomes"])
        if not set(entry["features"]) & {*made.matrix.names, *made.targets.held.names, *made.targets.eligible.names}:
            continue
        if outcomes not in without:
            without[outcomes] = made.fit({}, outcomes)[0]
        words = f"{', '.join(entry['features'])}: {entry['outcomes']}"
        found[words].append((without[outcomes], made.fit({"direction": [entry]}, outcomes)[0]))


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("seeds", 2), ("customers", 8_000), ("futures", 300), ("first", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--each", action="store_true")
    asked = parser.parse_args()
    whole = load_toml("directions.toml")
    found: Pairs = defaultdict(list)
    seconds = []
    for seed in range(asked.first, asked.first + asked.seeds):
        made = office(seed, asked.customers, asked.futures)
        if asked.each:
            one_by_one(made, whole, found)
            continue
        runs = [made.fit(table) for table in ({}, whole, whole, {})]
        seconds.append([min(runs[0][1], runs[3][1]), min(runs[1][1], runs[2][1])])
        found["every entry of the table"].append((runs[0][0], runs[1][0]))
    print("without, and the difference with: mean expected AUC (skill where it says so)")
    for words, pairs in found.items():
        show(words, pairs)
    if seconds:
        off, on = np.mean(seconds, axis=0)
        print(f"\nprocessor seconds of the models: {off:.1f} without, {on:.1f} with ({on / off - 1:+.0%})")


if __name__ == "__main__":
    main()
