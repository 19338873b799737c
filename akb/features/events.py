"""Claims, contacts, payments and premiums, trimmed to what a feature may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.privacy import HEALTH_BRANCHES
from akb.features.premiums import premium_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.features.cut import Source
    from akb.features.registry import Record
    from akb.ingest.types import Portfolio

EVENTS: tuple[Literal["claims", "contacts", "payments", "premiums"], ...] = (
    "claims",
    "contacts",
    "payments",
    "premiums",
)

_COMPLAINT = "klacht|ontevreden|complain"


def dated_events(portfolio: Portfolio) -> dict[Source, pl.DataFrame]:
    """Return the events that are given, each with customer u32 and ``date`` i32 (days since 1970).

    Premiums are those of `premium_records`: with a policy and no customer.
    """
    events: dict[Source, pl.DataFrame] = {}
    if portfolio.claims is not None:
        events["claims"] = _claims(portfolio.claims, portfolio.policies)
    if portfolio.contacts is not None:
        events["contacts"] = _contacts(portfolio.contacts)
    if portfolio.payments is not None:
        events["payments"] = portfolio.payments.select("customer", "kind", date=pl.col("date").to_physical())
    premiums = premium_records(portfolio)
    if premiums is not None:
        events["premiums"] = premiums
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
    """Claims whose branch is known and, like its policy's, does not speak of health; an unplaced one may."""
    placed = claims.join(policies.select("policy", of_policy="branch"), on="policy", how="left")
    named = [pl.col(name).fill_null("").is_in(list(HEALTH_BRANCHES)) for name in ("branch", "of_policy")]
    unplaced = pl.col("branch").is_null() & pl.col("of_policy").is_null()
    return placed.filter(~unplaced & ~pl.any_horizontal(named)).select(
        "customer", "amount_cents", "at_fault", date=pl.col("date").to_physical()
    )


def _contacts(contacts: pl.DataFrame) -> pl.DataFrame:
    complaint = pl.col("subject").str.to_lowercase().str.contains(_COMPLAINT).fill_null(value=False)
    return contacts.select("customer", "inbound", "channel", complaint=complaint, date=pl.col("date").to_physical())
