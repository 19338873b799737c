"""How the customer pays: the way of collection, and reminders and reversals where they are
given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.groups.windows import Windows
from akb.features.registry import Group, months, share, within, yes

if TYPE_CHECKING:
    from akb.features.registry import World

_TROUBLE = yes(pl.col("kind") != "paid")


def build(world: World) -> Group:
    """Return collection and payment term (the file has today's only), and payment behaviour in
    windows.
    """
    group = Group("payments")
    own = group.count("_own", "held", yes(pl.col("own_collection")))
    known = group.count("_own_known", "held", pl.col("own_collection").is_not_null())
    terms = group.count("_terms", "held", pl.col("payment_months").is_not_null())
    monthly = group.count("_monthly", "held", yes(pl.col("payment_months") == 1))
    group.add(
        "share_own_collection",
        "share of the policies whose premium the office collects itself",
        "share",
        share(own, known),
        current=True,
    )
    group.add(
        "mean_payment_term",
        "mean payment term",
        "months",
        share(group.sum("_term", "held", pl.col("payment_months")), terms),
        current=True,
    )
    group.add(
        "share_monthly",
        "share of the policies paid by the month",
        "share",
        share(monthly, terms),
        current=True,
    )
    if "payments" in world.records:
        _trouble(group)
        _speed(group)
    return group


def _trouble(group: Group) -> None:
    events = Windows(group, "payments", "times")
    reminders = yes(pl.col("kind") == "reminder")
    count = events.count("reminders", "payment reminders {span}", (3, 12, 36), reminders)
    reversals = events.count(
        "reversals", "payment reversals {span}", (3, 12, 36), yes(pl.col("kind") == "reversal")
    )
    events.trends("reminder", "payment reminders", count)
    events.trends("reversal", "payment reversals", reversals)
    events.since("reversal", "payment reversal", (12,), yes(pl.col("kind") == "reversal"))
    events.since("payment_trouble", "reminder or reversal", (12, 36), _TROUBLE)
    both = {window: count[window] + reversals[window] for window in (12, 36)}
    paid = events.total("paid", 12, yes(pl.col("kind") == "paid"))
    group.add(
        "reversal_share_12m",
        "reversals in the last 12 months as a share of reversals and payments",
        "share",
        share(reversals[12], reversals[12] + paid),
        back=12,
        record="payments",
    )
    group.add(
        "first_payment_trouble_12m",
        "first reminder or reversal in 36 months fell in the last 12",
        "yes/no",
        (both[12] > 0) & (both[36] == both[12]),
        back=36,
        record="payments",
    )


def _speed(group: Group) -> None:
    """How soon a reminder is followed by a payment, and how many are not (yet)."""
    events = Windows(group, "payments", "times")
    reminder = yes(pl.col("kind") == "reminder")
    unpaid = events.total("unpaid", 12, reminder & pl.col("paid").is_null())
    settled = events.total("settled", 12, reminder & pl.col("paid").is_not_null())
    late = pl.when(within("date", 12) & reminder).then(pl.col("paid") - pl.col("date"))
    group.add(
        "reminders_in_a_row_12m",
        "reminders in the last 12 months since the last payment",
        "times",
        unpaid,
        back=12,
        record="payments",
    )
    group.add(
        "months_to_pay_12m",
        "mean months from a reminder of the last 12 months to the payment after it; null without "
        "one",
        "months",
        months(share(group.sum("_late", "payments", late), settled)),
        back=12,
        record="payments",
    )
