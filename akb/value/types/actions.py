"""What people will do, and the duty of care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


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
    hours: float
    hours_available: float


@dataclass(frozen=True)
class GapBranch:
    """Customers whose widest gap is in a branch, with how many the office began a contact, and of
    how many the register says that it was discussed or refused.
    """

    key: str
    customers: int
    recent: int | None
    long: int | None
    discussed: int | None
    refused: int | None


@dataclass(frozen=True)
class ContactAssociation:
    """Leavers among those the office contacted in the year before and the others, and their ratio
    within equal strata.
    """

    first: date
    last: date
    contacted: int
    others: int
    left_contacted: int
    left_others: int
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class GapRegister:
    """What the register of the client's book says of the gaps together."""

    discussed: int | None
    refused: int | None
    agreed: int | None


@dataclass(frozen=True)
class DutyBook:
    """See `akb.value.targeting.duty`."""

    customers: int
    of: int
    rows: tuple[GapBranch, ...]
    recent: int | None
    long: int | None
    register: GapRegister | None
    recorded: bool
    hours: float
    cost: int
    association: ContactAssociation | None


@dataclass(frozen=True)
class CareContact:
    """Contact to which no euro is given."""

    customers: float
    minutes: float
    cost: float


@dataclass(frozen=True)
class LevelHours:
    """What one person works at a level, in minutes a year; those who may not be named have no
    name.
    """

    name: str | None
    level: str
    available: float
    used: float


@dataclass(frozen=True)
class LevelMinutes:
    """What the work at a level takes, in minutes a year."""

    key: str
    minutes: float


@dataclass(frozen=True)
class LevelShort:
    """Work at a level for which there are no minutes, and for how many customers."""

    key: str
    minutes: float
    customers: float


@dataclass(frozen=True)
class WorkHours:
    """Who works how much, and what is needed and short per level."""

    hours: tuple[LevelHours, ...]
    needed: tuple[LevelMinutes, ...]
    short: tuple[LevelShort, ...]


@dataclass(frozen=True)
class ActionFigures:
    """What people will do; counts under the limit of suppression are None or left out.

    Parameters
    ----------
    euros
        Whether a plan in euros was made.
    alone
        Reason -> customers who are left alone.
    withheld
        List -> why it is not delivered.
    control_share
        Of the draw of the control group.
    own
        Share of the work that stays with the customer's own adviser.
    """

    euros: bool
    by_action: tuple[ActionRow, ...]
    alone: Mapping[str, int]
    lists: tuple[ListRow, ...]
    withheld: Mapping[str, str]
    control_share: float
    work: WorkHours
    own: float | None
    service: ServiceConcept
    recognition: RecognitionTest
