"""Chances that cohere: churn <= any lapse, each branch's lapse <= any lapse <= their sum, expected
lapses >= their sum.

The models are fitted apart, so they disagree a little. Announced leavers become certain first, and
what they take is taken off the others, so that each total stays. Then each customer's chances are
moved to near ones that cohere; all of it happens on float32, so that what is stored coheres too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.learners import from_link, to_link
from akb.models.temporal import shift_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners import Objective

    Floats = NDArray[np.float64]

ROUNDS = 4  # a fixed number: with a tolerance the bytes would hang on when the totals are met


def keep_total(
    objective: Objective, expected: Floats, certain: NDArray[np.bool_], value: Floats
) -> Floats:
    """Return `expected` with `value` for the certain ones, and the others scaled so that the total
    stays.

    The others keep at least a tenth of theirs: where more is announced than was expected, the total
    is exceeded.
    """
    if not certain.any() or certain.all():
        return np.where(certain, value, expected)
    others = expected[~certain]
    rest = float(expected.sum()) - float(value[certain].sum())
    factor = max(0.1, rest / float(others.sum())) if float(others.sum()) > 0 else 1.0
    shift = shift_for(objective, others, np.ones(len(others)), min(factor, 1.0))
    result = value.copy()
    result[~certain] = from_link(objective, to_link(objective, others) + shift)
    return result


@dataclass(frozen=True)
class Held:
    """The branches that customers hold, a row per (customer, branch): whose it is, and the code of
    the branch.
    """

    row: NDArray[np.int64]
    branch: NDArray[np.int64]


@dataclass(frozen=True)
class Lapses:
    """Chances and numbers of lapses that have to cohere.

    any_lapse, count
        Per customer [n] the chance of any lapse and the expected number; None where the run has
        none.
    by_branch
        Chance per (customer, branch) held [m].
    """

    any_lapse: NDArray[Any] | None
    count: NDArray[Any] | None
    by_branch: NDArray[Any]

    def stored(self) -> Lapses:
        """Return them as float32, as they are kept."""
        whole, count = (
            None if each is None else each.astype(np.float32)
            for each in (self.any_lapse, self.count)
        )
        return Lapses(whole, count, self.by_branch.astype(np.float32))


def settle(
    churn: NDArray[np.float32] | None,
    given: Lapses,
    held: Held,
    certain: NDArray[np.bool_],
    certain_rows: NDArray[np.bool_] | None = None,
) -> Lapses:
    """Return what `cohere` returns, with every total as close as may be to the total of what was
    given.

    Cohering moves totals a little, for noise only ever violates a bound on one side; so the input
    is shifted by what the output missed, a few times over. Each branch keeps its own total.

    Parameters
    ----------
    certain
        Customers of whom a lapse is announced [n]: that there is one is not shifted.
    certain_rows
        Branch chances that are announced [m]: they stay 1. None: every branch of the customers who
        are certain.
    """
    announced = certain[held.row] if certain_rows is None else certain_rows
    free, free_rows = ~certain, ~announced
    moved = given
    reached = cohere(churn, moved.stored(), held.row)
    for _ in range(ROUNDS):
        parts = moved.by_branch.copy()
        for code in np.unique(held.branch):
            here = free_rows & (held.branch == code)
            part = _towards("binary", moved.by_branch, given.by_branch, reached.by_branch, here)
            parts[here] = moved.by_branch[here] if part is None else part[here]
        moved = Lapses(
            _towards("binary", moved.any_lapse, given.any_lapse, reached.any_lapse, free),
            _towards("poisson", moved.count, given.count, reached.count, free),
            parts,
        )
        reached = cohere(churn, moved.stored(), held.row)
    return _still_certain(reached, held.row, announced & (given.by_branch >= 1))


def _still_certain(reached: Lapses, row: NDArray[np.int64], sure: NDArray[np.bool_]) -> Lapses:
    """Give what is announced back what cohering took from it; whoever it belongs to lapses
    somewhere.
    """
    if not sure.any() or reached.any_lapse is None:
        return reached
    parts, whole, count = (
        np.where(sure, np.float32(1), reached.by_branch),
        reached.any_lapse.copy(),
        reached.count,
    )
    whole[row[sure]] = 1
    if count is not None:
        count = np.maximum(count, _least(row, parts, whole))
    return Lapses(whole, count, parts)


def _least(
    row: NDArray[np.int64], parts: NDArray[np.float32], whole: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The smallest float32 number of lapses that is no less than any lapse and the sum over the
    branches.
    """
    total = _sums(row, parts.astype(np.float64), len(whole))
    floor = np.maximum(total, whole).astype(np.float32)
    return np.where(floor < total, np.nextafter(floor, np.float32(np.inf)), floor)


