"""What can be said of a small office: its own lapses, drawn to the branch rates of the sources or
of its sister offices.

Gamma-Poisson in two steps: the office's level against those rates, then each branch against the
office. How far offices and branches lie apart is assumed (``small.*``); the weight of the office's
own years follows from their number."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.privacy.disclosure import shown
from akb.core.typed import made
from akb.value.actuarial.basis import BETWEEN_YEARS, dispersion
from akb.value.actuarial.credibility import drawn
from akb.value.actuarial.sisters import ended_and_due, prior_rates, seen
from akb.value.types import SmallOffice

if TYPE_CHECKING:
    from akb.value.in_force import InForce

SMALL = 500  # customers from which an office speaks for itself
ENOUGH = 20  # lapses from which one sees how many a customer ends at once
TAILS = (0.05, 0.95)


def small_office(base: InForce) -> SmallOffice | None:
    """Return the lapses to expect of an office under `SMALL` customers in the coming 12 months.

    Returns
    -------
    SmallOffice
        ``rows`` {key (branch), customers, policies, years (policy-years seen), lapses (seen),
        source (rate), rate, weight (own), sisters (weight of theirs), expected}, ``_other`` for
        branches of too few customers;
        ``announced`` (policies that are known to end), ``expected``, ``low``, ``high`` (90 %),
        ``weight``, ``ratio`` (the office against what it is drawn to), ``sisters`` {offices,
        weight} or None, ``commission`` {expected, low, high}
        in cents or None, ``first`` and ``last`` of what was seen (None: nothing recorded). None for
        other offices.
    """
    limit, sisters = base.settings.report.suppress_below, base.settings.sisters
    if not limit <= base.n < SMALL:
        return None
    first, last = seen(base)
    own, lapses = ended_and_due(base)
    prior = prior_rates(base)
    due = {branch: years * prior.rates[branch] for branch, (years, _) in own.items()}
    office = drawn(
        sum(ended for _, ended in own.values()),
        sum(due.values()),
        prior.spread,
        dispersion(lapses),
    )
    within = dispersion(lapses, "branch")
    until = add_months(base.as_of, 12)
    held = base.held.select("row", "branch", "ends", cents=pl.Series(base.commission))
    announced = held.filter(pl.col("ends") <= until).height
    free = held.filter(pl.col("ends").is_null() | (pl.col("ends") > until))
    rows: list[dict[str, Any]] = []
    spread, money = 0.0, [0.0, 0.0, 0.0]
    for (branch,), part in sorted(free.group_by("branch"), key=lambda each: str(each[0][0])):
        years, ended = own.get(str(branch), (0.0, 0))
        level = drawn(
            ended,
            due.get(str(branch), 0.0) * office.ratio,
            base.value("small.branch_spread"),
            within,
        )
        chance = 1.0 - float(np.exp(-prior.rates[str(branch)] * office.ratio * level.ratio))
        expected = part.height * chance
        spread += expected**2 * level.variance
        cents = part["cents"].cast(pl.Float64).to_numpy()
        money[0] += float(cents.sum()) * chance
        money[1] += (float(cents.sum()) * chance) ** 2 * level.variance
        money[2] += float((np.sort(cents) ** 2).sum()) * chance
        weight = 1.0 - (1.0 - office.weight) * (1.0 - level.weight)
        rows.append(
            {
                "key": str(branch),
                "customers": part["row"].n_unique(),
                "policies": part.height,
                "years": years,
                "lapses": ended,
                "source": base.taxonomy[str(branch)].lapse,
                "rate": chance,
                "weight": weight,
                "sisters": (1.0 - weight) * prior.weights[str(branch)],
                "expected": expected,
            }
        )
    total = sum(row["expected"] for row in rows)
    enough = lapses.height >= ENOUGH
    clustered = dispersion(lapses) if enough else float(base.policies_per_customer.mean())
    common = office.variance + BETWEEN_YEARS**2
    low, high = _interval(total, clustered * total + spread + total**2 * common)
    return made(
        SmallOffice,
        {
            "rows": _merged(rows, limit),
            "announced": announced if announced == 0 or announced >= limit else None,
            "expected": total,
            "low": float(np.floor(low)),
            "high": float(np.ceil(high)),
            "weight": office.weight,
            "ratio": office.ratio,
            "sisters": {"offices": sisters.offices, "weight": (1.0 - office.weight) * prior.weight}
            if sisters.offices
            else None,
            "commission": _commission(money, clustered, common) if base.has_commission else None,
            "first": None if first is None else (first + timedelta(days=1)).isoformat(),
            "last": None if last is None else last.isoformat(),
        },
    )


def _interval(mean: float, variance: float) -> tuple[float, float]:
    """Return the 90 % interval of a gamma with this mean and variance."""
    from scipy.stats import gamma

    if mean <= 0 or variance <= 0:
        return 0.0, 0.0
    shape, scale = mean**2 / variance, variance / mean
    low, high = (float(gamma.ppf(tail, shape, scale=scale)) for tail in TAILS)
    return low, high


def _commission(money: list[float], clustered: float, common: float) -> dict[str, int]:
    mean, level, chance = money
    low, high = _interval(mean, clustered * chance + level + mean**2 * common)
    return {"expected": round(mean), "low": round(low), "high": round(high)}


def _merged(rows: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """Return the rows, those of too few customers as one, largest first; its rate follows from its
    sums, the rest of it is nobody's.
    """
    found = []
    for row in shown(rows, limit):
        merged = row["key"] == "_other"
        rate = row["expected"] / row["policies"]
        found.append(
            {**row, "rate": rate}
            | (dict.fromkeys(("source", "weight", "sisters")) if merged else {})
        )
    return sorted(found, key=lambda row: (-row["policies"], row["key"]))
