"""Ends of policies that left the relation in being, counted in the recorded closed years: how many,
and why.

A policy that ends together with its relation says nothing of what those who stay do, and a customer
with one policy cannot lose it and stay. So both are left out of numerator and denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.relations import in_force
from akb.describe.relations import closed_years, is_lapse

if TYPE_CHECKING:
    from datetime import date

    from akb.value.in_force import InForce

RATE_YEARS = 3  # the level of a rate is that of at most three closed years
PRIOR_POLICIES = 50  # policies of the portfolio's own rate that a branch's rate is mixed with
COUNTED = "staying_ends"  # where a run keeps what was counted, as it does with its own tables
SCHEMA = {
    "year": pl.Int64,
    "branch": pl.String,
    "held": pl.Int64,
    "lapsed": pl.Int64,
    "preventable": pl.Int64,
    "unknown": pl.Int64,
}


def staying_ends(base: InForce) -> pl.DataFrame:
    """Return year (0: the newest), branch, held, lapsed, and of the lapsed: preventable, unknown.

    Counted in every fully recorded closed year, at most five, over the policies in force on its
    first day of customers who held two or more then and whose relation was still there on its last
    day. Counted once per run."""
    if COUNTED not in base.__dict__:
        base.__dict__[COUNTED] = _staying_ends(base)
    found: pl.DataFrame = base.__dict__[COUNTED]
    return found


def _staying_ends(base: InForce) -> pl.DataFrame:
    time = base.settings.time
    years = closed_years(base.portfolio, time.gap_days, time.registration_lag_days)
    counted = [
        _one_year(base, *window).with_columns(year=pl.lit(place, dtype=pl.Int64))
        for place, window in enumerate(years)
    ]
    frames = [
        frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        for frame in counted
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).sort("year", "branch")


def member_ends(base: InForce) -> pl.DataFrame:
    """Return `staying_ends` of contracts with members alone; empty where there are none."""
    contracts = contracts_of(base)
    if contracts.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    time = base.settings.time
    years = closed_years(base.portfolio, time.gap_days, time.registration_lag_days)
    counted = [
        _one_year(base, *window, only=contracts).with_columns(year=pl.lit(place, dtype=pl.Int64))
        for place, window in enumerate(years)
    ]
    frames = [
        frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        for frame in counted
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).sort("year", "branch")


def contracts_of(base: InForce) -> pl.Series:
    """Return the customers that are a contract with members."""
    customers = base.portfolio.customers
    if "members" not in customers.columns:
        return customers["customer"].clear()
    return customers.filter(pl.col("members").is_not_null())["customer"]


def _one_year(
    base: InForce, first: date, last: date, only: pl.Series | None = None
) -> pl.DataFrame:
    open_then = (pl.col("start") <= first) & (pl.col("end").is_null() | (pl.col("end") > last))
    stayed = base.spells.filter(open_then)["customer"].unique()
    known = ("customer", "branch", "end_date", "cause", "replaced_on")
    held = in_force(base.portfolio.policies, first, *known).filter(
        pl.col("customer").is_in(stayed.implode()), pl.len().over("customer") > 1
    )
    if only is not None:
        held = held.filter(pl.col("customer").is_in(only.implode()))
    cause, lapsed = pl.col("cause").fill_null("unknown"), is_lapse(last)
    return held.group_by(pl.col("branch").cast(pl.String)).agg(
        held=pl.len(),
        lapsed=lapsed.sum(),
        preventable=(lapsed & (cause == "preventable")).sum(),
        unknown=(lapsed & (cause == "unknown")).sum(),
    )


def staying_lapse(ends: pl.DataFrame, otherwise: float) -> tuple[dict[str, float], float]:
    """Return the yearly chance that one policy lapses while the relation stays: per branch, and of
    the portfolio.

    Parameters
    ----------
    ends
        `staying_ends`; the newest `RATE_YEARS` count.
    otherwise
        The portfolio's rate where no closed year was recorded.

    Notes
    -----
    ``(lapsed + m average) / (held + m)`` with m = `PRIOR_POLICIES`, so that a handful says little.
    """
    newest = (
        ends.filter(pl.col("year") < RATE_YEARS)
        .group_by("branch")
        .agg(pl.col("held", "lapsed").sum())
    )
    held, lapsed = int(newest["held"].sum()), int(newest["lapsed"].sum())
    average = lapsed / held if held else otherwise
    rate = (pl.col("lapsed") + PRIOR_POLICIES * average) / (pl.col("held") + PRIOR_POLICIES)
    return dict(newest.sort("branch").select("branch", rate).iter_rows()), average