def _towards(
    objective: Objective,
    values: Floats | None,
    given: Floats | None,
    reached: NDArray[np.float32] | None,
    here: NDArray[np.bool_],
) -> Floats | None:
    """Return `values`, shifted where `here` by as much as `reached` missed the total of `given`
    there.
    """
    if values is None or given is None or reached is None or not here.any():
        return values
    goal, total = float(given[here].sum()), float(reached[here].sum(dtype=np.float64))
    factor = min(max(goal / total, 0.8), 1.25) if total > 0 else 1.0
    own = values[here]
    moved = values.copy()
    moved[here] = from_link(
        objective, to_link(objective, own) + shift_for(objective, own, np.ones(len(own)), factor)
    )
    return moved


def cohere(churn: NDArray[np.float32] | None, given: Lapses, row: NDArray[np.int64]) -> Lapses:
    """Return any lapse, lapses expected and the branches' lapses so that they cohere with churn and
    each other.

    Parameters
    ----------
    churn
        Per customer [n]; None where the run has none.
    given
        As float32.
    row
        Which customer each branch chance belongs to [m]; customers without one are bounded by churn
        alone.

    Notes
    -----
    Where two estimates contradict each other both give way to their geometric mean: the branches'
    sum and the expected number where the sum is larger, any lapse and the branches' sum where the
    sum is smaller, any lapse and the highest branch where that is higher. Churn is fitted with most
    care and gives way to nothing.
    """
    if given.any_lapse is None:
        return given
    n, count = len(given.any_lapse), given.count
    whole, parts = given.any_lapse.astype(np.float64), given.by_branch.astype(np.float64)
    if count is not None:
        total = _sums(row, parts, n)
        parts = (
            parts
            * np.where(total > count, np.sqrt(count / np.where(total > 0, total, 1.0)), 1.0)[row]
        )
    total = _sums(row, parts, n)
    whole = np.where((total > 0) & (total < whole), np.sqrt(whole * total), whole)
    highest = np.zeros(n)
    np.maximum.at(highest, row, parts)
    whole = np.where(highest > whole, np.sqrt(whole * highest), whole)
    whole32 = np.minimum(whole, 1.0).astype(np.float32)
    if churn is not None:
        whole32 = np.maximum(whole32, churn)
    parts32 = _raised(row, np.minimum(parts.astype(np.float32), whole32[row]), whole32)
    if count is not None:
        count = np.maximum(count.astype(np.float32), _least(row, parts32, whole32))
    return Lapses(whole32, count, parts32)


def _sums(row: NDArray[np.int64], values: Floats, n: int) -> Floats:
    return np.bincount(row, weights=values, minlength=n).astype(np.float64)


def _raised(
    row: NDArray[np.int64], parts: NDArray[np.float32], whole: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the branches raised in proportion, none above `whole`, until they add up to it."""
    for _ in range(20):
        total = _sums(row, parts.astype(np.float64), len(whole))
        short = (total > 0) & (total < whole)
        if not short.any():
            break
        factor = np.where(short, whole / np.where(total > 0, total, 1.0) * (1 + 1e-6), 1.0)
        parts = np.minimum((parts * factor[row]).astype(np.float32), whole[row])
    return parts
