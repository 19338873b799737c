"""What lies ahead without action, and what a list would have been worth a year ago: the figures of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.value.backtest import backtest
from akb.value.bridge import bridge
from akb.value.contact_policy import contact_policy
from akb.value.projection import projection
from akb.value.rates import closed_years

if TYPE_CHECKING:
    import polars as pl

    from akb.value.base import Base
    from akb.value.lists import Desk

INFLOW_YEARS = 3


def outlook_figures(
    base: Base, history: pl.DataFrame, rows: pl.DataFrame | None, listed: pl.DataFrame, shared: Desk
) -> dict[str, Any]:
    """Return ``bridge``, ``projection``, ``contact_policy`` and ``backtest``; see the functions of those names.

    Parameters
    ----------
    history
        `rates.spells` of the portfolio.
    rows
        `survival.branch_rows`; None without survival.
    listed
        The list ``top_defend``.
    """
    time = base.settings.time
    years = closed_years(base.portfolio, time.gap_days, time.registration_lag_days, INFLOW_YEARS)
    return {
        "bridge": bridge(base),
        "projection": projection(base, rows, history, years, listed),
        "contact_policy": contact_policy(base),
        "backtest": backtest(base, history, shared.capacity),
    }
