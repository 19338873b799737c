"""Section 6: customer segments (who deserves which attention) and profiles (groups in one
sentence).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from akb.core.typed import made
from akb.report import formats
from akb.report.chapters.customer import income, worth
from akb.report.typed import Facts
from akb.value.types import SegmentFigures

if TYPE_CHECKING:
    from akb.models.types import Profile
    from akb.report.context import Context, Row


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
class SegmentFacts(SegmentFigures, Facts):
    """Segments and profiles."""

    KEY: ClassVar[str] = "segments"

    profiles: ProfileTable | None
    missing: tuple[str, ...]


NO_SEGMENTS = SegmentFigures(
    classes=None,
    growth=None,
    position=None,
    potential_by=None,
    by_office=None,
    by_adviser=None,
    unit="customer",
    units=(),
    migration=None,
    growth_migration=None,
)


def facts(context: Context) -> SegmentFacts:
    """Return the segments as the value room has them, with their names, and the profiles in
    words.
    """
    value = context.bundle.value
    found = value.figures.segments if value else None
    return SegmentFacts(
        **vars(found or NO_SEGMENTS),
        profiles=_profiles(context),
        missing=() if found and found.growth else ("segments",),
    )


def _profiles(context: Context) -> ProfileTable | None:
    models = context.bundle.models
    found = models.profiles if models else None
    if found is None:
        return None
    return ProfileTable(
        test_date=found.test_date,
        looked=found.looked,
        found=found.found,
        dropped=found.dropped,
        rows=tuple(made(ProfileRow, _profile(context, profile)) for profile in found.shown),
    )


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
