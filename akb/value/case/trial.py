"""What a trial can answer, and whether its answer is worth its cost.

The expected value of sample information is worked out by regression on the draws of the register
(Strong, Oakley and Brennan, 2014): the outcome of a trial is what a draw says of the effect, plus
sampling error; what is then expected of going on is the regression of the net on that outcome."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from akb.value.case.basis import LINES
from akb.value.types import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.value.case.basis import CaseBasis, Trialled
    from akb.value.case.sensitivity import Draws
    from akb.value.in_force import Floats

OUTCOMES = ("relations", "policies", "euros")
OFFICES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
"""How many offices like this one may share a trial."""
ARMS = (25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600)
ALPHA, POWER = 0.05, 0.80


def per_arm(before: float, relative: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return the customers per arm to tell `before` from `before` x (1 - `relative`), two-sided,
    equal arms.

    n = (z_{1-alpha/2} + z_power)^2 (p0 (1 - p0) + p1 (1 - p1)) / (p0 - p1)^2 (two proportions,
    normal approximation).

    Raises
    ------
    ValueError
        If there is nothing to tell apart.

    Examples
    --------
    >>> per_arm(0.09, 0.36)
    1019
    """
    from scipy.stats import norm

    after = before * (1 - relative)
    if not 0 < before < 1 or not 0 < relative <= 1:
        raise ValueError("a test needs a chance between 0 and 1 and an effect above 0")
    spread = float(norm.ppf(1 - alpha / 2) + norm.ppf(power)) ** 2
    return ceil(spread * (before * (1 - before) + after * (1 - after)) / (before - after) ** 2)


def detectable(
    before: float, size: int, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """Return the smallest relative fall that arms of `size` can show; None if not even all of it.

    Examples
    --------
    >>> round(detectable(0.09, 250), 2), round(detectable(0.27, 250), 2)
    (0.66, 0.38)
    """
    if not 0 < before < 1 or per_arm(before, 1.0, alpha, power) > size:
        return None
    low, high = 1e-4, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if per_arm(before, middle, alpha, power) > size else (low, middle)
        )
    return high


def per_arm_of_means(
    variance: float, difference: float, alpha: float = ALPHA, power: float = POWER
) -> int:
    """Return the customers per arm to tell two means that differ by `difference` apart; the same
    variance in both.

    Examples
    --------
    >>> per_arm_of_means(1.0, 0.5)
    63
    """
    from scipy.stats import norm

    if difference == 0 or variance <= 0:
        raise ValueError("a test needs a spread and a difference")
    spread = float(norm.ppf(1 - alpha / 2) + norm.ppf(power)) ** 2
    return ceil(2 * spread * variance / difference**2)


@dataclass(frozen=True)
class TrialDesign:
    """One design: per arm so many customers, in so many offices, judged on one outcome.

    Parameters
    ----------
    value, cost
        Expected value of what it teaches and what it costs, per office, cents.
    """

    outcome: str
    per_arm: int
    offices: int
    value: float
    cost: float

    @property
    def gain(self) -> float:
        """What it is worth after its cost, cents."""
        return self.value - self.cost

    def trial(self, trialled: Trialled) -> Trial:
        """Return what it asks of an office: customers, hours and months."""
        treated = ceil(self.per_arm / self.offices)
        return Trial(
            outcome=self.outcome,
            per_arm=self.per_arm,
            offices=self.offices,
            customers=treated,
            hours=treated * trialled.minutes / 60,
            months=12,
        )


def effects(draws: Draws) -> Floats:
    """Return (draws,): what personal contacts keep, as a share of what they could keep: the effect
    that a trial sees.

    The mean over the lines that a trial counts, relations and policies, of drawn over base benefit,
    in units of the base effect."""
    basis = draws.basis
    base = sum(basis.cohort.line(line) for line in LINES[:2])
    if base <= 0:
        return np.ones(len(draws.net))
    out: Floats = (draws.line(basis.cohort, "relation") + draws.line(basis.cohort, "policy")) / base
    return out


