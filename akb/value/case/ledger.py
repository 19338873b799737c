"""The arithmetic of a ledger: totals, the first year, later years, present value and the month of payback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.value.case.formulas import roi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from akb.value.types import Line

    Floats = NDArray[np.float64]

YEARS = 3
MONTHS = 12
HALF_YEAR = 0.5


def ledger(benefits: Sequence[Line], costs: Sequence[Line]) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return net and ROI as (low, base, high); low sets low benefits against high costs.

    ROI = (benefits - costs) / costs; zero where there are no costs.
    """
    gain = [sum(getattr(line, side) for line in benefits) for side in ("low", "base", "high")]
    spent = [sum(getattr(line, side) for line in costs) for side in ("high", "base", "low")]
    low, base, high = (g - s for g, s in zip(gain, spent, strict=True))
    ratios = [roi(g, s) if s > 0 else 0.0 for g, s in zip(gain, spent, strict=True)]
    return (low, base, high), (ratios[0], ratios[1], ratios[2])


def year_factors(first: float, stays: float, years: int = YEARS) -> list[float]:
    """Return how many full years of one year's benefit fall in year 1, 2, ...

    Every year brings a new cohort of saved customers or sold policies. A cohort counts ``first`` of a year in its own
    year (half-year rule: 0.5) and then ``stays``, ``stays^2``, ... of itself.
    """
    return [first + sum(stays**later for later in range(1, year + 1)) for year in range(years)]


def cohort_years(stays: float, years: int, first: float = HALF_YEAR) -> float:
    """Return the full years of benefit that yearly cohorts bring together over `years`.

    One year gives 0.5; with ``stays`` = 1 two years give 2 and three years 4.5.
    """
    return sum(year_factors(first, stays, years))


def call_years(stays: Floats, years: float, first: float = HALF_YEAR) -> Floats:
    """Return how many full years of its yearly benefit one call brings within `years` years of its own.

    ``first + stays + stays^2 + ...``: the call's own year under the half-year rule, and every later year as far as the
    customer is still there; of a broken last year its part.
    """
    total = np.zeros(np.shape(stays))
    for year in range(int(np.ceil(years))):
        part = min(1.0, years - year)
        total = total + part * (first if year == 0 else np.asarray(stays) ** year)
    return total


def over_years(
    benefits: Sequence[Line],
    costs: Sequence[Line],
    eda: int,
    stays: float,
    years: int = YEARS,
    first: Mapping[str, float] | None = None,
) -> dict[str, tuple[int, int, int]]:
    """Return totals over `years` when the same effort is made every year; not discounted, not indexed.

    Parameters
    ----------
    eda
        What the first analysis costs, once.
    stays
        Share of what was saved or sold that is still there a year later.
    first
        Line -> share of a year that counts in a cohort's own year; half where it says nothing.
    """
    factor = {line.key: cohort_years(stays, years, (first or {}).get(line.key, HALF_YEAR)) for line in benefits}
    gain = [round(sum(factor[b.key] * getattr(b, side) for b in benefits)) for side in ("low", "base", "high")]
    spent = [years * sum(getattr(line, side) for line in costs) + eda for side in ("low", "base", "high")]
    return {
        "benefits": (gain[0], gain[1], gain[2]),
        "costs": (spent[0], spent[1], spent[2]),
        "net": (gain[0] - spent[2], gain[1] - spent[1], gain[2] - spent[0]),
    }


def first_year(
    benefits: Sequence[Line], costs: Sequence[Line], eda: int, first: Mapping[str, float] | None = None
) -> dict[str, tuple[int, int, int]]:
    """Return totals of year 1: half of every benefit (half-year rule on both lines), all costs, and the analysis."""
    return over_years(benefits, costs, eda, 0.0, 1, first)


def present_value_of_years(flows: Sequence[float], once: float, discount: float) -> float:
    """Return what yearly flows are worth today: each in the middle of its year, `once` is paid on the first day."""
    worth: float = sum(flow / (1 + discount) ** (year + HALF_YEAR) for year, flow in enumerate(flows))
    return worth - once


def payback_month(
    benefits: Mapping[str, float],
    costs: float,
    once: float,
    stays: float,
    first: Mapping[str, float],
    years: int = YEARS,
) -> int | None:
    """Return the first month (1, 2, ...) in which everything paid so far has come back; None if not within `years`.

    In its own year a cohort grows evenly, so after m months it brought ``(m / 12)^2`` of what that year brings; costs
    are paid evenly, `once` on the first day. The twelfth month of every year agrees with the yearly totals.
    """
    earned = -once
    for year in range(years):
        for month in range(1, MONTHS + 1):
            part = month / MONTHS
            new = sum(cents * first.get(key, HALF_YEAR) for key, cents in benefits.items()) * part**2
            kept = sum(benefits.values()) * sum(stays**later for later in range(1, year + 1)) * part
            if earned + new + kept - costs * part >= 0:
                return MONTHS * year + month
        earned += new + kept - costs
    return None
