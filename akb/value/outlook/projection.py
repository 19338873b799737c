"""Five years ahead: what becomes of customers, commission and age if nothing changes, and with the
list every year.

A calculation, no forecast of its own: who is a customer today stays as the models' survival paths
say, newcomers come as in the last closed years and stay as the customers of less than a year do.
Amounts are at today's price level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import in_force
from akb.core.typed import made
from akb.value.formulas import advisers_needed
from akb.value.in_force import band_labels, bands
from akb.value.lifetime.survival import YEAR
from akb.value.targeting.eligibility import advisers_of
from akb.value.types import AgeOnList, Projection

if TYPE_CHECKING:
    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.targeting.planning.plan import ContactPlan

YEARS = 5
ENOUGH = (
    50  # customers of less than a year from which newcomers are described; else everybody stands in
)


@dataclass(frozen=True)
class Today:
    """The customers in force at X.

    Parameters
    ----------
    alive
        (n, 6): chance to be a customer after 0..5 years.
    commission
        (n, 6): cents a year of the policies held today that are still there then, given that the
        customer is.
    age
        (n,): years; NaN unknown or a business.
    """

    alive: Floats
    commission: Floats
    age: Floats


@dataclass(frozen=True)
class Newcomers:
    """Who comes in a year, as it was in the last closed years.

    Parameters
    ----------
    counts
        New customers per closed year who were still there at its end, newest first.
    alive
        (6,): their chance to be a customer 0..5 years later.
    commission, age
        Of one: cents a year, and years.
    """

    counts: tuple[int, ...]
    alive: Floats
    commission: float
    age: float


@dataclass(frozen=True)
class Extra:
    """Policies that customers buy besides: cents a year bought per customer and year, and the share
    kept a year on.
    """

    cents: float
    kept: float


@dataclass(frozen=True)
class Kept:
    """What a year of the list keeps: customers, cents a year, their mean age and how they stay
    (6,).
    """

    customers: float
    cents: float
    age: float
    alive: Floats


def projection(
    base: InForce,
    rows: pl.DataFrame | None,
    years: list[tuple[date, date]],
    listed: pl.DataFrame,
    plan: ContactPlan | None,
) -> Projection | None:
    """Return customers, commission, mean age and customers per adviser from X to X + 5 years.

    Parameters
    ----------
    rows
        `survival.branch_rows`: policies per customer and branch with their yearly survival.
    years
        `rates.closed_years`.
    listed
        The list ``top_defend``.
    plan
        The plan of contacts; None without commission.

    Returns
    -------
    Projection
        ``rows`` {year, date, customers, low, high, commission, commission_low, commission_high,
        age, per_adviser, and the same figures with the list: customers_list, commission_list,
        age_list, per_adviser_list}; ``inflow`` {mean, low, high, years, factor};
        ``newcomer_commission``, ``newcomer_age``, ``extra_cents``; ``first_year`` (bought,
        newcomers) within the first year's commission; ``level`` (low, high), the interval of
        observed / expected behind the range; ``kept``, ``kept_cents`` a year by the list;
        ``advisers``, ``advisers_needed`` at today's customers per adviser, ``norm`` and
        ``advisers_at_norm``; ``list_ages`` {key, customers, share, listed, listed_share}. None
        without survival, or where its level failed: no count or euro is built on that. Commission
        is None where unknown.
    """
    if rows is None or not base.churn_in_euros:
        return None
    today = todays_book(base, rows)
    coming, extra, mean = starting_point(base, rows, years, today)
    kept = _kept(base, today, plan)
    factor = base.value("outlook.inflow")
    flows = [factor * count for count in coming.counts] or [0.0]
    level = _level(base)
    nobody = Kept(0.0, 0.0, 0.0, coming.alive)
    plain = path(today, coming, extra, mean, nobody)
    low = path(today, coming, extra, min(flows), nobody, level=level[1])
    high = path(today, coming, extra, max(flows), nobody, level=level[0])
    acted = path(today, coming, extra, mean, kept)
    advisers, _ = advisers_of(base)
    norm = base.value("outlook.customers_per_adviser")
    money = base.has_commission
    table = [
        {
            "year": base.as_of.year + year,
            "date": add_months(base.as_of, YEAR * year).isoformat(),
            "customers": plain.customers[year],
            "low": low.customers[year],
            "high": high.customers[year],
            "commission": round(plain.commission[year]) if money else None,
            "commission_low": round(low.commission[year]) if money else None,
            "commission_high": round(high.commission[year]) if money else None,
            "age": _known(plain.age[year]),
            "per_adviser": plain.customers[year] / advisers,
            "customers_list": acted.customers[year],
            "commission_list": round(acted.commission[year]) if money else None,
            "age_list": _known(acted.age[year]),
            "per_adviser_list": acted.customers[year] / advisers,
        }
        for year in range(YEARS + 1)
    ]
    later = plain.customers[YEARS]
    return made(
        Projection,
        {
            "rows": table,
            "inflow": {
                "mean": mean,
                "low": min(flows),
                "high": max(flows),
                "years": len(coming.counts),
                "factor": factor,
            },
            "newcomer_commission": round(coming.commission) if money else None,
            "newcomer_age": _known(coming.age),
            "extra_cents": round(extra.cents) if money else None,
            "first_year": {"bought": round(plain.bought), "newcomers": round(plain.came)}
            if money
            else None,
            "level": list(level),
            "kept": kept.customers,
            "kept_cents": round(kept.cents) if money else None,
            "advisers": advisers,
            "advisers_needed": advisers_needed(later, base.n / advisers),
            "norm": norm,
            "advisers_at_norm": advisers_needed(later, norm),
            "list_ages": _list_ages(base, listed),
        },
    )


@dataclass(frozen=True)
class Path:
    """Year 0..5, float64 (6,): customers, commission in cents a year, mean age (NaN where nobody's
    is known).

    Parameters
    ----------
    bought, came
        Of the commission after one year: what customers bought, and what newcomers brought, in
        cents.
    """

    customers: Floats
    commission: Floats
    age: Floats
    bought: float
    came: float


def path(
    today: Today, coming: Newcomers, extra: Extra, inflow: float, kept: Kept, *, level: float = 1.0
) -> Path:
    """Return one path: today's customers, `inflow` newcomers a year and what the list keeps every
    year.

    Parameters
    ----------
    level
        Observed over expected departures: every survival is raised to this power.
    """
    alive, new, saved = today.alive**level, coming.alive**level, kept.alive**level
    known = np.isfinite(today.age)
    age = np.where(known, today.age, 0.0)
    there = alive.sum(axis=0)
    customers, commission = there.copy(), (alive * today.commission).sum(axis=0)
    aged, counted = np.zeros(YEARS + 1), np.zeros(YEARS + 1)
    share = float(known.mean()) if len(known) else 0.0
    bought = at_once = 0.0
    for year in range(YEARS + 1):
        cohorts = np.arange(year)  # of 0, 1, ... whole years ago
        came, stayed = inflow * new[cohorts], kept.customers * saved[cohorts]
        customers[year] += came.sum() + stayed.sum()
        commission[year] += inflow * coming.commission * (new[cohorts] * extra.kept**cohorts).sum()
        commission[year] += kept.cents * (saved[cohorts] * extra.kept**cohorts).sum()
        if year:
            staying = there[year] / there[year - 1] if there[year - 1] else 0.0
            bought = bought * extra.kept * staying
            bought += (
                extra.cents * (customers[year - 1] + customers[year]) / 2 * np.sqrt(extra.kept)
            )
            commission[year] += bought
            at_once = bought if year == 1 else at_once
        aged[year] = (alive[:, year] * (age + year))[known].sum()
        counted[year] = alive[known, year].sum()
        for weights, first in ((came, coming.age), (stayed, kept.age + 1)):
            if weights.sum() and np.isfinite(first):
                aged[year] += share * float((weights * (first + cohorts)).sum())
                counted[year] += share * float(weights.sum())
    mean = np.divide(aged, counted, out=np.full(YEARS + 1, np.nan), where=counted > 0)
    return Path(customers, commission, mean, at_once, inflow * coming.commission)


def starting_point(
    base: InForce, rows: pl.DataFrame, years: list[tuple[date, date]], today: Today
) -> tuple[Newcomers, Extra, float]:
    """Return who comes in, what customers buy besides, and how many come in a year."""
    coming = _newcomers(base, today, base.spells, years)
    flows = [base.value("outlook.inflow") * count for count in coming.counts] or [0.0]
    return coming, _extra(base, rows, years), sum(flows) / len(flows)


def todays_book(base: InForce, rows: pl.DataFrame) -> Today:
    """Return the customers in force at X."""
    months = [YEAR * year for year in range(1, YEARS + 1)]
    wide = (
        base.models.survival.filter(pl.col("month").is_in(months))
        .select("customer", "month", "alive")
        .sort("month")
        .pivot("month", index="customer", values="alive")
    )
    given = base.customers.select("customer").join(
        wide, on="customer", how="left", maintain_order="left"
    )
    paths = given.select(
        pl.col(str(month)) if str(month) in wide.columns else pl.lit(None) for month in months
    )
    levels = paths.cast(pl.Float64).fill_null(np.nan).to_numpy()
    levels = np.where(np.isnan(levels), np.nanmean(levels, axis=0, keepdims=True), levels)
    alive = np.concatenate([np.ones((base.n, 1)), levels], axis=1)
    private = (base.customers["kind"].fill_null("private") == "private").to_numpy()
    age = (
        (base.as_of.year - base.customers["birth_year"])
        .cast(pl.Float64)
        .fill_null(np.nan)
        .to_numpy()
    )
    money = held_ahead(base, rows).commission(base.commission)
    return Today(alive, money, np.where(private, age, np.nan))


@dataclass(frozen=True)
class HeldAhead:
    """How the policies held today go on in the years ahead, apart from what each brings.

    Parameters
    ----------
    n
        Customers.
    policies, branches
        Of the policies without an announced end: place in `InForce.held`, and the row of
        `survival.branch_rows` it counts in.
    row, kept
        Of those rows: customer, and share kept after 0..5 years (rows, 6).
    announced, of, still
        Of the policies with one: place, customer, and whether it is there after 0..5 years
        (policies, 6).
    """

    n: int
    policies: Rows
    branches: Rows
    row: Rows
    kept: Floats
    announced: Rows
    of: Rows
    still: Floats

    def commission(self, cents: Floats | Cents) -> Floats:
        """Return (n, 6): cents a year per customer after 0..5 years, given that the customer is
        still there.

        Parameters
        ----------
        cents
            (policies,): what each brings a year.
        """
        out = np.zeros((self.n, YEARS + 1))
        money = np.bincount(self.branches, cents[self.policies], len(self.row))
        np.add.at(out, self.row, self.kept * money[:, None])
        np.add.at(out, self.of, self.still * cents[self.announced][:, None])
        return out


def held_ahead(base: InForce, rows: pl.DataFrame) -> HeldAhead:
    """Return how the policies held today go on, by the yearly survival of their branch."""
    held = base.held.select("row", "branch", "ends").with_row_index("policy")
    table = rows.select("row", "branch", "kept").with_row_index("place")
    open_ended = held.filter(pl.col("ends").is_null()).join(
        table.select("place", "row", "branch"), on=["row", "branch"], maintain_order="left"
    )
    announced = held.filter(pl.col("ends").is_not_null())
    still = announced.select(
        (pl.col("ends") > add_months(base.as_of, YEAR * year)).cast(pl.Float64).alias(str(year))
        for year in range(YEARS + 1)
    )
    return HeldAhead(
        n=base.n,
        policies=open_ended["policy"].to_numpy(),
        branches=open_ended["place"].to_numpy(),
        row=table["row"].to_numpy(),
        kept=table["kept"].to_numpy()[:, None] ** np.arange(YEARS + 1),
        announced=announced["policy"].to_numpy(),
        of=announced["row"].to_numpy(),
        still=still.to_numpy(),
    )


def _newcomers(
    base: InForce, today: Today, history: pl.DataFrame, years: list[tuple[date, date]]
) -> Newcomers:
    counts = tuple(
        history.filter(
            (pl.col("start") > first)
            & (pl.col("start") <= last)
            & (pl.col("end").is_null() | (pl.col("end") > last))
        ).height
        for first, last in years
    )
    fresh = history.filter(
        (pl.col("start") > add_months(base.as_of, -YEAR)) & (pl.col("start") <= base.as_of)
    ).join(base.customers.select("customer", "row"), on="customer")
    new: Rows = np.unique(fresh["row"].to_numpy())
    if len(new) < ENOUGH:
        new = np.arange(base.n)
    ages = today.age[new]
    return Newcomers(
        counts,
        today.alive[new].mean(axis=0),
        float(base.commission_customer[new].mean()),
        float(np.nanmean(ages)) if np.isfinite(ages).any() else np.nan,
    )


def _extra(base: InForce, rows: pl.DataFrame, years: list[tuple[date, date]]) -> Extra:
    """What customers who were there already bought, per customer and year: counted over the closed
    years.
    """
    weights = rows["policies"].to_numpy()
    kept = float(np.average(rows["kept"].to_numpy(), weights=weights)) if rows.height else 1.0
    cents, customers = 0, 0
    for first, last in years:
        there = in_force(base.policies, first, "customer")["customer"].unique()
        taken = base.policies.select("customer", "start_date", "replaces", "revenue_cents").filter(
            (pl.col("start_date") > first)
            & (pl.col("start_date") <= last)
            & ~pl.col("replaces")
            & pl.col("customer").is_in(there.implode())
        )
        cents += int(taken["revenue_cents"].sum())
        customers += len(there)
    return Extra(cents / customers if customers else 0.0, kept)


def _kept(base: InForce, today: Today, plan: ContactPlan | None) -> Kept:
    """Return what the planned contacts keep of relations: effect x the chance to leave
    preventably.
    """
    kept = np.zeros(base.n)
    if plan is not None:
        kept = np.maximum((plan.best.share * plan.menu.base.leavers).sum(axis=1), 0.0)
    if not kept.sum():
        return Kept(0.0, 0.0, np.nan, today.alive.mean(axis=0))
    known = np.isfinite(today.age) & (kept > 0)
    return Kept(
        float(kept.sum()),
        float((kept * base.commission_customer).sum()),
        float(np.average(today.age[known], weights=kept[known])) if known.any() else np.nan,
        np.average(today.alive, axis=0, weights=kept),
    )


def _level(base: InForce) -> tuple[float, float]:
    """The interval of observed over expected departures."""
    made = base.predictions.get("churn_12m")
    found = made.evidence.calibration if made is not None and made.evidence is not None else None
    return (1.0, 1.0) if found is None else (min(1.0, found.ci[0]), max(1.0, found.ci[1]))


def _list_ages(base: InForce, listed: pl.DataFrame) -> list[AgeOnList]:
    """Whether the list leans to one age group: its shares beside those of all private customers."""
    limit = base.settings.report.suppress_below
    private = base.customers.filter(
        (pl.col("kind").fill_null("private") == "private") & pl.col("birth_year").is_not_null()
    ).with_columns(
        on_list=pl.col("customer").is_in(listed.filter("contact")["customer"].implode()),
        age=base.as_of.year - pl.col("birth_year"),
    )
    total, chosen = private.height, int(private["on_list"].sum())
    labels = np.array(band_labels("age", private["age"].to_numpy()))
    flags = private["on_list"].to_numpy()
    out = []
    uppers, names = bands("age")
    for label, lower, upper in zip(names, (None, *uppers), (*uppers, None), strict=True):
        inside = labels == label
        count, on_list = int(inside.sum()), int(flags[inside].sum())
        if count < limit or not chosen:
            continue
        hidden = 0 < on_list < limit
        out.append(
            AgeOnList(
                key=label,
                lower=None if lower is None else int(lower),
                upper=None if upper is None else int(upper),
                customers=count,
                share=count / total,
                listed=None if hidden else on_list,
                listed_share=None if hidden else on_list / chosen,
            )
        )
    return out


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
