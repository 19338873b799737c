"""A small world with known monthly hazards, as matrix and targets: what the churn models are tested on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.features.types import BranchRows, Feature, Matrix, Targets

GAP, LAG = 31, 30
CAUSES = ("natural", "insurer", "preventable")


@dataclass(frozen=True)
class World:
    matrix: Matrix
    targets: Targets
    as_of: date
    truth: np.ndarray  # [customers in force at X, 36]: chance of having left within 1..36 months
    natural: np.ndarray  # [customers in force at X]: chance of a natural end within 12 months
    customers: np.ndarray


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def hazards(people: dict[str, np.ndarray], month_index: int) -> tuple[np.ndarray, np.ndarray]:
    """The true chance of leaving in this calendar month, and its natural part."""
    calendar = month_index % 12 + 1
    years = (month_index - people["joined"]) / 12
    renewal = people["renewal"] == calendar
    age = people["age"] + years
    risk = (
        people["level"]
        + 0.8 * people["x1"]
        + 1.6 * renewal
        + 0.3 * np.cos(2 * np.pi * calendar / 12)
        - 0.6 * np.tanh(years / 5)
        + people["frailty"]
    )
    preventable = 1 / (1 + np.exp(-risk))
    natural = np.minimum(0.0004 * np.exp(0.06 * np.maximum(age - 50, 0)), 0.05)
    return 1 - (1 - preventable) * (1 - natural), natural


def simulate(
    customers: int = 6000,
    *,
    seed: int = 1,
    history: int = 48,
    level: float = -5.7,
    frailty: float = 0.45,
    reasons: float = 0.9,
    noise: int = 6,
    as_of: date = date(2025, 12, 31),
    announced: int = 0,
) -> World:
    """Draw lives over `history` months before `as_of` plus 40 hidden months, and cut them into a monthly grid."""
    rng = np.random.default_rng(seed)
    now = as_of.year * 12 + as_of.month
    first = now - history
    n = int(customers * 1.3)
    joined = np.where(rng.random(n) < 0.7, first - rng.integers(1, 240, n), first + rng.integers(0, history, n))
    people = {
        "joined": joined,
        "x1": rng.normal(size=n),
        "renewal": rng.integers(1, 13, n),
        "age": rng.uniform(20, 85, n),
        "level": np.full(n, level),
        "frailty": frailty * rng.normal(size=n),
    }
    left = np.full(n, 10**6)
    cause = np.full(n, "unknown", dtype=object)
    end_day = np.zeros(n, dtype="datetime64[D]")
    for month in range(first, now + 41):  # the month (month, month + 1]
        total, natural = hazards(people, month)
        at_risk = (joined <= month) & (left > month)
        gone = at_risk & (rng.random(n) < total)
        left[gone] = month
        is_natural = rng.random(n) < natural / total
        kind = np.where(is_natural, "natural", np.where(rng.random(n) < 0.1, "insurer", "preventable"))
        kind = np.where(rng.random(n) < reasons, kind, "unknown")
        cause[gone] = kind[gone]
        start = add_months(as_of, month - now)
        days = (add_months(as_of, month - now + 1) - start).days
        offset = 1 + (rng.random(n) * days).astype(int)
        end_day[gone] = (np.datetime64(start) + offset.astype("timedelta64[D]"))[gone]
    grid = [first + k for k in range(history + 1)]
    extra = rng.normal(size=(n, noise)).astype(np.float32)
    frames, relations = [], []
    for month in grid:
        day = add_months(as_of, month - now)
        here = np.flatnonzero((joined <= month) & (left >= month))
        until = np.arange(1, 13)
        calendar = (month + until - 1) % 12 + 1
        renewals = (people["renewal"][here, None] == calendar[None, :]).astype(np.float32)
        columns: dict[str, object] = {
            "as_of": pl.Series([day] * len(here), dtype=pl.Date),
            "customer": here.astype(np.uint32),
            "age": (people["age"] + (month - joined) / 12)[here].astype(np.float32),
            "tenure_months": (month - joined)[here].astype(np.float32),
            "x1": people["x1"][here].astype(np.float32),
        }
        columns |= {f"noise_{k}": extra[here, k] for k in range(noise)}
        columns |= {f"renewals_in_month_{j}": renewals[:, j - 1] for j in until}
        frames.append(pl.DataFrame(columns))
        known = left[here] < now
        ends = np.where(known, end_day[here], np.datetime64("NaT"))
        relations.append(
            pl.DataFrame(
                {
                    "as_of": pl.Series([day] * len(here), dtype=pl.Date),
                    "customer": here.astype(np.uint32),
                    "end_date": pl.Series(ends.astype("datetime64[D]")).cast(pl.Date),
                    "cause": pl.Series(
                        [c if k else None for c, k in zip(cause[here], known, strict=True)], dtype=pl.String
                    ),
                }
            )
        )
    frame = pl.concat(frames)
    names = [name for name in frame.columns if name not in ("as_of", "customer")]
    matrix = Matrix(frame, tuple(Feature(name, "test", name, "") for name in names))
    here = np.flatnonzero((joined <= now) & (left >= now))
    survive, natural_12 = np.ones(len(here)), np.zeros(len(here))
    truth = []
    for month in range(now, now + 36):
        total, natural = hazards(people, month)
        if month < now + 12:
            natural_12 += survive * natural[here]
        survive = survive * (1 - total[here])
        truth.append(1 - survive)
    told = here[(left[here] < now + 4)][:announced]
    targets = Targets(
        relation=pl.concat(relations),
        counts=pl.DataFrame(),
        held=BranchRows(pl.DataFrame(), ()),
        eligible=BranchRows(pl.DataFrame(), ()),
        announced=pl.DataFrame(
            {
                "customer": pl.Series(told, dtype=pl.UInt32),
                "end_date": pl.Series(end_day[told].astype("datetime64[D]")).cast(pl.Date),
                "cause": pl.Series([str(c) for c in cause[told]], dtype=pl.String),
            }
        ),
        gap_days=GAP,
        lag_days=LAG,
    )
    return World(matrix, targets, as_of, np.stack(truth, axis=1), natural_12, here.astype(np.uint32))
