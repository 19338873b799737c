"""What premium and commission of a table mean.

Each question, in the order in which one answer helps the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from akb.ingest.columns.readings import MoneyConventions
from akb.ingest.money_conventions import commission, period, tax
from akb.ingest.money_conventions.questions import first_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.ingest.money_conventions.questions import Detector, MoneyColumns


@dataclass(frozen=True)
class AmountQuestion:
    """A question about the amounts of a table.

    Parameters
    ----------
    setting
        Its key in ``[ingest]``, with which a client answers it himself.
    detectors
        Who may answer it, in their order.
    arises
        Whether there is anything to ask.
    """

    setting: str
    detectors: tuple[Detector[MoneyColumns], ...]
    arises: Callable[[MoneyColumns], bool]


def _has_premium(seen: MoneyColumns) -> bool:
    return seen.premium is not None


def _has_commission(seen: MoneyColumns) -> bool:
    return seen.commission is not None


def _has_amounts_of_commission(seen: MoneyColumns) -> bool:
    return _has_commission(seen) and seen.answers["commission_basis"].value != "percentage"


QUESTIONS = (
    AmountQuestion("commission_basis", commission.DETECTORS, _has_commission),
    AmountQuestion("premium_per", period.PREMIUM_DETECTORS, _has_premium),
    AmountQuestion("commission_per", period.COMMISSION_DETECTORS, _has_amounts_of_commission),
    AmountQuestion("premium_basis", tax.DETECTORS, _has_premium),
)


def read_conventions(seen: MoneyColumns) -> MoneyConventions:
    """Return how premium and commission are meant."""
    for question in QUESTIONS:
        if question.arises(seen):
            seen.answers[question.setting] = first_answer(question.detectors, seen)
    return MoneyConventions(seen.rows.height, seen.premium, seen.commission, **seen.answers)
