"""What it costs to serve a customer: events x minutes x rate + fixed, estimated where the export has no events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.value.base import sum_cents, to_cents

if TYPE_CHECKING:
    from datetime import date

    from akb.value.base import Base, Cents, Floats

WINDOW_MONTHS = 36


@dataclass(frozen=True)
class ServiceCost:
    """Cost to serve, in cents a year.

    Parameters
    ----------
    policy
        Per policy in ``Base.held``: renewals, mutations, collection and claims; ends with the policy.
    relation
        Per customer: incoming contacts, periodic talks and the fixed cost; ends with the relation.
    estimated
        Which kinds of event the export does not have, so that assumed frequencies are used.
    """

    policy: Cents
    relation: Cents
    estimated: tuple[str, ...]

    def per_customer(self, base: Base) -> Cents:
        """Return the whole yearly cost per customer, as long as everything stays."""
        return sum_cents(self.policy, base.rows, base.n) + self.relation


def shrunk_rate(events: Floats, years: Floats, prior_years: float) -> Floats:
    """Return yearly rates, each customer's own mixed with the mean as if `prior_years` of the mean had been seen.

    Parameters
    ----------
    events, years
        Events seen and years looked at, per customer.
    """
    total = float(years.sum())
    mean = float(events.sum()) / total if total > 0 else 0.0
    rates: Floats = (events + prior_years * mean) / (years + prior_years)
    return rates


def service_cost(base: Base) -> ServiceCost:
    """Return what serving every policy and customer costs in a year (rates and minutes: assumptions ``cost.*``)."""
    office = base.value("cost.rate_office") * 100 / 60  # cents a minute
    adviser = base.value("cost.rate_adviser") * 100 / 60
    counts = np.maximum(base.policies_per_customer, 1).astype(np.float64)

    claims = event_rate(base, base.portfolio.claims)
    per_policy = claims / counts if claims is not None else np.full(base.n, base.value("cost.claims_per_policy"))
    contacts = event_rate(base, base.portfolio.contacts)
    per_customer = contacts if contacts is not None else np.full(base.n, base.value("cost.contacts_per_customer"))

    policy = office * (
        base.value("cost.minutes_renewal")
        + base.value("cost.minutes_mutation") * base.value("cost.mutations_per_policy")
        + base.value("cost.minutes_collection") * base.value("cost.reminders_per_instalment") * _own_instalments(base)
        + base.value("cost.minutes_claim") * per_policy[base.rows]
    )
    relation = (
        base.value("cost.fixed") * 100
        + office * base.value("cost.minutes_contact") * per_customer
        + adviser * base.value("cost.minutes_talk") * _talks(base)
    )
    missing = [
        name for name, rate in (("claims", claims), ("contacts", contacts)) if rate is None
    ]  # mutations are never in the export
    return ServiceCost(to_cents(policy), to_cents(relation), (*missing, "mutations"))


def event_rate(base: Base, events: pl.DataFrame | None) -> Floats | None:
    """Return yearly events per customer over at most 36 months, shrunk to the mean; None without such events."""
    if events is None:
        return None
    first = events.filter(pl.col("date") <= base.as_of)["date"].min()
    if first is None:
        return None
    since = max(add_months(base.as_of, -WINDOW_MONTHS), cast("date", first))
    seen = events.filter((pl.col("date") > since) & (pl.col("date") <= base.as_of))
    known = seen.join(base.customers.select("customer", "row"), on="customer")["row"].to_numpy()
    counts = np.bincount(known, minlength=base.n).astype(np.float64)
    began = (
        base.portfolio.policies.group_by("customer")
        .agg(pl.col("start_date").min())
        .join(base.customers.select("customer", "row"), on="customer")
        .sort("row")["start_date"]
    )
    looked = pl.Series([base.as_of] * base.n) - began.clip(lower_bound=since)
    years = np.maximum(looked.dt.total_days().to_numpy() / 365.25, 1 / 12)
    return shrunk_rate(counts, years, base.value("cost.prior_years"))


def _own_instalments(base: Base) -> Floats:
    """Instalments a year that the office collects itself."""
    months = pl.col("payment_months").cast(pl.Float64)
    instalments = pl.when(months > 0).then(12 / months).otherwise(1.0)
    own = pl.when(pl.col("collection") == "own").then(instalments).otherwise(0.0)
    out: Floats = base.held.select(own.fill_null(0.0).alias("own"))["own"].to_numpy()
    return out


def _talks(base: Base) -> Floats:
    """Periodic talks a year per customer; an unknown kind is treated as private."""
    frequency = {kind: base.value(f"cost.talks_{kind}") for kind in ("private", "self_employed", "business")}
    kinds = base.customers["kind"].fill_null("private")
    out: Floats = kinds.replace_strict(frequency, default=frequency["private"], return_dtype=pl.Float64).to_numpy()
    return out
