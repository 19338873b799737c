"""Segments, and who changed segment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class ClassRow:
    """A class by commission, spread over the classes by value."""

    key: str
    customers: int | None
    commission: int | None
    clv: int | None
    cells: tuple[int | None, ...]


@dataclass(frozen=True)
class Moved:
    """Customers in another class by value than by commission."""

    customers: int | None
    commission: int | None
    clv: int | None


@dataclass(frozen=True)
class ClassTable:
    """Classes by commission beside classes by value."""

    columns: tuple[str, ...]
    rows: tuple[ClassRow, ...]
    moved: int | None
    moved_share: float | None
    up: Moved | None
    down: Moved | None


@dataclass(frozen=True)
class SegmentRow:
    """A segment of customers."""

    key: str
    customers: int | None
    commission: int | None
    clv: int | None
    share: float | None


@dataclass(frozen=True)
class SpreadRow:
    """A row of a table that spreads customers over segments."""

    key: str | None
    customers: int | None
    cells: tuple[int | None, ...]


@dataclass(frozen=True)
class SegmentSpread:
    """Customers of every office or adviser, spread over segments."""

    columns: tuple[str, ...]
    rows: tuple[SpreadRow, ...]


@dataclass(frozen=True)
class ClassMigration:
    """Who changed class within a year."""

    from_: date
    to: date
    basis: str
    columns: tuple[str, ...]
    rows: tuple[SpreadRow, ...]
    up: int | None
    down: int | None
    same: int | None


@dataclass(frozen=True)
class CellRow:
    """A row of numbers."""

    key: str
    cells: tuple[int | None, ...]


@dataclass(frozen=True)
class SegmentMigration:
    """Who changed segment within a year."""

    from_: date
    to: date
    basis: str
    columns: tuple[str, ...]
    rows: tuple[CellRow, ...]
    same: float | None


@dataclass(frozen=True)
class UnitRow:
    """An adviser, office or intermediary as a segment."""

    key: str
    position: str
    customers: int | None
    commission: int | None
    per_customer: int | None
    growing: float | None


@dataclass(frozen=True)
class SegmentFigures:
    """Segments of customers, and of the unit of ``[segment] unit``.

    Parameters
    ----------
    classes
        Classes by commission (rows) beside classes by lifetime value (columns): today's practice
        against value.
    potential_by
        See `akb.value.segments.segments.Segments`.
    by_office, by_adviser
        Position segments; cells under the limit are hidden with as many others as it takes that no
        total gives them away.
    """

    classes: ClassTable | None
    growth: tuple[SegmentRow, ...] | None
    position: tuple[SegmentRow, ...] | None
    potential_by: str | None
    by_office: SegmentSpread | None
    by_adviser: SegmentSpread | None
    unit: str
    units: tuple[UnitRow, ...]
    migration: ClassMigration | None
    growth_migration: SegmentMigration | None
