"""Lifetime value against what simulated offices earned in 36 further months: commission only.

    python -m benchmarks.clv [--seeds 5] [--customers 8000]

The forecast is akb's own on the export's day (not indexed, not discounted, no costs, no sales); the truth is the time
in force of the same policies in one future of the simulator, weighed with the commission of that day. Asked: the total
within 5 %, each fifth by predicted survival within 10 %; inside tenths of commission, realised / today's commission
rises over the fifths of forecast / commission (Spearman >= .9); a smaller error than 3 x today's commission.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from akb.value.past import MONTHS, Comparison, alone_against, compare, forecast, lift_within, status_quo
from benchmarks.lifetimes import lasted, office


@dataclass(frozen=True)
class Measured:
    """One office: forecast / realised per fifth, lift, and the comparison with both rivals."""

    total: float
    fifths: list[float]
    lift: list[float]
    own: Comparison
    all_stay: Comparison
    quo: Comparison
    quo_alone: Comparison


def measure(seed: int, customers: int) -> Measured:
    """Simulate an office, forecast 36 months and let one future happen."""
    made = office(customers, seed)
    told = forecast(made.base)
    assert told is not None
    happened = lasted(made, MONTHS, seed=seed + 70_000)[0].with_columns(
        earned=pl.col("cents") * pl.col("share") * (MONTHS / 12)
    )
    relations = told.customer.to_frame("customer").join(
        made.base.portfolio.customers.select("customer", "relation"), on="customer", how="left", maintain_order="left"
    )
    sums = happened.group_by("relation").agg(pl.col("earned").sort().sum(), now=pl.col("cents").sum())
    truth = relations.join(sums, on="relation", how="left", maintain_order="left")
    assert (truth["now"].to_numpy() == told.now).all(), "akb reads another commission than the simulator wrote"
    earned = truth["earned"].to_numpy()
    fifths = [
        float(earned[part].sum() / told.expected[part].sum())
        for part in np.array_split(np.argsort(told.survival, kind="stable"), 5)
    ]
    quo = status_quo(made.base) * told.now
    stay = MONTHS / 12 * told.now
    return Measured(
        total=float(earned.sum() / told.expected.sum()),
        fifths=fifths,
        lift=lift_within(told.now, told.expected, earned),
        own=alone_against(told.expected, earned),
        all_stay=compare(told.expected, stay, earned, seed=seed),
        quo=compare(told.expected, quo, earned, seed=seed),
        quo_alone=alone_against(quo, earned),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=8000)
    asked = parser.parse_args()
    print("seed  realised/forecast: total   by fifth of predicted survival (lowest first)")
    for seed in range(asked.first, asked.first + asked.seeds):
        m = measure(seed, asked.customers)
        rank = spearmanr(range(5), m.lift).statistic
        print(f"{seed:4d}  {m.total:24.3f}   " + "  ".join(f"{ratio:.3f}" for ratio in m.fifths))
        print(
            "      lift inside tenths of commission: "
            + "  ".join(f"{lift:.2f}" for lift in m.lift)
            + f"  rank {rank:.2f}"
        )
        for name, rival in (("3 x today", m.all_stay), ("status quo", m.quo)):
            assert rival.gain is not None and rival.gain_ci is not None
            low, high = (bound / 100 for bound in rival.gain_ci)
            other = (m.own.rmse + rival.gain) / 100
            print(
                f"      RMSE {m.own.rmse / 100:.2f}; {name} {other:.2f}: "
                f"gain {rival.gain / 100:.2f} (90 %: {low:.2f} to {high:.2f})"
            )
        print(
            f"      rank correlation with what was earned: {m.own.rank:.3f}; status quo {m.quo_alone.rank:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
