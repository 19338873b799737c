"""When a customer deserves attention: the moment he is in, and the month in which contact makes
most sense.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from akb.value.in_force import Floats, InForce

MONTHS = 12
ANNOUNCED, THREATENS, OPEN, QUIET = "announced", "threatens", "open", "quiet"


def attention(base: InForce) -> pl.DataFrame:
    """Return ``row``, ``moment`` (text, null without churn) and ``contact_month`` (1..12, null for
    announced leavers).

    A moment is ``announced`` (the end is known), ``threatens`` (leaving within 3 months is several
    times as likely as on average), ``open`` (leaves preventably within 12 months more often than
    average) or ``quiet``; the bounds stand in ``configs/attention.toml``."""
    month = pl.Series("contact_month", contact_months(base)).cast(pl.Float32)
    table = base.customers.select("row").with_columns(
        moment=pl.Series(moments(base), dtype=pl.String), contact_month=month
    )
    gone = pl.Series(base.announced)
    return table.with_columns(contact_month=pl.when(~gone).then("contact_month"))


def moments(base: InForce) -> list[str | None]:
    """Return the moment of every customer; None where the export cannot teach churn."""
    soon, year = base.score("churn_3m"), base.score("churn_preventable_12m")
    year = base.score("churn_12m") if year is None else year
    if soon is None or year is None:
        return [None] * base.n
    rules, rest = load_toml("attention.toml")["moment"], ~base.announced
    bounds = [float(np.mean(chance[rest])) if rest.any() else 0.0 for chance in (soon, year)]
    kinds = np.where(year >= rules["open"] * bounds[1], OPEN, QUIET)
    kinds = np.where(soon >= rules["threatens"] * bounds[0], THREATENS, kinds)
    return [str(kind) for kind in np.where(base.announced, ANNOUNCED, kinds).tolist()]


def contact_months(base: InForce) -> Floats:
    """Return the month ahead (1 = the coming one) with the most weight: renewals, hazard and life
    events.

    What calls for contact in month m calls for it `lead` months earlier, in the first month where
    that has passed; of equal months the first."""
    rules = load_toml("attention.toml")["contact_month"]
    risk = _hazards(base)
    risk = np.where(
        risk >= rules["stands_out"], risk - 1.0, 0.0
    )  # flat departures have a highest month that says nothing
    wanted = rules["renewal"] * _renewals(base) + rules["risk"] * risk
    lead = int(rules["lead"])
    weight = np.zeros_like(wanted)
    weight[:, : MONTHS - lead] = wanted[:, lead:]
    weight[:, 0] += wanted[:, :lead].sum(axis=1)
    weight += rules["life"] * _life_events(base, rules["ages"])
    return np.asarray(np.round(weight, 9).argmax(axis=1) + 1, dtype=np.float64)


def _renewals(base: InForce) -> Floats:
    """Share of the customer's policies in force that renew in each month ahead, [n, 12]."""
    held = base.held.select("row", due=pl.coalesce("renewal_date", "start_date")).sort("row")
    x = base.as_of
    ahead = (held["due"].dt.month().cast(pl.Int64) - x.month).to_numpy() % MONTHS
    later = held["due"].dt.day().cast(pl.Int64).to_numpy() > x.day
    place = np.where((ahead == 0) & ~later, MONTHS, ahead + later) - 1
    counts = np.zeros((base.n, MONTHS))
    np.add.at(counts, (held["row"].to_numpy(), np.clip(place, 0, MONTHS - 1)), 1.0)
    return np.asarray(counts / np.maximum(base.policies_per_customer, 1)[:, None])


def _hazards(base: InForce) -> Floats:
    """Hazard of each month ahead relative to the customer's mean, [n, 12]; 1 where nothing is
    known.
    """
    flat = np.ones((base.n, MONTHS))
    if not base.has_ended:
        return flat
    for row, some in base.survival_by_slice():
        month = some["month"].to_numpy()
        near = month <= MONTHS
        flat[row[near], month[near] - 1] = some["alive"].to_numpy()[near]
    before = np.concatenate([np.ones((base.n, 1)), flat[:, :-1]], axis=1)
    hazard = 1 - flat / np.maximum(before, 1e-12)
    mean = hazard.mean(axis=1, keepdims=True)
    return np.where(mean > 1e-9, hazard / np.maximum(mean, 1e-9), 1.0)


def _life_events(base: InForce, ages: list[int]) -> Floats:
    """1 in the first month ahead of the calendar year in which a private customer reaches one of
    the ages, [n, 12].
    """
    events = np.zeros((base.n, MONTHS))
    born = base.customers["birth_year"].cast(pl.Int64).fill_null(-1).to_numpy()
    private = (base.customers["kind"].fill_null("private") == "private").to_numpy()
    january = (
        MONTHS - base.as_of.month
    ) % MONTHS  # place of the month that holds the next 1 January
    reaches = np.isin(base.as_of.year + 1 - born, ages) & (born > 0) & private
    events[:, january] = reaches
    return events
