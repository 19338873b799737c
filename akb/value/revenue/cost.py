"""What it costs to serve a customer: events x minutes x rate + fixed, estimated where the export
has no events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.service import KINDS as CUSTOMER_KINDS
from akb.core.service import per_minute
from akb.value.in_force import sum_cents, to_cents
from akb.value.revenue.accounts import FIXED, cost_lines, spread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from akb.core.accounts import AccountLine
    from akb.value.in_force import Cents, Floats, InForce

WINDOW_MONTHS = 36
PER_POLICY = ("renewal", "mutations", "collection", "claims")
PER_RELATION = ("contacts", "talks", "fixed")
KINDS = (*PER_POLICY, *PER_RELATION)
"""What serving costs: the first four end with the policy, the others with the relation."""
RENEWAL_DAYS = 31
"""A premium that changes this near to the renewal day is the renewal; any other change was asked
for: a mutation.
"""


@dataclass(frozen=True)
class ServiceCost:
    """Cost to serve, in cents a year.

    Parameters
    ----------
    policy
        Per policy in ``InForce.held``: renewals, mutations, collection and claims; ends with the
        policy.
    relation
        Per customer: incoming contacts, periodic talks and the fixed cost; ends with the relation.
    estimated
        Which kinds of event the export does not have, so that assumed frequencies are used.
    parts
        `KINDS` -> cents a year per customer; together they are `per_customer`, to the cent.
    accounts
        Payroll and other cost of the accounts beside what the model makes of them, where given.
    minutes
        What serving everybody takes in a year.
    """

    policy: Cents
    relation: Cents
    estimated: tuple[str, ...]
    parts: dict[str, Cents] = field(default_factory=dict)
    accounts: dict[str, AccountLine] = field(default_factory=dict)
    minutes: float = 0.0

    def per_customer(self, base: InForce) -> Cents:
        """Return the whole yearly cost per customer, as long as everything stays."""
        return sum_cents(self.policy, base.rows, base.n) + self.relation


def shrunk_rate(events: Floats, years: Floats, prior_years: float) -> Floats:
    """Return yearly rates, each customer's own mixed with the mean as if `prior_years` of the mean
    had been seen.

    Parameters
    ----------
    events, years
        Events seen and years looked at, per customer.

    Notes
    -----
    The mean of a Poisson rate under a gamma prior (Bühlmann 1967).

    Examples
    --------
    Five contacts in five years, three of them one customer's; half a year of the mean of 1 is
    added to each.

    >>> shrunk_rate(np.array([3.0, 2.0]), np.array([1.0, 4.0]), 0.5).round(3).tolist()
    [2.333, 0.556]
    """
    total = float(years.sum())
    mean = float(events.sum()) / total if total > 0 else 0.0
    rates: Floats = (events + prior_years * mean) / (years + prior_years)
    return rates


def service_cost(base: InForce) -> ServiceCost:
    """Return what serving every policy and customer costs in a year (rates and minutes: assumptions
    ``cost.*``).

    Events that the export has are counted per customer (`event_rate`); of the others the assumed
    frequency holds."""
    office, adviser = (
        per_minute(base.value("cost.rate_office")),
        per_minute(base.value("cost.rate_adviser")),
    )
    counts = np.maximum(base.policies_per_customer, 1).astype(np.float64)
    seen = {
        "claims": event_rate(base, base.portfolio.claims),
        "contacts": event_rate(base, base.portfolio.contacts),
        "mutations": event_rate(base, mutations(base)),
        "collection": event_rate(base, reminders(base)),
    }

    def per_policy(kind: str, assumed: float | Floats) -> Floats:
        own = seen[kind]
        rate = assumed if own is None else (own / counts)[base.rows]
        return np.broadcast_to(np.asarray(rate, dtype=np.float64), base.rows.shape)

    contacts = seen["contacts"]
    minutes = {
        "renewal": base.value("cost.minutes_renewal") * np.ones(len(base.rows)),
        "mutations": base.value("cost.minutes_mutation")
        * per_policy("mutations", base.value("cost.mutations_per_policy")),
        "collection": base.value("cost.minutes_collection")
        * per_policy(
            "collection", base.value("cost.reminders_per_instalment") * _own_instalments(base)
        ),
        "claims": base.value("cost.minutes_claim")
        * per_policy("claims", base.value("cost.claims_per_policy")),
    }
    policy = {kind: to_cents(office * minutes[kind]) for kind in PER_POLICY}
    relation = {
        "contacts": to_cents(
            office
            * base.value("cost.minutes_contact")
            * (
                np.full(base.n, base.value("cost.contacts_per_customer"))
                if contacts is None
                else contacts
            )
        ),
        "talks": to_cents(adviser * base.value("cost.minutes_talk") * _talks(base)),
        "fixed": to_cents(np.full(base.n, base.value("cost.fixed") * 100)),
    }
    parts = {kind: sum_cents(cents, base.rows, base.n) for kind, cents in policy.items()} | relation
    lines = {} if base.portfolio.accounts is None else cost_lines(base.settings, parts)
    if base.settings.client.cost == "accounts":
        policy, relation = _at_accounts(policy, relation, lines)
        parts = {kind: sum_cents(cents, base.rows, base.n) for kind, cents in policy.items()}
        parts |= relation
    return ServiceCost(
        policy=np.sum([policy[kind] for kind in PER_POLICY], axis=0),
        relation=np.sum([relation[kind] for kind in PER_RELATION], axis=0),
        estimated=tuple(kind for kind, rate in seen.items() if rate is None),
        parts=parts,
        accounts=lines,
        minutes=float(sum(each.sum() for each in minutes.values()))
        + _relation_minutes(base, contacts),
    )


def _at_accounts(
    policy: dict[str, Cents], relation: dict[str, Cents], lines: Mapping[str, AccountLine]
) -> tuple[dict[str, Cents], dict[str, Cents]]:
    """Return the same at the level of the accounts: time adds up to the payroll, fixed to the
    rest.
    """
    both = policy | relation
    for name, kinds in (
        ("payroll", [kind for kind in both if kind not in FIXED]),
        ("other_cost", list(FIXED)),
    ):
        if name in lines:
            scaled = spread([both[kind] for kind in kinds], lines[name])
            both |= dict(zip(kinds, scaled, strict=True))
    return {kind: both[kind] for kind in policy}, {kind: both[kind] for kind in relation}


def _relation_minutes(base: InForce, contacts: Floats | None) -> float:
    """Return what contacts and talks take in a year."""
    assumed = base.value("cost.contacts_per_customer") * base.n
    calls = assumed if contacts is None else float(contacts.sum())
    talks = float(_talks(base).sum())
    return calls * base.value("cost.minutes_contact") + talks * base.value("cost.minutes_talk")


def mutations(base: InForce) -> pl.DataFrame | None:
    """Return customer and date of every premium change that is no renewal; None without dated
    premiums.

    The first dated premium of a policy is where its record begins, no change. Indexation comes on
    the renewal day."""
    dated = base.portfolio.premiums
    if dated is None:
        return None
    known = base.portfolio.policies.select(
        "policy", "customer", due=pl.coalesce("renewal_date", "start_date")
    )
    changes = (
        dated.sort("policy", "date")
        .filter(pl.col("policy") == pl.col("policy").shift(1))
        .join(known, on="policy", maintain_order="left")
    )
    apart = (pl.col("date").dt.ordinal_day().cast(pl.Int32) - pl.col("due").dt.ordinal_day()).abs()
    return changes.filter(pl.min_horizontal(apart, 365 - apart) > RENEWAL_DAYS).select(
        "customer", "date"
    )


def reminders(base: InForce) -> pl.DataFrame | None:
    """Return customer and date of every reminder and reversed payment; None where the export has
    none of them.
    """
    payments = base.portfolio.payments
    if payments is None:
        return None
    trouble = payments.filter(pl.col("kind").is_in(["reminder", "reversal"])).select(
        "customer", "date"
    )
    return None if trouble.is_empty() else trouble


def event_rate(base: InForce, events: pl.DataFrame | None) -> Floats | None:
    """Return yearly events per customer over at most 36 months, shrunk to the mean; None without
    such events.
    """
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


def _own_instalments(base: InForce) -> Floats:
    """Instalments a year that the office collects itself."""
    months = pl.col("payment_months").cast(pl.Float64)
    instalments = pl.when(months > 0).then(12 / months).otherwise(1.0)
    own = pl.when(pl.col("collection") == "own").then(instalments).otherwise(0.0)
    out: Floats = base.held.select(own.fill_null(0.0).alias("own"))["own"].to_numpy()
    return out


def _talks(base: InForce) -> Floats:
    """Periodic talks a year per customer; an unknown kind is treated as private."""
    frequency = {kind: base.value(f"cost.talks_{kind}") for kind in CUSTOMER_KINDS}
    kinds = base.customers["kind"].fill_null("private")
    out: Floats = kinds.replace_strict(
        frequency, default=frequency["private"], return_dtype=pl.Float64
    ).to_numpy()
    return out
