"""What counts as churn, lapse and purchase, computed from intervals of days: the definitions of the
truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.parameters import NEVER_DAY, tables

if TYPE_CHECKING:
    from akb.sample.calendar import Days
    from akb.sample.engine import Policies

GAP_DAYS = 31
_FAR = np.int64(2**31)


@dataclass(frozen=True)
class TrueOutcome:
    """What happened after T to customers 0..N-1.

    gone: first day without a policy in force and none starting within the gap (NEVER_DAY if not
    within the days looked at); cause: class of the end that emptied the relation (-1 none); lapses:
    policies in force at T that lapsed by then; lapsed [N, S], bought [N, B]: a policy in that slot
    lapsed, a first policy in a branch not held at T was taken."""

    gone: Days
    cause: NDArray[np.int8]
    lapsed: NDArray[np.bool_]
    bought: NDArray[np.bool_]


def relation_ends(policies: Policies, count: int, after: int) -> tuple[Days, NDArray[np.int8]]:
    """Return the first day after `after` on which each relation is over, and by which class of
    cause.

    A relation is over on the first day without a policy in force if none starts within 31 days of
    that day. On ties the cause with the lowest order counts (death, business or object gone,
    emigration, insurer, other).

    Parameters
    ----------
    policies
        Policies of customers 0..count-1: those in force at `after` and those that start later;
        announced starts count.
    count
        Number of customers N.
    after
        The day T.

    Returns
    -------
    tuple
        day [N] (NEVER_DAY if the relation is not over in the data), class [N] (index into CAUSES,
        -1 none).
    """
    gone = np.full(count, NEVER_DAY, np.int32)
    cause = np.full(count, -1, np.int8)
    stays = np.zeros(count, np.bool_)
    stays[policies.customer[(policies.start <= after) & (policies.end == NEVER_DAY)]] = True
    relevant = np.flatnonzero((policies.end > after) & ~stays[policies.customer])
    order = relevant[np.lexsort((policies.start[relevant], policies.customer[relevant]))]
    if not len(order):
        return gone, cause
    customer = policies.customer[order]
    start = policies.start[order].astype(np.int64)
    end = policies.end[order].astype(np.int64)
    covered = np.maximum.accumulate(end + customer * _FAR) - customer * _FAR
    last = np.append(customer[1:] != customer[:-1], True)
    next_start = np.append(start[1:], 0)
    broken = (covered < NEVER_DAY) & (last | (next_start > covered + GAP_DAYS))
    where = np.flatnonzero(broken)
    whose, first = np.unique(customer[where], return_index=True)
    gone[whose] = covered[where[first]]
    ends_it = np.flatnonzero(end == gone[customer])
    reason = policies.reason[order[ends_it]]
    by_order = np.lexsort((tables().reason_order[reason], customer[ends_it]))
    whose, first = np.unique(customer[ends_it][by_order], return_index=True)
    cause[whose] = tables().reason_class[reason[by_order[first]]]
    return gone, cause


def outcome(
    policies: Policies, branch_of_slot: NDArray[np.int64], count: int, after: int, until: int
) -> TrueOutcome:
    """Return what happened to customers 0..count-1 in (after, until].

    An end is no lapse if a policy of the same customer and branch starts within 31 days of it (it
    is replaced). Policies taken up to 31 days after `until` should be in the data, else the last
    weeks count too many ends."""
    slots = len(branch_of_slot)
    gone, cause = relation_ends(policies, count, after)
    late = gone > until
    gone[late] = NEVER_DAY
    cause[late] = -1
    branches = int(branch_of_slot.max()) + 1
    branch = branch_of_slot[policies.slot]
    key = policies.customer * branches + branch
    held = (policies.start <= after) & (policies.end > after)
    ended = np.flatnonzero(held & (policies.end <= until))
    lapsed = np.zeros((count, slots), np.bool_)
    real = ended[~_replaced(policies, key, ended)]
    lapsed[policies.customer[real], policies.slot[real]] = True
    has = np.zeros(count * branches, np.bool_)
    has[key[held]] = True
    taken = np.flatnonzero((policies.start > after) & (policies.start <= until) & ~has[key])
    bought = np.zeros((count, branches), np.bool_)
    bought[policies.customer[taken], branch[taken]] = True
    return TrueOutcome(gone, cause, lapsed, bought)


def _replaced(
    policies: Policies, key: NDArray[np.int64], ended: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which ended policies have another one of the same customer and branch starting within
    31 days.
    """
    replaced = np.zeros(len(ended), np.bool_)
    if not len(ended):
        return replaced
    recent = np.flatnonzero(policies.start > policies.end[ended].min() - GAP_DAYS - 1)
    order = recent[np.lexsort((policies.start[recent], key[recent]))]
    spots = key[order] * _FAR + policies.start[order]
    own = policies.start[ended]
    low = np.searchsorted(
        spots, key[ended] * _FAR + np.maximum(policies.end[ended] - GAP_DAYS, own + 1)
    )
    high = np.searchsorted(
        spots, key[ended] * _FAR + policies.end[ended].astype(np.int64) + GAP_DAYS, side="right"
    )
    replaced[:] = high > low
    return replaced
