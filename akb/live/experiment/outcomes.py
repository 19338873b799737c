"""What became of who was assigned: relations and policies lost within the registered months, by
causes that a contact could have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.features.cut import KEY
from akb.features.definitions import relation_ends
from akb.features.facts import CAUSES, lines, policy_facts
from akb.features.grid import to_day
from akb.features.matrix import portfolio_branches

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.types import Portfolio

PREVENTABLE = tuple(CAUSES.index(name) for name in ("preventable", "unknown"))
TECHNICAL = CAUSES.index("technical")


def outcomes(
    portfolio: Portfolio, assigned: pl.DataFrame, months: int, settings: Settings
) -> pl.DataFrame:
    """Return what happened to every assigned customer, in the same order.

    Parameters
    ----------
    portfolio
        Of an export of which the day closes every window.
    assigned
        ``customer`` (pseudonym) and ``joined``.

    Returns
    -------
    customer, joined, ``relations`` (1: the whole relation ended for a preventable or an unknown
    cause), ``policies`` (so many policies held at T lapsed for such a cause), ``apart`` (those of
    them that lapsed while the relation stayed), ``euros`` (commission a year of those that lapsed),
    ``contacted`` (the office sought contact; null without contacts); all null where the customer is
    not in the export, was not in force then, or cannot be followed (transferred as a whole)."""
    joined = assigned["joined"].unique().sort()
    calendar = pl.DataFrame(
        {
            "joined": joined,
            "t": range(len(joined)),
            "day": [to_day(each) for each in joined],
            "ahead": [to_day(add_months(each, months)) for each in joined],
        },
        schema={"joined": pl.Date, "t": pl.UInt16, "day": pl.Int32, "ahead": pl.Int32},
    )
    names = portfolio.customers.select("pseudonym", number="customer")
    rows = assigned.select("customer", "joined").join(
        names, left_on="customer", right_on="pseudonym", how="left", maintain_order="left"
    )
    rows = rows.join(calendar, on="joined", how="left", maintain_order="left")
    known = rows.filter(pl.col("number").is_not_null()).select(
        "t", "day", "ahead", customer="number"
    )
    branches = list(portfolio_branches(portfolio, settings))
    facts = policy_facts(portfolio, branches, settings.time.gap_days)
    whole = facts.join(lines(facts), on="policy", how="left", maintain_order="left")
    ends = relation_ends(known, whole, "all", branches, settings)
    found = (
        ends.join(_lost(portfolio, ends, whole), on=KEY, how="left")
        .join(_contacted(portfolio, ends), on=KEY, how="left")
        .select(
            "t",
            number="customer",
            relations=pl.when(_gone() & (pl.col("cause") == TECHNICAL))
            .then(None)
            .otherwise(_gone() & pl.col("cause").is_in(PREVENTABLE))
            .cast(pl.Float64),
            policies=pl.col("policies"),
            apart=pl.col("apart"),
            euros=pl.col("euros"),
            contacted=pl.col("contacted"),
            held=pl.col("held"),
        )
    )
    table = rows.join(found, on=["t", "number"], how="left", maintain_order="left")
    followed = pl.col("relations").is_not_null() & (pl.col("held") > 0)
    columns = ("relations", "policies", "apart", "euros", "contacted")
    return table.select(
        "customer", "joined", *(pl.when(followed).then(name).alias(name) for name in columns)
    )


def _gone() -> pl.Expr:
    return ((pl.col("end") > pl.col("day")) & (pl.col("end") <= pl.col("ahead"))).fill_null(
        value=False
    )


def _lost(portfolio: Portfolio, ends: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Per row the policies held at T, those lost, those lost apart, and the commission lost."""
    why = whole.select(last="policy", why="cause")
    earned = portfolio.policies.select("policy", cents=pl.col("commission_cents"))
    policies = whole.join(why, on="last", how="left").join(earned, on="policy", how="left")
    held = ends.join(
        policies.select("customer", "start", "lapse", "why", "cents", until="end"), on="customer"
    ).filter(
        (pl.col("start") <= pl.col("day"))
        & (pl.col("until").is_null() | (pl.col("until") > pl.col("day")))
    )
    lost = (
        (pl.col("lapse") > pl.col("day"))
        & (pl.col("lapse") <= pl.col("ahead"))
        & pl.col("why").is_in(PREVENTABLE)
    ).fill_null(value=False)
    return held.group_by(KEY).agg(
        held=pl.len(),
        policies=lost.sum().cast(pl.Float64),
        apart=(lost & ~_gone()).sum().cast(pl.Float64),
        euros=pl.col("cents").fill_null(0).filter(lost).sum() / 100,
    )


def _contacted(portfolio: Portfolio, ends: pl.DataFrame) -> pl.DataFrame:
    """Per row whether the office sought contact in the window; null without contacts."""
    seen = portfolio.contacts
    if seen is None:
        return ends.select(*KEY, contacted=pl.lit(None, pl.Float64))
    inbound = pl.col("inbound") if "inbound" in seen.columns else pl.lit(None, pl.Boolean)
    begun = seen.filter(~inbound.fill_null(value=False)).select(
        "customer", on=pl.col("date").to_physical()
    )
    met = ends.join(begun, on="customer").filter(
        (pl.col("on") > pl.col("day")) & (pl.col("on") <= pl.col("ahead"))
    )
    found = met.select(*KEY).unique().with_columns(contacted=pl.lit(1.0))
    return (
        ends.select(*KEY)
        .join(found, on=KEY, how="left")
        .with_columns(pl.col("contacted").fill_null(0.0))
    )
