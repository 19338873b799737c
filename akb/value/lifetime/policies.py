"""The policy line: what it is worth that one policy of a customer who stays does not lapse within
12 months.

Everything here is given that the relation is still there after those 12 months: what goes with a
relation that ends is the relation line's. A cost per customer counts there too, so that only the
variable cost of the policy counts here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.value.lifetime.decided import decided_policies
from akb.value.lifetime.ends import staying_ends
from akb.value.lifetime.present import index_factors, present_factors
from akb.value.lifetime.survival import YEAR
from akb.value.lifetime.unknown import EndCounts, extremes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from akb.value.in_force import Floats, InForce
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.cost import ServiceCost

    Range = tuple[float, float, float]

PREVENTABLE = "policy.preventable_share"
PRIOR_ENDS = 50  # ends of the whole portfolio that a branch's shares are mixed with
SCHEMA = {
    "row": pl.Int64,
    "branch": pl.String,
    "policies": pl.Int64,
    "lapse": pl.Float64,
    "preventable": pl.Float64,
    "preventable_low": pl.Float64,
    "preventable_high": pl.Float64,
    "gate": pl.String,
    "margin_cents": pl.Float64,
    "kept": pl.Float64,
    "stake_cents": pl.Float64,
    "lost": pl.Float64,
    "expected": pl.Float64,
}
"""Columns of `policy_stakes`, a row per customer and branch; money in (fractions of) cents.

