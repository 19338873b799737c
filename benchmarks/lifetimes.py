"""Simulated offices, what akb says of their customers' lifetimes, and what the simulator lets happen to them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.catalogue.entries import entries
from akb.config import load_settings
from akb.core.dates import add_months
from akb.features import as_of_grid, build_matrix, build_targets
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models import lifetime_methods, run_models
from akb.sample import simulate, write_sample
from akb.sample.calendar import to_day
from akb.sample.futures import EXTRA_MONTHS, simulated
from akb.sample.records import policy_numbers_now, relation_numbers
from akb.sample.truth import outcome
from akb.value.in_force import InForce

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.sample import Book


@dataclass(frozen=True)
class Office:
    """A simulated book and what akb knows of it on its as-of date: the portfolio and the models of lifetimes."""

    book: Book
    base: InForce


def office(customers: int, seed: int) -> Office:
    """Simulate an office, write its export, read it as a user does and fit what lifetimes are made of."""
    book = simulate(customers, seed=seed)
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as made:
        write_sample(book, Path(made), truth=False)
        files = [Path(made) / name for name in ("polissen.csv", "schades.csv", "contacten.csv")]
        portfolio = read_portfolio(Sources(files, bytes(32)), settings)
    return Office(book, in_force_of(portfolio, settings))


def in_force_of(portfolio: Portfolio, settings: Settings) -> InForce:
    """Fit what lifetimes are made of, and return who is in force."""
    matrix = build_matrix(portfolio, as_of_grid(portfolio, settings), settings)
    held = set(portfolio.policies["branch"].unique())
    catalogue = entries([(key, branch.name_nl) for key, branch in settings.taxonomy().items() if key in held])
    asked = [entry for entry in catalogue if entry.method in lifetime_methods()]
    # determinants and other definitions of churn describe, they change no score: a measurement can do without them
    models = run_models(
        matrix,
        replace(build_targets(portfolio, matrix, settings), definitions=None),
        [entry.model_copy(update={"determinants": False}) for entry in asked],
        settings,
        as_of=portfolio.as_of,
        history=portfolio.history,
        progress=lambda _: None,
    )
    return InForce(portfolio, models, settings)


def lasted(made: Office, months: int, seed: int, draws: int = 1) -> list[pl.DataFrame]:
    """Return per future what happens to the policies in force: relation, cents, share (of the months), lapsed.

    Straight from the simulator's log, by its own definition of a lapse: a policy that another one of the same customer
    and branch follows within 31 days goes on. The cents are those that akb reads on the export's day (a missing
    commission is derived there), a year, and stay what they are.
    """
    book = made.book
    rows = book.in_force
    until = to_day(add_months(book.as_of, months))
    days = until - to_day(book.as_of)
    row, slot = np.nonzero(book.state.held[rows])
    relations = relation_numbers(book.people.number[rows])
    numbers = policy_numbers_now(book, book.state.record[rows][row, slot])
    mine = pl.DataFrame({"relation": [relations[each] for each in row], "policy": numbers}).join(
        _amounts(made), on=["relation", "policy"], how="left", maintain_order="left"
    )
    assert mine["cents"].null_count() == 0
    found = []
    for draw in range(draws):
        log = simulated(book, rows, np.random.default_rng([seed, draw]), months + EXTRA_MONTHS)
        policies = log.policies()
        result = outcome(policies, book.p.branch_of_slot, len(rows), to_day(book.as_of), until)
        lapsed = result.lapsed[row, slot]
        there = np.where(lapsed, policies.end[: len(row)] - to_day(book.as_of), days) / days
        found.append(mine.select("relation", "cents").with_columns(share=pl.Series(there), lapsed=pl.Series(lapsed)))
    return found


def _amounts(made: Office) -> pl.DataFrame:
    """Relation, policy number and yearly cents as akb reads them, of the policies in force."""
    key = ["relation", "branch", "start_date"]
    written = made.book.policies.filter(pl.col("end_date").is_null() | (pl.col("end_date") > made.book.as_of))
    known = made.base.held.join(made.base.portfolio.customers.select("customer", "relation"), on="customer")
    place = pl.int_range(pl.len()).over(key).alias("place")
    written = written.sort(*key, "premium_cents", "policy").with_columns(place)
    known = known.with_columns(cents=pl.col("revenue_cents").fill_null(0)).sort(*key, "premium_cents", "policy")
    joined = written.join(known.with_columns(place).select(*key, "place", "cents"), on=[*key, "place"], how="left")
    return joined.select("relation", "policy", "cents")
