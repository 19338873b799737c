"""The service concept per class of customer, beside what the office did last year."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.typed import made
from akb.value.targeting.contact import contacts_since, rules
from akb.value.types import ServiceConcept

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.targeting.eligibility import Eligibility


def service_concept(base: InForce, classes: list[str], eligible: Eligibility) -> ServiceConcept:
    """Return per class what the concept asks and what was counted, with the hours of both.

    Returns
    -------
    ServiceConcept
        ``rows`` {key (class), customers, contacts (a year per customer, the concept), channel, who,
        today (contacts of the last 365 days per customer, both directions; None without contacts in
        the export), today_begun (those that the office began), hours (a year, the concept)};
        ``hours`` and ``hours_available`` of everybody.
    """
    minutes = rules("channel_minutes")
    label = np.array(classes)
    limit = base.settings.report.suppress_below
    since = base.as_of - timedelta(days=365)
    counted = base.portfolio.contacts is not None
    both, begun = contacts_since(base, since), contacts_since(base, since, begun=True)
    known = (
        counted
        and base.portfolio.contacts is not None
        and "inbound" in base.portfolio.contacts.columns
    )
    rows: list[dict[str, Any]] = []
    for key, concept in rules("concept").items():
        mine = label == key
        size = int(mine.sum())
        if size < limit:
            continue
        rows.append(
            {
                "key": key,
                "customers": size,
                "contacts": float(concept["contacts"]),
                "channel": concept["channel"],
                "who": concept["who"],
                "today": float(both[mine].mean()) if counted else None,
                "today_begun": float(begun[mine].mean()) if known else None,
                "hours": size
                * float(concept["contacts"])
                * float(minutes[concept["channel"]])
                / 60,
            }
        )
    return made(
        ServiceConcept,
        {
            "rows": rows,
            "hours": sum(row["hours"] for row in rows),
            "hours_available": sum(worker.minutes for worker in eligible.workers) / 60,
        },
    )


def levels(classes: list[str]) -> list[str]:
    """Return who serves every customer: the level that the concept gives to his class."""
    who = {key: str(concept["who"]) for key, concept in rules("concept").items()}
    return [who[label] for label in classes]
