"""Every column that leaves ingest as text is guarded at the door, or is made of words of akb's own."""

from __future__ import annotations

import polars as pl

from akb.ingest import schema
from akb.ingest.door import KEPT_AS_TEXT, SPOKEN

OWN_WORDS = {"branch", "reason", "cause", "commission_source", "fee_source", "collection", "kind", "pseudonym"}
OWN_WORDS |= {"postcode4"}
NEVER_SHOWN = {"relation"}  # stands in private/customers.csv only; the canaries search for it


def test_no_text_column_is_forgotten() -> None:
    tables = (schema.Policies, schema.Customers, schema.Claims, schema.Contacts, schema.Payments, schema.Premiums)
    texts = {name for table in tables for name, dtype in table.create_empty().schema.items() if dtype == pl.String}
    assert texts == {*KEPT_AS_TEXT, SPOKEN} | OWN_WORDS | NEVER_SHOWN
