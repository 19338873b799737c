"""From what was known of some customers to their columns: aggregates of everybody first, then the
columns of whoever is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.features.compact import finished, put_rows
from akb.features.cut import KEY, Cut, cut
from akb.features.groups import groups
from akb.features.registry import Tables, merged, only

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import date

    from numpy.typing import NDArray

    from akb.features.compact import CodedColumn, PlainColumn
    from akb.features.cut import Source
    from akb.features.registry import Aggregates, Column, Extra, Group, Total, World


@dataclass(frozen=True)
class FeatureInputs:
    """What features are worked out from, of all or some customers.

    facts
        `facts.policy_facts` with the insurer's code and the columns without a role.
    events
        Dated events, see `cut`.
    customers
        customer, kind, birth_year, and the codes of adviser, office and region.
    world
        What the whole portfolio has, whoever is looked at.
    """

    groups: Sequence[Group]
    facts: pl.DataFrame
    events: Mapping[Source, pl.DataFrame]
    customers: pl.DataFrame
    world: World

    def __reduce__(self) -> Any:
        """Leave out the groups, which are code: who reads it has them."""
        names = [group.name for group in self.groups if group.columns]
        return _with_groups, (names, self.facts, dict(self.events), self.customers, self.world)

    def among(self, part: int, parts: int) -> FeatureInputs:
        """Return one of the parts that the customers are divided in."""
        return self if parts == 1 else self._where(pl.col("customer") % parts == part)

    def of(self, customers: pl.Series) -> FeatureInputs:
        """Return these customers only."""
        return self._where(pl.col("customer").is_in(customers.implode()))

    def _where(self, chosen: pl.Expr) -> FeatureInputs:
        """Dated premiums have no customer: they find their policies."""
        events = {
            source: frame.filter(chosen) if "customer" in frame.columns else frame
            for source, frame in self.events.items()
        }
        facts, customers = self.facts.filter(chosen), self.customers.filter(chosen)
        return replace(self, facts=facts, events=events, customers=customers)

    def aggregates(self, dates: Sequence[date], parts: int) -> Aggregates:
        """Return what the groups add up over all customers, in so many parts."""
        return merged([self.among(part, parts).aggregated(dates) for part in range(parts)])

    def aggregated(self, dates: Sequence[date]) -> Aggregates:
        """Return what the groups add up over these customers."""
        shared = {name for group in self.groups for name in group.shared}
        return self._added_up(self._tables(dates, shared))

    def columns(
        self, dates: Sequence[date], rows: pl.DataFrame, aggregates: Aggregates | None = None
    ) -> pl.DataFrame:
        """Return the columns of some (as_of, customer), sorted by both: all in force on one of the
        dates, and no others may be.

        Parameters
        ----------
        aggregates
            What the groups add up over all customers; None: these are all.
        """
        tables = self._tables(dates)
        if aggregates is None:
            aggregates = self._added_up(tables)
        days, totals = tables.cut.dates, tables.totals
        wanted = rows.join(days.select("as_of", "t"), on="as_of").select(KEY).sort(KEY)
        table = wanted.join(totals["held"], on=KEY, how="left", maintain_order="left")
        extras: list[Extra] = [(["t"], days), (["customer"], self.customers)]
        extras += [(KEY, frame) for source, frame in totals.items() if source != "held"]
        table = _beside(table, extras)
        for group in self.groups:
            if group.extend is not None:
                table = _beside(table, group.extend(tables, aggregates))
        empty = {
            total.name: total.empty
            for group in self.groups
            for total in group.totals
            if total.empty is not None
        }
        return table.with_columns(
            pl.col(name).fill_null(value) for name, value in empty.items()
        ).select("as_of", "customer", *self._values)

    def _tables(self, dates: Sequence[date], names: set[str] | None = None) -> Tables:
        """What was known of these customers, with the totals of these names (None: all)."""
        seen = cut(self.facts, self.events, dates)
        return Tables(seen, _totals(self.groups, seen, names), self.customers, self.world)

    def _added_up(self, tables: Tables) -> Aggregates:
        found: Aggregates = {}
        for group in self.groups:
            if group.aggregate is not None:
                found |= group.aggregate(tables)
        return found

    @cached_property
    def _values(self) -> list[pl.Expr]:
        """The features, which are written down once for all dates."""
        return [_value(column, self.world) for group in self.groups for column in group.columns]


def _with_groups(
    names: Sequence[str],
    facts: pl.DataFrame,
    events: Mapping[Source, pl.DataFrame],
    customers: pl.DataFrame,
    world: World,
) -> FeatureInputs:
    return FeatureInputs(only(groups(world), names), facts, events, customers, world)


def columns_elsewhere(
    shares: Sequence[FeatureInputs],
    rows: pl.DataFrame,
    batches: Sequence[list[date]],
    executor: Executor,
    kind: type[PlainColumn | CodedColumn],
) -> Iterator[tuple[pl.DataFrame, dict[str, NDArray[np.float32]]]]:
    """Yield the columns of some (as_of, customer) by batch of dates and part of the customers, made
    by an executor whose workers have a part each in memory; and the values behind codes.

    Parameters
    ----------
    shares
        The parts, see `FeatureInputs.among`.
    """
    added = [
        [executor.submit(FeatureInputs.aggregated, share, batch) for share in shares]
        for batch in batches
    ]
    asked = []
    for batch, sums in zip(batches, added, strict=True):
        aggregates = merged([each.result() for each in sums])
        here = rows.filter(pl.col("as_of").is_in(batch))
        for part, share in enumerate(shares):
            own = here.filter(pl.col("customer") % len(shares) == part)
            if own.height:
                asked.append(executor.submit(_columns_of, share, batch, own, aggregates, kind))
    for each in asked:
        yield each.result()


def _columns_of(
    share: FeatureInputs,
    batch: Sequence[date],
    rows: pl.DataFrame,
    aggregates: Aggregates,
    kind: type[PlainColumn | CodedColumn],
) -> tuple[pl.DataFrame, dict[str, NDArray[np.float32]]]:
    made = share.of(rows["customer"].unique()).columns(batch, rows, aggregates)
    columns = {name: kind(made.height) for name in made.drop("as_of", "customer").columns}
    put_rows(columns, np.arange(made.height), made, {})
    return finished(made.select("as_of", "customer"), columns)


def _beside(table: pl.DataFrame, extras: list[Extra]) -> pl.DataFrame:
    """Add each table's columns in the order of `table`; the columns that are already there are not
    copied.
    """
    for keys, extra in extras:
        added = (
            table.select(keys).join(extra, on=keys, how="left", maintain_order="left").drop(keys)
        )
        table = table.hstack(added)
    return table


def _totals(
    groups: Sequence[Group], seen: Cut, only: set[str] | None = None
) -> dict[Source, pl.DataFrame]:
    """All groups' totals (or `only` some) in one pass over each source; two groups may ask for the
    same.
    """
    wanted: dict[Source, dict[str, Total]] = {"held": {}}
    for group in groups:
        for total in group.totals:
            if only is None or total.name in only:
                wanted.setdefault(total.source, {})[total.name] = total
    plans = {
        source: seen.frames[source]
        .group_by(KEY)
        .agg(total.value.alias(name) for name, total in named.items())
        for source, named in wanted.items()
    }
    return dict(zip(plans, pl.collect_all(list(plans.values())), strict=True))


def _value(column: Column, world: World) -> pl.Expr:
    """A feature as float32: null where it would look further back than was recorded, never NaN."""
    value = column.value.cast(pl.Float32)
    if column.back:
        recorded = max(world.records[record] for record in column.records)
        seen = pl.col(f"back_{column.back}") - column.back_days >= recorded
        value = pl.when(seen).then(value)
    return value.alias(column.feature.name)
