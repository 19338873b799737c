"""Commission over five years against what simulated offices earned: does it rank better than that of one year?

    python -m benchmarks.commission5 [--seeds 5] [--customers 15000] [--futures 10] [--jobs 2]

Both scores follow from the same chances and the same commission of today; the truth is the time in force of those
policies in the simulator's log over 60 months, at the commission of the export's day. Asked: inside tenths of today's
commission the rank correlation with the true commission over five years is higher for commission_5y than for
commission_12m (paired: the same customers, futures and tenths), and the total lies within 3 %.

The truth is the mean of the futures, which is what a score could know at best; beside it the same against one future
after the other, averaged, for an office lives only once. The spread between offices gives the interval of the gain.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import rankdata

from akb.core.dates import add_months
from akb.value.lifetime.backtest import average_lapse
from akb.value.lifetime.clv import FIVE_YEARS, earned_5y, earned_12m
from akb.value.lifetime.streams import streams
from akb.value.lifetime.survival import YEAR, branch_rows, relations
from akb.value.revenue.cost import service_cost
from benchmarks.lifetimes import lasted, office

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.lifetimes import Office

    Floats = NDArray[np.float64]

WITHIN_TOTAL = 0.03
Z90 = 1.645


@dataclass(frozen=True)
class Measured:
    """One office: ranks inside tenths of today's commission, and realised / expected over five years per future.

    Parameters
    ----------
    five, one
        commission_5y and commission_12m against the mean of the futures.
    lived
        The same two against one future, mean over the futures.
    """

    five: float
    one: float
    lived: tuple[float, float]
    total: Floats

    @property
    def gain(self) -> float:
        """How much better five years rank than one."""
        return self.five - self.one


def within_tenths(today: Floats, score: Floats, truth: Floats) -> float:
    """Return the rank correlation inside tenths of `today`, mean over the tenths; who brings nothing is aside."""
    paying = np.flatnonzero(today > 0)
    order = paying[np.argsort(today[paying], kind="stable")]
    ranks = []
    for part in np.array_split(order, 10):
        own, real = rankdata(score[part]), rankdata(truth[part])
        if np.ptp(own) and np.ptp(real):
            ranks.append(np.corrcoef(own, real)[0, 1])
    return float(np.mean(ranks))


def measure(task: tuple[int, int, int]) -> Measured:
    """Simulate an office, tell both scores and let some futures happen: (seed, customers, futures)."""
    seed, customers, futures = task
    made = office(customers, seed)
    base = made.base
    paths = relations(base, 2 * FIVE_YEARS)
    assert paths is not None
    rows = branch_rows(base, paths, average_lapse(base, add_months(base.as_of, -YEAR)))
    cost = service_cost(base)
    five = earned_5y(streams(base, rows, cost, FIVE_YEARS, 0.5), paths).astype(np.float64)
    one = earned_12m(streams(base, rows, cost, YEAR, 0.5), paths)[0].astype(np.float64)
    today = base.commission_customer.astype(np.float64)
    earned = _earned(made, seed + 80_000, futures)
    return Measured(
        five=within_tenths(today, five, earned.mean(axis=0)),
        one=within_tenths(today, one, earned.mean(axis=0)),
        lived=(
            float(np.mean([within_tenths(today, five, each) for each in earned])),
            float(np.mean([within_tenths(today, one, each) for each in earned])),
        ),
        total=earned.sum(axis=1) / five.sum(),
    )


def _earned(made: Office, seed: int, futures: int) -> Floats:
    """Cents earned in five years per future and customer in force, float64 [futures, n]."""
    known = made.base.customers.select("customer", "relation")
    earned = np.empty((futures, made.base.n))
    for number, happened in enumerate(lasted(made, FIVE_YEARS, seed=seed, draws=futures)):
        amounts = happened.with_columns(earned=pl.col("cents") * pl.col("share") * (FIVE_YEARS / YEAR))
        sums = amounts.group_by("relation").agg(pl.col("earned").sort().sum())
        earned[number] = known.join(sums, on="relation", how="left", maintain_order="left")["earned"].to_numpy()
    return earned


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=15_000)
    parser.add_argument("--futures", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    print("seed  rank inside tenths: five years  one year  gain   in one future: five  one   realised/expected  mean")
    gains, held = [], 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        tasks = [(seed, asked.customers, asked.futures) for seed in seeds]
        for seed, m in zip(seeds, pool.map(measure, tasks), strict=True):
            gains.append(m.gain)
            held += m.gain > 0 and abs(1 / m.total.mean() - 1) <= WITHIN_TOTAL
            print(
                f"{seed:4d}  {m.five:30.4f}  {m.one:8.4f}  {m.gain:+.4f}"
                f"  {m.lived[0]:18.4f}  {m.lived[1]:.4f}  {m.total[0]:14.3f}  {m.total.mean():.3f}",
                flush=True,
            )
    if len(gains) > 1:
        half = Z90 * float(np.std(gains, ddof=1)) / np.sqrt(len(gains))
        print(f"gain {np.mean(gains):+.4f}, 90 % between {np.mean(gains) - half:+.4f} and {np.mean(gains) + half:+.4f}")
    print(f"ranks better and lies within {WITHIN_TOTAL:.0%} in {held} of {len(gains)} offices of {asked.customers:,}")


if __name__ == "__main__":
    main()
