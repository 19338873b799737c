"""Branch rows: for what is held at T (will it lapse) and what could be taken (will it be)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.features.branch_rows.eligible import ELIGIBLE, EligibleShares, eligible_rows, open_now
from akb.features.branch_rows.held import HELD, HeldRates, held_rows
from akb.features.branch_rows.world import BranchWorld, in_order, names
from akb.features.cut import cut
from akb.features.grid import to_day
from akb.features.matrix import portfolio_branches
from akb.features.types import BranchRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from akb.config import Branch, Settings
    from akb.features.types import TaughtBranches
    from akb.ingest.types import Portfolio

STEP = 4
"""Months between the dates of the eligible rows: they are many, and neighbouring dates say the
same.
"""

_BATCH, _TOGETHER = 4, 500_000
"""Dates at a time, at most, and times their policies."""

_FEW = 250_000
"""Dates times policies that are taken together however many dates that are: of a small office all,
for every question to Polars has its fixed cost.
"""


@dataclass(frozen=True)
class BranchInputs:
    """What branch rows are made from.

    facts
        `facts.policy_facts` with ``lapse`` (when the policy's line lapsed) and the insurer's code.
    purchases
        Those of `facts` that are purchases.
    rows
        as_of, customer, t, day, ahead_12 of the matrix.
    taught
        The branches that have rows, where stored models say so; None: those with enough events.

    Notes
    -----
    A branch with fewer than ``settings.models.min_events`` lapses (purchases) since the first T is
    left out. A branch is eligible if the rules of `eligibility` leave it open to the customer.
    """

    portfolio: Portfolio
    facts: pl.DataFrame
    purchases: pl.DataFrame
    rows: pl.DataFrame
    settings: Settings
    taught: TaughtBranches | None = None

    def held(self) -> BranchRows:
        """Return the rows of what is held."""
        first = to_day(self._dates[0])
        lapses = _events(self.facts.filter(pl.col("lapse") > first), "lapse", self._branches)
        lapsing = self._chosen(lapses, None if self.taught is None else self.taught.held)
        # the dates ascend, so that each batch may be sorted by itself
        held = []
        for batch in _batches(self._dates, self.facts.height):
            rates = HeldRates.of(cut(self.facts, {}, batch))
            own = self._of(batch, self.facts)
            found = held_rows(cut(own, {}, batch), own, lapsing, self._world, rates)
            held.append(in_order(found))
        return BranchRows(pl.concat(held, rechunk=True), names(HELD), seldom=self._few(lapses))

    def eligible(self) -> BranchRows:
        """Return the rows of what could be taken."""
        first, facts, world = to_day(self._dates[0]), self.facts, self._world
        bought = _events(self.purchases.filter(pl.col("start") > first), "start", self._branches)
        taken = self._chosen(bought, None if self.taught is None else self.taught.eligible)
        signed, eligible = signed_later(facts, self.portfolio.as_of), []
        for batch in _batches(eligible_dates(self._dates, self.settings), facts.height):
            shares = EligibleShares.of(cut(facts, {}, batch), world)
            seen, later = cut(self._of(batch, facts), {}, batch), self._of(batch, self.purchases)
            found = eligible_rows(seen, later, taken, signed, world, shares=shares)
            eligible.append(in_order(found))
        why, fits = open_now(cut(facts, {}, [self.portfolio.as_of]), signed, world)
        few = self._few(bought)
        return BranchRows(pl.concat(eligible, rechunk=True), names(ELIGIBLE), why, fits, few)

    @cached_property
    def _branches(self) -> Mapping[str, Branch]:
        return portfolio_branches(self.portfolio, self.settings)

    @cached_property
    def _dates(self) -> list[date]:
        return sorted(self.rows["as_of"].unique().to_list()) or [self.portfolio.as_of]

    @cached_property
    def _world(self) -> BranchWorld:
        recorded = self.portfolio.history.recorded_from
        since = None if recorded is None else to_day(recorded)
        return BranchWorld(self.portfolio, self._branches, since, self.rows, self.settings)

    def _chosen(self, events: Mapping[str, int], taught: frozenset[str] | None) -> list[int]:
        """The codes of the branches that have rows."""
        enough = self.settings.models.min_events
        return [
            code
            for code, (key, number) in enumerate(events.items())
            if (number >= enough if taught is None else key in taught)
        ]

    def _few(self, events: Mapping[str, int]) -> dict[str, int]:
        enough = self.settings.models.min_events
        return {key: number for key, number in events.items() if number < enough}

    def _of(self, batch: list[date], policies: pl.DataFrame) -> pl.DataFrame:
        """The policies of those who have a row on one of the dates: of a large portfolio few
        have.
        """
        asked = self.rows.filter(pl.col("as_of").is_in(batch))
        return policies.join(asked, on="customer", how="semi")


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


def _events(facts: pl.DataFrame, day: str, branches: Iterable[str]) -> dict[str, int]:
    """Distinct customer-events per branch, in the order of their codes."""
    counts = dict(facts.group_by("branch").agg(n=pl.struct("customer", day).n_unique()).iter_rows())
    return {key: counts.get(code, 0) for code, key in enumerate(branches)}


def _batches(dates: list[date], policies: int) -> list[list[date]]:
    policies = max(policies, 1)
    size = max(1, min(_BATCH, _TOGETHER // policies), _FEW // policies)
    return [dates[first : first + size] for first in range(0, len(dates), size)]
