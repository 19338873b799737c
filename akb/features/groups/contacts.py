"""Contacts before T: how often, who called, by what channel, what about, and complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.groups.windows import Windows
from akb.features.registry import Group, added, share, yes

if TYPE_CHECKING:
    from akb.features.registry import World

_CHANNELS = {
    "phone": "by telephone",
    "email": "by e-mail",
    "visit": "in person",
    "portal": "through the portal",
    "letter": "by letter",
    "chat": "by chat",
}
_TOPICS = {
    "leaving": "about leaving",
    "price": "about the price",
    "moving": "about moving house",
    "quote": "about a quote",
    "claim": "about a claim",
    "payment": "about paying",
    "cover": "about what is covered",
    "review": "for a review of the policies",
    "change": "about a change",
}
_COMPLAINT = pl.col("topic") == "complaint"


def build(world: World) -> Group:
    """Return contacts in windows, months since, direction, channel, topic and complaints."""
    group = Group("contacts")
    if "contacts" not in world.records:
        return group
    contacts = Windows(group, "contacts", "contacts")
    count = contacts.count("contacts", "contacts {span}", (3, 6, 12, 24, 36))
    latest = contacts.since("contact", "contact", (12, 36))
    contacts.trends("contact", "contacts", count)
    _directions(group, contacts, count)
    for channel in world.channels:
        words = f"contacts {{span}} {_CHANNELS[channel]}"
        contacts.count(f"contacts_by_{channel}", words, (3, 12), yes(pl.col("channel") == channel))
    for topic in (topic for topic in world.topics if topic in _TOPICS):
        about = yes(pl.col("topic") == topic)
        contacts.count(
            f"contacts_about_{topic}", f"contacts {{span}} {_TOPICS[topic]}", (3, 12, 36), about
        )
    group.add(
        "channels_12m",
        "different channels of the contacts in the last 12 months",
        "channels",
        added(
            (contacts.total(f"contacts_by_{name}", 12, yes(pl.col("channel") == name)) > 0).cast(
                pl.Int32
            )
            for name in world.channels
        ),
        back=12,
        record="contacts",
    )
    group.add(
        "contact_overdue_36m",
        "time since the last contact, relative to the customer's usual time between contacts in "
        "36 months",
        "ratio",
        pl.when(count[36] > 0).then(latest / (3 * 365.25) * count[36]),
        back=36,
        record="contacts",
    )
    group.add(
        "contacts_per_policy_12m",
        "contacts in the last 12 months per policy in force",
        "contacts",
        share(count[12], pl.col("_policies")),
        back=12,
        record="contacts",
    )
    return group


def _directions(group: Group, contacts: Windows, count: dict[int, pl.Expr]) -> None:
    inbound, outbound = yes(pl.col("inbound")), ~pl.col("inbound").fill_null(value=True)
    called = contacts.count(
        "contacts_inbound", "contacts {span} made by the customer", (3, 12), inbound
    )
    served = contacts.count(
        "contacts_outbound", "contacts {span} made by the office", (3, 12), outbound
    )
    complaint = yes(_COMPLAINT)
    complaints = contacts.count(
        "contacts_complaints", "contacts {span} that were complaints", (3, 12, 36), complaint
    )
    contacts.since("inbound", "contact that the customer made", (12, 36), inbound)
    contacts.since("outbound", "contact that the office made", (12, 36), outbound)
    contacts.since("visit", "visit", (36,), yes(pl.col("channel") == "visit"))
    complained = contacts.since("complaint", "complaint", (12, 36), complaint)
    contacts.trends("inbound", "contacts made by the customer", called)
    contacts.trends("outbound", "contacts made by the office", served)
    group.add(
        "inbound_share_12m",
        "share of the contacts in the last 12 months that the customer made",
        "share",
        share(called[12], count[12]),
        back=12,
        record="contacts",
    )
    group.add(
        "complaint_share_36m",
        "share of the contacts in the last 36 months that were complaints",
        "share",
        share(complaints[36], count[36]),
        back=36,
        record="contacts",
    )
    group.add(
        "complaint_then_silence_12m",
        "complained in the last 12 months, and there was no contact after it",
        "yes/no",
        yes((complaints[12] > 0) & (complained == pl.col("_since_contact"))),
        back=12,
        record="contacts",
    )
