"""Is a level per office worth applying? The churn hazard with and without one, where the offices' true effect is known.

    python -m benchmarks.offices [--customers 4000] [--spreads 0.12 0.4] [--seeds 1 2]

An office's own observed / expected over all closed person-months, drawn to that of all with 100 leavers, moves the
log-odds of its customers. On the validation and the test date the gain is in log loss on what happened; at X on the
true chances (the mean of further futures). What could be gained at most is shown beside it: each office, and all
together, at their true level.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

from akb.config import load_settings
from akb.core.people import POOLING_EVENTS
from akb.features import as_of_grid, build_matrix, build_targets
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models.churn import LAGS, PART, Hazard, Landmarks, churn_splits, evaluate_churn, fit_selected, stay
from akb.models.evidence import People, losses, paired_difference
from akb.models.learners import from_link, to_link
from akb.models.temporal import shift_for
from akb.sample import book, write_sample

FUTURES = 100


def office_shift(landmarks: Landmarks, hazard: Hazard, office: np.ndarray, size: int) -> np.ndarray:
    """Return what to add to the log-odds per office, and nothing for the last (unknown)."""
    months = landmarks.known_on(hazard.day, size, np.random.default_rng(7))
    expected = hazard.predict(landmarks.sample(months, hazard.offset), months.lag)
    code, shift = office[months.row], np.zeros(office.max() + 2)
    everyone = float(months.weight[months.event].sum() / (months.weight @ expected))
    for each in np.unique(code[code >= 0]):
        here = code == each
        mine, predicted = months.at(here), expected[here]
        events = landmarks.distinct(mine)
        own = float(mine.weight[mine.event].sum() / (mine.weight @ predicted)) / everyone
        factor = (events * own + POOLING_EVENTS) / (events + POOLING_EVENTS)
        shift[each] = shift_for("binary", predicted, mine.weight, factor)
    return shift


def at_true_level(chance: np.ndarray, truth: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the chances with each group moved to its true total."""
    best = chance.copy()
    for each in np.unique(group):
        here = group == each
        shift = shift_for("binary", chance[here], np.ones(here.sum()), truth[here].sum() / chance[here].sum())
        best[here] = from_link("binary", to_link("binary", chance[here]) + shift)
    return best


def measure(customers: int, spread: float, seed: int) -> None:
    """Print one line per date of one simulated book."""
    usual = book.parameters()
    strong = usual.model_copy(update={"spread": usual.spread.model_copy(update={"office": spread})})
    with patch.object(book, "parameters", lambda: strong):
        made = book.simulate(customers, seed=seed)
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as folder:
        write_sample(made, Path(folder), truth=False)
        files = [Path(folder) / name for name in ("polissen.csv", "schades.csv", "contacten.csv")]
        portfolio = read_portfolio(Sources(files, bytes(32)), settings)
    matrix = build_matrix(portfolio, as_of_grid(portfolio, settings), settings)
    people = People.of(portfolio.customers, settings.report.suppress_below)
    landmarks = Landmarks(matrix, build_targets(portfolio, matrix, settings), people)
    splits = churn_splits(landmarks, portfolio.as_of)
    made = evaluate_churn(landmarks, settings, splits, portfolio.as_of)
    size = settings.models.hazard_rows
    office = people.office[np.searchsorted(people.customer, landmarks.customer)]
    print(
        f"spread {spread}, seed {seed}: {made.learner}, true effects {np.round(made.office.office_lapse, 2).tolist()}"
    )
    futures = made.futures(FUTURES, seed=seed + 1000).probabilities()
    known = portfolio.customers.select("customer", "relation").join(futures, on="relation")
    truth = dict(known.select("customer", "churn_12m").iter_rows())
    tests = (
        ("validation", splits.validation, size // PART),
        ("test", splits.early, size // PART),
        ("X", len(landmarks.dates) - 1, size),
    )
    for name, position, rows_to_learn in tests:
        assert position is not None
        fitted = fit_selected(landmarks, settings, made.selection, landmarks.dates[position], rows_to_learn)
        lean, hazard = fitted.landmarks, fitted.hazard
        shift = office_shift(lean, hazard, office, rows_to_learn)
        rows = landmarks.rows_of(position, LAGS if name != "X" else 0)
        monthly = hazard.monthly(lean, rows)
        moved = from_link("binary", to_link("binary", monthly) + shift[office[rows]][:, None])
        without, with_office = 1 - stay(monthly)[:, -1], 1 - stay(moved)[:, -1]
        if name == "X":
            happens = np.array([truth[each] for each in landmarks.customer[rows].tolist()])
        else:
            happens = (landmarks.event_lag[rows] <= LAGS).astype(float)
        loss = losses("binary", happens, without)
        gain, error = paired_difference(loss, losses("binary", happens, with_office), landmarks.customer[rows])
        line = f"  {name:10}  loss {loss.mean():.5f}  gain {gain:+.5f} (standard error {error:.5f})"
        if name == "X":
            most, level = (
                float((loss - losses("binary", happens, at_true_level(without, happens, group))).mean())
                for group in (office[rows], np.zeros(len(rows)))
            )
            line += f"  at most {most:+.5f}, of which the level of all {level:+.5f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=4000)
    parser.add_argument("--spreads", type=float, nargs="+", default=[0.12, 0.4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    for spread in asked.spreads:
        for seed in asked.seeds:
            measure(asked.customers, spread, seed)


if __name__ == "__main__":
    main()
