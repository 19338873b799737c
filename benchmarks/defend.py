"""What the Top Defend list saves on simulated offices where the effect of a call is known.

    python -m benchmarks.defend [--seeds 10] [--customers 5000] [--futures 300]

A call keeps a customer who would leave preventably within twelve months with the assumed rescue chance, so what a list
saves is the sum over its customers of rescue x true chance x true value at stake. The chances are shares of futures
drawn from the export day with the simulator's known hazards; the value at stake is the discounted margin (commission
less akb's own cost to serve, over akb's own horizon) in long futures in which the customer does not leave so, less
that of half a year. The list of the true hazards is ranked on one half of the futures, and every list is weighed on
the other half. All lists leave out whom akb leaves out (opt-outs, the announced, minors). "Random" is the expectation.

One office of 5,000 differs from the next by some 3 points, for its 250 best customers hold a quarter of what can be
saved: ten of them are needed to tell 84 % from 87 %.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.ingest import read_portfolio
from akb.pipeline import predict
from akb.sample import simulate, write_sample
from akb.sample.calendar import to_day
from akb.sample.futures import simulated
from akb.sample.parameters import CAUSES, NEVER_DAY
from akb.sample.records import relation_numbers
from akb.sample.truth import relation_ends
from akb.value.in_force import InForce
from akb.value.revenue.cost import service_cost
from akb.value.targeting.eligibility import desk

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from akb.sample.book import Book

CAPACITIES = (0.05, 0.10)
PREVENTABLE = CAUSES.index("preventable")
LONG = 16  # long futures per half: what a customer who stays is worth varies less than whether he leaves


class Quiet:
    """A console that says nothing."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def detail(self, message: str) -> None:
        pass


