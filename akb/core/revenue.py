"""Recurring revenue of a policy in cents a year: one definition for every room and every kind of
client.

An intermediary earns recurring commission, fees of policies and subscriptions, and perhaps a share
in the profit; delegated underwriting earns signing fees as well; an insurer pays commission and
keeps a margin on the net premium. What is earned once, commission at a sale or a fee for advice,
never counts here: see `one_off_since`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import polars as pl

Client = Literal["intermediair", "volmacht", "verzekeraar"]
Meaning = Literal["commission", "revenue", "margin"]
PARTS = ("commission", "fee", "signing", "profit_share", "margin")
"""What revenue consists of; ``with_revenue`` gives every part a column ``revenue_<part>_cents``."""


@dataclass(frozen=True)
class Terms:
    """On what terms a client earns.

    Parameters
    ----------
    client
        Who the client is.
    margins
        Branch -> share of the net premium that an insurer keeps after claims and commission
        (assumed).
    signing_share, profit_share
        Shares of the net premium (assumed): the signing fee where the export has none, and the
        share in the profit.
    """

    client: Client = "intermediair"
    margins: Mapping[str, float] = field(default_factory=dict)
    signing_share: float = 0.0
    profit_share: float = 0.0


def with_revenue(policies: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Return the policies with ``revenue_cents`` (Int64, a year; null where no part is known) and
    its `PARTS`.

    Parameters
    ----------
    policies
        With ``branch`` and, where there are any, ``premium_cents`` (net), ``commission_cents``,
        ``fee_cents``, ``signing_cents`` and ``profit_cents``. Parts add up to the
        whole, to the cent; nothing is earned on a premium that is given back.
    """
    import polars as pl

    nothing = pl.lit(None, dtype=pl.Int64)
    there = set(policies.columns)

    def given(column: str) -> pl.Expr:
        return pl.col(column).cast(pl.Int64) if column in there else nothing

    premium = pl.when(given("premium_cents") >= 0).then(given("premium_cents"))

    def share(rate: float | pl.Expr) -> pl.Expr:
        return (premium * rate).round().cast(pl.Int64)

    parts = dict.fromkeys(PARTS, nothing)
    if terms.client == "verzekeraar":
        margin = pl.col("branch").replace_strict(
            dict(terms.margins), default=0.0, return_dtype=pl.Float64
        )
        parts["margin"] = share(margin)
    else:
        parts["commission"], parts["fee"] = given("commission_cents"), given("fee_cents")
        parts["profit_share"] = given("profit_cents")
    if terms.client == "volmacht":
        signing = given("signing_cents")
        parts["signing"] = (
            pl.coalesce(signing, share(terms.signing_share)) if terms.signing_share else signing
        )
        profit = given("profit_cents")
        parts["profit_share"] = (
            pl.coalesce(profit, share(terms.profit_share)) if terms.profit_share else profit
        )
    columns = {f"revenue_{name}_cents": part for name, part in parts.items()}
    made = policies.with_columns(**columns)
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in columns)
    return made.with_columns(revenue_cents=pl.when(known).then(pl.sum_horizontal(*columns)))


def one_off_since(policies: pl.DataFrame, since: date, until: date) -> pl.DataFrame:
    """Return the policies that started in (since, until] and brought something once: it is earned
    at the start, and never again.
    """
    import polars as pl

    if "one_off_cents" not in policies.columns:
        return policies.clear().with_columns(one_off_cents=pl.lit(None, dtype=pl.Int64))
    began = (pl.col("start_date") > since) & (pl.col("start_date") <= until)
    return policies.filter(began, pl.col("one_off_cents").fill_null(0) != 0)


def with_level(policies: pl.DataFrame, as_of: date, growth: float) -> pl.DataFrame:
    """Return the policies with ``level_cents``: ``revenue_cents`` at the level of `as_of`.

    The revenue of an ended policy froze at its end while that of the others was indexed every year,
    so what was lost can only be held against what was there after both are brought to one level.

    Parameters
    ----------
    growth
        By which share revenue rises in a year.

    Raises
    ------
    AkbError
        If amounts become too large to count exactly: only the assumption makes them so.
    """
    import polars as pl

    days = (pl.lit(as_of) - pl.col("end_date")).dt.total_days().clip(0).fill_null(0)
    level = pl.col("revenue_cents") * (1.0 + growth) ** (days / 365.25)
    brought = policies.with_columns(level_cents=level.round())
    if brought.select((pl.col("level_cents").abs() > 2**53).any()).item():
        raise AkbError(
            "under these assumptions amounts grow without end",
            "Look at what you set: value.indexation makes later years count for more.",
        )
    return brought.with_columns(pl.col("level_cents").cast(pl.Int64))


def meaning(policies: pl.DataFrame, terms: Terms) -> Meaning:
    """Say what these policies' revenue is called: commission alone, revenue of several kinds, or a
    margin.
    """
    if terms.client == "verzekeraar":
        return "margin"
    others = [f"revenue_{name}_cents" for name in PARTS if name != "commission"]
    several = any(
        (policies[name].fill_null(0) != 0).any() for name in others if name in policies.columns
    )
    return "revenue" if several or terms.client == "volmacht" else "commission"
