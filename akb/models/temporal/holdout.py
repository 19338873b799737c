"""The test date judged: what was expected on it, and the evidence of any expectation for its
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.evidence import (
    BETWEEN_YEAR,
    binary_evidence,
    count_evidence,
    losses,
    paired_difference,
    persistence_baseline,
    with_events,
)
from akb.models.temporal.answer import with_dates
from akb.models.temporal.problem import Problem, day_number
from akb.models.types import DateResult

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.evidence import Parts, People
    from akb.models.temporal.answer import Answer
    from akb.models.temporal.calibrated import CalibratedModel
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]

RENEWAL = "months_to_next_renewal"


@dataclass(frozen=True)
class GroupView:
    """What evidence by group needs to know of the rows of the test date: who renews within the
    horizon, and who is who.
    """

    due: NDArray[np.bool_] | None
    parts: Callable[[NDArray[Any]], tuple[Parts, ...]]


Grouper = Callable[[Problem, "NDArray[np.int64]"], GroupView]


def grouper(people: People | None, day: date, months: int, names: tuple[str, ...]) -> Grouper:
    """Return what makes the view of some rows of a date, for a horizon in months.

    Parameters
    ----------
    names
        The columns that the matrix has: without a renewal date nobody is known to be due.
    """

    def view(problem: Problem, rows: NDArray[np.int64]) -> GroupView:
        due = problem.gather(rows, (RENEWAL,))[:, 0] <= months if RENEWAL in names else None
        return GroupView(
            due, lambda customers: people.parts(customers, day) if people is not None else ()
        )

    return view


@dataclass(frozen=True)
class Holdout:
    """What was expected on the test date by what was known on that day, and how to judge any
    expectation for its rows.

    rows, expected, rate
        Eligible rows of the test date, and per row what the model and what the base rates say.
    validation, earlier
        By group what it showed on the validation date, which chose, and on an earlier date, which
        chose nothing; empty where that was not asked.
    """

    problem: Problem
    test_date: date
    model: CalibratedModel
    rows: NDArray[np.int64]
    expected: Floats
    rate: Floats
    train_dates: tuple[date, ...]
    validation: Mapping[str, Answer] = field(default_factory=dict)
    earlier: Mapping[str, DateResult] = field(default_factory=dict)

    def beats_rate(self, errors: float) -> bool:
        """Return whether the model as a whole gains so many standard errors on the base rates."""
        label = self.problem.label[self.rows].astype(np.float64)
        mine, rates = (
            losses(self.problem.objective, label, each) for each in (self.expected, self.rate)
        )
        gain, error = paired_difference(rates, mine, self.problem.customer[self.rows])
        return gain > errors * error

    def evidence(self, expected: Floats, view: GroupView | None = None) -> tuple[Evidence, ...]:
        """Return the evidence per group of `expected`, which has one value per row of `rows`."""
        return tuple(
            self._evidence(code, expected, view) for code in range(len(self.problem.groups))
        )

    def _evidence(self, code: int, expected: Floats, view: GroupView | None) -> Evidence:
        problem, here = self.problem, np.flatnonzero(self.problem.group[self.rows] == code)
        rows, own = self.rows[here], expected[here]
        label, customer = problem.label[rows].astype(np.float64), problem.customer[rows]
        common: dict[str, Any] = {
            "test_date": self.test_date,
            "train_dates": self.train_dates,
            "train_rows": self.model.rows,
            "between_year": max(BETWEEN_YEAR, self.model.between_year),
            "parts": ()
            if view is None
            else with_events(view.parts, customer, self._happened(code)),
        }
        if problem.objective == "poisson":
            last = self._last(rows) if view else None
            followed = None if problem.panel is None else problem.panel[customer]
            found = count_evidence(label, own, customer, last=last, followed=followed, **common)
        else:
            due = None if view is None or view.due is None else view.due[here]
            found = binary_evidence(label, own, customer, due=due, **common)
            if problem.standing is not None and found.auc is not None:
                found = replace(
                    found, last_year=persistence_baseline(label, problem.standing[rows], customer)
                )
        name = problem.groups[code]
        found = replace(
            found, by_date=(DateResult(self.test_date, len(label), float(label.sum()), found.auc),)
        )
        return with_dates(found, self.validation.get(name), self.earlier.get(name))

    def _happened(self, code: int) -> NDArray[Any]:
        """Every customer once to whom it happened in a window that is closed: those of the test
        date and the dates before it.
        """
        problem = self.problem
        since, until = (
            day_number(min(self.train_dates, default=self.test_date)),
            day_number(self.test_date),
        )
        seen = (
            (problem.day >= since)
            & (problem.day <= until)
            & (problem.group == code)
            & (problem.label > 0)
        )
        return np.unique(problem.customer[seen])

    def _last(self, rows: NDArray[np.int64]) -> Floats:
        """The value of the latest date whose window was closed on the test date, per row; NaN where
        the customer was not there.
        """
        problem = self.problem
        before = problem.rows_on([max(self.train_dates)])
        at = np.searchsorted(problem.customer[before], problem.customer[rows])
        at = np.minimum(at, len(before) - 1)
        same = problem.customer[before][at] == problem.customer[rows]
        return np.where(same, problem.label[before][at], np.nan).astype(np.float64)
