"""What policies and relations bring and cost month by month, given that the relation lives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from akb.value.lifetime.survival import YEAR, announced_days, month_fraction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.revenue.cost import ServiceCost


class MonthAmounts(NamedTuple):
    """Expected amounts of one month, cents, (n,) each: neither indexed nor discounted."""

    commission: Floats
    variable: Floats
    fixed: Floats

    @property
    def margin(self) -> Floats:
        """What is left of the commission."""
        return self.commission - self.variable - self.fixed


_ONE_BY_ONE = 7
"""Up to so many numbers ``np.add`` sums one after another."""


@dataclass(frozen=True)
class PolicyStreams:
    """Amounts of policies by month: of those without an announced end as they survive, of others
    to their day.

    Parameters
    ----------
    n, months, timing
        Customers in force; months to the horizon; the moment within a month that counts.
    row, first, kept
        Per customer and branch: the customer's row, ascending, and how its policies survive (see
        `survival.branch_rows`).
    amounts
        Name -> cents a month per customer and branch.
    ends, until, ending
        Per policy with an announced end: the customer's row, ascending, days to its end, and
        name -> cents a month.
    """

    n: int
    months: int
    timing: float
    row: Rows
    first: Floats
    kept: Floats
    amounts: Mapping[str, Floats]
    ends: Rows
    until: Floats
    ending: Mapping[str, Floats]

    def of(self, some: slice) -> PolicyStreams:
        """Return the same of some customers beside each other."""
        first, last, _ = some.indices(self.n)
        mine = slice(*np.searchsorted(self.row, [first, last]).tolist())
        announced = slice(*np.searchsorted(self.ends, [first, last]).tolist())
        return replace(
            self,
            n=last - first,
            row=self.row[mine] - first,
            first=self.first[mine],
            kept=self.kept[mine],
            amounts={name: each[mine] for name, each in self.amounts.items()},
            ends=self.ends[announced] - first,
            until=self.until[announced],
            ending={name: each[announced] for name, each in self.ending.items()},
        )

    def by_month(self, months: int | None = None) -> Iterator[dict[str, Floats]]:
        """Yield name -> (n,) per month; to the horizon, or for so many `months`."""
        per_customer = SumsPerCustomer(self.row, self.n)
        first, kept = per_customer.ordered(self.first), per_customer.ordered(self.kept)
        amounts = {name: per_customer.ordered(each) for name, each in self.amounts.items()}
        lives = alive_by_month(first, kept, self.timing)
        asked = range(self.months if months is None else months)
        for month, alive in zip(asked, lives, strict=False):
            part = month_fraction(self.until, month)
            out = {}
            for name, amount in amounts.items():
                sums = per_customer.of(alive * amount)
                np.add.at(sums, self.ends, part * self.ending[name])
                out[name] = sums
            yield out


class SumsPerCustomer:
    """Sums of the rows of each customer, for many columns: the first row of everybody, then the
    second, and so on, so that whole columns are added.

    They are those of ``np.add.reduceat``, to the bit: the first row plus the others one by one. Of
    more than `_ONE_BY_ONE` others it adds eight at a time, so it is asked for them.

    Parameters
    ----------
    row
        The customer's row of every row, ascending.
    n
        Customers.
    """

    def __init__(self, row: Rows, n: int) -> None:
        first = np.flatnonzero(np.diff(row, prepend=-1))
        rows = np.diff(first, append=len(row))
        few = np.flatnonzero(rows <= 1 + _ONE_BY_ONE)
        few = few[np.argsort(-rows[few], kind="stable")]  # who has most rows first
        many = np.flatnonzero(rows > 1 + _ONE_BY_ONE)
        counts = [
            int(np.count_nonzero(rows[few] > place)) for place in range(rows[few].max(initial=0))
        ]
        theirs = [
            np.arange(start, start + all_)
            for start, all_ in zip(first[many], rows[many], strict=True)
        ]
        self._n, self._few, self._many = n, row[first[few]], row[first[many]]
        self._ends = np.cumsum(counts, dtype=np.int64)
        self._begin = np.cumsum(rows[many]) - rows[many]
        places = [first[few[:count]] + place for place, count in enumerate(counts)]
        self._order = np.concatenate([np.zeros(0, dtype=np.int64), *places, *theirs])

    def ordered(self, column: Floats) -> Floats:
        """Return a column with a row per row in the order of `of`."""
        out: Floats = column[self._order]
        return out

    def of(self, column: Floats) -> Floats:
        """Return (n,): the sums of a column that is `ordered`; 0 for who has no row."""
        sums = np.zeros(self._n)
        *places, theirs = np.split(column, self._ends)
        if len(places) > 1:
            rest = places[1].copy()
            for more in places[2:]:
                rest[: len(more)] += more
            rest += places[0][: len(rest)]
            sums[self._few[: len(rest)]] = rest
            sums[self._few[len(rest) :]] = places[0][len(rest) :]
        elif places:
            sums[self._few] = places[0]
        if len(theirs):
            sums[self._many] = np.add.reduceat(theirs, self._begin)
        return sums


def alive_by_month(first: Floats, kept: Floats, timing: float) -> Iterator[Floats]:
    """Yield the share of policies still there, month after month, without end.

    Parameters
    ----------
    first, kept
        The share that survives the first year, and each year after it.
    timing
        The moment within a month that counts.
    """
    for month in count():
        if month == 0:
            alive, monthly = first ** (timing / YEAR), first ** (1 / YEAR)
        elif month == YEAR:
            alive, monthly = first * kept ** (timing / YEAR), kept ** (1 / YEAR)
        yield alive
        alive = alive * monthly


@dataclass(frozen=True)
class Streams:
    """Expected amounts per customer and month (cents), given that the relation lives.

    Multiplied by the relation's survival they are expected cash flows. Not indexed, not discounted.

    Parameters
    ----------
    policies
        ``commission`` and ``cost`` of the policies.
    relation
        (n,): cost of the relation itself, cents a month.
    announced
        (n,): who leaves on an announced day; until then the relation costs.
    """

    policies: PolicyStreams
    relation: Floats
    announced: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Customers in force."""
        return self.policies.n

    @property
    def months(self) -> int:
        """Months to the horizon."""
        return self.policies.months

    @property
    def timing(self) -> float:
        """The moment within a month that counts."""
        return self.policies.timing

    def of(self, some: slice) -> Streams:
        """Return the same of some customers beside each other."""
        return Streams(self.policies.of(some), self.relation[some], self.announced[some])

    def at(self, timing: float, months: int) -> Streams:
        """Return the same at another moment within a month, for so many months."""
        return replace(self, policies=replace(self.policies, timing=timing, months=months))

    def by_month(self, months: int | None = None) -> Iterator[MonthAmounts]:
        """Yield the amounts per month; to the horizon, or for so many `months`."""
        for number, sums in enumerate(self.policies.by_month(months)):
            there = np.zeros(self.n)
            np.maximum.at(there, self.policies.ends, month_fraction(self.policies.until, number))
            fixed = np.where(self.announced, self.relation * there, self.relation)
            yield MonthAmounts(sums["commission"], sums["cost"], fixed)


