"""Claims, contacts and payments, trimmed to what a feature may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.features.cut import Source
    from akb.features.registry import Record
    from akb.ingest.types import Portfolio

SENSITIVE = frozenset(
    {"zorg", "aov", "verzuim", "wga_wia", "ongevallen", "orv", "uitvaart", "leven", "woonlasten", "pensioen"}
)
"""Branches whose claims speak of health, disability, absence or death: never a feature."""

EVENTS: tuple[Literal["claims", "contacts", "payments"], ...] = ("claims", "contacts", "payments")

_COMPLAINT = "klacht|ontevreden|complain"


def dated_events(portfolio: Portfolio) -> dict[Source, pl.DataFrame]:
    """Return the events that are given, each with customer u32 and ``date`` i32 (days since 1970)."""
    events: dict[Source, pl.DataFrame] = {}
    if portfolio.claims is not None:
        events["claims"] = _claims(portfolio.claims, portfolio.policies)
    if portfolio.contacts is not None:
        events["contacts"] = _contacts(portfolio.contacts)
    if portfolio.payments is not None:
        events["payments"] = portfolio.payments.select("customer", "kind", date=pl.col("date").to_physical())
    return events


def first_days(events: Mapping[Source, pl.DataFrame]) -> dict[Record, int]:
    """Return the first day of each record; one without any row has none, and so no features."""
    records: dict[Record, int] = {}
    for record in EVENTS:
        first = events[record]["date"].min() if record in events else None
        if isinstance(first, int):
            records[record] = first
    return records


def _claims(claims: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Claims of which the branch is known and not sensitive; of an unplaced claim we cannot tell, so it is left out."""
    placed = claims.join(policies.select("policy", of_policy="branch"), on="policy", how="left")
    branch = pl.coalesce("branch", "of_policy")
    return placed.filter(branch.is_not_null() & ~branch.is_in(list(SENSITIVE))).select(
        "customer", "amount_cents", "at_fault", date=pl.col("date").to_physical()
    )


def _contacts(contacts: pl.DataFrame) -> pl.DataFrame:
    complaint = pl.col("subject").str.to_lowercase().str.contains(_COMPLAINT).fill_null(value=False)
    return contacts.select("customer", "inbound", "channel", complaint=complaint, date=pl.col("date").to_physical())
