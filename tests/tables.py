"""The columns of the tables that leave ingest, as fabricated portfolios have them: fees and packages are left out."""

from __future__ import annotations

import polars as pl

POLICY_SCHEMA = {
    "policy": pl.UInt32,
    "customer": pl.UInt32,
    "branch": pl.String,
    "insurer": pl.String,
    "product": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "start_date": pl.Date,
    "end_date": pl.Date,
    "reason": pl.String,
    "cause": pl.String,
    "replaced_on": pl.Date,
    "replaces": pl.Boolean,
    "premium_cents": pl.Int64,
    "commission_cents": pl.Int64,
    "commission_source": pl.String,
    "payment_months": pl.Int8,
    "collection": pl.String,
    "renewal_date": pl.Date,
}
CUSTOMER_SCHEMA = {
    "customer": pl.UInt32,
    "relation": pl.String,
    "pseudonym": pl.String,
    "kind": pl.String,
    "birth_year": pl.Int32,
    "postcode4": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "no_marketing": pl.Boolean,
    "deceased": pl.Boolean,
}
