"""The watch on registered ends by itself: false alarms in calm years, and what could be seen of a rise at all.

    python -m benchmarks.watch [--years 300]

Years of weekly exports without an office: ends at a Poisson rate of customers, a part of whom end several policies
together, at a level that differs from the year before by 5 % (standard deviation), registered six days late on average,
those of a first partly announced. From two days after week 30 on the rate is a factor of what it was. Nothing here is
of the simulator, of the sample or of an office on which the watch is judged.

*Bound*: the count of the same four weeks against its mean, were the rise known and its begin not, at the false alarms
of that row, by the normal approximation; no rule can do much better.
"""

from __future__ import annotations

import argparse
from datetime import date
from math import log, sqrt

import numpy as np
import polars as pl
from scipy.stats import norm

from akb.live.scoring.watch import KnownEnds, UsualEnds, watched

FIRST, HELD, PER_WEEK = date(2025, 12, 31), 40_000, 75.0
AT, WITHIN, LEARN = 30, 4, 8
AHEAD, LATE, LEVEL = 0.4, 6.0, 0.05
TOGETHER = (0.25, 0.10)  # of the customers who end a policy, who end a second one, and another


def usual() -> UsualEnds:
    """Five times as many ends on the first of a month."""
    rates = np.full((12, 2), PER_WEEK / 7 / HELD)
    rates[:, 0] *= 7 / (6.77 + 5 * 0.23)
    rates[:, 1] = 5 * rates[:, 0]
    return UsualEnds(rates)


def exports(seed: int, rise: float = 1.0) -> list[KnownEnds]:
    """What the exports of a year hold, to four weeks after the rise."""
    rng, first, weeks = np.random.default_rng(seed), FIRST.toordinal(), AT + WITHIN
    days = np.arange(first - 150, first + 7 * weeks + 91)
    means = usual().on(days, np.full(len(days), float(HELD))) * np.exp(rng.normal(0, LEVEL))
    ends, known = [], []
    for day, mean in zip(days.tolist(), means.tolist(), strict=True):
        who = int(rng.poisson(2 * mean / (1 + sum(TOGETHER))))
        size = 1 + sum((rng.random(who) < share).astype(np.int64) for share in TOGETHER)
        announced = (rng.random(who) < AHEAD) & (date.fromordinal(day).day == 1)
        decided = day - np.where(announced, rng.integers(1, 80, who), 0)
        kept = rng.random(who) < np.where(decided >= first + 7 * AT + 2, rise, 1.0) / 2
        late = np.minimum(np.floor(rng.standard_exponential(who) * LATE), 60).astype(np.int64)
        number = np.repeat(np.arange(who), size)
        number = number[kept[number]]
        ends.append(np.full(len(number), day))
        known.append((decided + late)[number])
    day_of, registered = np.concatenate(ends), np.concatenate(known)
    made = []
    for week in range(weeks + 1):
        today = first + 7 * week
        there = (registered <= today) & (day_of >= today - 84) & (day_of <= today + 91)
        found, counts = np.unique(day_of[there], return_counts=True)
        made.append(KnownEnds(date.fromordinal(today), dict(zip(found.tolist(), counts.tolist(), strict=True))))
    return made


def years(count: int, first_seed: int, rise: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The largest sum before the rise and within four weeks after it, and the count of these weeks over the usual."""
    start = pl.Series([date(2020, 1, 1)] * HELD)
    policies = pl.DataFrame({"start_date": start, "end_date": pl.Series([None] * HELD, dtype=pl.Date)})
    rows = []
    for seed in range(first_seed, first_seed + count):
        found = watched(usual(), policies, exports(seed, rise))
        assert found is not None
        after = found.weeks[AT:]
        counted = sum(each.registered for each in after) / sum(each.expected for each in after)
        sums = [each.rise for each in found.weeks]
        rows.append((max(sums[:AT]), max(sums[AT:]), counted))
    table = np.array(rows)
    return table[:, 0], table[:, 1], table[:, 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--years", type=int, default=300)
    given = parser.parse_args()
    before, _, calm = years(given.years, 10_000)
    factors = (1.2, 1.3, 1.4, 1.5, 1.6)
    risen = {factor: years(given.years, 20_000 + 5_000 * place, factor) for place, factor in enumerate(factors)}
    print(f"{'weeks between':>14} {'false before':>13}" + "".join(f"{factor:>16}" for factor in factors))
    for between in (20, 52, 104, 208, 520):
        false = float((before >= log(between)).mean())
        independent = (AT - LEARN) / WITHIN * 2  # windows of four weeks that overlap
        edge = norm.ppf((1 - false) ** (1 / independent)) if 0 < false < 1 else np.nan
        cells = []
        for factor in factors:
            _, after, counted = risen[factor]
            bound = norm.cdf((counted.mean() - calm.mean()) / calm.std() - edge)
            cells.append(f"{(after >= log(between)).mean():>7.0%} (<={bound:>4.0%})")
        print(f"{between:>14} {false:>13.1%}" + "".join(f"{cell:>16}" for cell in cells))
    print(
        f"a week counts {PER_WEEK:.0f} ends; calm four weeks vary by {calm.std():.3f} of their mean "
        f"(were ends independent and the level known: {sqrt(1 / (WITHIN * PER_WEEK)):.3f})"
    )


if __name__ == "__main__":
    main()
