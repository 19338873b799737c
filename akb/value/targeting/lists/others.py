"""The other lists: bleeders, feeders, announced leavers, win-back, care gaps. Opt-outs are on
none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.relations import OPEN
from akb.core.wording.text import load_toml
from akb.value.in_force import at
from akb.value.targeting.contact import rules
from akb.value.targeting.control import control_group
from akb.value.targeting.eligibility import experiment_of, never

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.revenue.cost import ServiceCost
    from akb.value.targeting.eligibility import Eligibility, Flags

MARGIN_SCHEMA = {
    "customer": pl.UInt32,
    "rank": pl.Int64,
    "margin": pl.Float64,
    "commission": pl.Float64,
    "cost": pl.Float64,
    "policies": pl.Int64,
    "kind": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "control": pl.Boolean,
}
ANNOUNCED_SCHEMA = {
    "customer": pl.UInt32,
    "rank": pl.Int64,
    "ends": pl.Date,
    "commission": pl.Float64,
    "branches": pl.String,
    "kind": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "control": pl.Boolean,
}
WINBACK_SCHEMA = {
    "customer": pl.UInt32,
    "rank": pl.Int64,
    "probability": pl.Float64,
    "left": pl.Date,
    "branches": pl.String,
    "kind": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "control": pl.Boolean,
}
GAP_SCHEMA = {
    "customer": pl.UInt32,
    "rank": pl.Int64,
    "branch": pl.String,
    "share": pl.Float64,
    "kind": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "control": pl.Boolean,
}
SCHEMAS = {
    "bleeders": MARGIN_SCHEMA,
    "feeders": MARGIN_SCHEMA,
    "announced": ANNOUNCED_SCHEMA,
    "winback": WINBACK_SCHEMA,
    "care_gaps": GAP_SCHEMA,
}


def more_lists(
    base: InForce, cost: ServiceCost, eligible: Eligibility, gaps: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return the lists of `SCHEMAS`; one that cannot be made has its headings and no rows."""
    return {
        **margin_lists(base, cost, eligible),
        "announced": announced_list(base, eligible),
        "winback": winback_list(base),
        "care_gaps": gap_list(base, eligible, gaps),
    }


def margin_lists(
    base: InForce, cost: ServiceCost, eligible: Eligibility
) -> dict[str, pl.DataFrame]:
    """Return ``bleeders`` (commission below the cost to serve, worst first) and ``feeders`` (the
    highest margins).

    Margin = today's recurring commission a year - cost to serve. Nobody is contacted for it who may
    not be."""
    if not base.has_commission:
        return {name: pl.DataFrame(schema=MARGIN_SCHEMA) for name in ("bleeders", "feeders")}
    spent = cost.per_customer(base)
    margin = base.commission_customer - spent
    allowed = ~_may_not(eligible, "deceased", "no_marketing", "announced", "under_age")
    top = np.quantile(margin, float(rules("feeder")["margin_quantile"]))
    frame = base.customers.select("customer", "kind", "adviser", "office").with_columns(
        margin=pl.Series(margin / 100),
        commission=pl.Series(base.commission_customer / 100),
        cost=pl.Series(spent / 100),
        policies=pl.Series(base.covers_per_customer),
        control=pl.Series(eligible.control),
    )
    low, high = (
        np.flatnonzero(allowed & (margin < 0)),
        np.flatnonzero(allowed & (margin > max(top, 0))),
    )
    return {
        "bleeders": _ranked(frame[low[np.lexsort((low, margin[low]))]], MARGIN_SCHEMA),
        "feeders": _ranked(frame[high[np.lexsort((high, -margin[high]))]], MARGIN_SCHEMA),
    }


def announced_list(base: InForce, eligible: Eligibility) -> pl.DataFrame:
    """Return who has announced to leave, by the last day of cover: for winding up well, not for
    keeping.
    """
    barred = np.logical_or.reduce(
        list(never(base).values())
    )  # under `excluded` they stand as announced alone
    rows = np.flatnonzero(base.announced & ~barred)
    known = base.held.group_by("row").agg(
        ends=pl.col("ends").fill_null(OPEN).max(),
        branches=pl.col("branch").unique().sort().str.join(", "),
    )
    frame = (
        base.customers.with_columns(
            commission=at(base.commission_customer / 100, pl.Float64)
            if base.has_commission
            else pl.lit(None),
            control=pl.Series(eligible.control),
        )[rows]
        .join(known, on="row", how="left")
        .sort("ends", "customer")
    )
    return _ranked(frame, ANNOUNCED_SCHEMA)


def winback_list(base: InForce) -> pl.DataFrame:
    """Return former customers by the chance that they come back; empty where the models made no
    such chance.

    Highest chance first. Whoever objects to marketing, has died or is under age is not on it; the
    control group is drawn by the same lots as that of customers in force."""
    found = base.models.winback
    if found is None or found.is_empty() or "winback_12m" not in found.columns:
        return pl.DataFrame(schema=WINBACK_SCHEMA)
    minimum = int(load_toml("lists.toml")["eligible"]["minimum_age"])
    people = base.portfolio.customers.filter(
        ~pl.col("no_marketing").fill_null(value=False)
        & ~pl.col("deceased").fill_null(value=False)
        & ((base.as_of.year - pl.col("birth_year")).fill_null(minimum) >= minimum)
    )
    past = (
        base.portfolio.policies.filter(pl.col("end_date") <= base.as_of)
        .group_by("customer")
        .agg(
            left=pl.col("end_date").max(), branches=pl.col("branch").unique().sort().str.join(", ")
        )
    )
    former = found.drop_nulls("winback_12m").sort("customer")
    share = base.value("experiment.control_share")
    allowed = former.join(
        people.select("customer", "kind", "adviser", "office", "pseudonym"),
        on="customer",
        maintain_order="left",
    )
    drawn = control_group(allowed, share, experiment_of(base))
    frame = (
        allowed.with_columns(
            probability=pl.col("winback_12m").cast(pl.Float64), control=pl.Series(drawn)
        )
        .join(past, on="customer", how="left")
        .sort(["probability", "customer"], descending=[True, False])
    )
    return _ranked(frame, WINBACK_SCHEMA)


def gap_list(base: InForce, eligible: Eligibility, gaps: pl.DataFrame) -> pl.DataFrame:
    """Return the widest care gap of every customer who may be contacted, the most usual cover
    first.

    Nobody is marked as one of the control group: care is never withheld by lot.
    """
    frame = (
        gaps.filter(pl.Series(eligible.callable[gaps["row"].to_numpy()], dtype=pl.Boolean))
        .join(base.customers.select("row", "kind", "adviser", "office"), on="row")
        .with_columns(control=pl.lit(value=False))
        .sort(["share", "customer"], descending=[True, False])
    )
    return _ranked(frame, GAP_SCHEMA)


def _may_not(eligible: Eligibility, *reasons: str) -> Flags:
    out: Flags = np.zeros(len(eligible.control), dtype=np.bool_)
    for reason in reasons:
        out |= eligible.excluded[reason]
    return out


def _ranked(frame: pl.DataFrame, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    ranked = frame.with_columns(rank=pl.int_range(1, pl.len() + 1))
    return ranked.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
