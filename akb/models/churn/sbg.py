"""The shifted-beta-geometric model: what a cohort's own retention says, without knowing anything of
the customers.

Every customer has one constant chance to leave per period, and these chances follow a Beta(alpha,
beta) over the cohort. Those with a high chance leave first, so the retention of who remains rises
with the period. Fader & Hardie, *How to project customer retention* (2007) and *Customer-base
valuation in a contractual setting* (2010). A benchmark: two numbers that a model with hundreds of
features has to beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Timing = Literal["before_renewal", "with_current", "without_current"]
_BOUNDS = (-7.0, 12.0)  # of the logs of alpha and beta: beyond it is one chance for everybody


@dataclass(frozen=True)
class Sbg:
    """A fitted model; periods are counted from 1.

    Parameters
    ----------
    alpha, beta
        Of the Beta distribution of the chance to leave in a period.
    """

    alpha: float
    beta: float

    def hazard(self, period: NDArray[np.float64] | float) -> Floats:
        """Return the chance to leave in `period` = 1, 2, ... for who was there at its beginning."""
        return np.asarray(
            self.alpha / (self.alpha + self.beta + np.asarray(period, dtype=np.float64) - 1)
        )

    def survival(self, periods: NDArray[np.float64] | float) -> Floats:
        """Return the share still there after so many periods: B(alpha, beta + t) / B(alpha,
        beta).
        """
        from scipy.special import betaln

        t = np.asarray(periods, dtype=np.float64)
        return np.asarray(np.exp(betaln(self.alpha, self.beta + t) - betaln(self.alpha, self.beta)))

    def derl(self, rate: float, renewals: int, timing: Timing = "before_renewal") -> float:
        """Return the discounted expected residual lifetime, in periods, of who renewed `renewals`
        times.

        Parameters
        ----------
        rate
            Discount per period, above zero.
        timing
            ``before_renewal``: the next payment is due now, if the customer renews.
            ``with_current``: the current period is paid now and counts. ``without_current``: it was
            paid already; the next payment is due in a period. The moment moves the value by 15 % in
            the published example, so it is never implied.
        """
        from scipy.special import hyp2f1

        stay = (self.beta + renewals) / (self.alpha + self.beta + renewals)
        tail = hyp2f1(
            1, self.beta + renewals + 1, self.alpha + self.beta + renewals + 1, 1 / (1 + rate)
        )
        due = float(stay * tail)
        later = due / (1 + rate)
        return {"before_renewal": due, "with_current": 1 + later, "without_current": later}[timing]

    def expected_periods(self, since: NDArray[np.float64], horizon: int) -> Floats:
        """Return the expected periods still to come within `horizon`, of who has been there for
        `since` periods.

        Leavers leave halfway a period on average.
        """
        ahead = (
            self.survival(since[:, None] + np.arange(horizon + 1)) / self.survival(since)[:, None]
        )
        return np.asarray(((ahead[:, 1:] + ahead[:, :-1]) / 2).sum(axis=1))


def fit(at_risk: Sequence[float] | Floats, left: Sequence[float] | Floats) -> Sbg:
    """Return the model of maximum likelihood.

    Parameters
    ----------
    at_risk, left
        Per period 1, 2, ...: how many were there at its beginning and how many of them left in it.
        Cohorts that were seen from a later period on (left truncation) just count from there.

    Raises
    ------
    ValueError
        If nobody left, or everybody did at once: then there is nothing to estimate.
    """
    from scipy.optimize import minimize

    n, d = np.asarray(at_risk, dtype=np.float64), np.asarray(left, dtype=np.float64)
    if not 0 < float(d.sum()) < float(n.sum()):
        raise ValueError("sBG needs some who left and some who stayed")
    before = np.arange(len(n), dtype=np.float64)

    def loss(logs: Floats) -> tuple[float, Floats]:
        alpha, beta = np.exp(logs)
        total, stay = alpha + beta + before, beta + before
        value = -(d * np.log(alpha) + (n - d) * np.log(stay) - n * np.log(total)).sum()
        by_alpha = -(d / alpha - n / total).sum()
        by_beta = -((n - d) / stay - n / total).sum()
        return float(value / n.sum()), np.array([by_alpha * alpha, by_beta * beta]) / n.sum()

    found = minimize(
        loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[_BOUNDS, _BOUNDS], tol=1e-14
    )
    return Sbg(*(float(value) for value in np.exp(found.x)))


def fit_cohort(survivors: Sequence[float] | Floats) -> Sbg:
    """Return the model of one cohort that was followed from its start.

    Parameters
    ----------
    survivors
        How many (or what share) were there at the start and after each period.

    Examples
    --------
    The high-end cohort of Fader & Hardie 2007: 49.1 % are left after seven years, 37.8 % are
    expected after twelve.

    >>> model = fit_cohort([1000, 869, 743, 653, 593, 551, 517, 491])
    >>> round(model.alpha, 3), round(model.beta, 3), round(float(model.survival(12)), 3)
    (0.668, 3.806, 0.378)
    """
    there = np.asarray(survivors, dtype=np.float64)
    return fit(there[:-1], there[:-1] - there[1:])