def streams(
    base: InForce, rows: pl.DataFrame, cost: ServiceCost, months: int, timing: float
) -> Streams:
    """Return the monthly amounts of the policies in force and of the relation.

    Parameters
    ----------
    rows
        `survival.branch_rows`: open policies per (customer, branch) with their yearly survival
        ``first`` and ``kept``.
    """
    amounts = {"commission": base.commission, "cost": cost.policy}
    policies = policy_streams(base, rows, amounts, months, timing)
    return Streams(policies, cost.relation / YEAR, base.announced)


def policy_streams(
    base: InForce,
    rows: pl.DataFrame,
    amounts: Mapping[str, Floats | Cents],
    months: int,
    timing: float,
) -> PolicyStreams:
    """Return yearly amounts per policy in `InForce.held` as they are expected month by month, given
    that the relation lives.

    Parameters
    ----------
    rows
        As for `streams`.
    """
    open_policies = base.held.select(
        "row", "branch", "ends", **{name: pl.Series(each) for name, each in amounts.items()}
    ).filter(pl.col("ends").is_null())
    money = open_policies.group_by("row", "branch").agg(pl.col(*amounts).sum())
    table = rows.join(money, on=["row", "branch"], how="left", maintain_order="left")
    places, days = announced_days(base)
    return PolicyStreams(
        n=base.n,
        months=months,
        timing=timing,
        row=table["row"].to_numpy(),
        first=table["first"].to_numpy(),
        kept=table["kept"].to_numpy(),
        amounts={name: table[name].to_numpy() / YEAR for name in amounts},
        ends=base.rows[places],
        until=days,
        ending={name: each[places] / YEAR for name, each in amounts.items()},
    )
