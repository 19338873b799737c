"""Recurring revenue in the next 12 months, and its proof by replay.

The export keeps no dated commission, so policies weigh with what is known of it today, at every
date: what is proven is
*time in force*, not the amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import in_force
from akb.describe.relations import is_lapse
from akb.value.revenue.euro_evidence import gate_of, level_evidence

if TYPE_CHECKING:
    from datetime import date

    from akb.models.types import Evidence, Gate
    from akb.value.in_force import Floats, InForce


def earned_fraction(lapse: Floats) -> Floats:
    """Return the expected part of a year in force of a policy with yearly lapse chance `lapse` and
    a constant hazard.

    ``lapse / -ln(1 - lapse)``: 1 for no lapse, about 1 - lapse / 2 for a small one.
    """
    lapse = np.clip(lapse, 0.0, 1.0 - 1e-12)
    hazard = -np.log1p(-lapse)
    return np.divide(lapse, hazard, out=np.ones_like(hazard), where=hazard > 1e-12)


@dataclass(frozen=True)
class Replay:
    """What commission_12m would have said a year and a bit ago, with frozen commissions as weights.

    Amounts are in cents; `all_stay` is the status-quo forecast (the commission in force on T),
    `gate` that of the level; `own` says whether the customers' own chances were used, or the lapse
    per branch of the year before."""

    evidence: Evidence
    gate: Gate
    expected: int
    realised: int
    all_stay: int
    own: bool = False


def replay(base: InForce) -> Replay | None:
    """Return the proof of the earned-commission rule at the latest closed date T; None with too
    little history.

    Policies in force at T are weighed with the commission that the export shows today, for them and
    for those that ended, so only *time in force* is tested, not the amounts. The forecast uses the
    chances per branch that the models gave the customers of T, made to agree as those of today are;
    where they gave none, or no euro may follow them, the policy lapse per branch counted over the
    12 months before T. The baseline is what the same weights earned in the year before T."""
    time, backtest = base.settings.time, base.models.backtest
    chances = backtest.branch_lapse if backtest is not None else None
    test = add_months(base.as_of, -12) - timedelta(days=time.gap_days + time.registration_lag_days)
    if backtest is not None and chances is not None:
        test = backtest.as_of
        chances = chances.filter(~pl.col("branch").cast(pl.String).is_in(base.counted_branches))
    before = add_months(test, -12)
    recorded = base.portfolio.history.recorded_from
    if recorded is None or recorded > before or not base.has_commission:
        return None
    weighed = _weighed(base, test)
    if weighed.is_empty() or int(weighed["revenue_cents"].sum()) <= 0:
        return None
    lapse = _lapses(weighed, lapse_by_branch(base.portfolio.policies, before, test), chances)
    cents = weighed["revenue_cents"].to_numpy().astype(np.float64)
    table = weighed.with_columns(
        expected=pl.Series(cents * earned_fraction(lapse)),
        realised=pl.Series(cents * _in_force_fraction(weighed, test)),
    )
    per_customer = (
        table.group_by("customer")
        .agg(
            pl.col("expected", "realised").sort_by("policy").sum(),
            happened=pl.col("ends").is_not_null().any(),
        )
        .sort("customer")
    )
    last = _earned_between(base, before, test)
    per_customer = per_customer.join(last, on="customer", how="left", maintain_order="left")
    lapses = int((weighed["ends"] <= add_months(test, 12)).sum())
    evidence = level_evidence(per_customer, test, lapses, base.people)
    return Replay(
        evidence,
        gate_of(evidence),
        round(float(per_customer["expected"].to_numpy().sum())),
        round(float(per_customer["realised"].to_numpy().sum())),
        int(weighed["revenue_cents"].sum()),
        own=chances is not None,
    )


def _lapses(weighed: pl.DataFrame, rates: pl.DataFrame, chances: pl.DataFrame | None) -> Floats:
    """Return the chance to lapse within a year per policy: the customer's own in its branch, else
    the branch's.

    The chances are that at least one of the customer's policies in the branch lapses: they are
    spread over those."""
    table = weighed.join(rates, on="branch", how="left", maintain_order="left")
    usual: Floats = table["lapse"].fill_null(0.0).to_numpy()
    if chances is None:
        return usual
    same = pl.len().over("customer", "branch")
    table = table.with_columns(same=same).join(
        chances.select("customer", "branch", "probability"),
        on=["customer", "branch"],
        how="left",
        maintain_order="left",
    )
    one = 1 - (1 - table["probability"].fill_null(np.nan).to_numpy()) ** (
        1 / table["same"].to_numpy()
    )
    return np.where(np.isnan(one), usual, one)


def _earned_between(base: InForce, before: date, test: date) -> pl.DataFrame:
    """Return customer, ``last``: cents earned in (before, test]; null for who was no customer all
    that time.
    """
    year = (test - before).days
    days = (
        pl.min_horizontal(pl.col("end_date").fill_null(test), pl.lit(test))
        - pl.max_horizontal("start_date", pl.lit(before))
    ).dt.total_days()
    seen = base.policies.select(
        "policy", "customer", "start_date", "end_date", "revenue_cents"
    ).filter(
        (pl.col("start_date") <= test)
        & (pl.col("end_date").is_null() | (pl.col("end_date") > before))
    )
    return (
        seen.with_columns(cents=pl.col("revenue_cents").fill_null(0) * days.clip(0) / year)
        .group_by("customer")
        .agg(last=pl.col("cents").sort_by("policy").sum(), since=pl.col("start_date").min())
        .select("customer", last=pl.when(pl.col("since") <= before).then("last"))
        .sort("customer")
    )


def lapse_by_branch(policies: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return branch, held, lapsed, lapse: of the policies in force on `first`, the share that
    lapsed in (first, last].

    Technical ends and policies that another one continues are no lapse.
    """
    known = in_force(policies, first, "branch", "end_date", "cause", "replaced_on")
    held = known.with_columns(lapsed=is_lapse(last))
    return (
        held.group_by("branch")
        .agg(held=pl.len().cast(pl.Int64), lapsed=pl.col("lapsed").sum().cast(pl.Int64))
        .with_columns(lapse=pl.col("lapsed") / pl.col("held"))
        .sort("branch")
    )


_WEIGHED = (
    "policy",
    "customer",
    "branch",
    "end_date",
    "cause",
    "replaced_on",
    "revenue_cents",
)


def _weighed(base: InForce, test: date) -> pl.DataFrame:
    lapsed = is_lapse(add_months(test, 12))
    return (
        in_force(base.policies, test, *_WEIGHED)
        .filter(pl.col("revenue_cents").is_not_null())
        .with_columns(ends=pl.when(lapsed).then(pl.col("end_date")))
        .sort("customer", "policy")
    )


def _in_force_fraction(weighed: pl.DataFrame, test: date) -> Floats:
    year = (add_months(test, 12) - test).days
    days = (weighed["ends"] - pl.Series([test])).dt.total_days().fill_null(year).to_numpy()
    out: Floats = np.clip(days / year, 0.0, 1.0)
    return out
