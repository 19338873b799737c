"""Recurring revenue in the next 12 months, and its proof by replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import is_lapse
from akb.models.types import Calibration, Evidence
from akb.value.base import in_force

if TYPE_CHECKING:
    from datetime import date

    from akb.models.types import Gate
    from akb.value.base import Base, Floats

BETWEEN_YEARS = 0.05  # floor of the spread between years in an interval of a level
Z90 = 1.6449


def earned_fraction(lapse: Floats) -> Floats:
    """Return the expected part of a year in force of a policy with yearly lapse chance `lapse` and a constant hazard.

    ``lapse / -ln(1 - lapse)``: 1 for no lapse, about 1 - lapse / 2 for a small one.
    """
    lapse = np.clip(lapse, 0.0, 1.0 - 1e-12)
    hazard = -np.log1p(-lapse)
    return np.divide(lapse, hazard, out=np.ones_like(hazard), where=hazard > 1e-12)


@dataclass(frozen=True)
class Replay:
    """What commission_12m would have said a year and a bit ago, with frozen commissions as weights.

    Amounts are in cents; `all_stay` is the status-quo forecast (last year's commission), `gate` that of the level.
    """

    evidence: Evidence
    gate: Gate
    expected: int
    realised: int
    all_stay: int


def replay(base: Base) -> Replay | None:
    """Return the proof of the earned-commission rule at the latest closed date T; None with too little history.

    Policies in force at T are weighed with the commission that the export shows today, for them and for those that
    ended, so only *time in force* is tested, not the amounts. The forecast uses the policy lapse per branch counted
    over the 12 months before T: the customers' own chances have their evidence with the branch predictions.
    """
    time = base.settings.time
    test = add_months(base.as_of, -12) - timedelta(days=time.gap_days + time.registration_lag_days)
    before = add_months(test, -12)
    recorded = base.portfolio.history.recorded_from
    if recorded is None or recorded > before or not base.has_commission:
        return None
    weighed = _weighed(base, test)
    if weighed.is_empty() or int(weighed["revenue_cents"].sum()) <= 0:
        return None
    rates = lapse_by_branch(base.portfolio.policies, before, test)
    lapse = weighed.join(rates, on="branch", how="left", maintain_order="left")["lapse"].fill_null(0.0).to_numpy()
    cents = weighed["revenue_cents"].to_numpy().astype(np.float64)
    table = weighed.with_columns(
        expected=pl.Series(cents * earned_fraction(lapse)),
        realised=pl.Series(cents * _in_force_fraction(weighed, test)),
        stay=pl.Series(cents),
    )
    per_customer = (
        table.group_by("customer").agg(pl.col("expected", "realised", "stay").sort_by("policy").sum()).sort("customer")
    )
    lapses = int((weighed["ends"] <= add_months(test, 12)).sum())
    evidence = level_evidence(per_customer, test, lapses)
    return Replay(
        evidence,
        gate_of(evidence),
        round(float(per_customer["expected"].to_numpy().sum())),
        round(float(per_customer["realised"].to_numpy().sum())),
        int(weighed["revenue_cents"].sum()),
    )


def lapse_by_branch(policies: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return branch, held, lapsed, lapse: of the policies in force on `first`, the share that lapsed in (first, last].

    Technical ends and policies that another one continues are no lapse.
    """
    held = in_force(policies, first).with_columns(lapsed=is_lapse(last))
    return (
        held.group_by("branch")
        .agg(held=pl.len().cast(pl.Int64), lapsed=pl.col("lapsed").sum().cast(pl.Int64))
        .with_columns(lapse=pl.col("lapsed") / pl.col("held"))
        .sort("branch")
    )


def _weighed(base: Base, test: date) -> pl.DataFrame:
    lapsed = is_lapse(add_months(test, 12))
    return (
        in_force(base.policies, test)
        .filter(pl.col("revenue_cents").is_not_null())
        .with_columns(ends=pl.when(lapsed).then(pl.col("end_date")))
        .sort("customer", "policy")
    )


def _in_force_fraction(weighed: pl.DataFrame, test: date) -> Floats:
    year = (add_months(test, 12) - test).days
    days = (weighed["ends"] - pl.Series([test])).dt.total_days().fill_null(year).to_numpy()
    out: Floats = np.clip(days / year, 0.0, 1.0)
    return out


def level_evidence(per_customer: pl.DataFrame, test: date, events: int) -> Evidence:
    """Return level and gain of an expected amount per customer on the day `test`.

    Parameters
    ----------
    per_customer
        customer, ``expected``, ``realised`` and ``stay`` (the baseline), all in cents.
    events
        How many things happened behind the amounts.
    """
    expected, realised, stay = (per_customer[name].to_numpy() for name in ("expected", "realised", "stay"))
    ratio = float(realised.sum() / expected.sum())
    residual = realised - ratio * expected
    sampling = float(np.sqrt((residual**2).sum()) / expected.sum())
    width = Z90 * float(np.hypot(sampling, BETWEEN_YEARS * ratio))
    against = float(((realised - stay) ** 2).sum())
    skill = 1.0 - float(((realised - expected) ** 2).sum()) / against if against > 0 else None
    order = np.lexsort((per_customer["customer"].to_numpy(), -expected))
    deciles = tuple(
        (number + 1, len(part), float(expected[part].mean()) / 100, float(realised[part].mean()) / 100)
        for number, part in enumerate(np.array_split(order, 10))
        if len(part)
    )
    return Evidence(
        test_date=test,
        population=per_customer.height,
        positives=float(events),
        deviance_skill=skill,
        calibration=Calibration(ratio, (ratio - width, ratio + width)),
        decile_table=deciles,
    )


def gate_of(evidence: Evidence) -> Gate:
    """Return the gate on the level, as the models room defines it."""
    assert evidence.calibration is not None
    low, high = evidence.calibration.ci
    if high < 0.90 or low > 1.10:
        return "fail"
    return "pass" if low >= 0.80 and high <= 1.25 else "provisional"
