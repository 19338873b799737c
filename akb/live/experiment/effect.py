"""What a contact did: intention to treat, adjusted by what was forecast of every customer.

Every assigned customer counts in the arm that he was assigned to, whether he was reached or not.
The adjustment is by regression on the forecast at assignment (as CUPED does with what was known
before: Deng et al., 2013), with the interaction that keeps it honest whatever the forecast is worth
(Lin, 2013); the strata of the lot are in it too. Where advisers were assigned, they are the
clusters, and their few degrees of freedom go to the arms and the forecast alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.live.experiment.robust import robust_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.live.experiment.robust import RobustFit

    Floats = NDArray[np.float64]

LEVEL = 0.95
_SPREAD = 1e-12


@dataclass(frozen=True)
class Measured:
    """The effect on one outcome.

    Parameters
    ----------
    control
        The outcome's mean without contact, adjusted.
    difference, interval
        Treated less control, and its interval of 95 %.
    fit
        Its first coefficient is `control`, its second `difference`.
    treated_customers, control_customers, clusters
        How many there were; a cluster is what was assigned as one.
    """

    control: float
    difference: float
    interval: tuple[float, float]
    fit: RobustFit
    treated_customers: int
    control_customers: int
    clusters: int

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves zero out."""
        return not self.interval[0] <= 0 <= self.interval[1]

    @property
    def prevented(self) -> float | None:
        """The part of what happens without contact that did not happen; None where nothing does."""
        return -self.difference / self.control if self.control > 0 else None

    def prevented_interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """Return the interval of `prevented` by Fieller's theorem; None where it has no ends."""
        from scipy.stats import t

        v = self.fit.covariance
        z = float(t.ppf((1 + level) / 2, self.fit.degrees(_arm(len(self.fit.beta)))))
        a = self.control**2 - z**2 * v[0, 0]
        b = self.control * self.difference - z**2 * v[0, 1]
        c = self.difference**2 - z**2 * v[1, 1]
        root = b * b - a * c
        if a <= 0 or root < 0 or self.control <= 0:
            return None
        return (-b - sqrt(root)) / a, (-b + sqrt(root)) / a


def intention_to_treat(
    outcome: Floats,
    treated: NDArray[np.bool_],
    forecast: Floats,
    *,
    cluster: NDArray[Any],
    stratum: NDArray[Any],
) -> Measured:
    """Return the effect of being assigned to contact on the mean of `outcome`.

    Parameters
    ----------
    forecast
        Per customer, known at assignment; not finite: unknown, the mean of the others.
    cluster
        What was assigned as one: customers, or advisers.
    stratum
        In what part of the book the lot was drawn.

    Raises
    ------
    ValueError
        If an arm has fewer than two clusters.
    """
    arms = {bool(each) for each in treated}
    units = [len(np.unique(cluster[treated == arm])) for arm in arms]
    if len(arms) < 2 or min(units) < 2:
        raise ValueError("an effect needs two arms of two units or more")
    z = treated.astype(np.float64)
    columns = [np.ones(len(z)), z]
    known = np.isfinite(forecast)
    x = np.where(known, forecast, forecast[known].mean() if known.any() else 0.0)
    x = x - x.mean()
    single = sum(units) == len(z)
    if float(x.std()) > _SPREAD:
        x = x / x.std()
        columns += [x, x * z] if single else [x]
    if single:
        columns += _strata(stratum, treated)
    fit = robust_fit(_independent(np.column_stack(columns)), outcome, cluster)
    arm = _arm(len(fit.beta))
    return Measured(
        control=float(fit.beta[0]),
        difference=float(fit.beta[1]),
        interval=fit.interval(arm, LEVEL),
        fit=fit,
        treated_customers=int(treated.sum()),
        control_customers=int((~treated).sum()),
        clusters=fit.clusters,
    )


def within_clusters(outcome: Floats, cluster: NDArray[Any]) -> float:
    """Return the intraclass correlation of an outcome (analysis of variance); zero where it is
    below.

    Examples
    --------
    >>> within_clusters(np.array([1.0, 1, 0, 0]), np.array([0, 0, 1, 1]))
    1.0
    >>> within_clusters(np.array([1.0, 0, 1, 0]), np.array([0, 0, 1, 1]))
    0.0
    """
    _, place, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    groups, rows = len(sizes), len(outcome)
    if groups < 2 or rows <= groups:
        return 0.0
    means = np.bincount(place, weights=outcome) / sizes
    between = float((sizes * (means - outcome.mean()) ** 2).sum()) / (groups - 1)
    inside = float(((outcome - means[place]) ** 2).sum()) / (rows - groups)
    usual = (rows - float((sizes**2).sum()) / rows) / (groups - 1)
    total = between + (usual - 1) * inside
    return max(0.0, (between - inside) / total) if 0 < total < inf else 0.0


def _strata(stratum: NDArray[Any], treated: NDArray[np.bool_]) -> list[Floats]:
    """Return a centred column per stratum in which both arms are, but for one."""
    names = [name for name in np.unique(stratum) if len(set(treated[stratum == name])) == 2]
    flags = [(stratum == name).astype(np.float64) for name in names]
    if len(names) == len(np.unique(stratum)):
        flags = flags[1:]
    return [each - each.mean() for each in flags]


def _independent(design: Floats) -> Floats:
    """Return the columns that add something to those before them."""
    _, triangle = np.linalg.qr(design)
    scale = np.abs(np.diag(triangle)) > 1e-8 * np.linalg.norm(design, axis=0)
    return design[:, scale]


def _arm(columns: int) -> Floats:
    out = np.zeros(columns)
    out[1] = 1.0
    return out
