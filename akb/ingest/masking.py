"""What a run keeps of the portfolio: no relation number, and no text that too few customers share
to be shown.

A run can be told again from it (`akb case --out`), so whatever is counted per text must be counted
the same: a hidden text stays apart from every other, under a number that no output shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.privacy.identifiers import shared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from akb.ingest.types import Portfolio

TEXTS = (
    "insurer",
    "product",
    "adviser",
    "office",
    "sub_office",
    "manager",
    "region",
    "channel",
    "subject",
)
"""Columns that hold what the export says; all others hold keys, dates, numbers and four digits of a
postcode.
"""


def masked(portfolio: Portfolio, limit: int) -> Portfolio:
    """Return the portfolio without relation numbers, its texts hidden that fewer than `limit`
    customers share.

    Columns without a role are left out, for only features read them. A text counts as shared only
    if it is in every table that it stands in, and none that looks like a person's own is."""
    tables = {
        "policies": portfolio.policies,
        "customers": portfolio.customers,
        "contacts": portfolio.contacts,
    }
    for column in TEXTS:
        holders = {
            name: frame
            for name, frame in tables.items()
            if frame is not None and column in frame.columns
        }
        hidden = _hidden(column, holders.values(), limit)
        tables |= {
            name: frame.with_columns(pl.col(column).replace(hidden))
            for name, frame in holders.items()
        }
    policies, customers = tables["policies"], tables["customers"]
    assert policies is not None and customers is not None
    nameless = customers.with_columns(relation=pl.lit(None, dtype=pl.String))
    return replace(
        portfolio,
        policies=policies,
        customers=nameless,
        contacts=tables["contacts"],
        relations=None,
        own=(),
        own_values=None,
    )


def _hidden(column: str, holders: Iterable[pl.DataFrame], limit: int) -> dict[str, str]:
    """Text -> what stands for it, in alphabetical order; it looks like an address, so that no
    output may show it.
    """
    found: set[str] = set()
    for frame in holders:
        known = set(frame[column].drop_nulls().unique().to_list())
        found |= known - shared(frame[column], frame["customer"], limit)
    return {text: f"{number}@{column}.invalid" for number, text in enumerate(sorted(found))}
