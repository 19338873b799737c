"""The contract of the tables that leave this room, checked once at the end."""

from __future__ import annotations

import dataframely as dy
import polars as pl


class PoliciesSchema(dy.Schema):
    """See `Portfolio`."""

    policy = dy.UInt32(primary_key=True)
    customer = dy.UInt32()
    branch = dy.String()
    insurer = dy.String(nullable=True)
    product = dy.String(nullable=True)
    adviser = dy.String(nullable=True)
    office = dy.String(nullable=True)
    start_date = dy.Date()
    end_date = dy.Date(nullable=True)
    reason = dy.String(nullable=True)
    cause = dy.String(
        nullable=True,
        check=lambda c: c.is_in(["natural", "insurer", "preventable", "unknown", "technical"]),
    )
    replaced_on = dy.Date(nullable=True)
    replaces = dy.Bool()
    premium_cents = dy.Int64(nullable=True)
    commission_cents = dy.Int64(nullable=True)
    commission_source = dy.String(nullable=True, check=lambda c: c.is_in(["given", "derived"]))
    fee_cents = dy.Int64(nullable=True)
    fee_source = dy.String(nullable=True, check=lambda c: c.is_in(["policy", "customer"]))
    signing_cents = dy.Int64(nullable=True)
    profit_cents = dy.Int64(nullable=True)
    one_off_cents = dy.Int64(nullable=True)
    package = dy.Bool(nullable=True)
    payment_months = dy.Int8(nullable=True, check=lambda c: c.is_in([1, 3, 6, 12]))
    collection = dy.String(nullable=True, check=lambda c: c.is_in(["own", "insurer"]))
    renewal_date = dy.Date(nullable=True)

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:  # noqa: N805 - dataframely calls it on the class
        """No policy ends on or before its first day."""
        return pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("start_date"))

    @dy.rule()
    def cause_where_ended(cls) -> pl.Expr:  # noqa: N805
        """An end has a cause, and nothing else has."""
        return pl.col("end_date").is_null() == pl.col("cause").is_null()


class CustomersSchema(dy.Schema):
    """See `Portfolio`."""

    customer = dy.UInt32(primary_key=True)
    relation = dy.String()
    pseudonym = dy.String()
    kind = dy.String(
        nullable=True, check=lambda c: c.is_in(["private", "business", "self_employed"])
    )
    members = dy.UInt32(nullable=True)
    birth_year = dy.Int32(nullable=True)
    postcode4 = dy.String(nullable=True)
    adviser = dy.String(nullable=True)
    office = dy.String(nullable=True)
    sub_office = dy.String(nullable=True)
    manager = dy.String(nullable=True)
    region = dy.String(nullable=True)
    no_marketing = dy.Bool()
    deceased = dy.Bool()


class ClaimsSchema(dy.Schema):
    """See `Portfolio`."""

    customer = dy.UInt32()
    policy = dy.UInt32(nullable=True)
    branch = dy.String(nullable=True)
    date = dy.Date()
    amount_cents = dy.Int64(nullable=True)
    at_fault = dy.Bool(nullable=True)


class ContactsSchema(dy.Schema):
    """See `Portfolio`."""

    customer = dy.UInt32()
    date = dy.Date()
    channel = dy.String(nullable=True)
    inbound = dy.Bool(nullable=True)
    subject = dy.String(nullable=True)


class PaymentsSchema(dy.Schema):
    """See `Portfolio`."""

    customer = dy.UInt32()
    policy = dy.UInt32(nullable=True)
    date = dy.Date()
    kind = dy.String()
    amount_cents = dy.Int64(nullable=True)


class PremiumsSchema(dy.Schema):
    """See `Portfolio`."""

    policy = dy.UInt32(primary_key=True)
    date = dy.Date(primary_key=True)
    premium_cents = dy.Int64()
    commission_cents = dy.Int64(nullable=True)


def checked(frame: pl.DataFrame, schema: type[dy.Schema]) -> pl.DataFrame:
    """Return `frame` with the columns of `schema`, in their order; a broken contract is a
    programming error.
    """
    return schema.validate(frame.select(schema.column_names()))
