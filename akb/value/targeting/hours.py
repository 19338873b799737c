"""What a call costs, and how many calls fit in the hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.case.basis import Basis

UNLIMITED = 1_000_000_000  # calls that take no time


def contact_cost(values: Mapping[str, float]) -> float:
    """Return what one call costs, cents."""
    return 100 * values["cost.rate_office"] * values["contact.minutes"] / 60


def offer_cost(values: Mapping[str, float]) -> float:
    """Return what it costs to discuss a policy in a call that takes place anyway, cents."""
    return 100 * values["cost.rate_office"] * values["contact.offer_minutes"] / 60


def minutes_available(basis: Basis, values: Mapping[str, float]) -> float:
    """Return the minutes a year that advisers have for calls."""
    advisers: float = basis["advisers"]
    if not basis["advisers_counted"]:
        advisers = max(1, round(basis["customers"] / values["capacity.customers_per_adviser"]))
    return 60 * values["capacity.hours_per_year"] * advisers * float(basis["hours_factor"])


def capacity(minutes: float, per_call: float) -> float:
    """Return how many calls fit; without a limit where a call takes no time."""
    calls = max(0.0, minutes) / per_call if per_call > 0 else float("inf")
    return float(int(calls + 1e-9)) if calls < UNLIMITED else float("inf")
