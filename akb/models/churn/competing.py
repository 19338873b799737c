"""Competing risks: the chance to have left by each cause, when leaving by one makes leaving by
another impossible.

Aalen & Johansen (1978): the sum over time of (chance to be there just before) x (leavers by the
cause / those at risk). The estimator of lifelines moves ties apart at random and counts who enters
on the day of an end as at risk; durations in whole periods are nothing but ties. This one takes
them as they are and equals lifelines' where there are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CumulativeIncidence:
    """Step functions of time; at each of `times` something happens.

    Parameters
    ----------
    times
        Float64 [k], ascending, in the unit of the durations.
    causes
        What the columns of `left` stand for.
    alive
        Chance to be there after each time, float64 [k].
    left
        Chance to have left by each cause by then, float64 [k, causes]; ``alive + left.sum(axis=1)
        == 1``.
    """

    times: Floats
    causes: tuple[Any, ...]
    alive: Floats
    left: Floats

    def at(self, times: NDArray[Any] | list[float]) -> tuple[Floats, Floats]:
        """Return `alive` [n] and `left` [n, causes] at these times; 1 and 0 before the first
        event.
        """
        place = np.searchsorted(self.times, np.asarray(times, dtype=np.float64), side="right")
        alive = np.concatenate([[1.0], self.alive])[place]
        left = np.concatenate([np.zeros((1, len(self.causes))), self.left])[place]
        return alive, left


def aalen_johansen(
    durations: NDArray[Any],
    cause: NDArray[Any],
    *,
    causes: tuple[Any, ...],
    entry: NDArray[Any] | None = None,
    weight: Floats | None = None,
) -> CumulativeIncidence:
    """Return the cumulative incidence per cause.

    Parameters
    ----------
    durations
        Time from the origin to the end or the last day under observation, [n]; any unit, whole
        periods too.
    cause
        Which of `causes` ended it, [n]; anything else: it was still there (censored).
    entry
        Time from the origin at which observation began, [n] (delayed entry): at risk from just
        after it, so that who enters in period 2 can first be seen to leave in period 3. None:
        everyone from the origin.
    weight
        How many each row stands for, [n].

    Notes
    -----
    With delayed entry a risk set may empty before later entries fill it; then the product-limit
    estimate would stay at zero for ever. In that case the chance to stay follows the cumulative
    hazard (Fleming & Harrington 1984), and the causes share each step in proportion, so that
    everything still adds up to one.

    Examples
    --------
    Of four, one leaves by ``a`` after 1, one by ``a`` and one by ``b`` after 2; the last is still
    there after 3.

    >>> cause = np.array(["a", "a", "b", ""])
    >>> found = aalen_johansen(np.array([1, 2, 2, 3]), cause, causes=("a", "b"))
    >>> found.times.tolist(), found.alive.tolist(), found.left.tolist()
    ([1.0, 2.0], [0.75, 0.25], [[0.25, 0.0], [0.5, 0.25]])
    """
    time = np.asarray(durations, dtype=np.float64)
    w = np.ones(len(time)) if weight is None else np.asarray(weight, dtype=np.float64)
    code = np.full(len(time), -1)
    for number, name in enumerate(causes):
        code[np.asarray(cause) == name] = number
    ended = code >= 0
    times, place = np.unique(time[ended], return_inverse=True)
    events = np.zeros((len(times), len(causes)))
    np.add.at(events, (place, code[ended]), w[ended])
    at_risk = _sum_from(time, w, times)
    if entry is not None:
        late = np.asarray(entry, dtype=np.float64)
        seen = late < time  # who enters and ends at once was never at risk
        at_risk = _sum_from(time[seen], w[seen], times) - _sum_from(late[seen], w[seen], times)
        events = np.zeros_like(events)
        watched = ended & seen
        np.add.at(events, (np.searchsorted(times, time[watched]), code[watched]), w[watched])
    hazard = events / np.maximum(at_risk, 1e-300)[:, None]
    total = hazard.sum(axis=1)
    empties = (total >= 1 - 1e-12) & (np.arange(len(total)) < len(total) - 1)
    keep = np.exp(-total) if empties.any() else np.clip(1 - total, 0.0, 1.0)
    alive = np.cumprod(keep)
    before = np.concatenate([[1.0], alive[:-1]])
    share = hazard / np.where(total > 0, total, 1.0)[:, None]
    return CumulativeIncidence(
        times, causes, alive, np.cumsum((before - alive)[:, None] * share, axis=0)
    )


def _sum_from(values: Floats, weight: Floats, times: Floats) -> Floats:
    """The weight of the values at or after each time."""
    order = np.argsort(values, kind="stable")
    upto = np.concatenate([[0.0], np.cumsum(weight[order])])
    return np.asarray(upto[-1] - upto[np.searchsorted(values[order], times, side="left")])
