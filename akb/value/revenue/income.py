"""Kinds of income: what recurs, and what is earned once.

What is earned once is counted in the year in which it was earned, and expected of what will be
bought; it is never discounted as if it came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.core.relations import SUBSCRIPTION, covers
from akb.core.revenue import one_off_since

if TYPE_CHECKING:
    from akb.value.in_force import InForce

ONE_OFF = "one_off"
FROM_FILE = ("fee_cents", "signing_cents", "profit_cents", "one_off_cents")
SALES_MONTHS = 36
"""Months of sales whose one-off income says what the next one brings."""


def other_income(base: InForce) -> bool:
    """Return whether the export knows income beside recurring commission."""
    policies = base.portfolio.policies
    return SUBSCRIPTION in policies["branch"] or any(
        (policies[name].fill_null(0) != 0).any() for name in FROM_FILE if name in policies.columns
    )


def subscriptions(base: InForce) -> int:
    """Return the subscriptions in force."""
    return base.held.height - covers(base.held).height


def earned_once(base: InForce) -> tuple[int, int]:
    """Return what the last 12 months brought once, cents, and of how many customers."""
    rows = one_off_since(base.portfolio.policies, add_months(base.as_of, -12), base.as_of)
    return int(rows["one_off_cents"].sum()), rows["customer"].n_unique()


def per_sale(base: InForce) -> dict[str, float]:
    """Return branch -> what a sale brings once, cents: the mean over the sales of `SALES_MONTHS`,
    those without it too; only of branches with enough customers behind it.
    """
    since = add_months(base.as_of, -SALES_MONTHS)
    began = base.portfolio.policies.filter(
        pl.col("start_date") > since, pl.col("start_date") <= base.as_of, ~pl.col("replaces")
    )
    if "one_off_cents" not in began.columns:
        return {}
    paid = pl.col("one_off_cents").fill_null(0)
    table = (
        began.group_by(pl.col("branch").cast(pl.String))
        .agg(
            cents=paid.sum(),
            sales=pl.len(),
            customers=pl.col("customer").filter(paid != 0).n_unique(),
        )
        .filter(pl.col("customers") >= base.settings.report.suppress_below)
        .sort("branch")
    )
    return {row["branch"]: row["cents"] / row["sales"] for row in table.to_dicts()}
