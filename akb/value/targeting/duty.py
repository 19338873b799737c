"""The duty of care as a book of its own: gaps, whether the office came by, the work, and how lapse
went with contact.

What was said and what a customer refused stands in no export: the register of the client's book has
it where advisers record it (`akb.live.duty`), else a contact that the office began is the trace
that there is. How leaving goes together with contact is an association, within customers
who held as much for as long; it says nothing of what contact does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.gates import FEW_EVENTS
from akb.core.privacy.disclosure import few, shown
from akb.core.relations import in_force
from akb.core.typed import made
from akb.describe.relations import closed_year, leavers
from akb.value.types import CareContact, ContactAssociation, DutyBook, GapRegister

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.in_force import Floats, InForce

RECENT, LONG = 12, 24  # months
Z90 = 1.6449
HELD = (1, 2, 3, 4)
SAID = {
    "discussed": ("discussed", "offered", "refused", "agreed", "unsuitable"),
    "refused": ("refused",),
    "agreed": ("agreed",),
}
"""What is counted of the register, and which of its entries say so."""
TENURE = (0.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class RiskRatio:
    """A ratio of chances over strata (Mantel-Haenszel) with its 90 % interval."""

    ratio: float
    low: float
    high: float


def duty_book(
    base: InForce, gaps: pl.DataFrame, care: Mapping[str, CareContact]
) -> DutyBook | None:
    """Return the book; None where there is no gap to speak of.

    Parameters
    ----------
    gaps
        `akb.value.targeting.lists.gaps.care_gaps`.
    care
        Work without euros by action: customers, minutes, cost.

    Returns
    -------
    DutyBook
        ``customers`` (with a gap), ``of`` (in force), ``rows`` {key (branch of the widest gap),
        customers, recent, long, discussed, refused}: with a contact that the office began in the
        last 12 and 24 months, and of whom the register says so of this branch (None without one);
        ``recent`` and ``long`` of all; ``register`` or None: {discussed, refused, agreed}, the
        last those who took some branch after a talk; ``recorded`` (whether the export says who
        began a contact); ``hours`` and ``cost`` (cents) of care and thanks in the plan;
        ``association`` or None: {first, last, contacted, others, left_contacted, left_others,
        ratio, low, high}. Counts of too few customers are None.
    """
    limit = base.settings.report.suppress_below
    if gaps["customer"].n_unique() < limit:
        return None
    begun = _begun(base)
    table = gaps.select("row", "customer", key="branch")
    for name, months in (("recent", RECENT), ("long", LONG)):
        since = add_months(base.as_of, -months)
        there = begun.filter(pl.col("date") > since)["customer"].unique()
        table = table.with_columns(pl.col("customer").is_in(there.implode()).alias(name))
    register = _register(base)
    for name in ("discussed", "refused"):
        table = _flagged(table, register, name)
    rows = (
        table.group_by("key")
        .agg(
            customers=pl.len(),
            **{name: pl.col(name).sum() for name in ("recent", "long", "discussed", "refused")},
        )
        .sort(["customers", "key"], descending=[True, False])
        .to_dicts()
    )
    recorded = not begun.is_empty()
    counted = [
        _said(_few(row, limit, recorded=recorded), limit, kept=register is not None)
        for row in shown(rows, limit)
    ]
    whole = {"recent": int(table["recent"].sum()), "long": int(table["long"].sum())}
    return made(
        DutyBook,
        {
            "customers": table.height,
            "of": base.n,
            "rows": counted,
            **_few(whole, limit, recorded=recorded),
            "register": _in_short(base, table, register, limit),
            "recorded": recorded,
            "hours": sum(row.minutes for row in care.values()) / 60,
            "cost": round(sum(row.cost for row in care.values())),
            "association": _association(base, begun) if recorded else None,
        },
    )


def mantel_haenszel(cases: Floats, exposed: Floats, others: Floats, unexposed: Floats) -> RiskRatio:
    """Return the ratio of the chance of `cases` of `exposed` to that of `others` of `unexposed`.

    Parameters
    ----------
    cases, exposed, others, unexposed
        Per stratum: events and people of each group. The interval is that of Greenland and Robins
        (1985).
    """
    people = exposed + unexposed
    kept = (exposed > 0) & (unexposed > 0)
    a, n1, c, n0, n = (each[kept] for each in (cases, exposed, others, unexposed, people))
    above, below = float((a * n0 / n).sum()), float((c * n1 / n).sum())
    if above <= 0 or below <= 0:
        return RiskRatio(float("nan"), 0.0, float("inf"))
    ratio = above / below
    variance = float((((a + c) * n1 * n0 - a * c * n) / n**2).sum()) / (above * below)
    width = Z90 * float(np.sqrt(variance))
    return RiskRatio(ratio, ratio * float(np.exp(-width)), ratio * float(np.exp(width)))


def _begun(base: InForce) -> pl.DataFrame:
    """Return customer and date of the contacts that the office began, up to X."""
    contacts = base.portfolio.contacts
    if contacts is None or "inbound" not in contacts.columns:
        return pl.DataFrame(schema={"customer": pl.UInt32, "date": pl.Date})
    ours = ~pl.col("inbound")
    return contacts.filter(ours.fill_null(value=False) & (pl.col("date") <= base.as_of)).select(
        "customer", "date"
    )


def _few(row: dict[str, Any], limit: int, *, recorded: bool) -> dict[str, Any]:
    """Return a row whose counts of contacted customers are None where they are too small, or
    unknown.
    """
    hidden = {name: few(row[name], limit) if recorded else None for name in ("recent", "long")}
    return {**row, **hidden}


def _register(base: InForce) -> pl.DataFrame | None:
    """Return customer, branch and what the register of the book says last, up to X; None without
    one.
    """
    known = base.portfolio.recorded
    if known is None or "what" not in known.columns:
        return None
    return known.filter(pl.col("what").is_not_null() & (pl.col("said") <= base.as_of))


def _flagged(table: pl.DataFrame, register: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """Return the gaps with whether the register says so of the customer and the branch."""
    if register is None:
        return table.with_columns(pl.lit(value=False).alias(name))
    found = register.filter(pl.col("what").is_in(SAID[name])).select(
        "customer", pl.lit(value=True).alias(name), key="branch"
    )
    return table.join(
        found.unique(["customer", "key"]),
        on=["customer", "key"],
        how="left",
        maintain_order="left",
    ).with_columns(pl.col(name).fill_null(value=False))


def _said(row: dict[str, Any], limit: int, *, kept: bool) -> dict[str, Any]:
    """Return a row whose counts of the register are None where they are too small, or there is
    none.
    """
    hidden = {name: few(row[name], limit) if kept else None for name in ("discussed", "refused")}
    return {**row, **hidden}


def _in_short(
    base: InForce, table: pl.DataFrame, register: pl.DataFrame | None, limit: int
) -> GapRegister | None:
    """Return what the register says of the gaps together; None without one."""
    if register is None:
        return None
    agreed = register.filter(pl.col("what").is_in(SAID["agreed"])).join(
        base.customers.select("customer"), on="customer", how="semi"
    )
    counts = {name: int(table[name].sum()) for name in ("discussed", "refused")}
    counts["agreed"] = agreed["customer"].n_unique()
    return made(GapRegister, {name: few(count, limit) for name, count in counts.items()})


def _association(base: InForce, begun: pl.DataFrame) -> ContactAssociation | None:
    """Return how leaving in the last closed year went with a contact in the year before it."""
    time = base.settings.time
    window = closed_year(base.portfolio, time.gap_days, time.registration_lag_days)
    if window is None:
        return None
    first, last = window
    before = add_months(first, -RECENT)
    earliest = begun["date"].min()
    if not isinstance(earliest, date) or earliest > add_months(before, 1):
        return None
    held = in_force(base.policies, first).group_by("customer").agg(policies=pl.len())
    seen = begun.filter((pl.col("date") > before) & (pl.col("date") <= first))["customer"].unique()
    years = (pl.lit(first) - pl.col("start")).dt.total_days() / 365.25
    people = (
        leavers(base.spells, first, last)
        .join(held, on="customer")
        .with_columns(
            contacted=pl.col("customer").is_in(seen.implode()),
            held=pl.col("policies").clip(None, HELD[-1]),
            tenure=pl.sum_horizontal((years >= each).cast(pl.Int8) for each in TENURE),
        )
    )
    strata = (
        people.group_by("held", "tenure")
        .agg(
            cases=(pl.col("left") & pl.col("contacted")).sum(),
            exposed=pl.col("contacted").sum(),
            others=(pl.col("left") & ~pl.col("contacted")).sum(),
            unexposed=(~pl.col("contacted")).sum(),
        )
        .sort("held", "tenure")
    )
    cases, exposed, others, unexposed = (
        strata[name].cast(pl.Float64).to_numpy()
        for name in ("cases", "exposed", "others", "unexposed")
    )
    limit = base.settings.report.suppress_below
    if cases.sum() + others.sum() < FEW_EVENTS or min(cases.sum(), others.sum()) < limit:
        return None
    found = mantel_haenszel(cases, exposed, others, unexposed)
    if not np.isfinite(found.ratio):
        return None
    return ContactAssociation(
        first=first,
        last=last,
        contacted=int(exposed.sum()),
        others=int(unexposed.sum()),
        left_contacted=int(cases.sum()),
        left_others=int(others.sum()),
        ratio=found.ratio,
        low=found.low,
        high=found.high,
    )
