"""Do small offices gain by drawing on their sisters? Ten simulated offices of about 60 customers, true chances known.

    python -m benchmarks.batch [--offices 10] [--customers 44] [--spread 0.2] [--futures 50] [--seed 1]

Every office is simulated on its own, with a level of lapse of its own (log-normal, `--spread`). Asked of every
customer and branch that he holds: the chance that a policy of it lapses within twelve months. Told by the office's own
rate, over all branches and per branch (lapses over policy-years of three years, half a lapse added), by the office
drawn to the sources (a run alone) and by the office drawn to its sisters (`akb batch`). The log loss is the expected
one, on the true chances (the mean of further futures). Asked: sisters better than the better of the two own rates in
nine offices of ten.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl

from akb.config import Settings
from akb.core.relations import in_force
from akb.ingest import read_portfolio
from akb.ingest.types import Portfolio, Sources
from akb.sample import book, write_sample
from akb.value.actuarial.sisters import ended_and_due, experience_of, sisters_of
from akb.value.actuarial.small import small_office
from akb.value.in_force import InForce

ASKED = 0.9
Rates = dict[str, float]


def office(customers: int, seed: int, level: float, futures: int) -> tuple[Portfolio, pl.DataFrame]:
    """Return an office of which everybody lapses `level` times as often, and the true chances."""
    usual = book.parameters()
    lapse = usual.lapse.model_copy(update={"level": usual.lapse.level * level})
    moved = usual.model_copy(update={"lapse": lapse})
    with patch.object(book, "parameters", lambda: moved):
        made = book.simulate(customers, seed=seed)
        truth = made.futures(futures, seed=seed + 1000).probabilities()
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as folder:
        write_sample(made, Path(folder), truth=False)
        return read_portfolio(Sources((Path(folder) / "polissen.csv",), bytes(32)), Settings()), truth


def small_rates(portfolio: Portfolio, settings: Settings) -> tuple[Rates, float, float]:
    """Return branch -> chance of a policy to lapse in a year, and the weights of own and sisters."""
    # every branch in a row of its own: nobody reads this
    shown = settings.report.model_copy(update={"suppress_below": 1})
    found = small_office(InForce(portfolio, None, settings.model_copy(update={"report": shown})))  # type: ignore[arg-type]
    assert found is not None
    rates = {row["key"]: row["rate"] for row in found["rows"]}
    return rates, found["weight"], (found["sisters"] or {"weight": 0.0})["weight"]


def loss(cells: pl.DataFrame, rates: Rates) -> float:
    """Return the mean expected log loss over (customer, branch): true chance, policies held, and a rate a policy."""
    rate = np.clip([rates[branch] for branch in cells["branch"].to_list()], 1e-4, 1 - 1e-4)
    chance = 1 - (1 - rate) ** cells["n"].to_numpy()
    true = cells["true"].to_numpy()
    return float(-(true * np.log(chance) + (1 - true) * np.log(1 - chance)).mean())


def held_cells(portfolio: Portfolio, truth: pl.DataFrame) -> pl.DataFrame:
    held = in_force(portfolio.policies, portfolio.as_of).group_by("customer", "branch").len("n")
    names = [name for name in truth.columns if name.startswith("lapse_")]
    true = truth.unpivot(names, index="relation", variable_name="branch", value_name="true").drop_nulls("true")
    true = true.with_columns(pl.col("branch").str.strip_prefix("lapse_"))
    known = portfolio.customers.select("customer", "relation")
    return held.join(known, on="customer").join(true, on=["relation", "branch"]).sort("customer", "branch")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--offices", type=int, default=10)
    parser.add_argument("--customers", type=int, default=44)
    parser.add_argument("--spread", type=float, default=0.2)
    parser.add_argument("--futures", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, settings = np.random.default_rng(asked.seed), Settings()
    made = {
        f"office {number}": office(
            asked.customers,
            100 * asked.seed + number,
            float(np.exp(asked.spread * rng.standard_normal())),
            asked.futures,
        )
        for number in range(asked.offices)
    }
    bases = {name: InForce(portfolio, None, settings) for name, (portfolio, _) in made.items()}  # type: ignore[arg-type]
    lent = {name: experience_of(base) for name, base in bases.items()}
    won = 0
    for name, (portfolio, truth) in made.items():
        cells, (own, _) = held_cells(portfolio, truth), ended_and_due(bases[name])
        years, ended = (sum(each[place] for each in own.values()) for place in (0, 1))
        flat = 1 - float(np.exp(-(ended + 0.5) / (years + 1)))
        branches = set(cells["branch"].unique())
        alone, _, _ = small_rates(portfolio, settings)
        sisters = settings.model_copy(update={"sisters": sisters_of(name, lent, settings)})
        pooled, own_weight, theirs = small_rates(portfolio, sisters)
        by_branch = {
            key: 1 - float(np.exp(-(own.get(key, (0.0, 0))[1] + 0.5) / (own.get(key, (0.0, 0))[0] + 1)))
            for key in branches
        }
        losses = {
            "own, all": loss(cells, dict.fromkeys(branches, flat)),
            "own, branch": loss(cells, by_branch),
            "sources": loss(cells, alone),
            "sisters": loss(cells, pooled),
        }
        better = losses["sisters"] < min(losses["own, all"], losses["own, branch"])
        won += better
        line = "  ".join(f"{key} {value:.4f}" for key, value in losses.items())
        print(
            f"{name}: {bases[name].n} customers, {ended} lapses  {line}  "
            f"weight own {own_weight:.2f} sisters {theirs:.2f}{'' if better else '  LOST'}",
            flush=True,
        )
    verdict = "holds" if won >= ASKED * asked.offices else "SHORT"
    print(f"sisters beat the better own rate in {won} of {asked.offices} offices: {verdict}")


if __name__ == "__main__":
    main()