def value_of_sample(net: Floats, effect: Floats, error: float, years: float, seed: int) -> float:
    """Return what it is worth to see `effect` with a standard error before deciding, cents.

    Parameters
    ----------
    net
        (draws,): what a year of going on brings, cents; not going on brings nothing.
    effect
        (draws,): what the trial measures.
    years
        For how many years the decision holds.
    """
    noise = error * np.random.default_rng([seed, 0xE751]).standard_normal(len(net))
    seen = effect + noise - float((effect + noise).mean())
    spread = float(seen @ seen)
    slope = float(seen @ net) / spread if spread > 0 else 0.0
    mean = float(net.mean())
    return max(0.0, years * (float(np.maximum(mean + slope * seen, 0.0).mean()) - max(mean, 0.0)))


def standard_error(
    trialled: Trialled, outcome: str, per_arm: int, kept: float, design_effect: float = 1.0
) -> float:
    """Return the standard error of the measured effect, in units of the base effect.

    Parameters
    ----------
    kept
        The share of the outcome's mean that contacts keep at the base.
    design_effect
        By what the variance is larger where advisers are drawn with all their customers.
    """
    mean, variance = getattr(trialled, outcome)
    difference = kept * mean
    if difference <= 0:
        return float("inf")
    return float(np.sqrt(2 * design_effect * variance / per_arm) / difference)


def best_trial(draws: Draws, seed: int) -> TrialDesign | None:
    """Return the trial that is worth most after its cost, alone or pooled over the fewest offices;
    None without one.
    """
    best: TrialDesign | None = None
    for offices in OFFICES:
        for trial in trials(draws, seed, offices):
            if best is None or trial.gain > best.gain:
                best = trial
        if best is not None and best.gain > 0:
            return best
    return best


def smallest_trial(draws: Draws, seed: int, design_effect: float = 1.0) -> TrialDesign | None:
    """Return the trial with the fewest customers, in the fewest offices, that is worth more to the
    decision than it costs; None where none is.
    """
    for offices in OFFICES:
        worth = [each for each in trials(draws, seed, offices, design_effect) if each.gain > 0]
        if worth:
            return min(worth, key=lambda each: (each.per_arm, -each.gain))
    return None


def trials(
    draws: Draws, seed: int, offices: int, design_effect: float = 1.0
) -> Iterator[TrialDesign]:
    """Yield every trial that so many offices like this one have the customers for."""
    basis = draws.basis
    trialled = basis.trialled
    if trialled is None:
        return
    kept = kept_share(basis, trialled)
    effect, years = effects(draws), basis.value("experiment.horizon_years")
    for outcome in OUTCOMES:
        for arm in ARMS:
            if 2 * arm > trialled.customers * offices:
                continue
            error = standard_error(trialled, outcome, arm, kept, design_effect)
            if np.isfinite(error):
                # whole cents: where nothing is to be learned the two means differ by rounding,
                # which depends on how a sum was divided over threads; no trial is chosen by that
                worth = float(round(value_of_sample(draws.net, effect, error, years, seed)))
                cost = _cost(basis, trialled, arm / offices)
                yield TrialDesign(outcome, arm, offices, worth, cost)


def kept_share(basis: CaseBasis, trialled: Trialled) -> float:
    """Return the share of preventable ends that a trial's contact keeps at the base: the plan's mix
    of contacts.
    """
    shares = [
        (entry.value, each.customers)
        for each in basis.cohort.sums
        if each.pool != "automatic"
        and (entry := basis.register.get(f"contacts.{each.key}.effect_policy")) is not None
    ]
    if not shares:
        known = [
            contact.policy.base for contact in basis.ladder.values() if contact.pool != "automatic"
        ]
        return max(known, default=0.0)
    return float(np.average([share for share, _ in shares], weights=[count for _, count in shares]))


def _cost(basis: CaseBasis, trialled: Trialled, treated: float) -> float:
    """Return what a trial costs an office: a year's price of predictions and the contacts, less
    what they bring.
    """
    return max(0.0, basis.price().base + treated * (trialled.cost - trialled.benefit))
