"""How many customers a trial takes, and the smallest one that answers what the advice asks.

Three answers stand side by side. To show that there is an effect at all, or that it is larger than
the one at which contacts just pay, takes what the power of a test asks (the sizes of
`akb.value.case.trial`, times the design effect where advisers are drawn). The advice itself asks
less: not proof, but a better decision, so its trial is the smallest that is worth more than it
costs (`akb.value.case.trial.smallest_trial`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from akb.value.case.trial import OFFICES, OUTCOMES, kept_share, per_arm, per_arm_of_means

if TYPE_CHECKING:
    from akb.value.case.basis import CaseBasis, Trialled

ICC = 0.02
"""Likeness of customers of one adviser where nobody measured it; `akb experiment analyse` does."""
MONTHS = 12
QUESTIONS = ("works", "pays")
"""Is there an effect at all; is it larger than the one at which contacts just pay."""


@dataclass(frozen=True)
class Randomised:
    """What is drawn: customers one by one, or advisers with all their customers.

    Parameters
    ----------
    unit
        ``customer`` or ``adviser``.
    cluster_size
        Customers on the list per adviser; one where customers are drawn.
    icc
        How alike the outcomes of one adviser's customers are, 0 to 1.
    """

    unit: str = "customer"
    cluster_size: float = 1.0
    icc: float = 0.0

    @property
    def design_effect(self) -> float:
        """By what a size is multiplied: 1 + (m - 1) x ICC.

        Examples
        --------
        >>> round(Randomised("adviser", 50, 0.02).design_effect, 2)
        1.98
        """
        return 1 + (max(self.cluster_size, 1.0) - 1) * self.icc


@dataclass(frozen=True)
class SizedDesign:
    """A trial that tells the expected effect from another one, on one outcome.

    Parameters
    ----------
    question
        ``works``: is there an effect at all; ``pays``: is it larger than the one at which contacts
        just pay.
    per_arm
        Customers per arm, all offices together.
    offices
        How many offices like this one are needed; None: more than the largest pool.
    customers, hours, advisers
        Of this office: its share of the treated arm, what contacting them takes, and how many
        advisers both arms need (None where customers are drawn).
    """

    question: str
    outcome: str
    expected: float
    against: float
    per_arm: int
    offices: int | None
    customers: int
    hours: float
    advisers: int | None
    months: int = MONTHS

    def row(self) -> dict[str, Any]:
        """Return it for tables and JSON."""
        return asdict(self)


def size(before: float, relative: float, randomised: Randomised) -> int:
    """Return the customers per arm to tell two shares apart, see `akb.value.case.trial.per_arm`.

    Examples
    --------
    >>> size(0.09, 0.36, Randomised()), size(0.09, 0.36, Randomised("adviser", 50, 0.02))
    (1019, 2018)
    """
    return ceil(per_arm(before, relative) * randomised.design_effect)


def break_even_share(basis: CaseBasis) -> float:
    """Return at which part of the expected effect on relations and policies the contacts just pay
    for themselves and for the predictions; zero where they do without any.
    """
    cohort = basis.cohort
    kept = cohort.line("relation") + cohort.line("policy")
    if kept <= 0:
        return 0.0
    spent = cohort.contacts + basis.price().base - cohort.line("purchase")
    return max(0.0, spent / kept)


def designs(basis: CaseBasis, randomised: Randomised) -> list[SizedDesign]:
    """Return what every outcome takes for both questions; empty where there is nobody to draw."""
    trialled = basis.trialled
    if trialled is None:
        return []
    expected, even = kept_share(basis, trialled), break_even_share(basis)
    made = []
    for question, against in zip(QUESTIONS, (0.0, even * expected), strict=True):
        for outcome in OUTCOMES:
            needed = _needed(trialled, outcome, expected, against)
            if needed is not None:
                needed = ceil(needed * randomised.design_effect)
                claim = (question, outcome, expected, against)
                made.append(_design(trialled, randomised, claim, needed))
    return made


def smallest(made: list[SizedDesign], question: str) -> SizedDesign | None:
    """Return the design with the fewest customers that answers a question within the pool of
    offices; None where none does.
    """
    able = [each for each in made if each.question == question and each.offices is not None]
    return min(able, key=lambda each: (each.per_arm, OUTCOMES.index(each.outcome)), default=None)


def _needed(trialled: Trialled, outcome: str, expected: float, against: float) -> int | None:
    """Return the customers per arm; None where both effects are the same."""
    mean, variance = getattr(trialled, outcome)
    gap = expected - against
    if mean <= 0 or abs(gap) < 1e-6 or variance <= 0:
        return None
    if outcome == "relations":
        before = mean * (1 - min(against, expected))
        return per_arm(before, min(1.0, abs(gap) * mean / before))
    return per_arm_of_means(variance, gap * mean)


def _design(
    trialled: Trialled, randomised: Randomised, claim: tuple[str, str, float, float], needed: int
) -> SizedDesign:
    offices = next((each for each in OFFICES if 2 * needed <= trialled.customers * each), None)
    treated = ceil(needed / (offices or OFFICES[-1]))
    drawn = randomised.unit == "adviser"
    question, outcome, expected, against = claim
    return SizedDesign(
        question=question,
        outcome=outcome,
        expected=expected,
        against=against,
        per_arm=needed,
        offices=offices,
        customers=treated,
        hours=treated * trialled.minutes / 60,
        advisers=2 * ceil(needed / randomised.cluster_size) if drawn else None,
    )
