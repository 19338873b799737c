"""The rows of one customer, worked out from his own policies and events and from what everybody
adds up to, which is kept.

They are those that he has among all, to the bit (`akb.features.registry`: neither step depends on
how the customers are divided). With corrections they are those that he would have, the rates of
branches, insurers and advisers being what they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from akb.features.branch_rows.eligible import ELIGIBLE, EligibleShares, eligible_rows
from akb.features.branch_rows.held import HELD, HeldRates, held_rows
from akb.features.branch_rows.rows import signed_later
from akb.features.branch_rows.world import BranchWorld, in_order, names
from akb.features.cut import cut
from akb.features.events import dated_events
from akb.features.facts import policy_facts
from akb.features.grid import date_table, to_day
from akb.features.hindsight.verdicts import seen_by_features
from akb.features.matrix import (
    coded,
    feature_inputs,
    insurer_codes,
    portfolio_branches,
    region_of,
)
from akb.features.targets.labels import with_lines
from akb.features.types import BranchRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.features.types import TaughtBranches
    from akb.ingest.types import Portfolio


@dataclass(frozen=True)
class SingleRows:
    """The rows of one customer at X.

    features
        as_of, customer and the features, as in the matrix.
    held, eligible
        Per branch.
    """

    features: pl.DataFrame
    held: BranchRows
    eligible: BranchRows


class SingleCustomers:
    """What features need of everybody at X, kept for one customer after the other.

    Parameters
    ----------
    taught
        The branches that have rows.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        settings: Settings,
        taught: TaughtBranches,
    ) -> None:
        self._settings, self._as_of = settings, portfolio.as_of
        whole = seen_by_features(portfolio, settings)
        self._branches = portfolio_branches(whole, settings)
        inputs = feature_inputs(whole, settings)
        self._aggregates = inputs.aggregates([self._as_of], 1)
        self._inputs = replace(
            inputs,
            facts=inputs.facts.clear(),
            events={source: frame.clear() for source, frame in inputs.events.items()},
        )
        self._insurers = insurer_codes(whole.policies["insurer"])
        self._dates = date_table([self._as_of])
        self._held, self._taken = (
            [code for code, key in enumerate(self._branches) if key in keys]
            for keys in (taught.held, taught.eligible)
        )
        seen = cut(inputs.facts, {}, [self._as_of])
        everybody = seen_by_features(portfolio, settings, targets=True)
        self._rates = HeldRates.of(seen)
        self._shares = EligibleShares.of(seen, self._world(everybody, self._rows([])))

    def rows_of(self, portfolio: Portfolio, number: int) -> SingleRows:
        """Return the rows of one customer.

        Parameters
        ----------
        portfolio
            Of nobody else.
        number
            Under which it has him.
        """
        settings, as_of = self._settings, self._as_of
        one = seen_by_features(portfolio, settings)
        facts = policy_facts(one, list(self._branches), settings.time.gap_days)
        facts = coded(facts, self._insurers)
        events, records = dated_events(one), self._inputs.events
        inputs = replace(
            self._inputs,
            facts=facts,
            events={source: events[source] for source in records},
            customers=self._person(one, number),
        )
        rows = pl.DataFrame(
            {"as_of": [as_of], "customer": [number]},
            schema={"as_of": pl.Date, "customer": pl.UInt32},
        )
        features = inputs.columns([as_of], rows, self._aggregates)
        return SingleRows(features, *self._branch_rows(portfolio, facts, self._rows([number])))

    def _person(self, one: Portfolio, number: int) -> pl.DataFrame:
        """What features use of him; without postcodes his region is a place among all regions."""
        known = one.customers.select(
            "customer",
            "kind",
            "birth_year",
            "adviser",
            "office",
            region=region_of("postcode4"),
        )
        if self._inputs.world.postcodes:
            return known
        before = self._inputs.customers.filter(pl.col("customer") == number)["region"]
        return known.with_columns(region=pl.lit(before.first(), dtype=pl.Int32))

    def _branch_rows(
        self, portfolio: Portfolio, facts: pl.DataFrame, rows: pl.DataFrame
    ) -> tuple[BranchRows, BranchRows]:
        as_of = self._as_of
        world = self._world(seen_by_features(portfolio, self._settings, targets=True), rows)
        facts, purchases = with_lines(facts, to_day(as_of))[1:]
        seen = cut(facts, {}, [as_of])
        held = held_rows(seen, facts, self._held, world, self._rates)
        signed = signed_later(facts, as_of)
        eligible = eligible_rows(seen, purchases, self._taken, signed, world, shares=self._shares)
        return (
            BranchRows(in_order(held), names(HELD)),
            BranchRows(in_order(eligible), names(ELIGIBLE)),
        )

    def _rows(self, customers: Sequence[int]) -> pl.DataFrame:
        """As the matrix has them, with their days."""
        asked = pl.DataFrame({"customer": customers}, schema={"customer": pl.UInt32})
        return asked.join(self._dates.drop("year", "month"), how="cross")

    def _world(self, portfolio: Portfolio, rows: pl.DataFrame) -> BranchWorld:
        recorded = portfolio.history.recorded_from
        since = None if recorded is None else to_day(recorded)
        return BranchWorld(portfolio, self._branches, since, rows, self._settings)
