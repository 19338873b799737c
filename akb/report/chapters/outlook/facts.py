"""Section 7: the portfolio without action, and what last year's list would have shown; figures of
the value room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.core.privacy.disclosure import OTHER
from akb.report.typed import Facts
from akb.value.types import (
    Bridge,
    Concentration,
    ContactPolicy,
    Figures,
    ListBacktest,
    NextYear,
    Projection,
    SmallBranch,
    SmallOffice,
    StressBook,
    Stresses,
)

if TYPE_CHECKING:
    from akb.report.context import Context


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
class SharedBacktest(ListBacktest):
    """Last year's lists, with the part of all that was lost that the first of them had."""

    list_share: float | None


@dataclass(frozen=True)
class NamedSmallBranch(SmallBranch):
    """A branch of a small office, by its name."""

    name: str


@dataclass(frozen=True)
class NamedSmallOffice(SmallOffice):
    """What can be said of a small office, branches by their name."""

    rows: tuple[NamedSmallBranch, ...]


@dataclass(frozen=True)
class OutlookFacts(Facts):
    """The portfolio without action."""

    KEY: ClassVar[str] = "outlook"

    bridge: Bridge | None
    next_year: NextYear | None
    projection: Projection | None
    concentration: Concentration | None
    contact_policy: ContactPolicy | None
    backtest: SharedBacktest | None
    missing: tuple[str, ...]
    stress: StressTest | None = None
    small: NamedSmallOffice | None = None


def facts(context: Context) -> OutlookFacts:
    """Return the bridge, the projection, the concentration and the contact policy; None where
    unavailable.
    """
    value = context.bundle.value
    found = value.figures if value else Figures()
    missing = []
    if found.bridge is None:
        missing.append("bridge")
    if found.projection is None:
        missing.append(
            "projection_gate" if context.score("churn_12m") is not None else "projection"
        )
    return OutlookFacts(
        bridge=found.bridge,
        next_year=found.next_year,
        projection=found.projection,
        concentration=found.concentration,
        contact_policy=found.contact_policy,
        backtest=_backtest(found.backtest),
        missing=tuple(missing),
        small=_small(context, found.small_office),
        stress=_stress(context, found.stress),
    )


def _small(context: Context, found: SmallOffice | None) -> NamedSmallOffice | None:
    """Return what is said of a small office, branches by their name."""
    if found is None:
        return None
    other = context.words.plain("small.others")
    rows = tuple(
        NamedSmallBranch(
            **vars(row), name=other if row.key == OTHER else context.branch_name(row.key)
        )
        for row in found.rows
    )
    return NamedSmallOffice(**{**vars(found), "rows": rows})


def _stress(context: Context, found: Stresses | None) -> StressTest | None:
    """Return the stresses with branches by their name; an insurer only if it may be named."""
    if found is None or not found.rows:
        return None
    before, rows = found.before, []
    for row in found.rows:
        subject = row.subject
        if row.key == "insurer_ends":
            subject = subject if subject in context.shared["insurer"] else None
        elif subject is not None:
            subject = context.branch_name(subject)
        rows.append(
            StressRow(
                commission=row.commission,
                value=row.value,
                net=row.net,
                ahead=row.ahead,
                key=row.key,
                subject=subject,
                customers=row.customers,
                assumed=tuple(AssumedHere(key, value) for key, value in row.assumed.items()),
                commission_lost=before.commission - row.commission,
                value_lost=before.value - row.value,
            )
        )
    return StressTest(before, tuple(rows))


def _backtest(given: ListBacktest | None) -> SharedBacktest | None:
    """Return last year's lists with the part of all that was lost that the first of them had."""
    if given is None:
        return None
    lost = next((row.cents for row in given.lists if row.key == "top_defend"), None)
    return SharedBacktest(
        **vars(given),
        list_share=lost / given.cents if lost is not None and given.cents else None,
    )


FACTS = (facts,)
