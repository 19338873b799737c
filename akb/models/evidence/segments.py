"""Divisions of rows for the models: `akb.core.people`, with how often it happened over all closed
windows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.people import AGES, Parts, People

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["AGES", "Parts", "People", "with_events"]


def with_events(
    divide: Callable[[NDArray[Any]], tuple[Parts, ...]],
    customers: NDArray[Any],
    happened: NDArray[Any],
) -> tuple[Parts, ...]:
    """Return the divisions of some rows, with how often it happened over all closed windows in each
    part.

    Parameters
    ----------
    divide
        Customers -> divisions.
    customers
        The customer per row.
    happened
        Every customer once to whom it happened in any closed window.

    Examples
    --------
    >>> def parity(who):
    ...     return (Parts("parity", ("even", "odd"), np.asarray(who) % 2, 5),)
    >>> (found,) = with_events(parity, np.array([1, 2, 3, 4]), np.array([3, 7, 8]))
    >>> found.code.tolist(), found.events
    ([1, 0, 1, 0], (1, 2))
    """
    n = len(customers)
    return tuple(
        replace(
            each,
            code=each.code[:n],
            events=tuple(
                np.bincount(each.code[n:][each.code[n:] >= 0], minlength=len(each.names)).tolist()
            ),
        )
        for each in divide(np.concatenate([customers, happened]))
    )
