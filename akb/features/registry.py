"""What a feature group is: integer totals per (T, customer) over the Cut, and columns worked out
from them.

Where other customers count too, a group has two steps. `Group.aggregate` adds up whole numbers per
T (and adviser, branch, insurer, ...) over some of the customers: tables of several parts of the
customers add up to those of the whole. `Group.extend` works out what the columns need from the sums
of everybody, for whichever customers are asked. So neither step depends on how the customers are
divided.

A group module has one function ``build(world) -> Group``. A new group is a new module and one line
in ``groups/__init__.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.errors import AkbError, did_you_mean
from akb.features.cut import MONTH
from akb.features.types import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from akb.config import Branch
    from akb.features.cut import Cut, Source
    from akb.ingest.types import OwnColumn

Extra = tuple[list[str], pl.DataFrame]
"""Keys that the customer table at T has (t, customer, adviser, ...), and a table with those keys
and more columns.
"""

Events = Literal["claims", "contacts", "payments"]

Record = Literal["ends", "claims", "contacts", "payments", "premiums"]
"""Which recorded history a look-back needs; each has its own first day."""


@dataclass(frozen=True)
class World:
    """What a portfolio has, which decides which features exist.

    Parameters
    ----------
    branches
        The branches that occur in it, in taxonomy order; a policy's ``branch`` code is the position
        here.
    gap_days
        G.
    records
        First day (since 1970) of each recorded history; a record that is not there has no features.
    reasons
        Reasons of ends are known well enough to count by cause.
    people
        Which of ``adviser``, ``office`` and ``region`` are filled.
    many
        Which of them are so many that how they moved can be told from chance.
    postcodes
        The region is made of postcodes, so that its number means something.
    themes
        Theme (home, traffic, ...) -> positions of its branches, for the themes that occur.
    topics, channels, claimed
        What contacts were about, by which channel, and the themes of claims, as far as the events
        say.
    own
        Columns of the export without a role that may be features.
    """

    branches: Mapping[str, Branch]
    gap_days: int
    records: Mapping[Record, int]
    reasons: bool = True
    people: tuple[str, ...] = ("adviser", "office", "region")
    many: tuple[str, ...] = ("adviser", "office", "region")
    postcodes: bool = True
    themes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    own: tuple[OwnColumn, ...] = ()


@dataclass(frozen=True)
class Tables:
    """Some of the customers, as a group may aggregate them (`Group.aggregate`).

    totals
        Per source: t, customer and totals, also for customers who are not in force at T; to
        aggregate only those of `Group.shared`.
    customers
        customer, kind, birth_year, and the codes of adviser, office and region.
    """

    cut: Cut
    totals: Mapping[Source, pl.DataFrame]
    customers: pl.DataFrame
    world: World


Aggregate = tuple[list[str], pl.DataFrame]
"""The keys of a table, and the table: beside the keys (null is one too) only whole numbers, which
add up over customers.
"""

Aggregates = dict[str, Aggregate]


def merged(parts: Sequence[Aggregates]) -> Aggregates:
    """Return the aggregates of all customers from those of the parts that they are divided in."""
    if len(parts) == 1:
        return dict(parts[0])
    return {
        name: (
            keys,
            pl.concat(part[name][1] for part in parts)
            .group_by(keys)
            .agg(pl.exclude(keys).sum())
            .select(table.columns),
        )
        for name, (keys, table) in parts[0].items()
    }


@dataclass(frozen=True)
class Total:
    """An integer per (T, customer) over the rows of one source.

    Integers add up to the same in any order; sums of floats do not. ``empty`` is the value of a
    customer without rows; None if it is then unknown."""

    name: str
    source: Source
    value: pl.Expr
    empty: int | None


@dataclass(frozen=True)
class Column:
    """A feature, how it follows from the totals, and how far it looks back.

    It is null wherever T - `back` months (- `back_days`) lies before the first day of any of the
    `records`."""

    feature: Feature
    value: pl.Expr
    back: int = 0
    back_days: int = 0
    records: tuple[Record, ...] = ("ends",)


@dataclass
class Group:
    """One idea: totals over the Cut and the columns that follow from them.

    Without `aggregate` a group looks at nobody but the customer himself. The names of aggregates
    are those of the group (``people``) or begin with it (``people.adviser``).
    """

    name: str
    totals: list[Total] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    extend: Callable[[Tables, Aggregates], list[Extra]] | None = None
    aggregate: Callable[[Tables], Aggregates] | None = None
    shared: tuple[str, ...] = ()
    """The totals, of whichever group, that `aggregate` adds up."""

    def count(self, name: str, source: Source, where: pl.Expr) -> pl.Expr:
        """Add the number of rows where `where` holds, and return it as an expression over the
        customer table.
        """
        self.totals.append(Total(name, source, where.sum().cast(pl.Int32), 0))
        return pl.col(name)

    def sum(self, name: str, source: Source, value: pl.Expr) -> pl.Expr:
        """Add the sum of whole numbers."""
        self.totals.append(Total(name, source, value.cast(pl.Int64).sum(), 0))
        return pl.col(name)

    def least(self, name: str, source: Source, value: pl.Expr) -> pl.Expr:
        """Add the smallest value; unknown without rows."""
        self.totals.append(Total(name, source, value.min(), None))
        return pl.col(name)

    def most(self, name: str, source: Source, value: pl.Expr) -> pl.Expr:
        """Add the largest value; unknown without rows."""
        self.totals.append(Total(name, source, value.max(), None))
        return pl.col(name)

    def add(
        self,
        name: str,
        meaning: str,
        unit: str,
        value: pl.Expr,
        *,
        back: int = 0,
        back_days: int = 0,
        record: Record | tuple[Record, ...] = "ends",
        current: bool = False,
    ) -> None:
        """Add a feature."""
        feature = Feature(name, self.name, meaning, unit, current)
        records = record if isinstance(record, tuple) else (record,)
        self.columns.append(Column(feature, value, back, back_days, records))


def only(made: Sequence[Group], names: Collection[str]) -> list[Group]:
    """Return the groups of these names, and the totals of others that they look at.

    Raises
    ------
    AkbError
        If one of the names is that of no group.
    """
    known = [group.name for group in made]
    for name in names:
        if name not in known:
            raise AkbError(
                f"there is no feature group '{name}' here{did_you_mean(name, known)}",
                f"Groups of this portfolio: {', '.join(known)}.",
            )
    wanted = [group for group in made if group.name in names]
    read = {
        root
        for group in wanted
        for column in group.columns
        for root in column.value.meta.root_names()
    }
    read |= {name for group in wanted for name in group.shared}
    read -= {total.name for group in wanted for total in group.totals}
    lent = {total.name: total for group in made for total in group.totals if total.name in read}
    return [*wanted, Group("", totals=list(lent.values()))] if lent else wanted


def months(days: pl.Expr) -> pl.Expr:
    """Return days as months of mean length."""
    return days / MONTH


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return part / whole; null where the whole is nothing."""
    return pl.when(whole > 0).then(part / whole)


def since(days: pl.Expr, cap: int) -> pl.Expr:
    """Return months since something, `cap` months where it did not happen within `cap` months."""
    return pl.min_horizontal(months(days).fill_null(cap), pl.lit(float(cap)))


def yes(condition: pl.Expr) -> pl.Expr:
    """Return a condition in which unknown counts as no."""
    return condition.fill_null(value=False)


def within(day: str, window: int) -> pl.Expr:
    """Return whether a day column lies in the last `window` months up to T: (T - window, T]."""
    return pl.col(day) > pl.col(f"back_{window}")


def is_branch(positions: Sequence[int]) -> pl.Expr:
    """Return whether a row's branch is one of these positions."""
    return (
        pl.col("branch").is_in(list(positions))
        if positions
        else pl.lit(False) & (pl.col("branch") == 0)
    )


def added(parts: Iterable[pl.Expr]) -> pl.Expr:
    """Return the sum of expressions; 0 where there are none."""
    return pl.sum_horizontal(pl.lit(0), *parts)
