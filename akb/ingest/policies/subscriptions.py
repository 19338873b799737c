"""Subscriptions: the office's own service at a fee, a contract with a renewal of its own and no
policy.

They stand among the policies, with a branch that says so, or in a file of their own whose contracts
have a subscription number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.relations import SUBSCRIPTION, covers, in_force
from akb.ingest.cells.taxonomy import Mapped
from akb.ingest.columns.matching import key_of

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.columns.notes import Notes, Table

_NUMBERED = ("abonnement", "subscription")


def is_subscriptions(table: Table) -> bool:
    """Return whether every row of a table is a subscription: what numbers its contracts says so."""
    return key_of(table.headings.heading("policy") or "").startswith(_NUMBERED)


def all_subscriptions(height: int) -> Mapped:
    """Return the branch of the rows of such a table, whatever their kinds are called."""
    return Mapped(pl.repeat(SUBSCRIPTION, height, dtype=pl.String, eager=True), {})


def with_subscriptions(money: pl.DataFrame, branch: pl.Series) -> pl.DataFrame:
    """Return money in which the amount of a subscription is its fee, under whatever heading it
    stands.

    Nobody insures anything with it: it has no premium, and no commission comes of one.
    """
    mine = pl.lit(branch == SUBSCRIPTION)
    fee = pl.coalesce("fee_cents", "premium_cents")
    return money.with_columns(
        fee_cents=pl.when(mine).then(fee).otherwise("fee_cents"),
        premium_cents=pl.when(~mine).then("premium_cents"),
        commission_cents=pl.when(~mine | pl.col("premium_cents").is_null()).then(
            "commission_cents"
        ),
    )


def say_subscriptions(policies: pl.DataFrame, as_of: date, notes: Notes) -> None:
    """Report AKB-D140: subscriptions in force, what they bring a year, and whose only contract they
    are.
    """
    held = in_force(policies, as_of)
    mine = held.filter(pl.col("branch") == SUBSCRIPTION)
    if mine.is_empty():
        return
    others = covers(held)["customer"].unique()
    customers = mine["customer"].unique()
    notes.find(
        "AKB-D140",
        "tip",
        mine.height,
        customers=customers.len(),
        alone=int((~customers.is_in(others.implode())).sum()),
        fee=int(mine["fee_cents"].fill_null(0).sum()) // 100,
    )
