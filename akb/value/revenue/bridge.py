"""The commission bridge: from the revenue of a year ago to that of today, every policy in exactly
one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.core.privacy.disclosure import shown
from akb.core.relations import in_force
from akb.core.typed import made
from akb.value.revenue.dated import ENOUGH_DATED, dated_share, revenue_on
from akb.value.types import Bridge

if TYPE_CHECKING:
    from datetime import date

    from akb.value.in_force import InForce

STEPS = ("indexation", "conversion", "new_customers", "extra_policies", "lapses", "leavers")


def bridge(base: InForce) -> Bridge | None:
    """Return how the recurring revenue went from X - 12 months to X; None without dated premiums or
    ended policies.

    Returns
    -------
    Bridge
        ``from``, ``to`` (dates), ``then``, ``now`` (cents), ``dated_share`` and ``steps``: rows
        {key, customers, policies, cents} that lead from then to now to the cent. ``indexation``:
        policies in force on both days, by all that changed about them; ``conversion``: policies
        that were replaced by another, and the others that ended technically; ``lapses``: by
        customers who stay; ``leavers``: by those who have no policy left.
    """
    then = add_months(base.as_of, -12)
    recorded = base.portfolio.history.recorded_from
    if (
        base.portfolio.premiums is None
        or recorded is None
        or recorded > then
        or not base.has_commission
    ):
        return None
    before = revenue_on(base, then)
    share = dated_share(before)
    if share < ENOUGH_DATED:
        return None
    steps = _steps(base, before, then)
    limit = base.settings.report.suppress_below
    rows = [row for row in shown(steps.to_dicts(), limit) if row["policies"]]
    first, last = int(before["then_cents"].sum()), int(base.commission.sum())
    if (
        first + sum(row["cents"] for row in rows) != last
    ):  # so small that even the merged rest may not be shown
        return None
    return made(
        Bridge,
        {
            "from": then.isoformat(),
            "to": base.as_of.isoformat(),
            "then": first,
            "now": last,
            "dated_share": share,
            "steps": rows,
        },
    )


def _steps(base: InForce, before: pl.DataFrame, then: date) -> pl.DataFrame:
    """One row per step that any policy took, in the order of `STEPS`."""
    known = ("policy", "customer", "replaces", "revenue_cents")
    after = in_force(base.policies, base.as_of, *known).rename({"revenue_cents": "now_cents"})
    old = before.select("policy", "customer", "cause", "replaced_on", "then_cents")
    both = old.join(after, on="policy", how="full", coalesce=True, suffix="_now").with_columns(
        customer=pl.coalesce("customer", "customer_now")
    )
    had, has = old["customer"].unique().implode(), after["customer"].unique().implode()
    there_then, there_now = (
        pl.col("policy").is_in(old["policy"].implode()),
        pl.col("policy").is_in(after["policy"].implode()),
    )
    changed = pl.col("replaced_on").is_not_null() | (pl.col("cause") == "technical").fill_null(
        value=False
    )
    step = (
        pl.when(there_then & there_now)
        .then(pl.lit("indexation"))
        .when(there_then & changed)
        .then(pl.lit("conversion"))
        .when(there_then & pl.col("customer").is_in(has))
        .then(pl.lit("lapses"))
        .when(there_then)
        .then(pl.lit("leavers"))
        .when(pl.col("replaces").fill_null(value=False))
        .then(pl.lit("conversion"))
        .when(pl.col("customer").is_in(had))
        .then(pl.lit("extra_policies"))
        .otherwise(pl.lit("new_customers"))
    )
    order = {key: place for place, key in enumerate(STEPS)}
    return (
        both.with_columns(
            key=step, cents=pl.col("now_cents").fill_null(0) - pl.col("then_cents").fill_null(0)
        )
        .group_by("key")
        .agg(
            customers=pl.col("customer").n_unique().cast(pl.Int64),
            policies=pl.len().cast(pl.Int64),
            cents=pl.col("cents").sum(),
        )
        .sort(pl.col("key").replace_strict(order, return_dtype=pl.Int64))
    )
