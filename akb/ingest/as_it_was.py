"""The portfolio as it was known on an earlier day, from the clean tables: what a replay would have
read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import months_between
from akb.ingest.as_of.history import find_history

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.types import Portfolio


def earlier(portfolio: Portfolio, day: date) -> Portfolio:
    """Return `portfolio` as of `day`, a replay: nothing in it is dated after that day.

    Policies that start later are gone, later ends are open, later claims, contacts, payments and
    premiums are gone. Fields that the back office overwrites (premium, commission, adviser, ...)
    are those of today: they may weigh, but they tell nothing about that day. What was announced
    then is not known."""
    known = pl.col("end_date") <= day
    policies = portfolio.policies.filter(pl.col("start_date") <= day).with_columns(
        [pl.when(known).then(pl.col(name)).alias(name) for name in ("end_date", "reason", "cause")]
        + [
            pl.when(known & (pl.col("replaced_on") <= day))
            .then(pl.col("replaced_on"))
            .alias("replaced_on")
        ]
    )
    present = policies.select("customer").unique()
    recorded = portfolio.history.recorded_from
    since = recorded if recorded is not None and recorded <= day else None
    history = replace(
        find_history(policies, day),  # what was known of reasons then
        # the day on which the record begins is a fact, whenever it is found out
        recorded_from=since,
        months=0 if since is None else max(0, months_between(since, day + timedelta(days=1))),
    )
    return replace(
        portfolio,
        as_of=day,
        policies=policies,
        customers=portfolio.customers.join(present, on="customer", how="semi"),
        claims=_until(portfolio.claims, day),
        contacts=_until(portfolio.contacts, day),
        payments=_until(portfolio.payments, day),
        premiums=_until(portfolio.premiums, day),
        history=history,
    )


def _until(events: pl.DataFrame | None, day: date) -> pl.DataFrame | None:
    return None if events is None else events.filter(pl.col("date") <= day)
