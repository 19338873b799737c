"""What is already announced: certain for those who said so, and taken off what is expected of the
others.

The model scores everyone with future ends masked, so its expectation includes those who have
already given notice. Making them certain without taking them off the others would count them twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.models.churn.landmark import LAGS, NEVER

if TYPE_CHECKING:
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

HIGHEST = 0.95  # nobody who did not say so leaves for certain
LOWEST = 1e-3  # and nobody's chance is zero: the order among the others stays


def announced_lags(
    announced: pl.DataFrame, customers: NDArray[np.uint32], as_of: date
) -> NDArray[np.int64]:
    """Return per customer in which month the announced end falls: 1..12, 13 if later, 0 where
    nothing is announced.

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


@dataclass(frozen=True)
class AnnouncedLapses:
    """Which policies lapse within 12 months because somebody said so.

    Parameters
    ----------
    policies
        How many per customer, float64 [n].
    rows
        Which of the (customer, branch) rows have one, bool [m].
    nonpayment
        Customers of whom one ends for non-payment, bool [n].
    """

    policies: Floats
    rows: NDArray[np.bool_]
    nonpayment: NDArray[np.bool_]


def announced_lapses(
    announced: pl.DataFrame | None,
    customers: NDArray[np.uint32],
    branches: pl.DataFrame,
    as_of: date,
) -> AnnouncedLapses:
    """Return what is announced per customer and per row of `branches` (customer, branch).

    Parameters
    ----------
    announced
        As in `Targets.announced_lapses`; None or empty where nothing is.
    customers
        Ascending numbers of the customers in force at `as_of`.
    """
    import polars as pl

    n = len(customers)
    none = AnnouncedLapses(
        np.zeros(n), np.zeros(branches.height, dtype=bool), np.zeros(n, dtype=bool)
    )
    if announced is None or announced.is_empty():
        return none
    near = announced.filter(
        (pl.col("end_date") <= add_months(as_of, LAGS)) & pl.col("customer").is_in(customers)
    )
    at = np.searchsorted(customers, near["customer"].to_numpy())
    unpaid = np.bincount(at[near["nonpayment"].to_numpy()], minlength=n) > 0
    said = branches.select("customer", "branch").join(
        near.select("customer", "branch", said=pl.lit(value=True)).unique(),
        on=["customer", "branch"],
        how="left",
        maintain_order="left",
    )["said"]
    return AnnouncedLapses(
        np.bincount(at, minlength=n).astype(np.float64), said.is_not_null().to_numpy(), unpaid
    )


def announced_causes(
    announced: pl.DataFrame,
    customers: NDArray[np.uint32],
    causes: tuple[str, ...],
    share: Floats,
    *,
    known: bool,
) -> Floats:
    """Return per customer how an announced end splits over the causes, float64 [n, causes].

    A known cause is certain; an unknown one follows `share`, the customer's own P(cause | end), [n,
    causes], as every end does where causes are not `known`.
    """
    split = share.copy()
    if not known:
        return split
    cause_of = dict(zip(announced["customer"].to_list(), announced["cause"].to_list(), strict=True))
    for place, who in enumerate(customers.tolist()):
        cause = cause_of.get(who)
        if cause in causes:
            split[place] = np.eye(len(causes))[causes.index(cause)]
    return split


def with_announced(by_cause: Floats, lag: NDArray[np.int64], split: Floats) -> Floats:
    """Make announced ends certain and scale the others, so that the expectation per month and cause
    stays.

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
    Hazards of the same shape. Where more is announced than was expected, the others keep a
    thousandth of theirs (their order stays, the expectation is exceeded by what is known); where
    scaling would take a hazard above `HIGHEST`, it stays there and the expectation is not fully
    met.
    """
    if not lag.any():
        return by_cause
    leavers = lag > 0
    result = np.zeros_like(by_cause)
    before = np.ones(len(by_cause))  # chance of being there, as modelled
    after = np.where(leavers, 0.0, 1.0)  # the same for those who announced nothing, as reconciled
    for month in range(LAGS):
        expected = (before[:, None] * by_cause[:, month]).sum(axis=0)
        certain = split[lag == month + 1].sum(axis=0)
        others = (after[:, None] * by_cause[:, month]).sum(axis=0)
        factor = np.maximum(expected - certain, LOWEST * others) / np.where(others > 0, others, 1.0)
        scaled = by_cause[:, month] * factor
        total = scaled.sum(axis=1)
        result[:, month] = (
            scaled * np.where(total > HIGHEST, HIGHEST / np.maximum(total, HIGHEST), 1.0)[:, None]
        )
        result[leavers, month] = 0.0
        leaving = leavers & (lag <= month + 1)
        result[leaving, month] = split[leaving]
        before = before * (1 - by_cause[:, month].sum(axis=1))
        after = after * (1 - result[:, month].sum(axis=1))
    return result
