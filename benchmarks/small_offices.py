"""Small offices dealt out of a large export: the lapses expected a year ago against those that happened.

    python -m benchmarks.small_offices [sample_data/polissen.csv] [--day 2024-10-31]

Customers are dealt at random into offices of about 61, 200 and 400 in force on the day; each is seen as it was then
(`akb.ingest.earlier`) and told as a small office of its own. Asked: the interval of 90 % holds what happened in 85 % of
the offices or more.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.core.dates import add_months
from akb.core.relations import in_force
from akb.describe.relations import is_lapse
from akb.ingest import earlier, read_portfolio
from akb.ingest.types import Sources
from akb.value.actuarial.small import small_office
from akb.value.in_force import InForce

SIZES, MOST, ASKED = (61, 200, 400), 60, 0.85


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("export", nargs="?", type=Path, default=Path("sample_data/polissen.csv"))
    parser.add_argument("--day", type=date.fromisoformat, default=date(2024, 10, 31))
    given = parser.parse_args()
    settings = load_settings()
    book = read_portfolio(Sources((given.export,), b"0" * 32), settings)
    then, until = earlier(book, given.day), add_months(given.day, 12)
    there = in_force(then.policies, given.day)["customer"].n_unique()
    everyone = book.policies["customer"].unique().sort().to_numpy()
    order = np.random.default_rng(11).permutation(everyone)
    for size in SIZES:
        step = round(size * len(everyone) / there)
        held, told, weights, expected, happened = 0, 0, 0.0, 0.0, 0
        for place in range(0, min(len(order) - step, MOST * step), step):
            mine = pl.col("customer").is_in(pl.Series(order[place : place + step], dtype=pl.UInt32).implode())
            office = replace(then, policies=then.policies.filter(mine), customers=then.customers.filter(mine))
            found = small_office(InForce(office, None, settings))  # type: ignore[arg-type]
            if found is None:
                continue
            real = in_force(book.policies.filter(mine), given.day).filter(is_lapse(until)).height
            told += 1
            held += found["low"] <= real <= found["high"]
            expected, happened, weights = expected + found["expected"], happened + real, weights + found["weight"]
        verdict = "holds" if held >= ASKED * told else "SHORT"
        print(
            f"{size:4d} customers: {told} offices, {held} held ({verdict}); expected {expected:,.0f}, happened "
            f"{happened:,}; own weight {weights / max(told, 1):.2f}"
        )


if __name__ == "__main__":
    main()
