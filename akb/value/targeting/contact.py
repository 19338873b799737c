"""When a customer is left alone: cooling off, the cap on contacts, and those whom a call could
wake.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.value.in_force import InForce

    Flags = NDArray[np.bool_]


def rules(*path: str) -> dict[str, Any]:
    """Return a table of ``configs/service.toml``."""
    table: dict[str, Any] = load_toml("service.toml")
    for name in path:
        table = table[name]
    return table


def resting(base: InForce) -> dict[str, Flags]:
    """Return who is left alone for now, by reason: ``recent_contact``, ``contact_cap``,
    ``do_not_wake``.
    """
    return {
        "recent_contact": recent_contact(base),
        "contact_cap": capped(base),
        "do_not_wake": do_not_wake(base),
    }


def recent_contact(base: InForce) -> Flags:
    """Return who had a contact, in either direction, within the days of cooling off."""
    since = base.as_of - timedelta(days=int(rules("contact")["cooling_off_days"]))
    return contacts_since(base, since) > 0


def capped(base: InForce) -> Flags:
    """Return who was contacted by the office as often as the cap allows in one period."""
    rule = rules("contact")
    since = base.as_of - timedelta(days=int(rule["period_days"]))
    return contacts_since(base, since, begun=True) >= int(rule["cap"])


def do_not_wake(base: InForce) -> Flags:
    """Return customers with a low chance of leaving whom nothing has stirred for long: a call could
    wake them.

    Without contacts in the export only starts and ends of policies tell who is quiet.
    """
    rule = rules("do_not_wake")
    churn = base.relation_churn(12)
    if churn is None:
        return np.zeros(base.n, dtype=np.bool_)
    low: Flags = churn < float(rule["maximum_churn"])
    return low & quiet(base, add_months(base.as_of, -int(rule["quiet_months"])))


def quiet(base: InForce, since: date) -> Flags:
    """Return who had no contact and no start or end of a policy from `since` to X."""
    moved = pl.col("start_date").is_between(since, base.as_of) | pl.col("end_date").is_between(
        since, base.as_of
    )
    stirred = base.portfolio.policies.filter(moved).select("customer").unique()
    rows = stirred.join(base.customers.select("customer", "row"), on="customer")["row"].to_numpy()
    out: Flags = contacts_since(base, since) == 0
    out[rows] = False
    return out


def contacts_since(base: InForce, since: date, *, begun: bool = False) -> NDArray[np.int64]:
    """Return contacts per customer after `since`, up to X; with `begun` not those that the customer
    began.
    """
    seen = _contacts(base)
    if seen is None:
        return np.zeros(base.n, dtype=np.int64)
    seen = seen.filter((pl.col("date") > since) & (pl.col("date") <= base.as_of))
    if begun and "inbound" in seen.columns:
        seen = seen.filter(~pl.col("inbound").fill_null(value=False))
    rows = seen.join(base.customers.select("customer", "row"), on="customer")["row"].to_numpy()
    return np.bincount(rows, minlength=base.n).astype(np.int64)


def _contacts(base: InForce) -> pl.DataFrame | None:
    """The contacts of the export and those that advisers recorded, one of a customer's on a day
    once.
    """
    seen, recorded = base.portfolio.contacts, base.portfolio.recorded
    if recorded is None:
        return seen
    more = recorded.select("customer", "date").drop_nulls().unique()
    if seen is None:
        return more
    fresh = more.join(seen, on=["customer", "date"], how="anti")
    return pl.concat([seen, fresh], how="diagonal")


def said_to_have_left(base: InForce) -> Flags:
    """Return of whom an adviser recorded that they have left."""
    recorded = base.portfolio.recorded
    if recorded is None:
        return np.zeros(base.n, dtype=np.bool_)
    left = recorded.filter("left")["customer"].unique()
    return base.customers["customer"].is_in(left.implode()).to_numpy()
