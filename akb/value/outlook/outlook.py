"""What lies ahead without action, and what a list would have been worth a year ago: the figures of
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.describe.relations import closed_years
from akb.value.outlook.projection import projection
from akb.value.revenue.bridge import bridge
from akb.value.targeting.contact_policy import contact_policy
from akb.value.targeting.lists.last_year import backtest

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from akb.value.in_force import InForce
    from akb.value.targeting.planning.plan import ContactPlan

INFLOW_YEARS = 3


def inflow_years(base: InForce) -> list[tuple[date, date]]:
    """Return the closed years from which inflow is counted."""
    time = base.settings.time
    return closed_years(base.portfolio, time.gap_days, time.registration_lag_days, INFLOW_YEARS)


def outlook_figures(
    base: InForce, rows: pl.DataFrame | None, listed: pl.DataFrame, plan: ContactPlan | None
) -> dict[str, Any]:
    """Return ``bridge``, ``projection``, ``contact_policy`` and ``backtest``; see the functions of
    those names.

    Parameters
    ----------
    rows
        `survival.branch_rows`; None without survival.
    listed
        The list ``top_defend``.
    plan
        The plan of contacts; None without commission.
    """
    years = inflow_years(base)
    contacts = base.n if plan is None or not plan.personal else plan.personal
    return {
        "bridge": bridge(base),
        "projection": projection(base, rows, years, listed, plan),
        "contact_policy": contact_policy(base),
        "backtest": backtest(base, base.spells, contacts),
    }
