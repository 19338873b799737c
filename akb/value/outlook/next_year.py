"""The bridge of the year ahead: from this year's recurring revenue to next year's, if nothing is
done.
"""

from __future__ import annotations

from akb.core.typed import made
from akb.value.types import LostCommission, NextYear, Projection

LEAVERS = ("natural", "insurer", "other", "relation")
"""Parts of what is lost that attention cannot change, or of which nobody knows whether it can."""


def next_year(lost: LostCommission | None, ahead: Projection | None) -> NextYear | None:
    """Return the steps from today's revenue to that of a year on; None where one of both is
    unknown.

    Parameters
    ----------
    lost
        `akb.value.lifetime.lost.lost_row`.
    ahead
        `akb.value.outlook.projection.projection`: its first year is where the bridge ends.

    Returns
    -------
    NextYear
        ``now``, ``next`` in cents; ``from``, ``to``; ``steps`` {key, cents}: ``announced``,
        ``preventable``, ``other``, ``single`` (lost), ``bought``, ``newcomers`` (gained) and
        ``rest``, what the two calculations differ in.
    """
    if lost is None or ahead is None or ahead.first_year is None:
        return None
    today, later = ahead.rows[0], ahead.rows[1]
    if today.commission is None or later.commission is None:
        return None
    parts = {row.key: row.expected for row in lost.parts}
    steps = {
        "announced": -parts.get("announced", 0),
        "preventable": -parts.get("preventable", 0),
        "other": -sum(parts.get(key, 0) for key in LEAVERS),
        "single": -parts.get("single", 0),
        "bought": ahead.first_year.bought,
        "newcomers": ahead.first_year.newcomers,
    }
    steps["rest"] = later.commission - today.commission - sum(steps.values())
    return made(
        NextYear,
        {
            "now": today.commission,
            "next": later.commission,
            "from": today.date,
            "to": later.date,
            "steps": [{"key": key, "cents": cents} for key, cents in steps.items() if cents],
        },
    )
