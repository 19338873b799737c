"""What every method gets (`FitContext`), and what each contributes to the run (`MethodResult`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.core.wording.reasons import Reason
from akb.models.temporal import TemporalSplits, grouper, temporal_splits

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.core.findings import Finding
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.evidence import People, Probe
    from akb.models.temporal import FittedTarget, Grouper
    from akb.models.types import Prediction, Ranking

    Floats = NDArray[np.float64]


PREMIUM = "premium_log"
"""The feature that is known wherever dated premiums are."""


@dataclass(frozen=True)
class FitContext:
    """What every method may look at."""

    matrix: Matrix
    targets: Targets
    settings: Settings
    as_of: date
    history: History
    progress: Callable[[str], None]
    people: People | None = None
    challenged: bool = True
    """Whether a best simpler candidate and an earlier date are asked too: what a grade needs."""

    def dates(self, entry: Entry) -> list[date]:
        """Return the dates that may teach an entry: those at which what it needs was recorded."""
        start = self.history.recorded_from
        days = [
            day
            for day in self.matrix.dates
            if "ended" not in entry.needs or (start is not None and day >= start)
        ]
        asked = f"{entry.target}_possible"
        if entry.target and asked in self.targets.counts.columns:
            can = self.targets.counts.filter(self.targets.counts[asked])["as_of"].unique()
            days = [day for day in days if day in set(can)]
        if "premiums" not in entry.needs:
            return days
        known = np.flatnonzero(~np.isnan(self.matrix.column(PREMIUM)))
        priced = set(self.matrix.rows["as_of"].gather(known).unique())
        return [day for day in days if day in priced]

    @property
    def limit(self) -> int:
        """Below how many customers a number stays hidden."""
        return self.settings.report.suppress_below

    def splits(self, dates: Iterable[date], months: int) -> TemporalSplits:
        """Return the roles of some dates over a horizon in months, as seen from X."""
        splits = temporal_splits(
            dates, self.as_of, months, self.targets.gap_days, self.targets.lag_days
        )
        return splits if self.challenged else replace(splits, earlier=None)

    def grouper(self, splits: TemporalSplits) -> Grouper | None:
        """Return how the rows of the test date are looked at by group; None without one."""
        if splits.test is None:
            return None
        return grouper(self.people, splits.test.day, splits.months, self.matrix.names)


@dataclass(frozen=True)
class HoldoutScores:
    """What a method expected on its test date, before it coheres with what the others expected.

    customer, group, expected
        Per eligible row of the test date; `group` is the code of the branch.
    judged
        (expectations for the same rows) -> the predictions with the evidence of those.
    """

    test_date: date
    customer: NDArray[np.uint32]
    group: NDArray[np.int16]
    expected: Floats
    judged: Callable[[Floats], tuple[Prediction, ...]]


@dataclass(frozen=True)
class MethodResult:
    """What one method gives.

    scores
        customer + a Float32 or Float64 column per key (not yet reconciled); None without any.
    branches
        customer, branch, ``probability`` Float64 at X, for a family; with ``order`` as in
        `ModelRun.branch_purchase`.
    tested
        The same for the test date; None without one.
    former
        customer + a Float32 column per key, for former customers.
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
    tested: HoldoutScores | None = None
    ranking: Ranking | None = None
    effects: pl.DataFrame | None = None
    classes: pl.DataFrame | None = None
    probe: Probe | None = None


def why(code: str, **params: object) -> Reason:
    """Return a reason, see ``configs/text/<language>/why_models.toml``."""
    return Reason(code, params)


def some(events: float, limit: int, customers: int | None = None) -> float | Reason:
    """Return a number of events as a reason may tell it: how many below `limit` (of customers)
    stays hidden.

    Parameters
    ----------
    limit
        ``settings.report.suppress_below``.
    customers
        How many different ones they happened to; None: one each.
    """
    least = events if customers is None else min(events, customers)
    return why("under", limit=limit) if 0 < least < limit else events


def tested_scores(
    fitted: FittedTarget,
    view: Grouper | None,
    predictions: Callable[[FittedTarget], tuple[Prediction, ...]],
) -> HoldoutScores | None:
    """Return what was expected on the test date, and how `predictions` change when that is made to
    cohere.
    """
    test, expected = fitted.holdout, fitted.tested
    if test is None or expected is None:
        return None
    seen = view(test.problem, test.rows) if view is not None else None

    def judged(coherent: Floats) -> tuple[Prediction, ...]:
        return predictions(replace(fitted, evidence=test.evidence(coherent, seen), tested=coherent))

    return HoldoutScores(
        test.test_date,
        test.problem.customer[test.rows],
        test.problem.group[test.rows],
        expected,
        judged,
    )
