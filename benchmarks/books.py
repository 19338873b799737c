"""Fifty small simulated offices: does the 80 % interval of next year's lost commission hold what is lost?

    python -m benchmarks.books [--books 50] [--smallest 1500] [--largest 3000]

Each office has its own seed, size and future; the loss is the yearly commission of the policies in force that lapse
within 12 months, counted from the simulator's log. An honest interval of 80 % holds it in about 40 of 50.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor

import polars as pl

from akb.core.dates import add_months
from akb.value.lost import Z80, Lost, lost_commission
from akb.value.past import average_lapse
from akb.value.survival import YEAR, branch_rows, relations
from benchmarks.lifetimes import lasted, office

JOBS = 2


def measure(task: tuple[int, int]) -> tuple[int, Lost, int, str]:
    """Return seed, what akb expects, what happens and the gate, of one office."""
    seed, customers = task
    made = office(customers, seed)
    paths = relations(made.base, YEAR)
    assert paths is not None
    rows = branch_rows(made.base, paths, average_lapse(made.base, add_months(made.base.as_of, -YEAR)))
    found = lost_commission(made.base, paths, rows)
    truth = lasted(made, YEAR, seed=seed + 90_000)[0]
    return seed, found, int(truth.filter(pl.col("lapsed"))["cents"].sum()), made.base.churn_gate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--books", type=int, default=50)
    parser.add_argument("--smallest", type=int, default=1500)
    parser.add_argument("--largest", type=int, default=3000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=JOBS)
    asked = parser.parse_args()
    step = (asked.largest - asked.smallest) / max(asked.books - 1, 1)
    tasks = [(asked.first + k, round(asked.smallest + k * step)) for k in range(asked.books)]
    print("book  customers      expected   80 % interval            lost   held      z   sd (chance, level, year) gate")
    held, sum_z2 = 0, 0.0
    with ProcessPoolExecutor(asked.jobs) as pool:
        for (seed, customers), (_, found, lost, gate) in zip(tasks, pool.map(measure, tasks), strict=True):
            low, high = found.interval()
            inside = low <= lost <= high
            held += inside
            z = (lost - found.expected) / found.deviation
            sum_z2 += z * z
            share = [100 * part / found.expected for part in (found.chance, found.level, found.year)]
            print(
                f"{seed:4d}  {customers:9,}  {found.expected / 100:12,.0f}  {low / 100:10,.0f}-{high / 100:<10,.0f}"
                f"{lost / 100:10,.0f}   {'yes' if inside else 'no ':<4} {z:6.2f}   "
                f"{share[0]:5.1f} % {share[1]:4.1f} % {share[2]:4.1f} %  {found.between:.3f} {gate}",
                flush=True,
            )
    print(f"the 80 % interval (+/- {Z80} sd) holds the truth in {held} of {asked.books} books (asked of 50: 34-46)")
    print(f"mean square of the standardised error: {sum_z2 / asked.books:.2f} (1 = as wide as it should be)")


if __name__ == "__main__":
    main()
