"""The proof of handling cost by replay: what contacts and claims would have been expected to cost,
and what they did.

Seen from a closed day T with the same frequencies as today's figure uses (`cost.shrunk_rate`).
Minutes and rates are assumptions on both sides, so what is tested is how much customers ask of the
office, not what an hour costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import in_force
from akb.core.service import service_rates
from akb.value.revenue.cost import WINDOW_MONTHS, shrunk_rate
from akb.value.revenue.euro_evidence import gate_of, level_evidence

if TYPE_CHECKING:
    from akb.models.types import Evidence, Gate
    from akb.value.in_force import Floats, InForce


@dataclass(frozen=True)
class CostReplay:
    """Evidence on T, its gate, and the totals in cents."""

    evidence: Evidence
    gate: Gate
    expected: int
    realised: int


def cost_replay(base: InForce) -> CostReplay | None:
    """Return the proof on the latest closed day; None unless contacts and claims were recorded a
    year before it.
    """
    time, events = base.settings.time, (base.portfolio.contacts, base.portfolio.claims)
    test = add_months(base.as_of, -12) - timedelta(days=time.gap_days + time.registration_lag_days)
    before = add_months(test, -12)
    recorded = base.portfolio.history.recorded_from
    if recorded is None or recorded > before:
        return None
    rates = service_rates(base.value)
    who = _there(base, test)
    expected, realised, last, seen = (np.zeros(who.height) for _ in range(4))
    for table, cents in zip(events, (rates.contact, rates.claim), strict=True):
        first = table["date"].min() if table is not None and not table.is_empty() else None
        if table is None or not isinstance(first, date) or first > before + timedelta(days=31):
            return None
        since = max(add_months(test, -WINDOW_MONTHS), first - timedelta(days=1))
        years = (
            (pl.Series([test] * who.height) - who["start"].clip(lower_bound=since))
            .dt.total_days()
            .to_numpy()
        )
        rate = shrunk_rate(
            _counted(who, table, since, test),
            np.maximum(years / 365.25, 1 / 12),
            base.value("cost.prior_years"),
        )
        happened = _counted(who, table, test, add_months(test, 12))
        expected += cents * rate * _stayed(base, before)
        realised += cents * happened
        last += cents * _counted(who, table, before, test)
        seen += happened
    if not expected.sum() or not realised.sum():
        return None
    whole = who["start"].to_numpy() <= np.datetime64(before)  # who came later has no last year
    totals = {
        "expected": expected,
        "realised": realised,
        "last": np.where(whole, last, np.nan),
        "happened": seen > 0,
    }
    evidence = level_evidence(
        who.select("customer").with_columns(**totals), test, int(seen.sum()), base.people
    )
    return CostReplay(
        evidence, gate_of(evidence), round(float(expected.sum())), round(float(realised.sum()))
    )


def _there(base: InForce, test: date) -> pl.DataFrame:
    """Return the customers in force on a day, ascending, with the start of their first policy."""
    present = in_force(base.portfolio.policies, test, "customer").unique()
    first = base.portfolio.policies.group_by("customer").agg(start=pl.col("start_date").min())
    return present.join(first, on="customer").sort("customer")


def _counted(who: pl.DataFrame, events: pl.DataFrame, after: date, until: date) -> Floats:
    """Return the events in (after, until] per customer of `who`."""
    seen = (
        events.filter((pl.col("date") > after) & (pl.col("date") <= until))
        .group_by("customer")
        .len("events")
    )
    counts = who.join(seen, on="customer", how="left", maintain_order="left")["events"]
    return np.asarray(counts.fill_null(0).to_numpy(), dtype=np.float64)


def _stayed(base: InForce, before: date) -> float:
    """Return the mean share of the year after a day that those in force on it had a policy, as
    known a year later.
    """
    then, year = add_months(before, 12), (add_months(before, 12) - before).days
    held = in_force(base.portfolio.policies, before, "customer", "end_date")
    last = held.group_by("customer").agg(
        end=pl.col("end_date").fill_null(then).max().clip(upper_bound=then)
    )
    days = (last.sort("customer")["end"] - pl.Series([before])).dt.total_days().to_numpy()
    return float(days.sum()) / (year * max(len(days), 1))
