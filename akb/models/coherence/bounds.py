"""Make chances agree: churn <= any lapse, each branch's lapse <= any lapse <= their sum, expected lapses >= their sum.

The models are fitted apart, so they disagree a little. Announced leavers become certain first, and what they take is
taken off the others, so that each total stays. Then each customer's chances are moved to near ones that agree; all of
it happens on float32, so that what is stored agrees too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.learners.link import from_link, to_link
from akb.models.temporal.level import shift_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.learners.sample import Objective

    Floats = NDArray[np.float64]

ROUNDS = 4


def keep_total(objective: Objective, expected: Floats, certain: NDArray[np.bool_], value: Floats) -> Floats:
    """Return `expected` with `value` for the certain ones, and the others scaled so that the total stays.

    The others keep at least a tenth of theirs: where more is announced than was expected, the total is exceeded.
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


def settle(
    churn: NDArray[np.float32] | None,
    any_lapse: Floats | None,
    lost: Floats | None,
    row: NDArray[np.int64],
    lapse: Floats,
    branch: NDArray[np.int64],
    certain: NDArray[np.bool_],
    certain_rows: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None, NDArray[np.float32]]:
    """Return what `agree` returns, with every total as close as may be to the total of what was given.

    Agreeing moves totals a little, for noise only ever violates a bound on one side; so the input is shifted by what
    the output missed, a few times over.

    Parameters
    ----------
    branch
        Code of the branch per branch chance [m]: each branch keeps its own total.
    certain
        Customers of whom a lapse is announced [n]: that there is one is not shifted.
    certain_rows
        Branch chances that are announced [m]: they stay 1. None: every branch of the customers who are certain.
    """
    told = certain[row] if certain_rows is None else certain_rows
    free, free_rows = ~certain, ~told
    whole, count, parts = any_lapse, lost, lapse
    agreed = agree(churn, _float32(whole), _float32(count), row, parts.astype(np.float32))
    for _ in range(ROUNDS):
        whole = _towards("binary", whole, any_lapse, agreed[0], free)
        count = _towards("poisson", count, lost, agreed[1], free)
        moved = parts.copy()
        for code in np.unique(branch):
            here = free_rows & (branch == code)
            part = _towards("binary", parts, lapse, agreed[2], here)
            moved[here] = parts[here] if part is None else part[here]
        parts = moved
        agreed = agree(churn, _float32(whole), _float32(count), row, parts.astype(np.float32))
    return _still_certain(agreed, row, lapse, told)


def _still_certain(
    agreed: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None, NDArray[np.float32]],
    row: NDArray[np.int64],
    lapse: Floats,
    told: NDArray[np.bool_],
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None, NDArray[np.float32]]:
    """Give what is announced back what agreeing took from it; whoever it belongs to lapses somewhere."""
    whole, lost, parts = agreed
    sure = told & (lapse >= 1)
    if not sure.any() or whole is None:
        return agreed
    parts, whole = np.where(sure, np.float32(1), parts), whole.copy()
    whole[row[sure]] = 1
    if lost is not None:
        total = _sums(row, parts.astype(np.float64), len(whole))
        raised = np.maximum(total, whole).astype(np.float32)
        raised = np.where(raised < total, np.nextafter(raised, np.float32(np.inf)), raised)
        lost = np.maximum(lost, raised)
    return whole, lost, parts


def _float32(values: Floats | None) -> NDArray[np.float32] | None:
    return None if values is None else values.astype(np.float32)


def _towards(
    objective: Objective,
    values: Floats | None,
    given: Floats | None,
    reached: NDArray[np.float32] | None,
    here: NDArray[np.bool_],
) -> Floats | None:
    """Return `values`, shifted where `here` by as much as `reached` missed the total of `given` there."""
    if values is None or given is None or reached is None or not here.any():
        return values
    goal, total = float(given[here].sum()), float(reached[here].sum(dtype=np.float64))
    factor = min(max(goal / total, 0.8), 1.25) if total > 0 else 1.0
    own = values[here]
    moved = values.copy()
    moved[here] = from_link(objective, to_link(objective, own) + shift_for(objective, own, np.ones(len(own)), factor))
    return moved


def agree(
    churn: NDArray[np.float32] | None,
    any_lapse: NDArray[np.float32] | None,
    lost: NDArray[np.float32] | None,
    row: NDArray[np.int64],
    lapse: NDArray[np.float32],
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None, NDArray[np.float32]]:
    """Return any lapse, lapses expected and the branches' lapses so that they agree with churn and each other.

    Parameters
    ----------
    churn, any_lapse, lost
        Per customer [n]; None where the run has none.
    row
        Which customer each branch chance belongs to [m]; customers without one are bounded by churn alone.
    lapse
        Chance per (customer, branch) held [m].

    Notes
    -----
    Where two estimates contradict each other both give way to their geometric mean: the branches' sum and the expected
    number where the sum is larger, any lapse and the branches' sum where the sum is smaller, any lapse and the highest
    branch where that is higher. Churn is fitted with most care and gives way to nothing.
    """
    if any_lapse is None:
        return None, lost, lapse
    n = len(any_lapse)
    whole, parts = any_lapse.astype(np.float64), lapse.astype(np.float64)
    if lost is not None:
        total = _sums(row, parts, n)
        parts = parts * np.where(total > lost, np.sqrt(lost / np.where(total > 0, total, 1.0)), 1.0)[row]
    total = _sums(row, parts, n)
    whole = np.where((total > 0) & (total < whole), np.sqrt(whole * total), whole)
    highest = np.zeros(n)
    np.maximum.at(highest, row, parts)
    whole = np.where(highest > whole, np.sqrt(whole * highest), whole)
    whole32 = np.minimum(whole, 1.0).astype(np.float32)
    if churn is not None:
        whole32 = np.maximum(whole32, churn)
    parts32 = _raised(row, np.minimum(parts.astype(np.float32), whole32[row]), whole32)
    if lost is not None:
        total = _sums(row, parts32.astype(np.float64), n)
        floor = np.maximum(total, whole32).astype(np.float32)
        floor = np.where(floor < total, np.nextafter(floor, np.float32(np.inf)), floor)
        lost = np.maximum(lost.astype(np.float32), floor)
    return whole32, lost, parts32


def _sums(row: NDArray[np.int64], values: Floats, n: int) -> Floats:
    return np.bincount(row, weights=values, minlength=n).astype(np.float64)


def _raised(row: NDArray[np.int64], parts: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the branches raised in proportion, none above `whole`, until they add up to it."""
    for _ in range(20):
        total = _sums(row, parts.astype(np.float64), len(whole))
        short = (total > 0) & (total < whole)
        if not short.any():
            break
        factor = np.where(short, whole / np.where(total > 0, total, 1.0) * (1 + 1e-6), 1.0)
        parts = np.minimum((parts * factor[row]).astype(np.float32), whole[row])
    return parts


def positions(customers: NDArray[np.uint32], of: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return where each of `of` stands in the ascending `customers`; all must be there."""
    return np.searchsorted(customers, of).astype(np.int64)


def wide(branches: pl.DataFrame, keys: dict[str, str]) -> pl.DataFrame:
    """Return customer + one Float32 column per branch of `keys` (branch -> key); null where there is no row."""
    chosen = branches.filter(pl.col("branch").is_in(list(keys)))
    frame = chosen.select(pl.col("customer").unique().sort())
    for branch, key in keys.items():
        own = chosen.filter(pl.col("branch") == branch)
        column = own.select("customer", pl.col("probability").cast(pl.Float32).alias(key))
        frame = frame.join(column, on="customer", how="left", maintain_order="left")
    return frame
