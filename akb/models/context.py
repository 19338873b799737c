"""What the methods get, and what each contributes to the run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from akb.core.numbers import number_nl
from akb.core.text import text
from akb.models.temporal.holdout import grouper

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.core.findings import Finding
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.evidence.determinants import Probe
    from akb.models.evidence.segments import People
    from akb.models.temporal.holdout import Grouper
    from akb.models.temporal.target import FittedTarget
    from akb.models.types import Prediction, Ranking

    Floats = NDArray[np.float64]


PREMIUM = "premium_log"
"""The feature that is known wherever dated premiums are."""


@dataclass(frozen=True)
class Room:
    """What every method may look at."""

    matrix: Matrix
    targets: Targets
    settings: Settings
    as_of: date
    history: History
    progress: Callable[[str], None]
    people: People | None = None

    def dates(self, entry: Entry) -> list[date]:
        """Return the dates that may teach an entry: those at which what it needs was recorded."""
        start = self.history.recorded_from
        days = [day for day in self.matrix.dates if "ended" not in entry.needs or (start is not None and day >= start)]
        asked = f"{entry.target}_possible"
        if entry.target and asked in self.targets.counts.columns:
            can = self.targets.counts.filter(self.targets.counts[asked])["as_of"].unique()
            days = [day for day in days if day in set(can)]
        if "premiums" not in entry.needs:
            return days
        priced = set(self.matrix.frame.filter(self.matrix.frame[PREMIUM].is_not_null())["as_of"].unique())
        return [day for day in days if day in priced]

    @property
    def limit(self) -> int:
        """Below how many customers a number stays hidden."""
        return self.settings.report.suppress_below

    def view(self, test_date: date | None, months: int) -> Grouper | None:
        """Return how the rows of a test date are looked at by group; None without one."""
        return None if test_date is None else grouper(self.people, test_date, months, self.matrix.names)


@dataclass(frozen=True)
class Judged:
    """What a method expected on its test date, before it is made to agree with what the others expected.

    customer, group, expected
        Per eligible row of the test date; `group` is the code of the branch.
    again
        The predictions with the evidence of other expectations for the same rows.
    """

    test_date: date
    customer: NDArray[np.uint32]
    group: NDArray[np.int16]
    expected: Floats
    again: Callable[[Floats], tuple[Prediction, ...]]


@dataclass(frozen=True)
class Part:
    """What one method gives.

    scores
        customer + a Float32 or Float64 column per key (not yet reconciled); None without any.
    branches
        customer, branch, ``probability`` Float64 at X, for a family; with ``order`` as in `ModelRun.branch_purchase`.
    tested
        The same for the test date; None without one.
    former
        customer + a Float32 column per key, for former customers.
    agrees
        Whether the scores have to be made to agree with what is announced; what also happens to leavers has not.
    classes
        customer + a text column per key, for classes.
    probe
        How to ask the model of the test date what its columns did, for the determinants.
    """

    predictions: tuple[Prediction, ...]
    scores: pl.DataFrame | None = None
    branches: pl.DataFrame | None = None
    former: pl.DataFrame | None = None
    importance: tuple[tuple[str, str, float], ...] = ()
    findings: tuple[Finding, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    tested: Judged | None = None
    ranking: Ranking | None = None
    effects: pl.DataFrame | None = None
    agrees: bool = True
    classes: pl.DataFrame | None = None
    probe: Probe | None = None


def why(key: str, **values: object) -> str:
    """Return a sentence of ``configs/text/<language>/why_models.toml``."""
    return text("why", "nl", "why_models", key).format_map(values)


def some(events: float, limit: int, customers: int | None = None) -> str:
    """Return a number of events as a sentence may tell it: how many below `limit` (of customers) stays hidden.

    Parameters
    ----------
    limit
        ``settings.report.suppress_below``.
    customers
        How many different ones they happened to; None: one each.
    """
    least = events if customers is None else min(events, customers)
    return why("under", limit=limit) if 0 < least < limit else number_nl(events)


def tested(
    outcome: FittedTarget, view: Grouper | None, told: Callable[[FittedTarget], tuple[Prediction, ...]]
) -> Judged | None:
    """Return what an outcome expected on T0, and how its predictions change when that is made to agree."""
    test, expected = outcome.holdout, outcome.tested
    if test is None or expected is None:
        return None
    seen = view(test.problem, test.rows) if view is not None else None

    def again(agreed: Floats) -> tuple[Prediction, ...]:
        return told(replace(outcome, evidence=test.evidence(agreed, seen), tested=agreed))

    return Judged(test.test_date, test.problem.customer[test.rows], test.problem.group[test.rows], expected, again)
