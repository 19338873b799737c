"""One question on one date: what was expected, beside what happened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.evidence import auc_with_interval
from akb.models.types import DateResult

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.types import Evidence

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What was expected on a date of one question (a branch, a horizon, a cause), beside what
    happened; all [n].
    """

    day: date
    label: Floats
    expected: Floats
    customer: NDArray[Any]

    @property
    def events(self) -> int:
        """Different customers to whom it happened."""
        return len(np.unique(self.customer[self.label > 0]))

    def result(self) -> DateResult:
        """Return population, events and AUC."""
        happened = self.label > 0
        auc = None
        if happened.any() and not happened.all():
            auc = auc_with_interval(happened.astype(np.float64), self.expected, self.customer)[0]
        return DateResult(self.day, len(self.label), float(self.label.sum()), auc)


def with_dates(
    evidence: Evidence, validation: Answer | None, earlier: DateResult | None
) -> Evidence:
    """Return evidence of the test date with the validation date, which chose, and an earlier one,
    which did not.
    """
    chose = () if validation is None else (validation.result(),)
    dates = (*evidence.by_date, *chose, *(() if earlier is None else (earlier,)))
    return replace(evidence, by_date=dates, choice_date=chose[0].day if chose else None)
