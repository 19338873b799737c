"""Claims before T. Health, disability, absence and life claims are left out before they get here
(`events.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.groups.windows import Windows
from akb.features.registry import Group, months, share, within, yes

if TYPE_CHECKING:
    from akb.features.registry import World

_SPANS = (12, 36)


def build(world: World) -> Group:
    """Return claims in windows, months since, fault, amounts, what was hit, and whether anyone got
    in touch.
    """
    group = Group("claims")
    if "claims" not in world.records:
        return group
    claims = Windows(group, "claims", "claims")
    count = claims.count("claims", "claims {span}", (1, 3, 6, 12, 24, 36))
    claims.since("claim", "claim", _SPANS)
    claims.count("claims_at_fault", "claims at fault {span}", _SPANS, yes(pl.col("at_fault")))
    _sizes(group, count)
    claims.trends("claim", "claims", count)
    group.add(
        "first_claim_12m",
        "first claim in 36 months fell in the last 12",
        "yes/no",
        (count[12] > 0) & (count[36] == count[12]),
        back=36,
        record="claims",
    )
    for theme in world.claimed:
        claims.count(
            f"claims_on_{theme}",
            f"claims on {theme} policies {{span}}",
            _SPANS,
            yes(pl.col("theme") == theme),
        )
    if "contacts" in world.records:
        _answers(group, claims)
    return group


def _sizes(group: Group, count: dict[int, pl.Expr]) -> None:
    for window in _SPANS:
        cents = group.sum(
            f"_cents_{window}",
            "claims",
            pl.when(within("date", window)).then(pl.col("amount_cents")),
        )
        group.add(
            f"claims_euros_{window}m",
            f"amount of the claims of the last {window} months, as filed today",
            "euros",
            cents / 100,
            back=window,
            record="claims",
            current=True,
        )
        group.add(
            f"claims_per_policy_{window}m",
            f"claims in the last {window} months per policy in force",
            "claims",
            share(count[window], pl.col("_policies")),
            back=window,
            record="claims",
        )


def _answers(group: Group, claims: Windows) -> None:
    """A claim is the moment of truth: did customer and office speak about it?"""
    open_ = claims.total("claims_silent", 12, pl.col("contacted").is_null())
    waited = group.sum(
        "_waited", "claims", pl.when(within("date", 36)).then(pl.col("contacted") - pl.col("date"))
    )
    answered = claims.total("claims_contacted", 36, pl.col("contacted").is_not_null())
    group.add(
        "claims_without_contact_12m",
        "claims in the last 12 months after which there has been no contact so far",
        "claims",
        open_,
        back=12,
        record=("claims", "contacts"),
    )
    group.add(
        "months_claim_to_contact_36m",
        "mean months from a claim of the last 36 months to the first contact after it; null "
        "without one",
        "months",
        months(share(waited, answered)),
        back=36,
        record=("claims", "contacts"),
    )
