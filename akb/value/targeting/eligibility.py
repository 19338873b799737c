"""Who may be on a list, who is left alone to measure against, and how many contacts fit in the hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.text import load_toml
from akb.value.targeting.contact import resting, rules
from akb.value.targeting.hours import UNLIMITED, capacity, contact_cost, offer_cost
from akb.value.targeting.team import Worker, team

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import InForce

    Flags = NDArray[np.bool_]

NO_HOURS = "no_hours"


@dataclass(frozen=True)
class Desk:
    """What the lists share.

    Parameters
    ----------
    excluded
        Reason -> customers left out for it; each customer under his first reason only, in the order of the keys.
    control
        Drawn per customer with the run's seed: never called, on any list.
    advisers, advisers_counted
        How many advisers, and whether they were counted in the data.
    minutes_available, minutes, offer_minutes
        Per year; per contact; extra per policy discussed in a contact that takes place anyway.
    contact_cost, offer_cost
        Cents per contact; cents for a policy discussed in a contact that takes place anyway.
    workers
        Whose minutes they are.
    """

    excluded: dict[str, Flags]
    control: Flags
    advisers: int
    advisers_counted: bool
    minutes_available: float
    minutes: float
    offer_minutes: float
    contact_cost: float
    offer_cost: float
    workers: tuple[Worker, ...] = ()

    @property
    def barred(self) -> Flags:
        """Customers that may not be on a list."""
        out = np.zeros(len(self.control), dtype=np.bool_)
        for flags in self.excluded.values():
            out |= flags
        return out

    @property
    def capacity(self) -> int:
        """Contacts a year that fit in the hours."""
        return int(min(capacity(self.minutes_available, self.minutes), UNLIMITED))

    def without(self, rows: NDArray[np.int64]) -> Desk:
        """Return the desk without customers for whom nobody at the right level has time."""
        late = np.zeros(len(self.control), dtype=np.bool_)
        late[rows] = True
        before = self.excluded.get(NO_HOURS, np.zeros(len(self.control), dtype=np.bool_))
        return replace(self, excluded={**self.excluded, NO_HOURS: before | late})


def desk(base: InForce) -> Desk:
    """Return eligibility, control group and hours of this portfolio."""
    minutes = base.value("contact.minutes")
    advisers, counted = advisers_of(base)
    workers = team(base, advisers)
    kept = 1 - float(rules("arbitration", "care")["reserved_share"])
    values = {name: each.value for name, each in base.assumed.items()}
    return Desk(
        excluded=_excluded(base),
        control=control_group(base.n, base.value("experiment.control_share"), base.settings.models.seed),
        advisers=advisers,
        advisers_counted=counted,
        minutes_available=kept * sum(worker.minutes for worker in workers),
        minutes=minutes,
        offer_minutes=base.value("contact.offer_minutes"),
        contact_cost=contact_cost(values),
        offer_cost=offer_cost(values),
        workers=workers,
    )


def control_group(n: int, share: float, seed: int) -> Flags:
    """Return who is drawn for the control group: each of `n` customers with chance `share`."""
    drawn: Flags = np.random.default_rng([seed, 0xC0]).random(n) < share
    return drawn


def advisers_of(base: InForce) -> tuple[int, bool]:
    """Return the number of advisers and whether it was counted; else customers / customers per adviser."""
    names = pl.concat([base.customers["adviser"], base.held["adviser"]]).drop_nulls().n_unique()
    if names:
        return names, True
    return max(1, round(base.n / base.value("capacity.customers_per_adviser"))), False


def never(base: InForce) -> dict[str, Flags]:
    """Return who is on no list at all, by reason; a customer may have more than one."""
    customers = base.customers
    minimum = int(load_toml("lists.toml")["eligible"]["minimum_age"])
    age = base.as_of.year - customers["birth_year"]
    private = customers["kind"].fill_null("private") != "business"
    return {
        "deceased": customers["deceased"].to_numpy(),
        "no_marketing": customers["no_marketing"].to_numpy(),
        "under_age": ((age < minimum) & private).fill_null(value=False).to_numpy(),
    }


def _excluded(base: InForce) -> dict[str, Flags]:
    always = never(base)
    reasons = {"deceased": always["deceased"], "announced": base.announced, **always, **resting(base)}
    seen = np.zeros(base.n, dtype=np.bool_)
    for reason, flags in reasons.items():
        reasons[reason] = flags & ~seen
        seen = seen | flags
    return reasons
