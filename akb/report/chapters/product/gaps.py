"""Beside section 5: who can take what, how well the branches were ordered, and what comparable
customers hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from akb.report.context import Context, Row

CLEAR = 0.7
"""From this share of comparable customers on, not holding a branch is a gap that is worth a word.
"""

REASONS = ("open", "held", "signed", "kind", "age", "requires", "included")
MEASURES = ("hit_rate", "reciprocal_rank", "ndcg")


@dataclass(frozen=True)
class RankingScore:
    """How well a rule ordered the branches."""

    rule: str
    hit_rate: float
    reciprocal_rank: float
    ndcg: float
    hit_rate_ci: tuple[float, float]
    reciprocal_rank_ci: tuple[float, float]
    ndcg_ci: tuple[float, float]


@dataclass(frozen=True)
class BranchRanking:
    """How the branches were ordered on later data."""

    test_date: date
    customers: int
    purchases: int
    scores: tuple[RankingScore, ...]
    gain: float
    gain_ci: tuple[float, float]
    delivered: str


@dataclass(frozen=True)
class Standing:
    """To how many a branch is open, and why not to others."""

    branch: str
    name: str
    open: int | None
    held: int | None
    signed: int | None
    kind: int | None
    age: int | None
    requires: int | None
    included: int | None


@dataclass(frozen=True)
class Gap:
    """What comparable customers hold."""

    branch: str
    name: str
    customers: int | None
    need: float | None
    wide_gap: int | None
    difference: float | None
    low: float | None
    high: float | None
    holders: float | None
    others: float | None
    suppressed: bool


def ranking(context: Context) -> dict[str, Any] | None:
    """Return how the branches were ordered on later data: model, popularity and co-ownership side
    by side.
    """
    found = context.bundle.models.ranking if context.bundle.models else None
    if found is None or found.customers < context.limit:
        return None
    scores = [
        {
            "rule": score.rule,
            **dict(zip(MEASURES, score.mean, strict=True)),
            **{f"{name}_ci": ci for name, ci in zip(MEASURES, score.ci, strict=True)},
        }
        for score in found.scores
    ]
    return {
        "test_date": found.test_date,
        "customers": found.customers,
        "purchases": found.purchases,
        "scores": scores,
        "gain": found.gain,
        "gain_ci": found.gain_ci,
        "delivered": found.delivered,
    }


def standing(context: Context) -> list[Row]:
    """Return per branch to how many customers it is open and why not to the others; small numbers
    are hidden.
    """
    table = context.bundle.models.standing if context.bundle.models else None
    if table is None:
        return []
    rows: list[Row] = []
    for (branch,), part in table.group_by("branch", maintain_order=True):
        count = dict(part.select("reason", "customers").iter_rows())
        cells = [{"reason": reason, "customers": count.get(reason, 0)} for reason in REASONS]
        shown = context.suppressed(cells, keep=("reason",), parts=True)
        rows.append(
            {"branch": branch, "name": context.branch_name(str(branch))}
            | {c["reason"]: c["customers"] for c in shown}
        )
    return rows


def gaps(context: Context) -> list[Row]:
    """Return per branch what comparable customers hold, and the difference in churn that goes with
    holding it.
    """
    models = context.bundle.models
    effects = (
        {}
        if models is None or models.effects is None
        else {row["branch"]: row for row in models.effects.to_dicts()}
    )
    rows: list[Row] = []
    for branch in context.taxonomy:
        need = context.score(f"need_{branch}")
        if need is None:
            continue
        known = need[~np.isnan(need)]
        clear = int((known >= CLEAR).sum())
        effect = effects.get(branch)
        rows.append(
            {
                "branch": branch,
                "name": context.branch_name(branch),
                "customers": len(known),
                "need": float(known.mean()),
                "wide_gap": None if 0 < clear < context.limit else clear,
                **{
                    name: effect[name] if effect else None
                    for name in ("difference", "low", "high", "holders", "others")
                },
            }
        )
    rows.sort(key=lambda row: (-row["need"], row["branch"]))
    return context.suppressed(rows, keep=("branch", "name"))


def need_of(context: Context, rows: list[tuple[int, str]]) -> list[float | None]:
    """Return for pairs of customer and branch the share of comparable customers who hold it."""
    models = context.bundle.models
    if models is None:
        return [None] * len(rows)
    wanted = models.scores.filter(pl.col("customer").is_in([customer for customer, _ in rows]))
    table = {row["customer"]: row for row in wanted.to_dicts()}
    return [table.get(customer, {}).get(f"need_{branch}") for customer, branch in rows]
