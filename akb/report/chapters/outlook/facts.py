"""Section 7: the portfolio without action, and what last year's list would have shown; figures of
the value room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.core.privacy.disclosure import OTHER
from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context


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
    customers: int | None
    share: float | None
    listed: int | None
    listed_share: float | None


@dataclass(frozen=True)
class Projection:
    """The next five years."""

    rows: tuple[ProjectionYear, ...]
    inflow: Inflow
    newcomer_commission: int
    newcomer_age: float | None
    extra_cents: int
    level: tuple[float, ...] | None
    kept: float | None
    kept_cents: int
    advisers: int
    advisers_needed: float | None
    norm: float
    advisers_at_norm: float
    list_ages: tuple[AgeOnList, ...]


@dataclass(frozen=True)
class Concentration:
    """How much the best customers bring."""

    top_share: float
    commission_share: float
    after_cost_share: float | None
    curve: tuple[tuple[float, ...], ...]
    curve_after_cost: tuple[tuple[float, ...], ...] | None


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
    list_share: float | None = None


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
    name: str
    customers: int
    policies: int
    years: float
    lapses: int
    source: float | None
    rate: float
    weight: float | None
    expected: float
    sisters: float | None = None


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
    sisters: SisterOffices | None = None


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
class AssumedHere:
    """An assumption behind a row."""

    key: str
    value: float


@dataclass(frozen=True)
class StressRow(StressBook):
    """The same after a stress; see `akb.value.outlook.stress`."""

    key: str
    subject: str | None
    customers: int
    assumed: tuple[AssumedHere, ...]
    commission_lost: int
    value_lost: int


@dataclass(frozen=True)
class StressTest:
    """The book before and after every stress."""

    before: StressBook
    rows: tuple[StressRow, ...]


@dataclass(frozen=True)
class OutlookFacts(Facts):
    """The portfolio without action."""

    KEY: ClassVar[str] = "outlook"

    bridge: Bridge | None
    next_year: NextYear | None
    projection: Projection | None
    concentration: Concentration | None
    contact_policy: ContactPolicy | None
    backtest: ListBacktest | None
    missing: tuple[str, ...]
    stress: StressTest | None = None
    small: SmallOffice | None = None


def facts(context: Context) -> OutlookFacts:
    """Return the bridge, the projection, the concentration and the contact policy; None where
    unavailable.
    """
    value = context.bundle.value
    figures: dict[str, Any] = dict(value.figures) if value else {}
    bridge, projection = figures.get("bridge"), figures.get("projection")
    missing = []
    if bridge is None:
        missing.append("bridge")
    if projection is None:
        missing.append(
            "projection_gate" if context.score("churn_12m") is not None else "projection"
        )
    values = {
        "bridge": bridge,
        "next_year": figures.get("next_year"),
        "projection": projection,
        "concentration": figures.get("concentration"),
        "contact_policy": figures.get("contact_policy"),
        "backtest": _backtest(figures.get("backtest")),
        "missing": missing,
        "small": _small(context, figures.get("small_office")),
        "stress": _stress(context, figures.get("stress")),
    }
    return made(OutlookFacts, values)


def _small(context: Context, found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what is said of a small office, branches by their name."""
    if not found:
        return None
    other = context.words.plain("small.others")
    rows = [
        {**row, "name": other if row["key"] == OTHER else context.branch_name(row["key"])}
        for row in found["rows"]
    ]
    return {**found, "rows": rows}


def _stress(context: Context, found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the stresses with branches by their name; an insurer only if it may be named."""
    if not found or not found["rows"]:
        return None
    before, rows = found["before"], []
    for row in found["rows"]:
        subject = row["subject"]
        if row["key"] == "insurer_ends":
            subject = subject if subject in context.shared["insurer"] else None
        elif subject is not None:
            subject = context.branch_name(subject)
        lost = {f"{name}_lost": before[name] - row[name] for name in ("commission", "value")}
        assumed = [{"key": key, "value": value} for key, value in row["assumed"].items()]
        rows.append({**row, **lost, "subject": subject, "assumed": assumed})
    return {"before": before, "rows": rows}


def _backtest(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return last year's lists with the part of all that was lost that the first of them had."""
    if not given:
        return None
    lost = next((row["cents"] for row in given["lists"] if row["key"] == "top_defend"), None)
    return {
        **given,
        "list_share": lost / given["cents"] if lost is not None and given["cents"] else None,
    }


FACTS = (facts,)
