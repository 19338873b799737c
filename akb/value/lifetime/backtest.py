"""Lifetime value proven backwards: what akb would have said three years ago of the revenue that was
earned since.

Only revenue: costs are assumed, so nothing later can prove them. Beside it stand the two rules that
need no model: the status quo (today's revenue x average lifetime) and "everything stays" (three
times today's revenue)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import in_force
from akb.describe.relations import is_lapse
from akb.value.in_force import InForce
from akb.value.lifetime.clv import expected_revenue
from akb.value.lifetime.streams import streams
from akb.value.lifetime.survival import YEAR, branch_rows, relations
from akb.value.revenue.commission import lapse_by_branch
from akb.value.revenue.cost import service_cost
from akb.value.revenue.euro_evidence import level_evidence
from akb.value.types import PastDecile, PastModel, PastValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from akb.models.types import Evidence
    from akb.value.in_force import Floats
    from akb.value.types import Past

MONTHS = 36
DRAWS = 1000
Z = (5.0, 95.0)
FEW = 100  # with fewer customers a table of ten groups says nothing


@dataclass(frozen=True)
class Forecast:
    """Revenue of the coming months per customer in force at T, in cents: not indexed, not
    discounted.

    Parameters
    ----------
    customer
        Ascending.
    now
        Yearly revenue at T.
    expected
        What the policies in force at T are expected to earn.
    survival
        Expected part of those months that the revenue lasts: the mean over the relation's months
        still there.
    """

    customer: pl.Series
    now: Floats
    expected: Floats
    survival: Floats


def forecast(base: InForce, months: int = MONTHS) -> Forecast | None:
    """Return what lifetime value says of revenue alone over `months`; None where the models know no
    ends.
    """
    paths = relations(base, months)
    if paths is None or not base.has_commission:
        return None
    before = add_months(base.as_of, -YEAR)
    rows = branch_rows(base, paths, average_lapse(base, before))
    flows = streams(base, rows, service_cost(base), months, 0.5)
    return Forecast(
        base.customers["customer"],
        base.commission_customer.astype(np.float64),
        expected_revenue(flows, paths),
        np.sum(list(paths.by_month(0.5, months)), axis=0) / months,
    )


def average_lapse(base: InForce, first: date) -> float:
    """Return the share of policies in force on `first` that had lapsed by X."""
    counted = lapse_by_branch(base.portfolio.policies, first, base.as_of)
    held = int(counted["held"].sum())
    return float(counted["lapsed"].sum()) / held if held else 0.0


def status_quo(base: InForce, months: int = MONTHS) -> float:
    """Return the average lifetime within `months`, in years, at the lapse rate counted over the
    year before T.
    """
    kept = 1.0 - average_lapse(base, add_months(base.as_of, -YEAR))
    return float((kept ** ((np.arange(months) + 0.5) / YEAR)).sum() / YEAR)


def realised(policies: pl.DataFrame, customers: pl.Series, day: date, months: int) -> Floats:
    """Return per customer what the policies in force on `day` earned in the `months` after it, in
    cents.

    Technical ends and policies that another one continues go on earning. `policies` have
    ``revenue_cents``: today's, or that at the end, so a policy weighs the same in every forecast
    and in what was realised."""
    until = add_months(day, months)
    days = (until - day).days
    known = ("customer", "end_date", "cause", "replaced_on", "revenue_cents")
    held = in_force(policies, day, *known).with_columns(
        lasted=pl.when(is_lapse(until))
        .then((pl.col("end_date") - day).dt.total_days())
        .otherwise(days)
    )
    earned = pl.col("revenue_cents").fill_null(0) * pl.col("lasted")
    total = held.group_by("customer").agg(earned=earned.sum())
    joined = customers.to_frame("customer").join(
        total, on="customer", how="left", maintain_order="left"
    )
    out: Floats = joined["earned"].fill_null(0).to_numpy() * (months / YEAR / days)
    return out


@dataclass(frozen=True)
class Comparison:
    """One forecast against what was realised: level, error and rank, and how much better or worse
    it is than another.

    ``gain`` is the rival's root mean square error minus its own (cents, positive: better than the
    rival), with a paired 90 % interval from a bootstrap over customers."""

    ratio: float
    rmse: float
    rank: float
    gain: float | None = None
    gain_ci: tuple[float, float] | None = None


def compare(own: Floats, rival: Floats, truth: Floats, *, seed: int) -> Comparison:
    """Return how `own` did, and whether it did better than `rival` on the same customers."""
    return compare_all(own, {"rival": rival}, truth, seed=seed)["rival"]


def compare_all(
    own: Floats, rivals: Mapping[str, Floats], truth: Floats, *, seed: int
) -> dict[str, Comparison]:
    """Return `compare` for every rival.

    A row is a customer with all his policies, so drawing rows is drawing clusters. All are held
    against the same draws, which are most of the work.
    """
    mine = (own - truth) ** 2
    others = {key: (rival - truth) ** 2 for key, rival in rivals.items()}
    rng, n = np.random.default_rng(seed), len(truth)
    gains = {key: np.empty(DRAWS) for key in rivals}
    for draw in range(DRAWS):
        weight = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        error = np.sqrt(weight @ mine / n)
        for key, other in others.items():
            gains[key][draw] = np.sqrt(weight @ other / n) - error
    alone = alone_against(own, truth)
    out = {}
    for key, other in others.items():
        low, high = np.percentile(gains[key], Z)
        gain = float(np.sqrt(other.mean()) - np.sqrt(mine.mean()))
        interval = (float(low), float(high))
        out[key] = Comparison(alone.ratio, alone.rmse, alone.rank, gain, interval)
    return out


def alone_against(own: Floats, truth: Floats) -> Comparison:
    """Return level (realised / expected), root mean square error in cents and Spearman's rank
    correlation.
    """
    from scipy.stats import spearmanr

    expected = float(own.sum())
    rank = float(spearmanr(own, truth).statistic) if np.ptp(own) > 0 and np.ptp(truth) > 0 else 0.0
    return Comparison(
        ratio=float(truth.sum()) / expected if expected else 0.0,
        rmse=float(np.sqrt(((own - truth) ** 2).mean())),
        rank=rank,
    )


def deciles(order_by: Floats, truth: Floats, parts: int = 10) -> list[tuple[int, float, float]]:
    """Return (customers, mean forecast, mean realised) in cents for tenths by forecast, highest
    first.
    """
    order = np.lexsort((np.arange(len(truth)), -order_by))
    return [
        (len(part), float(order_by[part].mean()), float(truth[part].mean()))
        for part in np.array_split(order, parts)
    ]


def lift_within(now: Floats, expected: Floats, truth: Floats) -> list[float]:
    """Return realised / today's revenue over the fifths of expected / today's revenue, made inside
    tenths of revenue.

    Ranking inside tenths takes out what any list by revenue would know too: what is left is
    survival."""
    paying = np.flatnonzero(now > 0)
    order = paying[np.argsort(now[paying], kind="stable")]
    totals = np.zeros((5, 2))
    for part in np.array_split(order, 10):
        ratio = expected[part] / now[part]
        for fifth, places in enumerate(np.array_split(part[np.argsort(ratio, kind="stable")], 5)):
            totals[fifth] += truth[places].sum(), now[places].sum()
    return [float(earned / today) if today else 0.0 for earned, today in totals.tolist()]


@dataclass(frozen=True)
class BacktestResult:
    """What looking back gave.

    Parameters
    ----------
    figures
        For the report; None where nothing can be proven.
    missing
        Why: ``history``, ``revenue`` or ``few``.
    evidence
        The same as evidence of lifetime value: level with its interval, and tenths; None where it
        is not available.
    """

    figures: PastValue | None
    missing: str | None = None
    evidence: Evidence | None = None


def proof(base: InForce, past: Past | None) -> BacktestResult:
    """Look back three years.

    The models of the figures are ``clv``, ``status_quo`` and ``all_stay``, for the rivals with the
    gain of CLV over them; ``winner`` is ``clv``, ``status_quo``, or ``none`` where the interval
    holds zero; ``lift`` is realised per euro of revenue over fifths of CLV / revenue, inside tenths
    of revenue. Money in cents.
    """
    if not base.has_commission:
        return BacktestResult(None, "revenue")
    if past is None:
        return BacktestResult(None, "history")
    then = InForce(past.portfolio, past.models, base.settings)
    predicted = forecast(then)
    if predicted is None or len(predicted.now) < FEW:
        return BacktestResult(None, "history" if predicted is None else "few")
    truth = realised(base.policies, predicted.customer, then.as_of, MONTHS)
    years = status_quo(then)
    rivals = {"status_quo": years * predicted.now, "all_stay": MONTHS / YEAR * predicted.now}
    seed = base.settings.models.seed
    found = compare_all(predicted.expected, rivals, truth, seed=seed)
    own = alone_against(predicted.expected, truth)
    rows = [_row("clv", predicted.expected, own)]
    for key, rival in rivals.items():
        single = alone_against(rival, truth)
        rows.append(
            replace(_row(key, rival, single), gain=found[key].gain, gain_ci=found[key].gain_ci)
        )
    figures = PastValue(
        available=True,
        from_=then.as_of,
        to=add_months(then.as_of, MONTHS),
        customers=len(truth),
        realised=round(float(truth.sum())),
        models=tuple(rows),
        winner=winner(found["status_quo"]),
        beats_all_stay=winner(found["all_stay"]) == "clv",
        lift=tuple(lift_within(predicted.now, predicted.expected, truth)),
        lifetime_years=years,
        deciles=tuple(
            PastDecile(place, count, round(mean), round(real))
            for place, (count, mean, real) in enumerate(deciles(predicted.expected, truth), start=1)
        ),
    )
    return BacktestResult(
        figures, evidence=_evidence(base, predicted, truth, rivals["all_stay"], then.as_of)
    )


def _evidence(
    base: InForce, predicted: Forecast, truth: Floats, stay: Floats, day: date
) -> Evidence | None:
    """The level per customer on `day`, beside today's commission; what was gained is told in euros
    of error.
    """
    if predicted.expected.sum() <= 0:
        return None
    amounts = {
        "customer": predicted.customer,
        "expected": predicted.expected,
        "realised": truth,
        "last": stay,
    }
    lapses = in_force(base.policies, day).filter(is_lapse(add_months(day, MONTHS)))
    who = pl.DataFrame(amounts).with_columns(
        happened=pl.col("customer").is_in(lapses["customer"].unique().implode())
    )
    return level_evidence(who, day, lapses.height, base.people)


def winner(against: Comparison) -> str:
    """Say who had the smaller error: ``clv``, ``status_quo``, or ``none`` where chance could
    explain the difference.
    """
    assert against.gain_ci is not None
    low, high = against.gain_ci
    return "clv" if low > 0 else "status_quo" if high < 0 else "none"


def _row(key: str, forecast_: Floats, found: Comparison) -> PastModel:
    return PastModel(key, round(float(forecast_.sum())), found.ratio, found.rmse, found.rank)
