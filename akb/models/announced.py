"""What is already announced: certain for those who said so, and taken off what is expected of the others.

The model scores everyone with future ends masked, so its expectation includes those who have already given notice.
Making them certain without taking them off the others would count them twice (design.md, Time 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.models.landmark import LAGS, NEVER

if TYPE_CHECKING:
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

HIGHEST = 0.95  # nobody who did not say so leaves for certain
LOWEST = 1e-3  # and nobody's chance is zero: the order among the others stays


def announced_lags(announced: pl.DataFrame, customers: NDArray[np.uint32], as_of: date) -> NDArray[np.int64]:
    """Return per customer in which month the announced end falls: 1..12, 13 if later, 0 where nothing is announced.

    Parameters
    ----------
    announced
        As in `Targets.announced`.
    customers
        Ascending numbers of the customers in force at `as_of`.
    """
    lags = np.zeros(len(customers), dtype=np.int64)
    if announced.is_empty():
        return lags
    ends = announced.sort("end_date").unique("customer", keep="first", maintain_order=True)
    bounds = np.array([add_months(as_of, lag) for lag in range(1, NEVER)], dtype="datetime64[D]")
    days = ends["end_date"].to_numpy().astype("datetime64[D]")
    who = ends["customer"].to_numpy()
    place = np.minimum(np.searchsorted(customers, who), max(len(customers) - 1, 0))
    known = customers[place] == who if len(customers) else np.zeros(len(who), bool)
    lags[place[known]] = np.searchsorted(bounds, days[known]) + 1
    return lags


def announced_causes(
    announced: pl.DataFrame, customers: NDArray[np.uint32], causes: tuple[str, ...], share: Floats, *, known: bool
) -> Floats:
    """Return per customer how an announced end splits over the causes, float64 [n, causes].

    A known cause is certain; an unknown one follows `share`, the customer's own P(cause | end), [n, causes], as
    every end does where causes are not `known`.
    """
    split = share.copy()
    if not known:
        return split
    told = dict(zip(announced["customer"].to_list(), announced["cause"].to_list(), strict=True))
    for place, who in enumerate(customers.tolist()):
        cause = told.get(who)
        if cause in causes:
            split[place] = np.eye(len(causes))[causes.index(cause)]
    return split


def reconcile(by_cause: Floats, lag: NDArray[np.int64], split: Floats) -> Floats:
    """Make announced ends certain and scale the others, so that the expectation per month and cause stays.

    Parameters
    ----------
    by_cause
        Hazard per customer, month and cause before anything was announced, float64 [n, 12, causes].
    lag
        `announced_lags`.
    split
        `announced_causes`.

    Returns
    -------
    Hazards of the same shape. Where more is announced than was expected, the others keep a thousandth of theirs
    (their order stays, the expectation is exceeded by what is known); where scaling would take a hazard above
    `HIGHEST`, it stays there and the expectation is not fully met.
    """
    if not lag.any():
        return by_cause
    told = lag > 0
    result = np.zeros_like(by_cause)
    before = np.ones(len(by_cause))  # chance of being there, as modelled
    after = np.where(told, 0.0, 1.0)  # the same for those who announced nothing, as reconciled
    for month in range(LAGS):
        expected = (before[:, None] * by_cause[:, month]).sum(axis=0)
        certain = split[lag == month + 1].sum(axis=0)
        others = (after[:, None] * by_cause[:, month]).sum(axis=0)
        factor = np.maximum(expected - certain, LOWEST * others) / np.where(others > 0, others, 1.0)
        scaled = by_cause[:, month] * factor
        total = scaled.sum(axis=1)
        result[:, month] = scaled * np.where(total > HIGHEST, HIGHEST / np.maximum(total, HIGHEST), 1.0)[:, None]
        result[told, month] = 0.0
        leaving = told & (lag <= month + 1)
        result[leaving, month] = split[leaving]
        before = before * (1 - by_cause[:, month].sum(axis=1))
        after = after * (1 - result[:, month].sum(axis=1))
    return result
