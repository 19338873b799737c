"""From amounts by month to today's worth: indexation and discount, kept apart where a cash flow is
shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.value.lifetime.clv import discount_factors

if TYPE_CHECKING:
    from akb.value.in_force import Floats, InForce


def present_factors(base: InForce, months: int) -> Floats:
    """Return (months,): what a euro of today's level, paid in each month, is worth today (indexed,
    discounted).
    """
    return discount_factors(
        months, base.value("value.discount"), base.value("value.indexation"), _timing(base)
    )


def index_factors(base: InForce, months: int) -> Floats:
    """Return (months,): what a euro of today's level has grown to in each month."""
    return discount_factors(months, 0.0, base.value("value.indexation"), _timing(base))


def present_value_of(base: InForce, flow: Floats) -> float:
    """Return today's worth of an indexed cash flow by month, cents."""
    return float(
        flow @ discount_factors(len(flow), base.value("value.discount"), 0.0, _timing(base))
    )


def _timing(base: InForce) -> float:
    return base.value("value.timing")
