"""Section 5: next best policies. A chance to discuss a gap: the report informs, it does not
advise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from akb.core.typed import made
from akb.report.chapters.levels import TopTenth, level_range, proof
from akb.report.chapters.listed import SHOWN, left_out
from akb.report.chapters.product.gaps import (
    BranchRanking,
    Gap,
    Standing,
    gaps,
    need_of,
    ranking,
    standing,
)
from akb.report.context import group_sum
from akb.report.formats import short_code
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.report.context import Context, Row

FIRST = 3
"""Customers named per branch."""


@dataclass(frozen=True)
class AnyBranch:
    """Customers who are expected to take any branch."""

    expected: float
    low: float | None
    high: float | None
    share: float


@dataclass(frozen=True)
class BranchChance:
    """What is expected in one branch."""

    branch: str
    name: str
    customers: int | None
    chance: float | None
    expected: float | None
    low: float | None
    high: float | None
    commission_ban: bool
    commission_per_policy_cents: int | None
    expected_commission_cents: int | None
    grade: str | None
    suppressed: bool


@dataclass(frozen=True)
class OfferRow:
    """A customer with a branch to discuss."""

    rank: int | None
    customer: str
    kind: str
    branch: str
    name: str
    chance: float | None
    need: float | None


@dataclass(frozen=True)
class Named:
    """A customer by short code."""

    customer: str


@dataclass(frozen=True)
class OfferBranch:
    """Customers for whom a branch is the best to discuss."""

    branch: str
    name: str
    customers: int
    chance: float | None
    highest: float | None
    first: tuple[Named, ...]
    grade: str


@dataclass(frozen=True)
class OfferList:
    """The list of next best policies."""

    customers: int
    rows: tuple[OfferRow, ...]
    by_branch: tuple[OfferBranch, ...]
    left_out: Mapping[str, int | None]


@dataclass(frozen=True)
class ProductFacts(Facts):
    """What customers may still need and take."""

    KEY: ClassVar[str] = "products"

    any: AnyBranch | None
    branches: tuple[BranchChance, ...]
    proof: TopTenth | None
    list: OfferList | None
    withheld: str | None
    ranking: BranchRanking | None
    standing: tuple[Standing, ...]
    gaps: tuple[Gap, ...]
    missing: tuple[str, ...]
    first_clear: bool = False


def facts(context: Context) -> ProductFacts:
    """Return per branch the chance, expected number and expected commission; the list's first rows;
    the proof.
    """
    branches = _branches(context)
    missing = [] if branches else ["purchase"]
    if branches and not context.has_commission:
        missing.append("commission_products")
    given = {
        "any": _any(context),
        "branches": branches,
        "proof": proof(context, ["cross_sell_any_12m"]),
        "list": _list(context),
        "withheld": context.withheld.get("next_best_policy"),
        "ranking": ranking(context),
        "standing": standing(context),
        "gaps": gaps(context),
        "missing": missing,
        "first_clear": _clear(branches),
    }
    return made(ProductFacts, given)


def _clear(branches: list[Row]) -> bool:
    """Whether the first branch is expected most for sure: its low end lies above the high end of
    all others.
    """
    shown = [row for row in branches if not row["suppressed"]]
    if not shown or shown[0]["low"] is None:
        return False
    return all(row["high"] is not None and row["high"] < shown[0]["low"] for row in shown[1:])


def _any(context: Context) -> dict[str, Any] | None:
    chance = context.score("cross_sell_any_12m")
    if chance is None:
        return None
    prediction = context.bundle.predictions.get("cross_sell_any_12m")
    expected = float(np.nansum(chance))
    low, high = level_range(expected, prediction, float(chance.size)) or (None, None)
    return {"expected": expected, "low": low, "high": high, "share": float(np.nanmean(chance))}


def _branches(context: Context) -> list[Row]:
    models = context.bundle.models
    if models is None or models.branch_purchase.is_empty():
        return []
    known = models.branch_purchase.filter(pl.col("probability").is_not_null())
    chances = known.sort("customer")  # customers of a branch are added up in one order
    names = chances["branch"].unique().sort().to_list()
    place = chances["branch"].cast(pl.Enum(names)).to_physical().to_numpy()
    expected = group_sum(chances["probability"].to_numpy(), place, len(names))
    eligible = np.bincount(place, minlength=len(names))
    euros = _expected_cents(context)
    rows: list[Row] = []
    for i, branch in enumerate(names):
        entry = context.taxonomy.get(branch)
        banned = bool(entry and entry.ban)
        cents = None if banned else euros.get(branch)
        prediction = context.bundle.predictions.get(f"next_policy_{branch}_12m")
        low, high = level_range(expected[i], prediction, float(eligible[i])) or (None, None)
        rows.append(
            {
                "branch": branch,
                "name": context.branch_name(branch),
                "customers": int(eligible[i]),
                "chance": expected[i] / int(eligible[i]),
                "expected": expected[i],
                "low": low,
                "high": high,
                "commission_ban": banned,
                "commission_per_policy_cents": round(cents / expected[i])
                if cents and expected[i] > 0
                else None,
                "expected_commission_cents": cents,
                "grade": prediction.grade if prediction else "none",
            }
        )
    rows.sort(key=lambda row: (-row["expected"], row["branch"]))
    return context.suppressed(rows, keep=("branch", "name", "commission_ban"))


def _expected_cents(context: Context) -> dict[str, int]:
    """Return branch -> expected commission a year in cents, as the value room lets it be named.

    No euro stands on a branch with a commission ban or a chance that failed its gate.
    """
    value = context.bundle.value
    return {
        row.key: row.expected_commission
        for row in (value.figures.next_best if value else ())
        if row.expected_commission is not None
    }


def _list(context: Context) -> dict[str, Any] | None:
    value = context.bundle.value
    listed = value.lists.get("next_best_policy") if value else None
    if value is None or listed is None or listed.is_empty():
        return None
    who = context.customers.select("customer", "pseudonym", kind_now="kind")
    called = listed.filter(~pl.col("control")) if "control" in listed.columns else listed
    top = (called.sort("rank") if "rank" in called.columns else called).head(SHOWN)
    chances = _chances(context, top)
    rows: list[Row] = []
    needs = need_of(
        context, [(row["customer"], str(row.get("branch", ""))) for row in top.to_dicts()]
    )
    for rank, row in enumerate(
        top.join(who, on="customer", how="left", maintain_order="left").to_dicts(), start=1
    ):
        branch = str(row.get("branch", ""))
        rows.append(
            {
                "rank": row.get("rank", rank),
                "customer": short_code(row["pseudonym"]),
                "kind": row["kind_now"],
                "branch": branch,
                "name": context.branch_name(branch),
                "chance": row.get("probability") or chances.get((row["customer"], branch)),
                "need": needs[rank - 1],
            }
        )
    return {
        "customers": listed["customer"].n_unique(),
        "rows": rows,
        "by_branch": _by_branch(context, listed),
        "left_out": left_out(context, value.left_out.get("next_best_policy", {})),
    }


def _by_branch(context: Context, listed: pl.DataFrame) -> list[Row]:
    """Return per branch that is somebody's best: how many customers, the first of them, and their
    chances.

    The list as a whole is topped by whatever branch pays most; an adviser looks for whom to talk to
    about one."""
    if "branch" not in listed.columns or "probability" not in listed.columns:
        return []
    proven = context.bundle.predictions
    ordered = (listed.sort("rank") if "rank" in listed.columns else listed).join(
        context.customers.select("customer", "pseudonym"),
        on="customer",
        how="left",
        maintain_order="left",
    )
    rows = []
    for (branch,), part in ordered.group_by("branch", maintain_order=True):
        called = part.filter(~pl.col("control")) if "control" in part.columns else part
        key = f"next_policy_{branch}_12m"
        rows.append(
            {
                "branch": str(branch),
                "name": context.branch_name(str(branch)),
                "customers": part.height,
                "chance": part["probability"].mean(),
                "highest": part["probability"].max(),
                "first": [
                    {"customer": short_code(name)} for name in called["pseudonym"].head(FIRST)
                ],
                "grade": proven[key].grade if key in proven else "none",
            }
        )
    rows.sort(key=lambda row: (-int(str(row["customers"])), str(row["branch"])))
    return [row for row in rows if int(str(row["customers"])) >= context.limit]


def _chances(context: Context, top: pl.DataFrame) -> dict[tuple[int, str], float]:
    """Return the chances of the customers of some rows, per branch."""
    models = context.bundle.models
    if models is None:
        return {}
    his = models.branch_purchase.join(top.select("customer"), on="customer", how="semi")
    return {(c, b): p for c, b, p in his.select("customer", "branch", "probability").iter_rows()}


FACTS = (facts,)
