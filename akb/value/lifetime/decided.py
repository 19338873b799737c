"""Ends that are decided within 12 months: those due in them without notice yet, and those given
notice of by then.

A contact works on ends that are not decided yet. What is announced at X was decided before and is
out; it is taken off what is expected of the others, so that the ends due in the 12 months stay as
many (docs/architecture.md, Time 6). But ends are given notice of all year: at its end as many are
announced as there are now, and those too are decided in between. So the ends decided in a year are
those due in it, the announced ones included. This holds for single policies; a whole relation
counts by its chance to end, so that its line is worked out from scores.csv to the cent, which
leaves out a percent or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.value.lifetime.survival import YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.in_force import Floats, InForce

MOST = 2.0
"""At most as many ends are still to be announced as are due: more at X is no ordinary day."""


def decided_per_due(due: float, announced: float, others: float) -> float:
    """Return the ends decided within 12 months per end due in them, of those who announced nothing.

    Parameters
    ----------
    due
        Ends expected of the others within 12 months.
    announced
        Ends announced for those months.
    others
        How many the others are: what was announced would have ended at their rate had nobody said
        so.
    """
    if due <= 0 or others <= 0:
        return 1.0
    return min(1.0 + announced * max(1.0 - due / others, 0.0) / due, MOST)


def decided_policies(
    base: InForce, shares: Mapping[str, float], due: Floats, policies: Floats
) -> float:
    """Return `decided_per_due` of preventable ends of policies in relations that stay.

    Parameters
    ----------
    shares
        Branch -> preventable share of such ends: what an end without a known reason counts for.
    due, policies
        Per customer and branch: preventable ends expected within 12 months, and policies without an
        announced end.
    """
    stays = pl.Series(~base.announced).gather(base.held["row"])
    soon = base.held.select("branch", "cause", "ends").filter(
        stays & (pl.col("ends") <= add_months(base.as_of, YEAR))
    )
    cause = soon["cause"].cast(pl.String).fill_null("unknown")
    usual = (
        soon["branch"]
        .cast(pl.String)
        .replace_strict(dict(shares), default=0.0, return_dtype=pl.Float64)
    )
    known = (cause == "preventable").cast(pl.Float64)
    announced = pl.select(pl.when(cause == "unknown").then(usual).otherwise(known)).to_series()
    return decided_per_due(float(np.sum(due)), float(announced.sum()), float(np.sum(policies)))
