"""Expected against true leavers of the month after a day: models of a day, asked on later days of the year after it.

    python -m benchmarks.season [--first 301] [--seeds 2] [--customers 20000] [--futures 100] [--fitted 2023-12-31]

The truth of a day is the mean of futures of a living office, as a share of those in force on it. Twelve lags on the
day of the fit and the first lag on later days; observed / expected, and the root mean square of its logarithm.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from akb.config import load_settings
from akb.core.dates import add_months
from akb.features import as_of_grid, build_matrix, build_targets
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models.churn import Landmarks, fit_churn, stay
from akb.models.saved import saved_hazard
from akb.sample import Book, simulate, write_sample
from akb.sample.calendar import to_day
from akb.sample.living import LivingOffice
from akb.sample.truth import relation_ends

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")
LATER = (20, 31, 51, 59, 90, 110, 136, 181, 232, 273, 314)  # days after the fit
MONTHS = 14


def true_shares(book: Book, futures: int, days: list[date], seed: int) -> np.ndarray:
    """Return the share of those in force on each day that leaves in each of the twelve months after it, [days, 12]."""
    left, there = np.zeros((len(days), 12)), np.zeros(len(days))
    for number in range(futures):
        office = LivingOffice(book, 2 * MONTHS, seed=seed * 1000 + number)
        for _ in range(2 * MONTHS):
            office.live()
        policies, _ = office.all_ends()
        for place, day in enumerate(days):
            kept = policies.end > to_day(day)
            some = type(policies)(**{name: value[kept] for name, value in vars(policies).items()})
            in_force = np.zeros(len(office.people), bool)
            in_force[some.customer[some.start <= to_day(day)]] = True
            gone, _ = relation_ends(some, len(in_force), to_day(day))
            bounds = [to_day(add_months(day, lag)) for lag in range(1, 13)]
            left[place] += np.bincount(np.searchsorted(bounds, gone[in_force]), minlength=13)[:12]
            there[place] += in_force.sum()
    return left / there[:, None]


def ratios(seed: int, fitted: date, customers: int, futures: int) -> tuple[list[date], np.ndarray]:
    """Return the days asked and observed / expected [days, 12] of the models of `fitted`."""
    settings = load_settings()
    book = simulate(customers, seed=seed, as_of=fitted)
    days = [fitted, *(fitted + timedelta(days=each) for each in LATER)]
    truth, office = true_shares(book, futures, days, seed), LivingOffice(book, MONTHS, seed=seed * 1000)
    found, files = np.zeros((len(days), 12)), {}
    for place, day in enumerate(days):
        while to_day(office.lived_until) < to_day(day):
            office.live()
        folder = Path(tempfile.mkdtemp(prefix="akb-season-"))
        write_sample(office.on(day) if place else book, folder, truth=False)
        portfolio = read_portfolio(Sources([folder / name for name in NAMES], bytes(32), day), settings)
        matrix = build_matrix(portfolio, as_of_grid(portfolio, settings) if not place else [day], settings)
        targets = build_targets(portfolio, matrix, settings)
        if not place:
            files = fit_churn(matrix, targets, settings, as_of=day, challenged=False).files
        hazard, landmarks = saved_hazard(files, Landmarks(matrix, targets))
        there = stay(hazard.monthly(landmarks, landmarks.rows_of(len(landmarks.dates) - 1)))
        expected = -np.diff(there, axis=1, prepend=1.0).mean(axis=0)
        found[place] = truth[place] / expected
    return days, found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("first", 301), ("seeds", 2), ("customers", 20_000), ("futures", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--fitted", type=date.fromisoformat, default=date(2023, 12, 31))
    asked = parser.parse_args()
    every = []
    for seed in range(asked.first, asked.first + asked.seeds):
        days, found = ratios(seed, asked.fitted, asked.customers, asked.futures)
        print(f"seed {seed}: lags 1 to 12 on {days[0]}: {' '.join(f'{each:.2f}' for each in found[0])}")
        print(
            "  lag 1: " + ", ".join(f"{day} {each:.2f}" for day, each in zip(days, found[:, 0], strict=True)),
            flush=True,
        )
        every.append(np.log(found))
    logs = np.array(every)
    for name, part in (("lags of the day of the fit", logs[:, 0]), ("lag 1 on every day", logs[:, :, 0])):
        rms, mean = np.sqrt((part**2).mean()), part.mean()
        print(f"{name}: root mean square of log observed / expected {rms:.4f}, mean {mean:+.4f}")


if __name__ == "__main__":
    main()
