"""Branch rows: for what is held at T (will it lapse) and what could be taken (will it be)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.features.branch_rows.eligible import ELIGIBLE, EligibleShares, eligible_rows, open_now
from akb.features.branch_rows.held import HELD, HeldRates, held_rows
from akb.features.branch_rows.world import BranchWorld, in_order, names
from akb.features.cut import cut
from akb.features.grid import to_day
from akb.features.matrix import portfolio_branches
from akb.features.types import BranchRows, TaughtBranches

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from akb.config import Settings
    from akb.ingest.types import Portfolio

STEP = 4
"""Months between the dates of the eligible rows: they are many, and neighbouring dates say the
same.
"""

_BATCH, _TOGETHER = 4, 500_000
"""Dates at a time, at most, and times their policies."""


def build_branch_rows(
    portfolio: Portfolio,
    facts: pl.DataFrame,
    purchases: pl.DataFrame,
    rows: pl.DataFrame,
    settings: Settings,
    *,
    taught: TaughtBranches | None = None,
    only_held: bool = False,
) -> tuple[BranchRows, BranchRows]:
    """Return the held and the eligible branch rows.

    Parameters
    ----------
    facts
        `facts.policy_facts` with ``lapse`` (when the policy's line lapsed) and the insurer's code.
    purchases
        Those of `facts` that are purchases.
    rows
        as_of, customer, t, day, ahead_12 of the matrix.
    taught
        The branches that have rows, where stored models say so; None: those with enough events.
    only_held
        Whether no rows are made of what could be taken.

    Notes
    -----
    A branch with fewer than ``settings.models.min_events`` lapses (purchases) since the first T is
    left out. A branch is eligible if the rules of `eligibility` leave it open to the customer."""
    branches = portfolio_branches(portfolio, settings)
    dates: list[date] = sorted(rows["as_of"].unique().to_list()) or [portfolio.as_of]
    recorded = portfolio.history.recorded_from
    since = None if recorded is None else to_day(recorded)
    world = BranchWorld(portfolio, branches, since, rows, settings)
    first, enough = to_day(dates[0]), settings.models.min_events
    lapses = _events(facts.filter(pl.col("lapse") > first), "lapse", branches)
    bought = _events(purchases.filter(pl.col("start") > first), "start", branches)
    lapsing, taken = (
        [code for code, n in enumerate(each.values()) if n >= enough] for each in (lapses, bought)
    )
    if taught is not None:
        lapsing, taken = (
            [code for code, key in enumerate(branches) if key in keys]
            for keys in (taught.held, taught.eligible)
        )
    # the dates ascend, so that each batch may be sorted by itself
    held = []
    for batch in _batches(dates, facts.height):
        rates, own = HeldRates.of(cut(facts, {}, batch)), _of(rows, batch, facts)
        held.append(in_order(held_rows(cut(own, {}, batch), own, lapsing, world, rates)))
    few, few_bought = (
        {key: n for key, n in each.items() if n < enough} for each in (lapses, bought)
    )
    rows_held = BranchRows(pl.concat(held, rechunk=True), names(HELD), seldom=few)
    if only_held:
        return rows_held, BranchRows(rows_held.frame.clear().drop(rows_held.names), ())
    chosen = eligible_dates(dates, settings)
    signed, eligible = signed_later(facts, portfolio.as_of), []
    for batch in _batches(chosen, facts.height):
        shares = EligibleShares.of(cut(facts, {}, batch), world)
        seen, later = cut(_of(rows, batch, facts), {}, batch), _of(rows, batch, purchases)
        found = eligible_rows(seen, later, taken, signed, world, shares=shares)
        eligible.append(in_order(found))
    why, fits = open_now(cut(facts, {}, [portfolio.as_of]), signed, world)
    return (
        rows_held,
        BranchRows(pl.concat(eligible, rechunk=True), names(ELIGIBLE), why, fits, few_bought),
    )


def signed_later(facts: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """as_of, customer, branch of policies that are known at X to start later (a replay has
    none).
    """
    later = facts.filter(pl.col("start") > to_day(as_of)).select("customer", "branch").unique()
    return later.select(pl.lit(as_of, pl.Date).alias("as_of"), "customer", "branch")


def eligible_dates(dates: list[date], settings: Settings) -> list[date]:
    """Return X, the last date whose 12 months are closed at X, and dates at least four months apart
    before that.

    Of the dates in between no label is known yet.
    """
    as_of, wait = (
        dates[-1],
        timedelta(days=settings.time.gap_days + settings.time.registration_lag_days),
    )
    closed = [each for each in dates if add_months(each, 12) + wait <= as_of]
    if not closed:
        return [as_of]
    wanted = [closed[-1]]
    for each in reversed(closed):
        if each <= add_months(wanted[-1], -STEP):
            wanted.append(each)
    return [*reversed(wanted), as_of]


def _of(rows: pl.DataFrame, batch: list[date], policies: pl.DataFrame) -> pl.DataFrame:
    """Return the policies of those who have a row on one of the dates: of a large portfolio few
    have.
    """
    asked = rows.filter(pl.col("as_of").is_in(batch))
    return policies.join(asked, on="customer", how="semi")


def _events(facts: pl.DataFrame, day: str, branches: Iterable[str]) -> dict[str, int]:
    """Distinct customer-events per branch, in the order of their codes."""
    counts = dict(facts.group_by("branch").agg(n=pl.struct("customer", day).n_unique()).iter_rows())
    return {key: counts.get(code, 0) for code, key in enumerate(branches)}


def _batches(dates: list[date], policies: int) -> list[list[date]]:
    size = max(1, min(_BATCH, _TOGETHER // max(policies, 1)))
    return [dates[first : first + size] for first in range(0, len(dates), size)]
