"""Who may be contacted, who is left alone to measure against, and whose hours there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.draws import experiment_name
from akb.core.wording.text import load_toml
from akb.value.targeting.contact import resting, rules, said_to_have_left
from akb.value.targeting.control import as_assigned, control_group
from akb.value.targeting.team import POOLS, Worker, team

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import InForce

    Flags = NDArray[np.bool_]

RESTING = ("recent_contact", "contact_cap", "do_not_wake")
"""Reasons for which the office begins no contact; one that the customer begins may still be used.
"""


@dataclass(frozen=True)
class Eligibility:
    """What lists and plan share.

    Parameters
    ----------
    excluded
        Reason -> customers left out for it; each customer under his first reason only, in the order
        of the keys.
    control
        Drawn for the control group of the running experiment: not contacted for euros.
    advisers, advisers_counted
        How many advisers, and whether they were counted in the data.
    workers
        Whose minutes there are.
    """

    excluded: dict[str, Flags]
    control: Flags
    advisers: int
    advisers_counted: bool
    workers: tuple[Worker, ...] = ()

    @property
    def barred(self) -> Flags:
        """Customers that get no contact at all."""
        return self._any([reason for reason in self.excluded if reason not in RESTING])

    @property
    def resting(self) -> Flags:
        """Customers with whom the office begins no contact now."""
        return self._any([reason for reason in self.excluded if reason in RESTING])

    @property
    def callable(self) -> Flags:
        """Customers whom the office may contact: on a list as far as it pays."""
        out: Flags = ~self.barred & ~self.resting
        return out

    @property
    def minutes(self) -> dict[str, float]:
        """Minutes a year per pool, without what is kept for care."""
        kept = 1 - kept_for_care()
        return {
            pool: kept * sum(who.minutes for who in self.workers if who.level == pool)
            for pool in POOLS
        }

    def _any(self, reasons: list[str]) -> Flags:
        out = np.zeros(len(self.control), dtype=np.bool_)
        for reason in reasons:
            out |= self.excluded[reason]
        return out


def kept_for_care() -> float:
    """Return the share of everybody's minutes that contacts for euros leave to care."""
    return float(rules("arbitration", "care")["reserved_share"])


def eligibility(in_force: InForce) -> Eligibility:
    """Return who may be contacted, the control group and the hours of this portfolio."""
    advisers, counted = advisers_of(in_force)
    return Eligibility(
        excluded=_excluded(in_force),
        control=as_assigned(
            control_group(
                in_force.customers,
                in_force.value("experiment.control_share"),
                experiment_of(in_force),
                spared=in_force.announced,
            ),
            in_force.customers["customer"],
            in_force.portfolio.recorded,
        ),
        advisers=advisers,
        advisers_counted=counted,
        workers=team(in_force, advisers),
    )


def experiment_of(in_force: InForce) -> str:
    """Return the name of the experiment that runs at X: one a calendar year."""
    return experiment_name("akb", in_force.as_of)


def advisers_of(in_force: InForce) -> tuple[int, bool]:
    """Return the number of advisers and whether it was counted; else customers / customers per
    adviser.
    """
    names = (
        pl.concat([in_force.customers["adviser"], in_force.held["adviser"]]).drop_nulls().n_unique()
    )
    if names:
        return names, True
    return max(1, round(in_force.n / in_force.value("capacity.customers_per_adviser"))), False


def never(in_force: InForce) -> dict[str, Flags]:
    """Return who is on no list at all, by reason; a customer may have more than one."""
    customers = in_force.customers
    minimum = int(load_toml("lists.toml")["eligible"]["minimum_age"])
    age = in_force.as_of.year - customers["birth_year"]
    private = customers["kind"].fill_null("private") != "business"
    return {
        "deceased": customers["deceased"].to_numpy(),
        "no_marketing": customers["no_marketing"].to_numpy(),
        "under_age": ((age < minimum) & private).fill_null(value=False).to_numpy(),
    }


def _excluded(in_force: InForce) -> dict[str, Flags]:
    always = never(in_force)
    reasons = {
        "deceased": always["deceased"],
        "announced": in_force.announced | said_to_have_left(in_force),
        **always,
        **resting(in_force),
    }
    seen = np.zeros(in_force.n, dtype=np.bool_)
    for reason, flags in reasons.items():
        reasons[reason] = flags & ~seen
        seen = seen | flags
    return reasons
