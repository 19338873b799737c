"""How many customers and months a pilot needs before its result can be told from chance."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.value.targeting.contact import rules

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.targeting.eligibility import Desk


def per_arm(before: float, relative: float, alpha: float = 0.05, power: float = 0.80) -> int:
    """Return the customers per arm to tell `before` from `before` x (1 - `relative`), two-sided, equal arms.

    n = (z_{1-alpha/2} + z_power)^2 (p0 (1 - p0) + p1 (1 - p1)) / (p0 - p1)^2 (two proportions, normal approximation).

    Raises
    ------
    ValueError
        If there is nothing to tell apart.
    """
    from scipy.stats import norm

    after = before * (1 - relative)
    if not 0 < before < 1 or not 0 < relative <= 1:
        raise ValueError("a test needs a chance between 0 and 1 and an effect above 0")
    spread = float(norm.ppf(1 - alpha / 2) + norm.ppf(power)) ** 2
    return ceil(spread * (before * (1 - before) + after * (1 - after)) / (before - after) ** 2)


def detectable(before: float, size: int, alpha: float = 0.05, power: float = 0.80) -> float | None:
    """Return the smallest relative fall that arms of `size` can show; None if not even all of it."""
    if not 0 < before < 1 or per_arm(before, 1.0, alpha, power) > size:
        return None
    low, high = 1e-4, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if per_arm(before, middle, alpha, power) > size else (low, middle)
    return high


def pilot(base: InForce, desk: Desk, defend: pl.DataFrame) -> dict[str, Any] | None:
    """Return what a pilot inside the Top Defend list needs, for every rescue chance; None without a list.

    A call lowers the chance of leaving by rescue x the preventable part, so the relative fall is rescue x preventable
    / all. Half of the list is called, half is not, drawn per customer; everybody is followed for 12 months.

    Returns
    -------
    dict
        ``listed``, ``leave`` (chance of leaving within 12 months of who is listed), ``calls_a_month``, ``detectable``
        (relative fall that the own list can show, half called; None: nothing), and ``rows`` {key (low, base, high),
        rescue, relative, per_arm, months (to call them, and 12 to wait), offices (like this one, to be pooled)}.
    """
    known = defend.drop_nulls(["churn_12m", "churn_preventable_12m"])
    if known.height < base.settings.report.suppress_below:
        return None
    rule = rules("pilot")
    alpha, power = float(rule["alpha"]), float(rule["power"])
    leave = float(known["churn_12m"].mean())  # type: ignore[arg-type]
    preventable = float(known["churn_preventable_12m"].mean())  # type: ignore[arg-type]
    calls = desk.capacity / 12
    rows = []
    for key, rescue in zip(("low", "base", "high"), base.range("retention.rescue"), strict=True):
        relative = rescue * preventable / leave if leave > 0 else 0.0
        if not 0 < relative <= 1 or not 0 < leave < 1:
            continue
        size = per_arm(leave, relative, alpha, power)
        rows.append(
            {
                "key": key,
                "rescue": rescue,
                "relative": relative,
                "per_arm": size,
                "months": 12 + ceil(size / calls) if calls > 0 else None,
                "offices": ceil(2 * size / known.height),
            }
        )
    return {
        "listed": known.height,
        "leave": leave,
        "calls_a_month": calls,
        "detectable": detectable(leave, known.height // 2, alpha, power),
        "alpha": alpha,
        "power": power,
        "rows": rows,
    }
