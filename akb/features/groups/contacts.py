"""Contacts before T: how often, who called, by what channel, and complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group, since, within

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
"""As ingest names them; other channels count in the totals only."""


def build(world: World) -> Group:
    """Return contacts in windows, months since, direction, channel and complaints."""
    group = Group("contacts")
    if "contacts" not in world.records:
        return group
    count = {
        window: group.count(f"_contacts_{window}", "contacts", within("date", window)) for window in (3, 6, 12, 36)
    }
    for window, number in count.items():
        group.add(
            f"contacts_{window}m",
            f"contacts in the last {window} months",
            "contacts",
            number,
            back=window,
            record="contacts",
        )
    latest = group.least("_since_contact", "contacts", pl.col("since"))
    for window in (12, 36):
        group.add(
            f"months_since_contact_{window}m",
            f"months since the last contact, at most {window}",
            "months",
            since(latest, window),
            back=window,
            record="contacts",
        )
    group.add(
        "contact_trend",
        "contacts of the last 3 months at a yearly pace, minus those of 12 months",
        "contacts",
        4 * count[3] - count[12],
        back=12,
        record="contacts",
    )
    kinds = {
        "inbound": ("made by the customer", pl.col("inbound").fill_null(value=False)),
        "outbound": ("made by the office", ~pl.col("inbound").fill_null(value=True)),
        "complaints": ("that were complaints", pl.col("complaint")),
        **{f"by_{channel}": (words, pl.col("channel") == channel) for channel, words in _CHANNELS.items()},
    }
    for name, (words, where) in kinds.items():
        for window in (3, 12):
            number = group.count(f"_contacts_{name}_{window}", "contacts", within("date", window) & where)
            group.add(
                f"contacts_{name}_{window}m",
                f"contacts in the last {window} months {words}",
                "contacts",
                number,
                back=window,
                record="contacts",
            )
    inbound = group.least(
        "_since_inbound", "contacts", pl.when(pl.col("inbound").fill_null(value=False)).then(pl.col("since"))
    )
    group.add(
        "months_since_inbound_12m",
        "months since the customer last got in touch, at most 12",
        "months",
        since(inbound, 12),
        back=12,
        record="contacts",
    )
    return group
