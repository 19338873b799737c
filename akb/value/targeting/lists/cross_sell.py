"""The list ``next_best_policy``: the best branch of everybody who may get an offer, and who is
contacted for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.wording.text import load_toml
from akb.value.in_force import at, band_labels
from akb.value.targeting.planning.planner import NONE

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.lifetime.purchases import Offers
    from akb.value.targeting.eligibility import Eligibility
    from akb.value.targeting.planning.plan import ContactPlan


def next_best_list(
    in_force: InForce, offers: Offers, eligibility: Eligibility, plan: ContactPlan | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the list ``next_best_policy``, and how many customers were left out by reason.

    One row per customer: the best branch. ``rank`` is by expected commission, ``rank_chance`` by
    chance. ``contact`` tells in whose planned contact a policy is discussed, ``extra`` what that
    brings over its life, after the minutes of a sale. As long as the plan's offers, and at least
    what the personal hours could reach."""
    best = offers.table.filter(pl.col("place") == 1)
    places = best["row"].to_numpy()
    away = {**eligibility.excluded}
    left_out = {reason: int(flags[places].sum()) for reason, flags in away.items()}
    allowed = best.filter(pl.Series(eligibility.callable[places], dtype=pl.Boolean))
    minimum = float(load_toml("lists.toml")["next_best_policy"]["minimum_probability"])
    likely = allowed.filter(pl.col("probability") >= minimum)
    left_out["low_chance"] = allowed.height - likely.height
    ranked = likely.sort(
        ["expected_cents", "probability", "customer"],
        descending=[True, True, False],
        nulls_last=True,
    )
    rows = ranked["row"].to_numpy()
    extra = np.zeros(in_force.n)
    if plan is not None:
        planned = np.flatnonzero(plan.option != NONE)
        extra[planned] = plan.menu.base.purchase[planned, plan.option[planned]]
    contact = extra[rows] > 0
    listed = ranked.with_columns(
        rank=pl.int_range(1, pl.len() + 1),
        churn_effect=_churn_effect(in_force, ranked),
        extra=pl.Series(np.round(extra[rows] / 100, 2)),
        contact=pl.Series(contact),
        control=pl.Series(eligibility.control[rows]),
    ).filter((pl.col("rank") <= _length(eligibility, plan)) | pl.col("contact"))
    left_out["no_hours"] = len(rows) - listed.height
    return _columns(in_force, listed), {
        reason: count for reason, count in left_out.items() if count
    }


def _length(eligibility: Eligibility, plan: ContactPlan | None) -> int:
    """Return how many offers the personal hours could discuss, at the fewest minutes that such a
    contact takes.
    """
    if plan is None:
        return len(eligibility.control)
    minutes = [
        contact.minutes
        for contact in plan.planning.ladder.values()
        if contact.pool != "automatic" and "cross_sell" in contact.purposes and contact.minutes > 0
    ]
    return (
        int(sum(eligibility.minutes.values()) / min(minutes))
        if minutes
        else len(eligibility.control)
    )


def _churn_effect(in_force: InForce, rows: pl.DataFrame) -> pl.Series:
    """Difference in leaving between comparable holders and others of each row's branch; null where
    nobody made it.
    """
    out = np.full(len(rows), np.nan)
    branches = rows["branch"].to_numpy()
    for branch in rows["branch"].unique().sort():
        effect = in_force.score(f"churn_effect_{branch}")
        if effect is not None:
            mine = branches == branch
            out[mine] = effect[rows["row"].to_numpy()[mine]]
    return at(out, pl.Float64)


def _columns(in_force: InForce, listed: pl.DataFrame) -> pl.DataFrame:
    who = in_force.customers.select("row", "kind", "adviser", "office")
    return (
        listed.join(who, on="row", how="left", maintain_order="left")
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            rank_chance=pl.struct(-pl.col("probability"), "rank").rank("ordinal").cast(pl.Int64),
            band=at(band_labels("chance", listed["probability"].to_numpy()), pl.String),
            commission=pl.col("commission_cents") / 100,
            expected_commission=(pl.col("expected_cents") / 100).round(2),
        )
        .select(
            "customer", "rank", "branch", "probability", "band", "commission",
            "expected_commission",
            "rank_chance", "churn_effect", "kind", "adviser", "office", "ban", "contact", "extra",
            "control",
        )
    )  # fmt: skip