@dataclass(frozen=True)
class Terms:
    """What a euro later is worth, and what serving costs (euros a year): akb's own assumptions."""

    rescue: float
    contact: float
    growth: float
    years: float
    per_policy: float
    per_customer: np.ndarray

    def worth(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return what a euro a year from `first` to `last` (in years) is worth today."""
        rate = np.log(self.growth)
        first, last = np.clip(first, 0, self.years), np.clip(last, 0, self.years)
        return (np.exp(rate * last) - np.exp(rate * first)) / rate


def amounts(book: Book, rows: np.ndarray, today: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return euros of commission a year per customer and slot: of what is held now, and of a policy taken later."""
    branches = load_settings().taxonomy()
    standard = np.array([branches[s.branch].premium * branches[s.branch].commission for s in book.p.slot])
    later = np.array([0.0 if branches[s.branch].ban else 1.0 for s in book.p.slot]) * standard
    size = book.people.wealth[rows] * np.where(book.people.kind[rows] == 1, 1.5, 1.0)
    own = size[:, None] * standard * book.state.held[rows]
    scale = np.divide(today, own.sum(axis=1), out=np.ones(len(rows)), where=own.sum(axis=1) > 0)
    return own * scale[:, None], size[:, None] * later


def stakes(book: Book, rows: np.ndarray, money: tuple[np.ndarray, np.ndarray], terms: Terms, seed: int) -> np.ndarray:
    """Return the true value at stake per customer in euros."""
    now, later = money
    began, year = to_day(book.as_of), 365.25
    total, drawn = np.zeros(len(rows)), np.zeros(len(rows))
    for k in range(LONG):
        rng = np.random.default_rng([seed, 77, k])
        policies = simulated(book, rows, rng, 12 * round(terms.years)).policies()
        whose, held = policies.customer, policies.start <= began
        amount = np.where(held, now[whose, policies.slot], later[whose, policies.slot]) - terms.per_policy
        worth = terms.worth((policies.start - began) / year, (policies.end - began) / year)
        gone, cause = relation_ends(policies, len(rows), began)
        stays = ~((cause == PREVENTABLE) & (gone <= began + 365))
        there = terms.worth(np.zeros(len(rows)), np.where(gone == NEVER_DAY, terms.years, (gone - began) / year))
        value = np.bincount(whose, weights=amount * worth, minlength=len(rows)) - terms.per_customer * there
        total += np.where(stays, value, 0.0)
        drawn += stays
    half = terms.worth(np.zeros(1), np.full(1, 0.5))[0]
    margin = now.sum(axis=1) - terms.per_policy * book.state.held[rows].sum(axis=1) - terms.per_customer
    return total / np.maximum(drawn, 1) - half * margin


def measure(seed: int, customers: int, futures: int) -> list[tuple[float, dict[str, float], float]]:
    """Rows (capacity, euros saved per list, cost of the calls) of one office."""
    book = simulate(customers, seed=seed)
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "office"
    write_sample(book, folder)
    files = [folder / name for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    settings = load_settings()
    portfolio = read_portfolio(files, settings, key=bytes(32))
    bundle = predict(portfolio, settings, Quiet())
    base = InForce(portfolio, bundle.models, settings)
    cost, shared = service_cost(base), desk(base)

    scores = base.customers.select("customer", "relation", "row").join(bundle.value.scores, on="customer")
    scores = scores.join(bundle.models.scores.select("customer", "churn_preventable_12m"), on="customer")
    rows = book.in_force
    place = pl.DataFrame({"relation": relation_numbers(book.people.number[rows]), "place": np.arange(len(rows))})
    joined = scores.join(place, on="relation", how="inner").sort("place")
    assert joined.height == base.n == len(rows), (joined.height, base.n, len(rows))
    row = joined["row"].to_numpy()

    commission = base.commission_customer[row] / 100
    terms = Terms(
        rescue=base.value("retention.rescue"),
        contact=shared.contact_cost / 100,
        growth=(1 + base.value("value.indexation")) / (1 + base.value("value.discount")),
        years=base.value("value.horizon_years"),
        per_policy=float(cost.policy.mean()) / 100,
        per_customer=cost.relation[row] / 100,
    )
    money = amounts(book, rows, commission)
    drawn = book.futures(2 * futures, seed=seed + 10_000)
    halves = [drawn.part(slice(0, futures)), drawn.part(slice(futures, 2 * futures))]
    chance = [(half.cause == PREVENTABLE).mean(axis=0) for half in halves]
    stake = [stakes(book, rows, money, terms, seed + 20_000 + half) for half in range(2)]
    saved = terms.rescue * chance[1] * stake[1]

    allowed = ~shared.barred[row]
    rankings = {
        "top_defend": joined["top_defend"].to_numpy().astype(float),
        "commission": commission,
        "churn": joined["churn_preventable_12m"].to_numpy().astype(float),
        "true chances x akb's value": chance[0] * joined["value_at_stake"].to_numpy(),
        "akb's chances x true value": joined["churn_preventable_12m"].to_numpy() * stake[0],
        "true": chance[0] * stake[0],
    }
    found = []
    for capacity in CAPACITIES:
        size = round(capacity * len(rows))
        lists = {"random": float(saved[allowed].mean() * size)}
        for name, ranking in rankings.items():
            order = np.lexsort((np.arange(len(rows)), -np.where(allowed, ranking, -np.inf)))
            lists[name] = float(saved[order[:size]].sum())
        found.append((capacity, lists, size * terms.contact))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--futures", type=int, default=300)
    asked = parser.parse_args()
    total: dict[tuple[float, str], float] = {}
    shares: dict[float, list[float]] = {capacity: [] for capacity in CAPACITIES}
    for seed in range(1, asked.seeds + 1):
        for capacity, lists, calls in measure(seed, asked.customers, asked.futures):
            for name, euros in lists.items():
                total[capacity, name] = total.get((capacity, name), 0.0) + euros
            shown = "  ".join(f"{name} {euros:,.0f}" for name, euros in lists.items())
            shares[capacity].append(lists["top_defend"] / lists["true"])
            share, net = lists["top_defend"] / lists["true"], (lists["top_defend"] - calls) / (lists["true"] - calls)
            print(
                f"seed {seed}, {capacity:.0%}: {shown}; of the true list {share:.1%}, after calls {net:.1%}", flush=True
            )
    for capacity in CAPACITIES:
        mine = total[capacity, "top_defend"]
        parts = [f"{name} {mine / euros:.2f} x" for (at, name), euros in total.items() if at == capacity]
        print(f"together, {capacity:.0%}: top_defend / " + ", ".join(parts))
        error = np.std(shares[capacity], ddof=1) / len(shares[capacity]) ** 0.5 if asked.seeds > 1 else np.nan
        print(f"of the true list, {capacity:.0%}: mean {np.mean(shares[capacity]):.1%}, standard error {error:.1%}")


if __name__ == "__main__":
    main()
