"""Claims, contacts, payments and premiums, trimmed to what a feature may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.privacy.identifiers import HEALTH_BRANCHES, OTHER_BRANCH, known_branches
from akb.features.premiums import premium_records
from akb.features.themes import theme_of, topic_of

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

CHANNELS = ("phone", "email", "visit", "portal", "letter", "chat")
"""As ingest names them; other channels count in the totals only."""


def dated_events(portfolio: Portfolio) -> dict[Source, pl.DataFrame]:
    """Return the events that are given, each with customer u32 and ``date`` i32 (days since 1970).

    claims: ``theme`` str?, amount_cents, at_fault, ``contacted`` i32? (day of the first
    contact on or after the claim). contacts: inbound, channel, ``topic`` str?. payments: kind,
    ``paid`` i32? (day of the first payment on or after the event). Premiums are those of
    `premium_records`: with a policy and no customer."""
    events: dict[Source, pl.DataFrame] = {}
    if portfolio.contacts is not None:
        events["contacts"] = _contacts(portfolio.contacts)
    if portfolio.claims is not None:
        claims = _claims(portfolio.claims, portfolio.policies)
        events["claims"] = _answered(claims, events.get("contacts"), "contacted")
    if portfolio.payments is not None:
        payments = portfolio.payments.select("customer", "kind", date=pl.col("date").to_physical())
        events["payments"] = _answered(payments, payments.filter(pl.col("kind") == "paid"), "paid")
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
    """Claims whose branch is known and, like its policy's, does not speak of health; an unplaced
    one may.

    Unplaced is a claim without a branch, or one that no taxonomy knows (`OTHER_BRANCH`).
    """
    placed = claims.join(policies.select("policy", of_policy="branch"), on="policy", how="left")
    named = [
        pl.col(name).fill_null("").is_in(list(HEALTH_BRANCHES)) for name in ("branch", "of_policy")
    ]
    branch = pl.coalesce("branch", "of_policy").fill_null(OTHER_BRANCH)
    return placed.filter(branch.is_in(list(known_branches())) & ~pl.any_horizontal(named)).select(
        "customer",
        "amount_cents",
        "at_fault",
        theme=theme_of(branch),
        date=pl.col("date").to_physical(),
    )


def _contacts(contacts: pl.DataFrame) -> pl.DataFrame:
    return contacts.select(
        "customer",
        "inbound",
        "channel",
        topic=topic_of(pl.col("subject")),
        date=pl.col("date").to_physical(),
    )


def _answered(events: pl.DataFrame, answers: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """Add the day of the first answer to the same customer on or after each event."""
    if answers is None:
        return events.with_columns(pl.lit(None, pl.Int32).alias(name))
    days = (
        answers.select("customer", pl.col("date").alias(name), date="date")
        .unique()
        .sort("date", "customer")
    )
    return events.sort("date").join_asof(
        days, on="date", by="customer", strategy="forward", check_sortedness=False
    )
