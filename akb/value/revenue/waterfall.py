"""From premium to customer value: what of a euro of premium reaches the office, and what serving
takes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.relations import covers
from akb.core.typed import made
from akb.value.revenue.income import other_income
from akb.value.types import Waterfall

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.revenue.cost import ServiceCost

STEPS = {
    "account": ("talks",),
    "handling": ("renewal", "mutations", "collection", "claims", "contacts"),
    "it": ("fixed",),
}
"""Step -> kinds of service cost; marketing is an assumed share of the revenue and stands in no
lifetime value.
"""


def waterfall(base: InForce, cost: ServiceCost) -> Waterfall | None:
    """Return the steps from premium to customer value, in cents a year as of X; None without
    revenue.

    Returns
    -------
    Waterfall
        ``premium`` (net; None where policies with revenue have none), ``kept_by_insurer``,
        ``commission`` (all recurring revenue), ``income`` [{key, cents}] (the kinds that it
        consists of; empty where it is commission alone), ``steps`` [{key: account | marketing | it
        | handling, cents, mark}], ``value`` (what is left), ``estimated`` (kinds of events that the
        export does not have). Commission is counted; every cost has assumed minutes and rates, so
        its mark is assumed.
    """
    if not base.has_commission:
        return None
    commission = int(base.commission.sum())
    parts = {key: int(each.sum()) for key, each in base.revenue_parts.items() if each.any()}
    fees = parts.get("fee", 0)  # no premium is behind them
    premium = _premium(base)
    cents = {
        step: sum(int(cost.parts[kind].sum()) for kind in kinds) for step, kinds in STEPS.items()
    }
    cents["marketing"] = round(commission * base.value("cost.marketing_share"))
    steps = [
        {"key": key, "cents": cents[key], "mark": "assumed"}
        for key in ("account", "marketing", "it", "handling")
    ]
    return made(
        Waterfall,
        {
            "premium": premium,
            "kept_by_insurer": None if premium is None else premium - commission + fees,
            "income": [{"key": key, "cents": parts[key]} for key in parts]
            if other_income(base)
            else [],
            "commission": commission,
            "steps": steps,
            "value": commission - sum(cents.values()),
            "customers": base.n,
            "estimated": list(cost.estimated),
        },
    )


def _premium(base: InForce) -> int | None:
    """The premium behind the revenue: unknown where more than a tenth of the policies with revenue
    have none.
    """
    paying = covers(base.held).filter(pl.col("revenue_cents").fill_null(0) > 0)
    if paying.is_empty() or paying["premium_cents"].null_count() > 0.1 * paying.height:
        return None
    return int(paying["premium_cents"].sum())
