"""Fifty small simulated offices: does the 80 % interval of next year's lost commission hold what is lost?

    python -m benchmarks.books [--books 50] [--smallest 1500] [--largest 3000] [--futures 20] [--jobs 2]

Each office has its own seed and size; the loss is the yearly commission of the policies in force that lapse within 12
months, counted from the simulator's log. An honest interval of 80 % holds it in about 40 of 50. That is counted on one
future per office, the first. The others cost little and say the same with less chance: the share of futures inside the
interval, and `level`, what akb expects against the mean of the futures: how sure the level really was.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.value.lifetime.backtest import average_lapse
from akb.value.lifetime.lost import Lost, lost_commission
from akb.value.lifetime.survival import YEAR, branch_rows, relations
from benchmarks.lifetimes import lasted, office

Z80 = 1.2816  # asked of the same spread that the report widens to 90 %

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

JOBS = 2


@dataclass(frozen=True)
class Measured:
    """What akb expects of one office, what is lost in cents per future, float64 [futures], and the gate."""

    found: Lost
    lost: Floats
    gate: str

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether the interval holds what is lost, per future."""
        low, high = self.found.interval(Z80)
        return np.asarray((low <= self.lost) & (self.lost <= high))

    @property
    def z(self) -> Floats:
        """The standardised error per future."""
        return (self.lost - self.found.expected) / self.found.deviation

    @property
    def level(self) -> float:
        """What is expected / the mean of the futures."""
        return float(self.found.expected / self.lost.mean())


def measure(task: tuple[int, int, int]) -> Measured:
    """Simulate an office and let some futures happen: (seed, customers, futures)."""
    seed, customers, futures = task
    made = office(customers, seed)
    paths = relations(made.base, YEAR)
    assert paths is not None
    rows = branch_rows(made.base, paths, average_lapse(made.base, add_months(made.base.as_of, -YEAR)))
    found = lost_commission(made.base, paths, rows)
    truth = lasted(made, YEAR, seed=seed + 90_000, draws=futures)
    lost = np.array([float(each.filter(pl.col("lapsed"))["cents"].sum()) for each in truth])
    return Measured(found, lost, made.base.churn_gate)


def _print(seed: int, customers: int, m: Measured) -> None:
    found, (low, high) = m.found, m.found.interval(Z80)
    share = [100 * part / found.expected for part in (found.chance, found.level, found.year)]
    print(
        f"{seed:4d}  {customers:9,}  {found.expected / 100:12,.0f}  {low / 100:10,.0f}-{high / 100:<10,.0f}"
        f"{m.lost[0] / 100:10,.0f}   {'yes' if m.inside[0] else 'no ':<4} {m.z[0]:6.2f}   {m.inside.mean():6.0%}  "
        f"{m.level:.3f}   {share[0]:5.1f} % {share[1]:4.1f} % {share[2]:4.1f} %  {found.between:.3f} {m.gate}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--books", type=int, default=50)
    parser.add_argument("--smallest", type=int, default=1500)
    parser.add_argument("--largest", type=int, default=3000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--futures", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=JOBS)
    asked = parser.parse_args()
    step = (asked.largest - asked.smallest) / max(asked.books - 1, 1)
    tasks = [(asked.first + k, round(asked.smallest + k * step), asked.futures) for k in range(asked.books)]
    print(
        "book  customers      expected   80 % interval            lost   held      z   futures  level   "
        "sd (chance, level, year) gate",
        flush=True,
    )
    made = []
    with ProcessPoolExecutor(asked.jobs) as pool:
        for (seed, customers, _), measured in zip(tasks, pool.map(measure, tasks), strict=True):
            _print(seed, customers, measured)
            made.append(measured)
    held = sum(bool(each.inside[0]) for each in made)
    print(f"the 80 % interval (+/- {Z80} sd) holds the truth in {held} of {asked.books} books (asked of 50: 34-46)")
    print(f"mean square of the standardised error: {np.mean([each.z[0] ** 2 for each in made]):.2f} (1: wide enough)")
    whole = np.concatenate([each.inside for each in made]).mean(), np.mean([(each.z**2).mean() for each in made])
    print(f"over {asked.futures} futures of every book: inside {whole[0]:.1%}, mean square {whole[1]:.2f}")
    level = float(np.sqrt(np.mean([(each.found.level / each.found.expected) ** 2 for each in made])))
    off = float(np.sqrt(np.mean(np.log([each.level for each in made]) ** 2)))
    print(f"level: off by {off:.1%} (root mean square, with what is left of chance), said to be within {level:.1%}")


if __name__ == "__main__":
    main()
