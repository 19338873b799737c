"""What lies ahead without action, and what a list would have been worth a year ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class ProjectionYear:
    """The portfolio at the end of a year."""

    year: int
    date: date
    customers: float
    low: float
    high: float
    commission: int | None
    commission_low: int | None
    commission_high: int | None
    age: float | None
    per_adviser: float
    customers_list: float
    commission_list: int | None
    age_list: float | None
    per_adviser_list: float


@dataclass(frozen=True)
class Inflow:
    """New customers a year."""

    mean: float
    low: float | None
    high: float | None
    years: int
    factor: float


@dataclass(frozen=True)
class AgeOnList:
    """An age on the list beside its part of the portfolio."""

    key: str
    lower: int | None
    upper: int | None
    customers: int | None
    share: float | None
    listed: int | None
    listed_share: float | None


@dataclass(frozen=True)
class FirstYear:
    """What customers buy and newcomers bring within the first year's commission, in cents."""

    bought: int
    newcomers: int


@dataclass(frozen=True)
class Projection:
    """The next five years."""

    rows: tuple[ProjectionYear, ...]
    inflow: Inflow
    newcomer_commission: int | None
    newcomer_age: float | None
    extra_cents: int | None
    first_year: FirstYear | None
    level: tuple[float, ...] | None
    kept: float | None
    kept_cents: int | None
    advisers: int
    advisers_needed: float | None
    norm: float
    advisers_at_norm: float
    list_ages: tuple[AgeOnList, ...]


@dataclass(frozen=True)
class PolicyGroup:
    """What the contact policy asks for a group."""

    key: str
    customers: int | None
    years: float | None
    talks: float | None
    hours: float | None
    seen: float | None


@dataclass(frozen=True)
class ContactPolicy:
    """The contact policy beside the hours."""

    rows: tuple[PolicyGroup, ...]
    hours: float
    available: float
    advisers: int
    advisers_counted: bool
    load: float | None
    customers_per_adviser: float


@dataclass(frozen=True)
class PastList:
    """Who left of one of last year's lists."""

    key: str
    left: float | None
    left_share: float | None
    low: float | None
    high: float | None
    cents: int | None
    cents_low: int | None
    cents_high: int | None


@dataclass(frozen=True)
class ListBacktest:
    """Last year's list beside other lists."""

    from_: date
    to: date
    customers: int
    left: int | None
    unknown: int | None
    cents: int | None
    contacts: int
    split: bool
    amounts: str
    lists: tuple[PastList, ...]


@dataclass(frozen=True)
class BridgeStep:
    """A step of the bridge: what it did to the commission."""

    key: str
    customers: int | None
    policies: int | None
    cents: int


@dataclass(frozen=True)
class Bridge:
    """From the commission of a year ago to that of today."""

    from_: date
    to: date
    then: int
    now: int
    dated_share: float
    steps: tuple[BridgeStep, ...]


@dataclass(frozen=True)
class AheadStep:
    """A step of the bridge of the year ahead."""

    key: str
    cents: int


@dataclass(frozen=True)
class NextYear:
    """From this year's commission to next year's, if nothing is done."""

    now: int
    next: int
    from_: date
    to: date
    steps: tuple[AheadStep, ...]


@dataclass(frozen=True)
class SmallBranch:
    """A branch of a small office: what was seen, and what is expected with the sources' rate."""

    key: str
    customers: int
    policies: int
    years: float
    lapses: int
    source: float | None
    rate: float
    weight: float | None
    expected: float
    sisters: float | None


@dataclass(frozen=True)
class SisterOffices:
    """Other offices whose lapses count too, and how much."""

    offices: int
    weight: float


@dataclass(frozen=True)
class SmallCommission:
    """The commission of policies that are expected to end, in cents."""

    expected: int
    low: int
    high: int


@dataclass(frozen=True)
class SmallOffice:
    """What can be said of a small office; see `akb.value.actuarial.small`."""

    rows: tuple[SmallBranch, ...]
    announced: int | None
    expected: float
    low: float
    high: float
    weight: float
    ratio: float
    commission: SmallCommission | None
    first: date | None
    last: date | None
    sisters: SisterOffices | None


@dataclass(frozen=True)
class StressBook:
    """What the book brings a year, is worth, and nets from a year's contacts, in cents; and its
    revenue after 0 to 5 years.
    """

    commission: int
    value: int
    net: int
    ahead: tuple[int, ...] | None


@dataclass(frozen=True)
class StressedBook(StressBook):
    """The same after a stress, with whom it touches and the assumptions behind it."""

    key: str
    subject: str | None
    customers: int
    assumed: Mapping[str, float]


@dataclass(frozen=True)
class Stresses:
    """The book before and after every stress that the export can tell."""

    before: StressBook
    rows: tuple[StressedBook, ...]
