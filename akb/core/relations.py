"""Policies in force on a day, and what of them is a cover: definitions that every room shares."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPEN = date(9000, 1, 1)
"""A day later than any end: the end of what has none."""

SUBSCRIPTION = "abonnement"
"""The branch of the office's own service at a fee: a contract that is no policy."""


def covers(policies: pl.DataFrame) -> pl.DataFrame:
    """Return what is a policy: contracts but for subscriptions, which nobody counts as one."""
    return policies.filter(pl.col("branch") != SUBSCRIPTION)


def in_force(policies: pl.DataFrame, day: date, *columns: str) -> pl.DataFrame:
    """Return the policies in force on `day`: started, and without an end or with a later one.

    Parameters
    ----------
    columns
        Those that are asked for; none: all. Of millions of policies every other one is memory.
    """
    ends = pl.col("end_date")
    there = (pl.col("start_date") <= day) & (ends.is_null() | (ends > day))
    if not columns:
        return policies.filter(there)
    return policies.lazy().filter(there).select(columns).collect()


def latest_so_far(begins: NDArray[np.bool_], ends: NDArray[Any]) -> NDArray[np.int64]:
    """Return the latest end up to each row, of each group of rows by itself.

    Parameters
    ----------
    begins
        Whether a row is the first of its group.
    ends
        Days, as whole numbers.
    """
    width = int(ends.max()) - int(ends.min()) + 1
    above = np.cumsum(begins) * width  # the place of a group counts for more than any day
    latest: NDArray[np.int64] = np.maximum.accumulate(above + ends) - above
    return latest


def begins_relation(
    customers: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any], gap_days: int
) -> NDArray[np.bool_]:
    """Return whether each policy begins an unbroken relation: nothing of the customer was in force
    within `gap_days` before it.

    Parameters
    ----------
    customers, starts, ends
        Of policies sorted by customer and start; days as whole numbers.

    Examples
    --------
    >>> starts, ends = np.array([0, 5, 99, 3]), np.array([60, 9, 120, 4])
    >>> begins_relation(np.array([1, 1, 1, 2]), starts, ends, 31).tolist()
    [True, False, True, True]
    """
    new = np.ones(len(customers), dtype=np.bool_)
    if len(new):
        new[1:] = customers[1:] != customers[:-1]
        before = latest_so_far(new, ends)[:-1]
        new[1:] |= starts[1:] > before + gap_days
    return new
