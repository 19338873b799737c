"""The advice by rule: start, pilot or stop; what would change it, and the cheapest next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.value.case.sensitivity import break_even
from akb.value.case.trial import best_trial
from akb.value.types import Advice, Information, Trial, TurningPoint

if TYPE_CHECKING:
    from akb.value.case.basis import CaseBasis
    from akb.value.case.sensitivity import Draws

START, PILOT, STOP = "start", "pilot", "stop"
SURE = 0.8
"""Start when the net is above zero in so large a share of the draws."""


def advice(basis: CaseBasis, draws: Draws, seed: int) -> Advice:
    """Return what to do.

    Returns
    -------
    Advice
        ``key``: ``start`` if P(net > 0) >= .8 over the draws; else ``pilot`` if the best trial's
        expected value of sample information exceeds its cost; else ``stop``. ``probability``: of a
        net above zero. ``turning``: the number that would bring the net to zero
        with the least relative change; None where none does. ``next``: ``contacts`` (use the plan),
        ``trial`` (run it), ``pool`` (with other offices), ``lists`` (use the lists once: that pays,
        the service does not) or ``nothing``. ``trial``: the design or None.
        ``information``: of that trial, cents.
    """
    probability = float((draws.net > 0).mean())
    trial = best_trial(draws, seed)
    worth = trial is not None and trial.gain > 0
    key = START if probability >= SURE else PILOT if worth else STOP
    asked = None if trial is None or basis.trialled is None else trial.trial(basis.trialled)
    return Advice(
        key=key,
        probability=probability,
        turning=turning(draws),
        next=_next(basis, key, asked),
        trial=asked,
        information=None if trial is None else Information(round(trial.value), round(trial.cost)),
    )


def turning(draws: Draws) -> TurningPoint | None:
    """Return the assumption whose own change brings the net to zero soonest, relative to its value
    today.
    """
    rows = [
        TurningPoint(row.key, row.at, row.value)
        for row in break_even(draws)
        if row.value is not None and row.at > 0
    ]
    return min(rows, key=lambda row: (abs(row.value / row.at - 1), row.key), default=None)


def _next(basis: CaseBasis, key: str, trial: Trial | None) -> str:
    if key == START:
        return "contacts"
    if key == PILOT:
        return "pool" if trial is not None and trial.offices > 1 else "trial"
    once = basis.cohort.benefit * basis.value("lists.ageing") - basis.cohort.contacts
    return "lists" if once > 0 else "nothing"
