"""The profit measure of the churn scores a year ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.describe.relations import leavers
from akb.value.case.profit import empc
from akb.value.types import ProfitMeasure

if TYPE_CHECKING:
    from akb.value.in_force import InForce

LITERATURE = {"alpha": 6.0, "beta": 14.0, "clv": 200.0, "incentive": 10.0, "contact": 1.0}
"""Verbraken, Verbeke and Baesens (2013): what makes EMPC of one office comparable with that of
another.
"""


def empc_figures(base: InForce, history: pl.DataFrame) -> dict[str, ProfitMeasure]:
    """Return prediction -> its expected maximum profit a year ago, for the scores that were kept of
    that day.

    Parameters
    ----------
    history
        `rates.spells` of the portfolio.

    Returns
    -------
    dict of ProfitMeasure
        Key of a prediction -> ``empc`` (euros per customer at the values of `LITERATURE`),
        ``random`` (the same for an order that knows nothing), ``customers``, ``left``, ``from`` and
        the values used. Empty without a closed year or with too few leavers.
    """
    backtest = base.models.backtest
    if backtest is None:
        return {}
    until = add_months(backtest.as_of, 12)
    left = leavers(history, backtest.as_of, until).filter("left")
    counted = {
        "churn_12m": left,
        "churn_preventable_12m": left.filter(pl.col("cause") == "preventable"),
    }
    made = {}
    for key, gone in counted.items():
        scores = backtest.scores.select("customer", key).drop_nulls().sort("customer")
        happened = (
            scores["customer"].is_in(gone["customer"].implode()).to_numpy().astype(np.float64)
        )
        if happened.sum() < max(
            base.settings.models.min_events, base.settings.report.suppress_below
        ):
            continue
        made[key] = ProfitMeasure(
            empc=empc(happened, scores[key].to_numpy(), **LITERATURE),
            random=empc(happened, np.zeros(scores.height), **LITERATURE),
            customers=scores.height,
            left=int(happened.sum()),
            from_=backtest.as_of,
            **LITERATURE,
        )
    return made
