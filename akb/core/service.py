"""What serving a customer costs: minutes times rates as cents, the same wherever cost is worked
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KINDS = ("private", "self_employed", "business")


@dataclass(frozen=True)
class ServiceRates:
    """Whole cents, from the assumptions ``cost.*``.

    Parameters
    ----------
    contact, claim
        Per event.
    policy, instalment
        Per policy and year (renewal and usual mutations); per instalment that the office collects
        itself.
    relation
        Kind of customer -> cents a year: fixed cost and periodic talks.
    contacts_a_year, claims_a_policy
        Assumed frequencies, for exports without such events.
    """

    contact: int
    claim: int
    policy: int
    instalment: int
    relation: Mapping[str, int]
    contacts_a_year: float
    claims_a_policy: float


def per_minute(euros_per_hour: float) -> float:
    """Return the cents that a minute costs at an hourly rate."""
    return euros_per_hour * 100 / 60


def service_rates(assumed: Callable[[str], float]) -> ServiceRates:
    """Return what every event, policy and relation costs.

    Parameters
    ----------
    assumed
        Name of an assumption -> its value.
    """

    def value(name: str) -> float:
        return assumed(f"cost.{name}")

    office, adviser = per_minute(value("rate_office")), per_minute(value("rate_adviser"))
    return ServiceRates(
        contact=round(office * value("minutes_contact")),
        claim=round(office * value("minutes_claim")),
        policy=round(
            office
            * (value("minutes_renewal") + value("minutes_mutation") * value("mutations_per_policy"))
        ),
        instalment=round(office * value("minutes_collection") * value("reminders_per_instalment")),
        relation={
            kind: round(
                100 * value("fixed") + adviser * value("minutes_talk") * value(f"talks_{kind}")
            )
            for kind in KINDS
        },
        contacts_a_year=value("contacts_per_customer"),
        claims_a_policy=value("claims_per_policy"),
    )
