"""What an expected amount per customer showed on later data: level, gain, order, deciles, beside last year's value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.scoring import gini, last_value, tweedie_skill
from akb.models.types import Calibration, Evidence, LastYear

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from akb.models.types import Gate
    from akb.value.base import Floats

    Deciles = tuple[tuple[int, int, float, float], ...]

BETWEEN_YEARS = 0.05  # floor of the spread between years in an interval of a level
Z90 = 1.6449


def level_evidence(per_customer: pl.DataFrame, test: date, events: int) -> Evidence:
    """Return level, gain and order of an expected amount per customer on the day `test`.

    Parameters
    ----------
    per_customer
        customer, ``expected``, ``realised`` and ``last`` (the year before `test`; null: not there all year), in cents.
    events
        How many things happened behind the amounts.
    """
    customer = per_customer["customer"].to_numpy()
    expected, realised, last = (
        per_customer[name].to_numpy().astype(np.float64) for name in ("expected", "realised", "last")
    )
    ratio = float(realised.sum() / expected.sum())
    residual = realised - ratio * expected
    sampling = float(np.sqrt((residual**2).sum()) / expected.sum())
    width = Z90 * float(np.hypot(sampling, BETWEEN_YEARS * ratio))
    before = last_value(realised, last)
    return Evidence(
        test_date=test,
        population=per_customer.height,
        positives=float(events),
        deviance="tweedie",
        deviance_skill=tweedie_skill(realised, expected),
        gini=gini(realised, expected),
        calibration=Calibration(ratio, (ratio - width, ratio + width)),
        decile_table=_deciles(expected, realised, customer),
        by_date=((test, per_customer.height, float(events), None),),
        last_year=None
        if before is None
        else LastYear(gini(realised, before), tweedie_skill(realised, before), _deciles(before, realised, customer)),
    )


def _deciles(expected: Floats, realised: Floats, customer: Floats) -> Deciles:
    """Return (decile, customers, mean expected, mean realised) in euros, the highest expectations first."""
    order = np.lexsort((customer, -expected))
    return tuple(
        (number, len(part), float(expected[part].mean()) / 100, float(realised[part].mean()) / 100)
        for number, part in enumerate(np.array_split(order, 10), start=1)
        if len(part)
    )


def gate_of(evidence: Evidence) -> Gate:
    """Return the gate on the level, as the models room defines it."""
    assert evidence.calibration is not None
    low, high = evidence.calibration.ci
    if high < 0.90 or low > 1.10:
        return "fail"
    return "pass" if low >= 0.80 and high <= 1.25 else "provisional"
