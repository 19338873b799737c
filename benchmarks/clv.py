"""Lifetime value against what simulated offices earned in 36 further months: commission only.

    python -m benchmarks.clv [--seeds 5] [--customers 15000] [--futures 10] [--jobs 2]

"Commission only": what the policies in force on the export's day earn, at the commission of that day. The forecast is
akb's own (not indexed, not discounted, no costs, no sales), the truth the time in force of those same policies in the
simulator's log; what customers who stay buy later is on neither side. Asked: the total within 5 %, each fifth by
predicted survival within 10 %; inside tenths of commission, realised / today's commission rises over the fifths of
forecast / commission (Spearman >= .9); a smaller error than 3 x today's commission.

Every bar is judged on one future, the first: an office lives only once. The others say how far what is realised lies
from its own mean by chance, so that a miss can be told from a fault: `mean` is the same ratio over all futures.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from akb.value.lifetime.backtest import (
    MONTHS,
    Comparison,
    Forecast,
    alone_against,
    compare,
    forecast,
    lift_within,
    status_quo,
)
from benchmarks.lifetimes import lasted, office

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.lifetimes import Office

    Floats = NDArray[np.float64]

WITHIN_TOTAL, WITHIN_FIFTH, RANK = 0.05, 0.10, 0.9


@dataclass(frozen=True)
class Measured:
    """One office: realised / forecast per future, lift, and the comparison with both rivals in the first future.

    Parameters
    ----------
    total, fifths
        Realised / forecast, float64 [futures] and [futures, 5]: fifths by predicted survival, lowest first.
    lift
        `lift_within`, float64 [futures, 5].
    """

    total: Floats
    fifths: Floats
    lift: Floats
    own: Comparison
    all_stay: Comparison
    quo: Comparison
    quo_alone: Comparison

    @property
    def rank(self) -> float:
        """Spearman's correlation of the lift with the fifths."""
        return float(spearmanr(range(5), self.lift[0]).statistic)

    @property
    def bars(self) -> dict[str, bool]:
        """Which bars hold in the first future; off the realised, so forecast / realised."""
        assert self.all_stay.gain_ci is not None
        return {
            "total": bool(abs(1 / self.total[0] - 1) <= WITHIN_TOTAL),
            "fifths": bool((np.abs(1 / self.fifths[0] - 1) <= WITHIN_FIFTH).all()),
            "lift": self.rank >= RANK - 1e-9,
            "error": self.all_stay.gain_ci[0] > 0,
        }


def measure(task: tuple[int, int, int]) -> Measured:
    """Simulate an office, forecast 36 months and let some futures happen: (seed, customers, futures)."""
    seed, customers, futures = task
    made = office(customers, seed)
    outlook = forecast(made.base)
    assert outlook is not None
    earned = _earned(made, outlook, seed + 70_000, futures)
    order = np.array_split(np.argsort(outlook.survival, kind="stable"), 5)
    quo = status_quo(made.base) * outlook.now
    first = earned[0]
    return Measured(
        total=earned.sum(axis=1) / outlook.expected.sum(),
        fifths=np.array([[each[part].sum() / outlook.expected[part].sum() for part in order] for each in earned]),
        lift=np.array([lift_within(outlook.now, outlook.expected, each) for each in earned]),
        own=alone_against(outlook.expected, first),
        all_stay=compare(outlook.expected, MONTHS / 12 * outlook.now, first, seed=seed),
        quo=compare(outlook.expected, quo, first, seed=seed),
        quo_alone=alone_against(quo, first),
    )


def _earned(made: Office, outlook: Forecast, seed: int, futures: int) -> Floats:
    """Cents earned in 36 months per future and customer of the forecast, float64 [futures, n]."""
    relations = outlook.customer.to_frame("customer").join(
        made.base.portfolio.customers.select("customer", "relation"), on="customer", how="left", maintain_order="left"
    )
    earned = np.empty((futures, len(outlook.now)))
    for number, happened in enumerate(lasted(made, MONTHS, seed=seed, draws=futures)):
        amounts = happened.with_columns(earned=pl.col("cents") * pl.col("share") * (MONTHS / 12))
        sums = amounts.group_by("relation").agg(pl.col("earned").sort().sum(), now=pl.col("cents").sum())
        truth = relations.join(sums, on="relation", how="left", maintain_order="left")
        assert (truth["now"].to_numpy() == outlook.now).all(), "akb reads another commission than the simulator wrote"
        earned[number] = truth["earned"].to_numpy()
    return earned


def _print(seed: int, m: Measured) -> None:
    def row(of: Floats) -> str:
        return "  ".join(f"{ratio:.3f}" for ratio in of)

    print(f"{seed:4d}  {m.total[0]:24.3f}   {row(m.fifths[0])}")
    if len(m.total) > 1:
        print(f"      mean of {len(m.total):2d} {m.total.mean():17.3f}   {row(m.fifths.mean(axis=0))}")
        print(f"      sd of one {m.total.std(ddof=1):18.3f}   {row(m.fifths.std(axis=0, ddof=1))}")
    print(f"      lift inside tenths of commission: {row(m.lift[0])}  rank {m.rank:.2f}")
    for name, rival in (("3 x today", m.all_stay), ("status quo", m.quo)):
        assert rival.gain is not None and rival.gain_ci is not None
        low, high = (bound / 100 for bound in rival.gain_ci)
        other = (m.own.rmse + rival.gain) / 100
        print(
            f"      RMSE {m.own.rmse / 100:.2f}; {name} {other:.2f}: "
            f"gain {rival.gain / 100:.2f} (90 %: {low:.2f} to {high:.2f})"
        )
    print(f"      rank correlation with what was earned: {m.own.rank:.3f}; status quo {m.quo_alone.rank:.3f}")
    print("      " + "  ".join(f"{bar} {'yes' if holds else 'NO'}" for bar, holds in m.bars.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=15_000)
    parser.add_argument("--futures", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    print("seed  realised/forecast: total   by fifth of predicted survival (lowest first)", flush=True)
    held = 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        tasks = [(seed, asked.customers, asked.futures) for seed in seeds]
        for seed, measured in zip(seeds, pool.map(measure, tasks), strict=True):
            _print(seed, measured)
            held += all(measured.bars.values())
    print(f"every bar holds in {held} of {len(seeds)} seeds of {asked.customers:,} customers")


if __name__ == "__main__":
    main()
