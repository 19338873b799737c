"""How well an amount was told: the Gini of its order, and the Tweedie deviance of its size.

A yearly amount is zero for many and large for some, so it is judged as an insurer judges losses: by
the compound Poisson-gamma (Tweedie, power 1.5) deviance, in which being wrong by half counts
whatever the size (Dunn & Smyth 2005)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POWER = 1.5
OWN_SHARES = (
    0.25,
    0.5,
    0.75,
    0.9,
    0.97,
    1.0,
)  # of last year's value in the baseline; the rest is the mean
# of the mean: an expectation of nothing is a small one, for its deviance would be infinite
_FLOOR = 1e-3


def gini(label: Floats, expected: Floats) -> float | None:
    """Return the Gini of the ordering by `expected`, as a share of what a perfect ordering
    reaches.

    Notes
    -----
    The ordered Lorenz curve of Frees, Meyers & Cummings 2011, divided by that of the amounts
    themselves.

    Examples
    --------
    The largest amount stands second instead of first.

    >>> paid = np.array([0.0, 100.0, 300.0])
    >>> round(gini(paid, np.array([1.0, 3.0, 2.0])), 3), gini(paid, np.array([1.0, 2.0, 3.0]))
    (0.333, 1.0)
    """

    def concentration(score: Floats) -> float:
        from scipy.stats import rankdata

        ranks = rankdata(
            score
        )  # mid-ranks: equal predictions share, so that a constant scores zero
        return float((label * (2 * ranks - len(label) - 1)).sum() / (len(label) * label.sum()))

    if len(label) == 0 or float(label.sum()) <= 0:
        return None
    perfect = concentration(label)
    return concentration(expected) / perfect if perfect > 0 else None


def tweedie_deviance(amount: Floats, expected: Floats) -> Floats:
    """Return the unit deviance per row at power 1.5: ``4 (sqrt(y) - sqrt(m))^2 / sqrt(m)``.

    That is the general ``2 (y^(2-p) / ((1-p)(2-p)) - y m^(1-p) / (1-p) + m^(2-p) / (2-p))`` worked
    out for p = 1.5.

    Parameters
    ----------
    amount
        y, at least zero [n].
    expected
        m, above zero [n].

    Examples
    --------
    4 (0 - 5)^2 / 5 and 4 (10 - 20)^2 / 20:

    >>> tweedie_deviance(np.array([0.0, 100.0]), np.array([25.0, 400.0])).tolist()
    [20.0, 20.0]
    """
    root = np.sqrt(expected)
    return np.asarray(4 * (np.sqrt(amount) - root) ** 2 / root)


def tweedie_skill(amount: Floats, expected: Floats) -> float | None:
    """Return the share of the Tweedie deviance around the mean that an expectation takes away.

    None where nothing was realised. Amounts below zero (commission claimed back) count as nothing.

    Examples
    --------
    >>> paid = np.array([0.0, 100.0, 300.0])
    >>> round(tweedie_skill(paid, np.array([20.0, 100.0, 280.0])), 3)
    0.693
    """
    realised = np.maximum(amount, 0.0)
    mean = float(realised.mean()) if len(realised) else 0.0
    if mean <= 0:
        return None
    worst = float(tweedie_deviance(realised, np.full(len(realised), mean)).sum())
    own = float(tweedie_deviance(realised, np.maximum(expected, _FLOOR * mean)).sum())
    return 1 - own / worst if worst > 0 else None


def last_value(amount: Floats, last: Floats) -> Floats | None:
    """Return last year's value as the forecast that it would have been at its best; None where it
    says nothing.

    It gets the total of the year to be told, an unknown value gets the mean, and it is drawn to the
    mean by as much as does best on that very year: the baseline is flattered rather than slighted.

    Examples
    --------
    Halfway to the mean of 133 does best here; of the third nothing was known.

    >>> paid, last = np.array([0.0, 100.0, 300.0]), np.array([10.0, 90.0, np.nan])
    >>> last_value(paid, last).round(1).tolist()
    [26.7, 240.0, 133.3]
    """
    known = ~np.isnan(last)
    if not known.any() or float(last[known].sum()) <= 0 or float(amount.sum()) <= 0:
        return None
    filled = np.maximum(np.where(known, last, float(last[known].mean())), 0.0)
    scaled = filled * float(amount.sum()) / float(filled.sum())
    forecasts = [share * scaled + (1 - share) * float(amount.mean()) for share in OWN_SHARES]
    return max(forecasts, key=lambda forecast: tweedie_skill(amount, forecast) or 0.0)
