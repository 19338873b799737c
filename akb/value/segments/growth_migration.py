"""Who moved between the seven growth segments, with the purchase chances that were told of the
earlier day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.privacy.disclosure import crossed
from akb.core.relations import in_force
from akb.core.typed import made
from akb.value.lifetime.purchases import mean_commission
from akb.value.segments.migration import GONE, NEW, basis_of, commission_on
from akb.value.segments.segments import GROWTH, growth_classes, newcomers
from akb.value.types import SegmentMigration

if TYPE_CHECKING:
    from datetime import date

    from akb.value.in_force import InForce
    from akb.value.revenue.cost import ServiceCost
    from akb.value.segments.migration import Basis


def growth_migration(
    base: InForce, history: pl.DataFrame, cost: ServiceCost
) -> SegmentMigration | None:
    """Return from which growth segment to which customers went between T0 of the proof and X; None
    without T0.

    Both days are measured alike, with what was knowable on them: the chances that the models told
    of that day (those of T0 learned from before it), the commission of `migration.migration`,
    today's usual commission of a new policy, and the mean cost of a policy. So today's segments
    here can differ from those by lifetime margin.

    Returns
    -------
    SegmentMigration
        ``from``, ``to`` (dates), ``basis``, ``columns`` (segments at X and ``gone``), ``rows`` {key
        (segment at T0 or ``new``), cells: one count per column, None where hidden}, ``same`` (share
        of those who stayed that are in the same segment; None where that would give something
        away).
    """
    backtest = base.models.backtest
    if backtest is None or backtest.branch_purchase is None or backtest.branch_purchase.is_empty():
        return None
    basis = basis_of(base, backtest.as_of)
    each = float(cost.per_customer(base).sum()) / max(base.held.height, 1)
    old = segments_on(
        base, backtest.as_of, backtest.branch_purchase, history, basis, each=each
    ).rename({"segment": "old"})
    now = segments_on(
        base, base.as_of, base.models.branch_purchase, history, basis, each=each
    ).rename({"segment": "now"})
    both = old.join(now, on="customer", how="full", coalesce=True).fill_null(len(GROWTH))
    counts = np.zeros((len(GROWTH) + 1, len(GROWTH) + 1), dtype=np.int64)
    np.add.at(counts, (both["old"].to_numpy(), both["now"].to_numpy()), 1)
    limit = base.settings.report.suppress_below
    cells = crossed(counts, limit, moves=len(GROWTH))
    stayed, same = int(counts[:-1, :-1].sum()), int(np.diag(counts)[:-1].sum())
    known = stayed > 0 and not any(0 < number < limit for number in (same, stayed - same))
    return made(
        SegmentMigration,
        {
            "from": backtest.as_of.isoformat(),
            "to": base.as_of.isoformat(),
            "basis": basis,
            "columns": [*GROWTH, GONE],
            "rows": [
                {"key": key, "cells": line} for key, line in zip([*GROWTH, NEW], cells, strict=True)
            ],
            "same": same / stayed if known else None,
        },
    )


def segments_on(
    base: InForce,
    day: date,
    chances: pl.DataFrame,
    history: pl.DataFrame,
    basis: Basis,
    *,
    each: float,
) -> pl.DataFrame:
    """Return customer, segment (its place in `GROWTH`) of who was in force on a day."""
    typical = mean_commission(base)
    usual = typical.filter(pl.col("kind").is_null()).select("branch", usual="cents")
    hoped = (
        chances.join(usual, on="branch", how="left", maintain_order="left")
        .sort("customer", "branch")
        .group_by("customer", maintain_order=True)
        .agg(potential=(pl.col("probability") * pl.col("usual").fill_null(0)).sum())
    )
    policies = in_force(base.portfolio.policies, day).group_by("customer").agg(policies=pl.len())
    who = (
        commission_on(base, day, basis, typical)
        .join(policies, on="customer", how="left", maintain_order="left")
        .join(hoped, on="customer", how="left", maintain_order="left")
        .with_columns(
            present=pl.col("cents") - each * pl.col("policies"),
            potential=pl.col("potential").fill_null(0.0),
        )
    )
    new, back = newcomers(who["customer"], history, day)
    made = growth_classes(who["present"].to_numpy(), who["potential"].to_numpy(), new, back)
    place = {name: number for number, name in enumerate(GROWTH)}
    return who.select("customer", segment=pl.Series([place[one] for one in made], dtype=pl.Int64))
