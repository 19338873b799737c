"""Books in which the rate moves: does the 80 % interval of observed / expected hold what came, and how wide is it?

    python -m benchmarks.drift [DATA] [--customers 3000] [--first 1] [--jobs 2]

Twelve simulated offices with a planted movement of lapses (a trend of 15 to 30 % a year up and down, shocks of a
random walk, a jump), four without, and with DATA the real books of ``benchmarks.own_columns``. One hazard per book and
day is fitted to what was known on that day, on akb's level, and judged on the twelve months after two days, a year
apart. The interval is that of a new window: 1.28 times the spread between years and the chance of the count; its score
is the width of the interval of the log of observed / expected, plus ten times what it misses by (Winkler; smaller is
better). *akb*: the changes of the rate from year to year (`year_on_year`). *floor*: 5 %, what akb's old measure, the
hazard's own errors in the years that taught it, hardly ever exceeded.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.core.dates import add_months
from akb.features import as_of_grid, build_matrix, build_targets
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models.churn.hazard import Hazard, fit_hazard, stay
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.splits import known_leavers
from akb.models.churn.target import learners
from akb.models.evidence import BETWEEN_YEAR
from akb.models.evidence.intervals import observed_expected
from akb.sample import simulate, write_sample
from benchmarks.own_columns import BOOKS

Z80 = 1.2815515655446004
MONTHS = 64
"""Of recorded history: four years, the months that are judged, and what it takes to close them."""
TREES, ROWS = 67, 60_000
LEAST = 100
"""Leavers known on a day from which it is judged."""
TRENDS = (0.15, 0.20, 0.25, 0.30)
METHODS = ("akb", "floor")


def movements(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return what multiplies lapses per recorded month in each office."""
    years = (np.arange(MONTHS + 2) - MONTHS / 2) / 12
    made = {f"{sign}{trend:.0%} a year": np.exp(np.log1p(trend) * years * (1 if sign == "+" else -1))
            for trend in TRENDS for sign in "+-"}  # fmt: skip
    for number in range(3):
        made[f"random walk {number + 1}"] = np.exp(np.cumsum(rng.normal(0, 0.2 / np.sqrt(12), len(years))))
    made["jump"] = np.where(years > 1, 1.4, 1.0)
    return made | {f"none {number + 1}": np.empty(0) for number in range(4)}


@dataclass(frozen=True)
class Judged:
    """One interval of one book on one day."""

    ratio: float
    spread: float
    interval: tuple[float, float]

    @property
    def held(self) -> bool:
        return self.interval[0] <= 1 <= self.interval[1]

    @property
    def score(self) -> float:
        low, high = np.log(self.interval)
        return float(high - low + 10 * max(low, -high, 0.0))


@dataclass(frozen=True)
class Level:
    """A hazard against the twelve months after an as-of date."""

    label: np.ndarray
    expected: np.ndarray
    customer: np.ndarray

    def judged(self, spread: float) -> Judged:
        ratio, interval = observed_expected(self.label, self.expected, self.customer, spread, Z80)
        return Judged(ratio, spread, interval)


def _level(landmarks: Landmarks, hazard: Hazard, position: int) -> Level:
    rows = landmarks.rows_of(position, LAGS)
    label = (landmarks.event_lag[rows] <= LAGS).astype(np.float64)
    return Level(label, 1 - stay(hazard.monthly(landmarks, rows))[:, -1], landmarks.customer[rows])


def judged(files: list[Path], as_of: date | None) -> list[tuple[date, int, list[Judged]]]:
    """Return day, leavers known then and both intervals, for the last two closed days a year apart."""
    settings = load_settings()
    portfolio = read_portfolio(Sources(files, bytes(32), as_of=as_of), settings)
    matrix = build_matrix(portfolio, as_of_grid(portfolio, settings), settings)
    landmarks = Landmarks(matrix, build_targets(portfolio, matrix, settings))
    fit = learners(settings, TREES)["boosting"]
    found: list[tuple[date, int, list[Judged]]] = []
    newest = landmarks.latest_closed(portfolio.as_of, LAGS)
    days = [] if newest is None else [landmarks.dates[newest]]
    days += [day for day in landmarks.dates if days and day <= add_months(days[0], -12)][-1:]
    for day in days:
        known = known_leavers(landmarks, day)
        if known < LEAST or int(landmarks.closed_lags(day).max()) < LAGS:
            continue
        hazard = fit_hazard(landmarks, fit, "boosting", day=day, size=ROWS, seed=1)
        level = _level(landmarks, hazard, landmarks.dates.index(day))
        spreads = (hazard.between_year, BETWEEN_YEAR)
        found.append((day, known, [level.judged(spread) for spread in spreads]))
    return found


def _simulated(task: tuple[str, np.ndarray, int, int]) -> tuple[str, list[tuple[date, int, list[Judged]]]]:
    name, drift, customers, seed = task
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-"))
    book = simulate(customers, seed=seed, months=MONTHS, drift=[float(each) for each in drift])
    write_sample(book, folder, truth=False)
    return name, judged([folder / "polissen.csv"], None)


def _real(task: tuple[str, Path]) -> tuple[str, list[tuple[date, int, list[Judged]]]]:
    name, data = task
    make, usual = BOOKS[name]
    ends = {"es_motor": date(2018, 11, 30)}.get(name, add_months(usual, 12))
    book = make(data, ends).filter(pl.col("start_date") <= ends)
    path = Path(tempfile.mkdtemp(prefix="akb-bench-")) / f"{name}.csv"
    dated = [each for each in ("end_date", "reason") if each in book.columns]
    known = pl.col("end_date") <= ends
    book.with_columns(pl.when(known).then(each).alias(each) for each in dated).write_csv(path)
    return name, judged([path], ends)


def _print(name: str, day: date, known: int, intervals: list[Judged]) -> None:
    shown = "   ".join(
        f"{each.spread:.3f}  {each.interval[0]:.2f}-{each.interval[1]:.2f} {'held  ' if each.held else 'missed'}"
        for each in intervals
    )
    print(f"{name:<16} {day}   {known:6,}   {intervals[0].ratio:5.2f}   {shown}", flush=True)


def _summary(title: str, rows: list[list[Judged]]) -> None:
    if not rows:
        return
    for at, method in enumerate(METHODS):
        mine = [row[at] for row in rows]
        off = float(np.sqrt(np.mean([np.log(each.ratio) ** 2 for each in mine])))
        print(
            f"{title:<22} {method:<6} held {sum(each.held for each in mine):2d} of {len(mine):2d}   "
            f"score {np.mean([each.score for each in mine]):.3f}   level off by {off:.1%} (root mean square)"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    os.environ.update(POLARS_MAX_THREADS="1", OMP_NUM_THREADS="1")  # for the workers: each has one processor
    planted = movements(np.random.default_rng(asked.first))
    tasks = [(name, drift, asked.customers, asked.first + at) for at, (name, drift) in enumerate(planted.items())]
    groups: dict[str, list[list[Judged]]] = {"with a movement": [], "without": [], "real": []}
    print("book             day          leavers known   O/E   akb: spread, 80 % interval   floor: spread, 80 %")
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        results = pool.map(_simulated, tasks)
        real = pool.map(_real, [(name, asked.data) for name in BOOKS] if asked.data else [])
        for name, found in chain(results, real):
            group = "real" if name in BOOKS else "without" if name.startswith("none") else "with a movement"
            for day, known, intervals in found:
                groups[group].append(intervals)
                _print(name, day, known, intervals)
    for title, rows in groups.items():
        _summary(title, rows)


if __name__ == "__main__":
    main()
