"""Make chances agree: churn <= any lapse, each branch's lapse <= any lapse <= their sum, expected lapses >= their sum.

The models are fitted apart, so they disagree a little. Announced leavers become certain first, and what they take is
taken off the others, so that each total stays. Then each customer's chances are moved to near ones that agree; all of
it happens on float32, so that what is stored agrees too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.level import shift_for
from akb.models.rule import from_link, to_link

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.candidates import Objective

    Floats = NDArray[np.float64]


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
    Where a branch is above any lapse both give way to their geometric mean, but not below churn; where the branches add
    up to less than any lapse they are raised in proportion. The expected number is at least the sum of the branches.
    """
    if any_lapse is None:
        return None, lost, lapse
    n = len(any_lapse)
    whole, parts = any_lapse.astype(np.float32), lapse.astype(np.float32)
    highest = np.zeros(n, dtype=np.float32)
    np.maximum.at(highest, row, parts)
    middle = np.sqrt(whole.astype(np.float64) * highest).astype(np.float32)
    whole = np.where(highest > whole, middle, whole)
    if churn is not None:
        whole = np.maximum(whole, churn)
    parts = np.minimum(parts, whole[row])
    for _ in range(4):  # rounding to float32 may leave a sum one step short
        total = np.bincount(row, weights=parts.astype(np.float64), minlength=n)
        short = (total > 0) & (total < whole)
        if not short.any():
            break
        factor = np.where(short, whole / np.where(total > 0, total, 1.0) * (1 + 1e-6), 1.0)
        parts = np.minimum((parts * factor[row]).astype(np.float32), whole[row])
    if lost is not None:
        total = np.bincount(row, weights=parts.astype(np.float64), minlength=n)
        floor = np.maximum(total, whole).astype(np.float32)
        floor = np.where(floor < total, np.nextafter(floor, np.float32(np.inf)), floor)
        lost = np.maximum(lost.astype(np.float32), floor)
    return whole, lost, parts


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