``policies`` without an announced end; ``lapse``: chance that one of them lapses within 12 months if
the relation stays; ``preventable`` (and its low and high): share of such lapses that attention
might change; ``gate``: whose chance it is (``own``, the ``base`` rate of the branch, or ``closed``:
nobody's); ``margin_cents``: what one policy earns a year after its variable cost; ``kept``: its
yearly survival after the 12 months while the relation lasts; ``stake_cents``: V_keep - V_lapse of
one policy; ``lost``: preventable lapses of those who stay that are expected to be decided within 12
months, (1 - churn_12m) x policies x lapse x preventable x `decided.decided_policies`; ``expected``:
lost x stake, what an effect of 1 would bring. Both are zero where the gate is closed. A stake may
be negative: a policy can cost more than it brings. """


def preventable_shares(base: InForce) -> dict[str, Range]:
    """Return branch -> (low, base, high) share of the policy ends of those who stay that attention
    might change.

    Counted in the recorded closed years from ends that left the relation in being, each branch
    mixed with the portfolio as if `PRIOR_ENDS` of its ends had been seen there. Low and high: none,
    or all, of the ends with an unknown reason were preventable. Where no reason is known the
    assumption `PREVENTABLE` holds for every branch."""
    branches = sorted(base.held["branch"].cast(pl.String).unique())
    ends = staying_ends(base)
    whole = _counts(ends)
    if not base.portfolio.history.reasons or not whole.known:
        return dict.fromkeys(branches, base.range(PREVENTABLE))
    shares: dict[str, Range] = {}
    for branch in branches:
        own = _counts(ends.filter(pl.col("branch") == branch))
        share = (own.preventable + PRIOR_ENDS * whole.preventable_share) / (own.known + PRIOR_ENDS)
        unknown = (own.unknown + PRIOR_ENDS * whole.unknown_share) / (
            own.known + own.unknown + PRIOR_ENDS
        )
        shares[branch] = extremes(share, unknown)
    return shares


def _counts(ends: pl.DataFrame) -> EndCounts:
    lapsed, preventable, unknown = (
        int(ends[name].sum()) for name in ("lapsed", "preventable", "unknown")
    )
    return EndCounts(preventable, lapsed - unknown, unknown)


def policy_stakes(
    base: InForce,
    survival: Relations,
    rows: pl.DataFrame,
    cost: ServiceCost,
    preventable: Mapping[str, Range],
) -> pl.DataFrame:
    """Return a row per customer and branch with what is at stake in one policy; see `SCHEMA`.

    Policies with an announced end and announced leavers are out: they are certain. So is whoever
    would hold nothing else in 12 months: that lapse ends the relation, and belongs to the relation
    line.

    Parameters
    ----------
    rows
        `survival.branch_rows`.
    preventable
        `preventable_shares`.
    """
    carries = pl.col("ends").is_null() | (pl.col("ends") > add_months(base.as_of, YEAR))
    kept = base.held.select("row", "ends").filter(carries)
    other = np.bincount(kept["row"].to_numpy(), minlength=base.n) > 1
    able = pl.Series(other & ~base.announced)
    margin = (
        base.held.select(
            "row",
            "branch",
            "ends",
            margin=pl.Series(base.commission - cost.policy).cast(pl.Float64),
        )
        .filter(pl.col("ends").is_null())
        .group_by("row", pl.col("branch").cast(pl.String))
        .agg(margin_cents=pl.col("margin").sum() / pl.len())
    )
    table = (
        rows.with_columns(
            pl.col("branch").cast(pl.String),
            lapse=1.0 - pl.col("first"),
            **{
                name: pl.col("branch")
                .cast(pl.String)
                .replace_strict(
                    {branch: shares[place] for branch, shares in preventable.items()},
                    default=0.0,
                    return_dtype=pl.Float64,
                )
                for place, name in enumerate(("preventable_low", "preventable", "preventable_high"))
            },
        )
        .filter(able.gather(rows["row"]))
        .join(margin, on=["row", "branch"], how="left", maintain_order="left")
        .with_columns(
            gate=pl.col("branch").replace_strict(
                base.lapse_gates, default="closed", return_dtype=pl.String
            ),
        )
    )
    alive = pl.Series(survival.alive_after(YEAR)[table["row"].to_numpy()], dtype=pl.Float64)
    due = (
        table.select(alive * pl.col("policies") * pl.col("lapse") * pl.col("preventable"))
        .to_series()
        .to_numpy()
    )
    usual = {branch: share for branch, (_, share, _) in preventable.items()}
    lost = due * decided_policies(base, usual, due, table["policies"].to_numpy())
    return (
        table.with_columns(
            stake_cents=pl.Series(_stakes(base, survival, table), dtype=pl.Float64),
            lost=pl.when(pl.col("gate") == "closed")
            .then(0.0)
            .otherwise(pl.Series(lost, dtype=pl.Float64)),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items() if name != "expected")
        .with_columns(expected=pl.col("lost") * pl.col("stake_cents"))
    )


def policy_flow(
    base: InForce, survival: Relations, stakes: pl.DataFrame, weights: Floats
) -> Floats:
    """Return (months,): what kept policies bring month by month; cents, indexed, not discounted.

    Parameters
    ----------
    stakes
        Rows of `policy_stakes`.
    weights
        Policies kept, one number per row, or (c, rows) for c cohorts: an effect x ``lost``. The
        present value of the flow (see `present.present_value_of`) is the sum of weight x
        ``stake_cents``.

    Returns
    -------
    ndarray
        (months,), or (c, months).
    """
    flow: Floats = np.array([weights @ month for month in policy_months(base, survival, stakes)]).T
    return flow


def policy_months(base: InForce, survival: Relations, stakes: pl.DataFrame) -> Iterator[Floats]:
    """Yield per month what one policy kept brings in it, per row of `stakes`; see `policy_flow`."""
    margin = stakes["margin_cents"].to_numpy() / YEAR
    index = index_factors(base, survival.months)
    for factor, month in zip(index.tolist(), _kept_months(base, survival, stakes), strict=True):
        yield factor * margin * month


def _stakes(base: InForce, survival: Relations, table: pl.DataFrame) -> Floats:
    total: Floats = np.zeros(table.height)
    factors = present_factors(base, survival.months)
    for factor, month in zip(factors.tolist(), _kept_months(base, survival, table), strict=True):
        total += factor * month
    stakes: Floats = total * table["margin_cents"].to_numpy() / YEAR
    return stakes


def _kept_months(base: InForce, survival: Relations, table: pl.DataFrame) -> Iterator[Floats]:
    """Yield per month the part of it that a kept policy is in force more than one that lapses, per
    row.

    Kept: the whole of the 12 months, then its own survival x that of a relation that lived through
    them. Lapsing: at a constant hazard within the 12 months, then never again."""
    timing = base.value("value.timing")
    first, kept = 1.0 - table["lapse"].to_numpy(), table["kept"].to_numpy()
    where = table["row"].to_numpy()
    after = survival.alive_after(YEAR)
    monthly, own = kept ** (1 / YEAR), kept ** (timing / YEAR)
    for month, alive in enumerate(survival.by_month(timing)):
        if month < YEAR:
            yield 1.0 - _still_there(first, (month + timing) / YEAR)
        else:
            lasts = np.divide(alive, after, out=np.zeros_like(alive), where=after > 0)
            yield lasts[where] * own
            own = own * monthly


def _still_there(first: Floats, moment: float) -> Floats:
    """Return the chance to be there at `moment` (0..1 year) of what ends within the year, survival
    of it `first`.

    ``(first^t - first) / (1 - first)``; where nothing ends this becomes ``1 - t``, where all does
    at once, 0."""
    ends = 1.0 - first
    few = ends < 1e-9
    raised = np.where(first > 0, first**moment, 0.0) if moment else np.ones_like(first)
    return np.where(
        few, 1.0 - moment, np.divide(raised - first, ends, out=np.zeros_like(first), where=~few)
    )
