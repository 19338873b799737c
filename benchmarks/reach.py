"""How much of the plan from truth could an export tell at all? A reference for `benchmarks.plan`.

    python -m benchmarks.reach [--offices 6] [--first 21] [--customers 5000] [--futures 60]

The plan from truth ranks by the simulator's own hazards, and so by a loyalty of every customer that no file holds. The
reference sees what akb sees, the features at X and akb's own expectations, but was taught by what is truly at stake of
the customers of the *other* offices: no office can be taught that, for it has seen one history of zeros and ones. What
it reaches is about as far as one gets with this export. Judged on futures, as every plan in `benchmarks.plan`, at the
usual hours; beside it akb's plan with the truth on one line only.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import lightgbm as lgb
import numpy as np
import polars as pl

from akb.config import load_settings
from akb.features import build_matrix
from akb.value.targeting.planning.plan import contact_plan
from akb.value.targeting.planning.planner import NONE
from benchmarks.plan import bench_settings, office, truths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.targeting.planning.prospects import Prospects
    from benchmarks.plan import Office

    Floats = NDArray[np.float64]

LINES = ("relation", "policy")
TREES = {
    "objective": "poisson",  # what is at stake, as a share of what could be: never below zero, a few of it large
    "num_leaves": 15,
    "learning_rate": 0.04,
    "min_data_in_leaf": 100,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "num_threads": 1,
    "deterministic": True,
    "verbose": -1,
}
ROUNDS = 250


@dataclass(frozen=True)
class Seen:
    """An office: what may be seen of it, what an end would cost per line, the truth to plan with and to judge by."""

    one: Office
    seen: pl.DataFrame
    most: dict[str, Floats]
    ranked: Prospects
    judged: Prospects


def seen(seed: int, customers: int, futures: int) -> Seen:
    """Simulate an office, read it as akb does, and look what is truly at stake."""
    one, portfolio, _ = office(seed, customers, bench_settings())
    ranked, judged = truths(one, futures, seed + 40_000)
    valued = one.valued
    known, n = valued.plan.prospects, len(one.place)
    features = build_matrix(portfolio, [portfolio.as_of], load_settings()).frame.drop("as_of")
    rows = valued.in_force.customers.select("customer").join(features, on="customer", how="left", maintain_order="left")
    stakes = valued.policies
    at_most = stakes.select(pl.col("policies") * pl.col("preventable") * pl.col("stake_cents").clip(0))
    policy = np.bincount(stakes["row"].to_numpy(), weights=at_most.to_series().to_numpy(), minlength=n)
    relation = np.divide(known.relation, known.leaving, out=np.zeros(n), where=known.leaving > 0)
    expected = {name: getattr(known, name) for name in ("relation", "leaving", "policy", "lost")}
    per_branch = stakes.pivot("branch", index="row", values=["expected", "lapse"])
    numbered = rows.drop("customer").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    every = numbered.join(per_branch, on="row", how="left", maintain_order="left").drop("row")
    every = every.with_columns(
        **{f"akb_{name}": pl.Series(values) for name, values in expected.items()},
        akb_commission=pl.Series(valued.in_force.commission_customer.astype(np.float64)),
    )
    return Seen(one, every, {"relation": np.maximum(relation, 0.0), "policy": policy}, ranked, judged)


def taught(offices: list[Seen], own: Seen) -> Prospects:
    """Return akb's prospects with what a model says that was taught by the truth of the other offices."""
    others = [each for each in offices if each is not own]
    shared = [name for name in own.seen.columns if all(name in each.seen.columns for each in others)]
    features = pl.concat([each.seen.select(pl.col(shared).cast(pl.Float64)) for each in others]).to_numpy()
    out = {}
    for line in LINES:
        most = np.concatenate([each.most[line] for each in others])
        truth = np.concatenate([getattr(each.ranked, line) for each in others])
        there = most > 0
        if not there.any():  # the gate of this line is closed in all of them
            continue
        share = np.maximum(truth[there], 0.0) / most[there]
        data = lgb.Dataset(features[there], share, weight=most[there] / most[there].mean())
        model = lgb.train(TREES, data, num_boost_round=ROUNDS)
        said = model.predict(own.seen.select(pl.col(shared).cast(pl.Float64)).to_numpy()) * own.most[line]
        out[line] = np.where(own.one.valued.plan.prospects.eligible, said, 0.0)
    return replace(own.one.valued.plan.prospects, **out)


def net(one: Seen, prospects: Prospects) -> float:
    """Return the true net of the plan made of these prospects, cents."""
    planning, hours = one.one.valued.plan.planning, one.one.valued.eligibility.minutes
    option = contact_plan(prospects, planning, hours).option
    menu = contact_plan(one.judged, planning, hours, whole=False).menu
    true = menu.base.total - menu.cost
    rows = np.flatnonzero(option != NONE)
    return float(true[rows, option[rows]].sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, default=6)
    parser.add_argument("--first", type=int, default=21)
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--futures", type=int, default=60)
    given = parser.parse_args()
    offices = [seen(seed, given.customers, given.futures) for seed in range(given.first, given.first + given.offices)]
    total: dict[str, float] = {}
    for each in offices:
        own = each.one.valued.plan.prospects
        plans = {
            "truth": each.ranked,
            "akb": own,
            "taught by the truth of other offices": taught(offices, each),
            "akb, relation line true": replace(own, relation=each.ranked.relation),
            "akb, policy line true": replace(own, policy=each.ranked.policy),
            "akb, purchase line true": replace(own, chance=each.ranked.chance, likely=each.ranked.likely),
        }
        for name, prospects in plans.items():
            total[name] = total.get(name, 0.0) + net(each, prospects)
    for name, cents in total.items():
        print(f"{name:37} € {cents / 100:9,.0f}   {cents / total['truth']:.3f}")


if __name__ == "__main__":
    main()
