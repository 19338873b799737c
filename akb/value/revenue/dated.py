"""What policies brought on an earlier day, from their dated premiums; overwritten amounts know only
today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.relations import in_force

if TYPE_CHECKING:
    from datetime import date

    from akb.value.in_force import InForce

_COLUMNS = (
    "policy",
    "customer",
    "branch",
    "start_date",
    "end_date",
    "cause",
    "replaced_on",
    "revenue_cents",
)
ENOUGH_DATED = 0.8
"""Share of the revenue of a day that has to have a dated premium, before that day's amounts are
told.
"""


def revenue_on(base: InForce, day: date) -> pl.DataFrame:
    """Return the policies in force on `day` with ``then_cents``, the recurring revenue of that day,
    and ``dated``.

    ``then_cents`` is what the policy brings today, or brought last, in proportion to its commission
    on that day where the history has both, else to its premium. Without a dated premium on or
    before that day nothing is known to have changed: ``dated`` is false and the amount that of
    today. Null where no revenue is known."""
    held = in_force(base.policies, day, *_COLUMNS)
    premiums = base.portfolio.premiums
    if premiums is None:
        return held.with_columns(then_cents=pl.col("revenue_cents"), dated=pl.lit(value=False))
    if "commission_cents" not in premiums.columns:
        premiums = premiums.with_columns(commission_cents=pl.lit(None, dtype=pl.Int64))
    premiums = premiums.sort("policy", "date")
    amounts = (pl.col("premium_cents").last(), pl.col("commission_cents").last())
    then = (
        premiums.filter(pl.col("date") <= day).group_by("policy", maintain_order=True).agg(amounts)
    )
    last = premiums.group_by("policy", maintain_order=True).agg(amounts)
    both = then.join(last, on="policy", suffix="_last", how="left", maintain_order="left")
    ratio = pl.coalesce(_ratio("commission_cents"), _ratio("premium_cents"))
    return (
        held.join(
            both.select("policy", ratio=ratio), on="policy", how="left", maintain_order="left"
        )
        .with_columns(
            then_cents=(pl.col("revenue_cents") * pl.col("ratio").fill_null(1.0))
            .round()
            .cast(pl.Int64),
            dated=pl.col("ratio").is_not_null(),
        )
        .drop("ratio")
    )


def dated_share(then: pl.DataFrame) -> float:
    """Return the share of the revenue of `revenue_on` whose premium is dated."""
    total = int(then["then_cents"].fill_null(0).sum())
    return int(then.filter("dated")["then_cents"].fill_null(0).sum()) / total if total > 0 else 0.0


def _ratio(column: str) -> pl.Expr:
    return pl.when(pl.col(f"{column}_last") > 0).then(pl.col(column) / pl.col(f"{column}_last"))
