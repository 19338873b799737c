"""The latest closed date judged: what was expected on T0, and the evidence of any expectation for its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.evidence.evidence import binary_evidence, count_evidence, stood
from akb.models.evidence.intervals import BETWEEN_YEAR
from akb.models.evidence.segments import with_events
from akb.models.temporal.problem import Problem, day_number

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.evidence.segments import Parts, People
    from akb.models.temporal.engine import Known
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]
    Again = tuple[tuple[date, int, float, float | None], ...]

RENEWAL = "months_to_next_renewal"


@dataclass(frozen=True)
class View:
    """What evidence by group needs to know of the rows of T0: who renews within the horizon, and who is who."""

    due: NDArray[np.bool_] | None
    parts: Callable[[NDArray[Any]], tuple[Parts, ...]]


Viewer = Callable[[Problem, "NDArray[np.int64]"], View]


def viewer(people: People | None, day: date, months: int, names: tuple[str, ...]) -> Viewer:
    """Return what makes the view of some rows of a date, for a horizon in months.

    Parameters
    ----------
    names
        The columns that the matrix has: without a renewal date nobody is known to be due.
    """

    def view(problem: Problem, rows: NDArray[np.int64]) -> View:
        due = problem.gather(rows, (RENEWAL,))[:, 0] <= months if RENEWAL in names else None
        return View(due, lambda customers: people.parts(customers, day) if people is not None else ())

    return view


@dataclass(frozen=True)
class Trial:
    """What was expected on T0 by what was known on that day, and how to judge any expectation for those rows.

    rows, expected, rate
        Eligible rows of T0, and per row what the model and what the base rates say.
    informative
        Whether the model as a whole beats the base rates there.
    again
        Per group (date, population, events, AUC) on T1, which chose.
    before
        The same on an earlier date, which chose nothing; empty where that was not asked.
    """

    problem: Problem
    test_date: date
    known: Known
    rows: NDArray[np.int64]
    expected: Floats
    rate: Floats
    informative: bool
    train_dates: tuple[date, ...]
    again: Again
    before: Again = ()

    def evidence(self, expected: Floats, view: View | None = None) -> tuple[Evidence, ...]:
        """Return the evidence per group of `expected`, which has one value per row of `rows`."""
        return tuple(self._evidence(code, expected, view) for code in range(len(self.problem.groups)))

    def _evidence(self, code: int, expected: Floats, view: View | None) -> Evidence:
        problem, here = self.problem, np.flatnonzero(self.problem.group[self.rows] == code)
        rows = self.rows[here]
        label, customer, told = problem.label[rows].astype(np.float64), problem.customer[rows], expected[here]
        common: dict[str, Any] = {
            "test_date": self.test_date,
            "train_dates": self.train_dates,
            "train_rows": self.known.rows,
            "between_year": max(BETWEEN_YEAR, self.known.between_year),
            "parts": () if view is None else with_events(view.parts, customer, self._happened(code)),
        }
        if problem.objective == "poisson":
            found = count_evidence(label, told, customer, last=self._last(rows) if view else None, **common)
        else:
            due = None if view is None or view.due is None else view.due[here]
            found = binary_evidence(label, told, customer, due=due, **common)
            if problem.standing is not None and found.auc is not None:
                found = replace(found, last_year=stood(label, problem.standing[rows], customer))
        now = (self.test_date, len(label), float(label.sum()), found.auc)
        more = tuple(dates[code] for dates in (self.again, self.before) if dates)
        return replace(found, by_date=(now, *more), choice_date=self.again[code][0] if self.again else None)

    def _happened(self, code: int) -> NDArray[Any]:
        """Every customer once to whom it happened in a window that is closed: those of T0 and the dates before it."""
        problem = self.problem
        since, until = day_number(min(self.train_dates, default=self.test_date)), day_number(self.test_date)
        seen = (problem.day >= since) & (problem.day <= until) & (problem.group == code) & (problem.label > 0)
        return np.unique(problem.customer[seen])

    def _last(self, rows: NDArray[np.int64]) -> Floats:
        """The value of the latest date whose window was closed on T0, per row; NaN where the customer was not there."""
        problem = self.problem
        before = problem.rows_on([max(self.train_dates)])
        at = np.searchsorted(problem.customer[before], problem.customer[rows])
        at = np.minimum(at, len(before) - 1)
        same = problem.customer[before][at] == problem.customer[rows]
        return np.where(same, problem.label[before][at], np.nan).astype(np.float64)
