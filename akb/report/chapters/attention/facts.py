"""From scores to work: who gets what, by whom, and how to test the list blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from akb.report.chapters.listed import left_out, withheld
from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context, Row


@dataclass(frozen=True)
class ActionRow:
    """Customers with one action."""

    key: str
    customers: int | None
    minutes: float | None


@dataclass(frozen=True)
class ListRow:
    """One of the lists."""

    key: str
    customers: int | None
    control: int | None


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
class RecognitionTest:
    """The blinded test."""

    advisers: int
    customers: int


@dataclass(frozen=True)
class ServiceRow:
    """What the service concept asks for a class of customers, beside today."""

    key: str
    customers: int | None
    contacts: float
    channel: str
    who: str
    today: float | None
    today_begun: float | None
    hours: float


@dataclass(frozen=True)
class ServiceConcept:
    """The service concept."""

    rows: tuple[ServiceRow, ...]
    hours: float | None = None
    hours_available: float | None = None


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
    given: Any = value.figures.get("actions") if value else None
    if value is None or not given:
        return AttentionFacts(available=False, missing=("actions",))
    values = {
        "available": True,
        "missing": [],
        **{
            key: given[key]
            for key in ("euros", "by_action", "lists", "control_share", "own", "service")
        },
        "withheld": [{"key": key, "why": reason} for key, reason in withheld(context).items()],
        "alone": left_out(
            context, {key: count for key, count in given["alone"].items() if key != "nothing_pays"}
        ),
        "workers": _workers(given["work"]["hours"]),
        "short": [
            {
                "level": row["key"],
                "hours": row["minutes"] / 60,
                "customers": round(row["customers"]),
            }
            for row in given["work"]["short"]
            if row["customers"] >= context.limit
        ],
        "recognition": given["recognition"],
    }
    return made(AvailableAttention, values)


def _workers(rows: list[Row]) -> list[Row]:
    """Return one row per person with the hours of both levels; those without a name at the end."""
    found: dict[str | None, Row] = {}
    for row in rows:
        person = found.setdefault(row["name"], {"name": row["name"]})
        person[f"{row['level']}_used"] = row["used"] / 60
        person[f"{row['level']}_available"] = row["available"] / 60
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
