"""Section 2: the portfolio today, everything counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from akb.core.relations import covers
from akb.core.revenue import PARTS
from akb.core.typed import made
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.report.context import Context, Row

TENURE = ((0, 1), (1, 3), (3, 5), (5, 10), (10, None))
AGES = ((0, 30), (30, 45), (45, 60), (60, 75), (75, None))
FEW_DERIVED = 0.05  # up to here the total may be called counted
ASSUMED = ("margin", "profit_share")  # parts of the revenue that nobody counted
PROFIT_GIVEN = "profit_given"  # the profit commission that the export has
HELD = ((1, 2), (2, 3), (3, 4), (4, None))


@dataclass(frozen=True)
class BranchRow:
    """What is held in one branch."""

    branch: str
    name: str
    customers: int | None
    policies: int | None
    share: float | None
    commission_cents: int | None
    suppressed: bool


@dataclass(frozen=True)
class KindRow:
    """Customers of one kind."""

    kind: str | None
    customers: int | None
    policies: int | None
    share: float | None
    policies_per_customer: float | None
    commission_cents: int | None
    suppressed: bool


@dataclass(frozen=True)
class OfficeRow:
    """Customers of one office."""

    office: str | None
    customers: int | None
    policies: int | None
    share: float | None
    policies_per_customer: float | None
    commission_cents: int | None
    suppressed: bool


@dataclass(frozen=True)
class CustomerBand:
    """Customers in a band [lower, upper)."""

    lower: int
    upper: int | None
    customers: int | None
    share: float | None
    commission_cents: int | None
    suppressed: bool


@dataclass(frozen=True)
class InsurerRow:
    """Policies with one insurer."""

    insurer: str
    customers: int | None
    policies: int | None
    share: float | None
    suppressed: bool


@dataclass(frozen=True)
class PortfolioFacts(Facts):
    """Who and what is in force at X."""

    KEY: ClassVar[str] = "portfolio"

    customers: int
    policies: int
    former_customers: int
    policies_per_customer: float | None
    commission_cents: int | None
    commission_derived_share: float | None
    commission_mark: str
    commission_known_share: float | None
    revenue: Mapping[str, int | None]
    revenue_kind: str
    single_policy_share: float | None
    signed_policies: int
    top_fifth_share: float | None
    branches: tuple[BranchRow, ...]
    kinds: tuple[KindRow, ...]
    offices: tuple[OfficeRow, ...]
    tenure: tuple[CustomerBand, ...]
    ages: tuple[CustomerBand, ...]
    held: tuple[CustomerBand, ...]
    insurers: tuple[InsurerRow, ...]
    missing: tuple[str, ...]


def facts(context: Context) -> PortfolioFacts:
    """Return who and what is in force at X: totals, and by branch, kind, office, tenure, age and
    number of policies.
    """
    customers, held = context.customers, context.held
    insured = covers(held)
    commission = int(held["revenue_cents"].sum()) if context.has_commission else None
    parts = revenue(context)
    derived = _derived(context, parts)
    policies = context.bundle.portfolio.policies
    later = policies.filter(pl.col("start_date") > context.as_of)
    # who only signed for a policy that starts later is no former customer
    ever = policies.filter(pl.col("start_date") <= context.as_of)["customer"].n_unique()
    given = {
        "customers": customers.height,
        "policies": insured.height,
        "former_customers": ever - customers.height,
        "policies_per_customer": insured.height / customers.height if customers.height else None,
        "commission_cents": commission,
        "commission_derived_share": derived / held.height
        if commission is not None and held.height
        else None,
        "commission_mark": commission_mark(context),
        "commission_known_share": held["revenue_cents"].count() / held.height
        if held.height
        else None,
        "revenue": parts,
        "revenue_kind": context.words.money,
        "single_policy_share": int((customers["policies"] == 1).sum()) / customers.height
        if customers.height
        else None,
        "signed_policies": covers(later).height,
        "top_fifth_share": _top_fifth(customers) if commission else None,
        "branches": _branches(context),
        "kinds": _by(context, "kind")
        if context.customers["kind"].null_count() < context.customers.height
        else [],
        "offices": _offices(context),
        "tenure": bands(context, customers, "tenure", TENURE),
        "ages": _ages(context),
        "held": bands(context, customers.filter(pl.col("policies") > 0), "policies", HELD),
        "insurers": _insurers(context),
        "missing": ["commission"] if commission is None else [],
    }
    return made(PortfolioFacts, given)


def commission_mark(context: Context) -> str:
    """Return ``assumed`` where commission was derived from premiums or stands on an assumed share,
    else ``counted``.
    """
    parts = revenue(context)
    derived = _derived(context, parts) > FEW_DERIVED * context.held.height
    return "assumed" if derived or any(parts.get(part) for part in ASSUMED) else "counted"


def _derived(context: Context, parts: dict[str, int | None]) -> int:
    """Return of how many policies in force the commission was derived from the premium."""
    if parts["commission"] is None:
        return 0
    return context.held.filter(pl.col("commission_source") == "derived").height


def revenue(context: Context) -> dict[str, int | None]:
    """Return the recurring revenue of the policies in force by part, cents a year; None where
    nothing is known.
    """
    columns = {part: context.held[f"revenue_{part}_cents"] for part in PARTS}
    given = "profit_cents" in context.held.columns and context.held["profit_cents"].count() > 0
    return {
        PROFIT_GIVEN if given and part == "profit_share" else part: int(cents.sum())
        if cents.count()
        else None
        for part, cents in columns.items()
    }


def bands(
    context: Context, frame: pl.DataFrame, column: str, edges: tuple[tuple[int, int | None], ...]
) -> list[Row]:
    """Return customers per band [lower, upper) of a column, suppressed where too few; unknown
    values are left out.
    """
    known = frame.filter(pl.col(column).is_not_null())
    rows: list[Row] = []
    for lower, upper in edges:
        inside = known.filter(
            (pl.col(column) >= lower)
            & (pl.lit(value=True) if upper is None else pl.col(column) < upper)
        )
        rows.append(
            {
                "lower": lower,
                "upper": upper,
                "customers": inside.height,
                "share": inside.height / known.height if known.height else None,
                "commission_cents": int(inside["commission_cents"].sum())
                if context.has_commission
                else None,
            }
        )
    return context.suppressed(rows, keep=("lower", "upper"), parts=True)


def _branches(context: Context) -> list[Row]:
    table = context.held.group_by("branch").agg(
        policies=pl.len(),
        customers=pl.col("customer").n_unique(),
        commission_cents=pl.col("revenue_cents").cast(pl.Int64).sum(),
    )
    count = context.customers.height
    rows = [
        {
            "branch": row["branch"],
            "name": context.branch_name(row["branch"]),
            "customers": row["customers"],
            "policies": row["policies"],
            "share": row["customers"] / count,
            "commission_cents": row["commission_cents"] if context.has_commission else None,
        }
        for row in table.sort("policies", "branch", descending=[True, False]).to_dicts()
    ]
    return context.suppressed(rows, keep=("branch", "name"))


def _by(context: Context, column: str) -> list[Row]:
    table = (
        context.customers.group_by(column)
        .agg(
            customers=pl.len(),
            policies=pl.col("policies").sum(),
            commission_cents=pl.col("commission_cents").sum(),
        )
        .sort("customers", column, descending=[True, False], nulls_last=True)
    )
    rows = [
        {
            column: row[column],
            "customers": row["customers"],
            "policies": row["policies"],
            "share": row["customers"] / context.customers.height,
            "policies_per_customer": row["policies"] / row["customers"],
            "commission_cents": row["commission_cents"] if context.has_commission else None,
        }
        for row in table.to_dicts()
    ]
    return context.suppressed(rows, keep=(column,), parts=True)


def _offices(context: Context) -> list[Row]:
    if context.customers["office"].drop_nulls().n_unique() < 2:
        return []
    return _by(context, "office")


def _ages(context: Context) -> list[Row]:
    private = context.customers.filter(
        pl.col("birth_year").is_not_null() & (pl.col("kind").fill_null("private") == "private")
    )
    if private.is_empty():
        return []
    aged = private.with_columns(age=context.as_of.year - pl.col("birth_year"))
    return bands(context, aged, "age", AGES)


def _insurers(context: Context) -> list[Row]:
    insured = covers(context.held)
    table = (
        insured.filter(pl.col("insurer").is_in(list(context.shared["insurer"])))
        .group_by("insurer")
        .agg(customers=pl.col("customer").n_unique(), policies=pl.len())
        .sort("policies", "insurer", descending=[True, False])
    )
    rows = [{**row, "share": row["policies"] / insured.height} for row in table.head(5).to_dicts()]
    return context.suppressed(rows, keep=("insurer",))


def _top_fifth(customers: pl.DataFrame) -> float | None:
    cents = np.sort(customers["commission_cents"].to_numpy())[::-1]
    total = int(cents.sum())
    return int(cents[: max(1, round(0.2 * cents.size))].sum()) / total if total > 0 else None


FACTS = (facts,)
