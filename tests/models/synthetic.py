"""A world of customers and branches with known monthly chances of lapse and purchase, as Matrix and Targets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.features.types import BranchRows, Feature, Matrix, Targets

X = date(2025, 12, 31)
GAP, LAG = 31, 30
BRANCHES = ("auto", "woonhuis", "inboedel", "rechtsbijstand", "reis", "avp")
LAPSE = (-4.6, -5.2, -5.0, -5.4, -5.8, -4.9)
BUY = (-4.8, -5.4, -5.2, -5.6, -6.0, -5.1)


@dataclass(frozen=True)
class BranchWorld:
    matrix: Matrix
    targets: Targets
    lapse: pl.DataFrame  # customer, branch, p (true chance within 12 months of X), held at X
    any_lapse: np.ndarray  # per customer in force at X
    lost: np.ndarray
    buy: pl.DataFrame


def branch_world(
    customers: int = 3000,
    *,
    seed: int = 1,
    years: int = 5,
    step: int = 3,
    noise: int = 10,
    interaction: float = 0.8,
    strength: float = 1.0,
    branches: int = len(BRANCHES),
    lapse_shift: float = 0.0,
    buy_shift: float = 0.0,
    shuffled: bool = False,
) -> BranchWorld:
    """Simulate month by month; chances depend on three features (one pair interacts) and the branch."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(customers, 3))
    months = 12 * years
    eta = strength * (0.5 * z[:, 0] + interaction * z[:, 1] * z[:, 2])
    q = 1 / (1 + np.exp(-(np.array(LAPSE)[:branches] + lapse_shift + eta[:, None])))
    r = 1 / (1 + np.exp(-(np.array(BUY)[:branches] + buy_shift + strength * 0.7 * z[:, 1][:, None])))
    held = rng.random((customers, branches)) < r / (q + r)  # in balance, so that the level does not drift
    held[np.arange(customers), rng.integers(0, branches, customers)] = True
    alive = np.ones(customers, dtype=bool)
    state = np.zeros((months + 1, customers, branches), dtype=bool)
    lapsed, bought = np.zeros_like(state), np.zeros_like(state)
    state[0] = held
    for m in range(1, months + 1):  # month m ends at X - (months - m)
        now = state[m - 1]
        lapsed[m] = now & (rng.random(now.shape) < q) & alive[:, None]
        bought[m] = ~now & (rng.random(now.shape) < r) & alive[:, None]
        state[m] = (now & ~lapsed[m]) | bought[m]
        alive = alive & state[m].any(axis=1)
        state[m] &= alive[:, None]
    ends = [add_months(X, m - months) for m in range(months + 1)]
    noise_x = rng.normal(size=(customers, noise))
    at = list(range(months % step, months + 1, step))

    def first(events: np.ndarray, m: int) -> np.ndarray:
        """Month of the first event after m, or 0."""
        later = events[m + 1 :]
        return (
            np.where(later.any(axis=0), later.argmax(axis=0) + m + 1, 0)
            if len(later)
            else np.zeros(events.shape[1:], int)
        )

    day = np.array([None, *[end.replace(day=15) for end in ends[1:]]], dtype=object)
    matrices, relation, counts, hold, free = [], [], [], [], []
    for m in at:
        who = np.flatnonzero(state[m].any(axis=1))
        shuffle = rng.permutation(len(who)) if shuffled else np.arange(len(who))
        columns = {"as_of": [ends[m]] * len(who), "customer": who.astype(np.uint32)}
        columns |= {f"z{k}": z[who, k].astype(np.float32) for k in range(3)}
        columns |= {f"noise{k}": noise_x[who, k].astype(np.float32) for k in range(noise)}
        columns["branches"] = state[m][who].sum(axis=1).astype(np.float32)
        columns["unknown"] = np.where(z[who, 0] > 0.5, np.nan, z[who, 0]).astype(np.float32)
        matrices.append(pl.DataFrame(columns, schema_overrides={"as_of": pl.Date}).fill_nan(None))
        gone = first((~state.any(axis=2)) & np.r_[[state[0].any(axis=1)], state[:-1].any(axis=2)], m)[who][shuffle]
        relation.append(
            pl.DataFrame(
                {
                    "as_of": columns["as_of"],
                    "customer": columns["customer"],
                    "end_date": day[gone].tolist(),
                    "cause": [None if not g else "preventable" for g in gone],
                },
                schema={"as_of": pl.Date, "customer": pl.UInt32, "end_date": pl.Date, "cause": pl.String},
            )
        )
        fresh = bought & ~state[m][None]
        mine = lapsed[m + 1 : m + 13] & state[m][None]
        lost = mine.any(axis=0).sum(axis=1)
        sooner = {months: mine[:months].any(axis=0).sum(axis=1)[who][shuffle] for months in (1, 3, 6)}
        dropped = ((lost > 0) & (lost < state[m].sum(axis=1)))[who][shuffle]
        counts.append(
            pl.DataFrame(
                {
                    "as_of": columns["as_of"],
                    "customer": columns["customer"],
                    "first_lapse": day[first((lapsed & state[m][None]).any(axis=2), m)[who][shuffle]].tolist(),
                    "lapses_12m": lost[who][shuffle].astype(np.float32),
                    **{f"lapses_{months}m": number.astype(np.float32) for months, number in sooner.items()},
                    "first_purchase": day[first(fresh.any(axis=2), m)[who][shuffle]].tolist(),
                    # the second branch is where people stop paying
                    "first_nonpayment": day[
                        first((lapsed & state[m][None])[:, :, 1 % branches], m)[who][shuffle]
                    ].tolist(),
                    "commission_drop": [add_months(ends[m], 12) if it else None for it in dropped],
                    "commission_drop_possible": who % 10 > 0,
                },
                schema_overrides=dict.fromkeys(
                    ("as_of", "first_lapse", "first_purchase", "first_nonpayment", "commission_drop"), pl.Date
                ),
            )
        )
        for rows, wanted, events in ((hold, state[m], lapsed), (free, ~state[m], bought)):
            customer, branch = np.nonzero(wanted & state[m].any(axis=1)[:, None])
            when = first(events, m)[customer, branch]
            if shuffled:
                when = when[rng.permutation(len(when))]
            rows.append(
                pl.DataFrame(
                    {
                        "as_of": [ends[m]] * len(customer),
                        "customer": customer.astype(np.uint32),
                        "branch": np.array(BRANCHES)[branch],
                        "z_branch": (z[customer, 2] + branch).astype(np.float32),
                        "label": ((when > m) & (when <= m + 12)).astype(np.float32),
                        "event_date": day[when].tolist(),
                    },
                    schema_overrides={"as_of": pl.Date, "event_date": pl.Date},
                )
            )

    def frame(parts: list[pl.DataFrame], *keys: str) -> pl.DataFrame:
        return pl.concat(parts).sort(*keys)

    matrix_frame = frame(matrices, "as_of", "customer")
    names = [name for name in matrix_frame.columns if name not in ("as_of", "customer")]
    targets = Targets(
        relation=frame(relation, "as_of", "customer"),
        counts=frame(counts, "as_of", "customer"),
        held=BranchRows(frame(hold, "as_of", "branch", "customer"), ("z_branch",)),
        eligible=BranchRows(frame(free, "as_of", "branch", "customer"), ("z_branch",)),
        announced=pl.DataFrame(schema={"customer": pl.UInt32, "end_date": pl.Date, "cause": pl.String}),
        gap_days=GAP,
        lag_days=LAG,
    )
    year_q, year_r = 1 - (1 - q) ** 12, 1 - (1 - r) ** 12
    now = state[-1]
    who = np.flatnonzero(now.any(axis=1))

    def truth(wanted: np.ndarray, p: np.ndarray) -> pl.DataFrame:
        customer, branch = np.nonzero(wanted & now.any(axis=1)[:, None])
        return pl.DataFrame(
            {"customer": customer.astype(np.uint32), "branch": np.array(BRANCHES)[branch], "p": p[customer, branch]}
        ).sort("customer", "branch")

    return BranchWorld(
        matrix=Matrix(matrix_frame, tuple(Feature(name, "synthetic", name, "") for name in names)),
        targets=targets,
        lapse=truth(now, year_q),
        any_lapse=1 - np.where(now, 1 - year_q, 1.0).prod(axis=1)[who],
        lost=np.where(now, year_q, 0.0).sum(axis=1)[who],
        buy=truth(~now, year_r),
    )
