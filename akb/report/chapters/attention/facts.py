"""From scores to work: who gets what, by whom, and how to test the list blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.core.typed import made
from akb.report.chapters.listed import left_out
from akb.report.typed import Facts
from akb.value.types import ActionRow, LevelHours, ListRow, RecognitionTest, ServiceConcept

if TYPE_CHECKING:
    from akb.report.context import Context, Row


@dataclass(frozen=True)
class WithheldList:
    """A list that is not delivered, and why."""

    key: str
    why: str


@dataclass(frozen=True)
class WorkerHours:
    """Hours of one person."""

    name: str | None
    inside_used: float
    inside_available: float
    adviser_used: float
    adviser_available: float


@dataclass(frozen=True)
class ShortHours:
    """Hours that are wanting at a level."""

    level: str
    hours: float
    customers: int


@dataclass(frozen=True)
class AttentionFacts(Facts):
    """From scores to work, or what that lacks."""

    KEY: ClassVar[str] = "actions"

    available: bool
    missing: tuple[str, ...]


@dataclass(frozen=True)
class AvailableAttention(AttentionFacts):
    """Actions, lists, hours, service concept and recognition test."""

    euros: bool
    by_action: tuple[ActionRow, ...]
    lists: tuple[ListRow, ...]
    control_share: float
    own: float | None
    service: ServiceConcept
    withheld: tuple[WithheldList, ...]
    alone: Mapping[str, int | None]
    workers: tuple[WorkerHours, ...]
    short: tuple[ShortHours, ...]
    recognition: RecognitionTest


def facts(context: Context) -> AttentionFacts:
    """Return the actions, lists, hours, service concept and recognition test."""
    value = context.bundle.value
    given = value.figures.actions if value else None
    if given is None:
        return AttentionFacts(available=False, missing=("actions",))
    return AvailableAttention(
        available=True,
        missing=(),
        euros=given.euros,
        by_action=given.by_action,
        lists=given.lists,
        control_share=given.control_share,
        own=given.own,
        service=given.service,
        withheld=tuple(WithheldList(key, reason) for key, reason in context.withheld.items()),
        alone=left_out(
            context, {key: count for key, count in given.alone.items() if key != "nothing_pays"}
        ),
        workers=tuple(made(WorkerHours, row) for row in _workers(given.work.hours)),
        short=tuple(
            ShortHours(row.key, row.minutes / 60, round(row.customers))
            for row in given.work.short
            if row.customers >= context.limit
        ),
        recognition=given.recognition,
    )


def _workers(rows: tuple[LevelHours, ...]) -> list[Row]:
    """Return one row per person with the hours of both levels; those without a name at the end."""
    found: dict[str | None, Row] = {}
    for row in rows:
        person = found.setdefault(row.name, {"name": row.name})
        person[f"{row.level}_used"] = row.used / 60
        person[f"{row.level}_available"] = row.available / 60
    columns = [
        f"{level}_{what}" for level in ("inside", "adviser") for what in ("used", "available")
    ]
    people = [
        {"name": row["name"], **{column: row.get(column) for column in columns}}
        for row in found.values()
    ]
    # an assumed colleague ("#3") without work is a row that tells nobody anything
    return [
        row
        for row in people
        if not str(row["name"]).startswith("#") or row["inside_used"] or row["adviser_used"]
    ]


FACTS = (facts,)
