"""The level of a prediction: observed against expected over the last three closed years, shrunk by
events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as student

from akb.core.people import POOLING_EVENTS
from akb.models.evidence import BETWEEN_YEAR, Z90
from akb.models.learners import from_link, to_link
from akb.models.temporal.problem import days
from akb.models.temporal.splits import yearly_windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.learners import Objective

    Floats = NDArray[np.float64]

PRIOR_CHANGES = 2  # changes from year to year as which `BETWEEN_YEAR` counts in `year_on_year`
# From the middle of the year that sets the level to the middle of the year ahead, with the gap and
# the registration lag between them.
YEARS_AHEAD = 1.25
PRIOR_EVENTS = 50.0  # events at which the own level and no change weigh the same


def level_factor(
    observed: Sequence[float],
    expected: Sequence[float],
    events: Sequence[float],
    *,
    parent: float = 1.0,
    prior: float = PRIOR_EVENTS,
) -> float:
    """Return by how much to multiply the expectation, from windows given newest first.

    The last windows together count, unless all older ones lie outside the newest one's 90 %
    interval: then the level has moved and the newest counts alone. What remains is drawn to
    `parent`, the more so the fewer events there are.

    Parameters
    ----------
    observed, expected
        Totals per window.
    events
        Distinct customers with an event per window: overlapping windows tell the same event more
        than once.

    Notes
    -----
    The weight n / (n + prior) is that of Bühlmann's credibility (1967), with events for exposure.

    Examples
    --------
    190 events where 200 were expected count for 190 / (190 + 50); 60 where 100 were, for 60 / 110.

    >>> round(level_factor([90, 100], [100, 100], [90, 100]), 3)
    0.96
    >>> round(level_factor([60], [100], [60]), 3)
    0.782
    """
    known = [position for position, total in enumerate(expected) if total > 0]
    if not known:
        return parent
    ratios = [observed[position] / expected[position] for position in known]
    used = known
    if len(known) > 1 and events[known[0]] > 0 and ratios[0] > 0:
        half = Z90 * float(np.sqrt(1 / events[known[0]] + BETWEEN_YEAR**2))
        low, high = ratios[0] * float(np.exp(-half)), ratios[0] * float(np.exp(half))
        if all(not low <= ratio <= high for ratio in ratios[1:]):
            used = known[:1]
    own = sum(observed[position] for position in used) / sum(
        expected[position] for position in used
    )
    n = sum(events[position] for position in used)
    return (n * own + prior * parent) / (n + prior)


def between_years(
    observed: Sequence[float], expected: Sequence[float], events: Sequence[float]
) -> float:
    """Return the spread of log(observed/expected) between windows beyond chance; at least 5 %.

    Notes
    -----
    By moments: the variance between windows less the mean Poisson variance 1 / events within them
    (as DerSimonian & Laird 1986 do between studies).

    Examples
    --------
    >>> round(between_years([120, 80, 100], [100, 100, 100], [400, 400, 400]), 3)
    0.197
    """
    pairs = [
        (o / e, n)
        for o, e, n in zip(observed, expected, events, strict=True)
        if o > 0 and e > 0 and n > 0
    ]
    if len(pairs) < 2:
        return BETWEEN_YEAR
    logs = np.log([ratio for ratio, _ in pairs])
    excess = float(np.var(logs, ddof=1)) - float(np.mean([1 / n for _, n in pairs]))
    return max(BETWEEN_YEAR, float(np.sqrt(max(excess, 0.0))))


def year_on_year(events: Sequence[float], exposure: Sequence[float]) -> float:
    """Return by how much (log) the rate of a year ahead may lie off that of the closed years; at
    least 5 %.

    It is measured on the rates themselves, never on a model's errors in years that taught it: a
    model with a calendar, or with columns that grow with it, has learned a trend away and looks
    surer than it is.

    Parameters
    ----------
    events, exposure
        Totals per closed year, given in the order of time (either way).

    Notes
    -----
    A random walk of the log rate: its variance per year is the mean square of the changes from year
    to year, less what chance adds to each (1 / events of both, Poisson). A change of 5 % counts as
    `PRIOR_CHANGES` years beside them, for a book has few. The forecast lies `YEARS_AHEAD` from
    what it stands on, and a variance from so few changes gives Student's t for a normal: the spread
    is that of the normal with the same 90 % interval.

    Examples
    --------
    A rate that grew by a fifth twice, on many events; on few events that may be chance.

    >>> round(year_on_year([1000, 1200, 1440], [1e5, 1e5, 1e5]), 3)
    0.189
    >>> round(year_on_year([50, 60, 72], [1e4, 1e4, 1e4]), 3)
    0.051
    """
    known = [(n, n / years) for n, years in zip(events, exposure, strict=True) if n > 0 < years]
    if len(known) < 2:
        return BETWEEN_YEAR
    counts, rates = np.array(known).T
    changes = np.diff(np.log(rates))
    chance = 1 / counts[1:] + 1 / counts[:-1]
    excess = max(float(np.mean(changes**2) - np.mean(chance)), 0.0)
    freedom = PRIOR_CHANGES + len(changes)
    variance = (PRIOR_CHANGES * BETWEEN_YEAR**2 + len(changes) * excess) / freedom
    widened = float(student.ppf(0.95, freedom)) / Z90
    return max(BETWEEN_YEAR, widened * float(np.sqrt(variance * YEARS_AHEAD)))


def shift_for(objective: Objective, expected: Floats, weight: Floats, factor: float) -> float:
    """Return what to add on the link scale so that the weighted total is multiplied by `factor`.

    Newton's method on the total; for counts the scale is the logarithm, and no search is needed.

    Examples
    --------
    Chances of .10 and .30 together .40; with log-odds .582 higher they are .60.

    >>> round(shift_for("binary", np.array([0.1, 0.3]), np.ones(2), 1.5), 3)
    0.582
    """
    if objective == "poisson" or not len(expected):
        return float(np.log(max(factor, 1e-6)))
    link = to_link(objective, expected)
    goal = min(factor * float((weight * expected).sum()), 0.999 * float(weight.sum()))
    shift = float(np.log(max(factor, 1e-6)))
    for _ in range(30):
        p = from_link(objective, link + shift)
        slope = float((weight * p * (1 - p)).sum())
        if slope <= 0:
            break
        step = float(np.clip((goal - float((weight * p).sum())) / slope, -1, 1))
        shift += step
        if abs(step) < 1e-10:
            break
    return shift


@dataclass(frozen=True)
class Levels:
    """Shift on the link scale and share of the parent's level per group; spread between years of
    all groups.
    """

    shift: Floats
    pooled_weight: Floats
    between_year: float


def group_levels(
    objective: Objective,
    train: tuple[date, ...],
    *,
    day: NDArray[np.int32],
    group: NDArray[np.int16],
    groups: int,
    customer: NDArray[Any],
    label: Floats,
    weight: Floats,
    expected: Floats,
) -> Levels:
    """Return the level per group: its own factor, drawn to that of all groups together (100 events
    weigh the same).
    """
    years = [np.isin(day, days(window)) for window in yearly_windows(train)]

    def totals(inside: NDArray[np.bool_]) -> tuple[list[float], list[float], list[float]]:
        masks = [inside & year for year in years]
        observed = [float((weight * label)[mask].sum()) for mask in masks]
        predicted = [float((weight * expected)[mask].sum()) for mask in masks]
        distinct = [float(len(np.unique(customer[mask & (label > 0)]))) for mask in masks]
        return observed, predicted, distinct

    whole = totals(np.ones(len(label), dtype=bool))
    parent = level_factor(*whole)
    recent = np.logical_or.reduce(years) if years else np.ones(len(label), dtype=bool)
    shifts, pooled = np.zeros(groups), np.zeros(groups)
    for code in range(groups):
        here = group == code
        factor = parent
        if groups > 1:
            own = totals(here)
            factor = level_factor(*own, parent=parent, prior=POOLING_EVENTS)
            pooled[code] = POOLING_EVENTS / (POOLING_EVENTS + sum(own[2]))
        here = here & recent
        shifts[code] = shift_for(objective, expected[here], weight[here], factor)
    return Levels(shifts, pooled, between_years(*whole))
