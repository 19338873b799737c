"""Section 6: customer segments (who deserves which attention) and profiles (groups in one
sentence).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.report import formats
from akb.report.chapters.customer import income, worth
from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.models.types import Profile
    from akb.report.context import Context, Row


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
class ProfileRow:
    """A small group in one sentence."""

    goal: str
    branch: str | None
    title: str
    conditions: tuple[str, ...]
    words: str
    customers: int | None
    events: int | None
    rate: float | None
    base_rate: float | None
    lift: float | None
    low: float | None
    high: float | None
    customers_now: int | None


@dataclass(frozen=True)
class ProfileTable:
    """Groups that leave or buy more often."""

    test_date: date
    looked: int
    found: int
    dropped: int
    rows: tuple[ProfileRow, ...]


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
class SegmentFacts(Facts):
    """Segments and profiles."""

    KEY: ClassVar[str] = "segments"

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
    profiles: ProfileTable | None
    missing: tuple[str, ...]


def facts(context: Context) -> SegmentFacts:
    """Return the segments as the value room has them, with their names, and the profiles in
    words.
    """
    value = context.bundle.value
    given: Any = value.figures.get("segments") if value else None
    given = given or {}
    growth, position = given.get("growth"), given.get("position")
    values = {
        "classes": given.get("classes"),
        "growth": growth,
        "position": position,
        "potential_by": given.get("potential_by"),
        "by_office": given.get("by_office"),
        "by_adviser": given.get("by_adviser"),
        "unit": given.get("unit", "customer"),
        "units": given.get("units", []),
        "migration": given.get("migration"),
        "growth_migration": given.get("growth_migration"),
        "profiles": _profiles(context),
        "missing": [] if growth else ["segments"],
    }
    return made(SegmentFacts, values)


def _profiles(context: Context) -> Row | None:
    models = context.bundle.models
    found = models.profiles if models else None
    if found is None:
        return None
    return {
        "test_date": found.test_date,
        "looked": found.looked,
        "found": found.found,
        "dropped": found.dropped,
        "rows": [_profile(context, profile) for profile in found.shown],
    }


def _profile(context: Context, profile: Profile) -> Row:
    few = 0 < profile.customers_now < context.limit
    rare = 0 < profile.events < context.limit
    return {
        "goal": profile.goal,
        "branch": profile.branch,
        "title": context.words.plain(
            f"profile.{profile.goal}",
            branch=context.branch_name(profile.branch).lower() if profile.branch else "",
        ),
        "conditions": profile.conditions,
        "words": sentence(context, profile),
        "customers": profile.customers,
        "events": None if rare else profile.events,
        "rate": None if rare else profile.rate,
        "base_rate": profile.base_rate,
        "lift": profile.lift,
        "low": profile.lift_ci[0],
        "high": profile.lift_ci[1],
        "customers_now": None if few else profile.customers_now,
    }


def sentence(context: Context, profile: Profile) -> str:
    """Return a profile as a sentence: ``zakelijke klanten met één polis die binnen 3 maanden
    verlengen: 2,4 × ...``.
    """
    words = context.words
    table = words.table("profile_condition")
    said: dict[str, list[str]] = {"subject": [], "with": [], "who": []}
    for condition in profile.conditions:
        key, _, branch = condition.partition(".")
        for part, text in table[key].items():
            said[part].append(text.replace("{branch}", context.branch_name(branch).lower()))
    group = "".join(said["subject"]) or words.plain("profile.everyone")
    for part in ("with", "who"):
        if said[part]:
            group += words.raw(f"profile.{part}") + _listed(said[part], words.plain("table.and"))
    times = words.plain(f"profile.times_{profile.goal}", lift=formats.number(profile.lift, 1))
    return f"{group}: {times}"


def _listed(parts: list[str], last: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


FACTS = (facts, worth.facts, income.facts)
