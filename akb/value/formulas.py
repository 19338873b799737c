"""The business-case formulas of the sources, restated: small, pure, and proven on their worked
examples.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def saving_share(lapse: float, natural: float, rescue: float) -> float:
    """Return the share of turnover that retention saves in a full year: (lapse - natural) x rescue.

    Assumes that leavers have the average commission, and that the saving counts for a whole year.
    """
    return (lapse - natural) * rescue


def saving_ramp(churn_before: float, churn_after: float, years: int) -> list[float]:
    """Return the turnover kept in years 1..`years`, as a share of the base turnover.

    Exits are spread evenly over a year (half-year rule): a year's turnover is the mean of its begin
    and end. No growth."""
    before, after = 1.0 - churn_before, 1.0 - churn_after
    return [
        (after**year + after ** (year + 1) - before**year - before ** (year + 1)) / 2
        for year in range(years)
    ]


def cross_sell_rule(customers: float, buys: float, branch_share: float, commission: float) -> float:
    """Return the rule of thumb for cross-sell: customers x share that buys x share in core branches
    x commission.

    A gross flow: it comes without any action too, so it is no effect of active customer management.
    """
    return customers * buys * branch_share * commission


def roi(benefits: float, costs: float) -> float:
    """Return (benefits - costs) / costs, as a fraction; costs must be above zero."""
    if costs <= 0:
        raise ValueError("ROI needs costs above zero")
    return (benefits - costs) / costs


def system_cost(customers: float, per_customer: float, eda: float, years: int = 1) -> float:
    """Return licence and first analysis together over `years`; the analysis is paid once."""
    return customers * per_customer * years + eda


def profit_threshold(rescue: float, value: float, cost: float) -> float:
    """Return the churn probability above which a contact pays: cost / (rescue x value); infinite
    without value.
    """
    return cost / (rescue * value) if rescue * value > 0 else float("inf")


def expected_saving(rescue: float, probability: float, stake: float, cost: float) -> float:
    """Return what a contact is expected to save: rescue x probability x value at stake - contact
    cost.
    """
    return rescue * probability * stake - cost


def half_year(benefits: Sequence[float]) -> float:
    """Return the benefits of a first year in which every line builds up evenly: half of the sum."""
    return sum(benefits) / 2


def rank_by(values: Sequence[float]) -> list[int]:
    """Return positions from the highest value to the lowest; ties keep their order."""
    return sorted(range(len(values)), key=lambda place: (-values[place], place))


def value_of_churn(customers: float, churn: float, value: float) -> float:
    """Return what leaves in a year: customers x churn x value of one."""
    return customers * churn * value


def campaign(contacts: float, conversion: float, profit: float) -> tuple[float, float]:
    """Return the contracts that a campaign brings, and their profit; the cost of contact is not in
    it.
    """
    contracts = contacts * conversion
    return contracts, contracts * profit


def change(before: float, after: float) -> float:
    """Return the relative change: (after - before) / before."""
    return after / before - 1


def cost_from_roi(benefits: float, ratio: float) -> float:
    """Return the costs that a claimed ROI implies."""
    return benefits / (1 + ratio)


def value_at_constant_margin(value: float, churn_before: float, churn_after: float) -> float:
    """Return what margin / churn says a value becomes when only churn changes."""
    return value * churn_before / churn_after


def implied_horizon(gain: float, churn_before: float, churn_after: float) -> float:
    """Return the horizon, in periods, at which lower churn alone raises a value by `gain` (0.25: a
    quarter).

    Value of a constant margin over t periods: ``(1 - (1 - churn)^t) / churn``.

    Raises
    ------
    ValueError
        If no horizon makes it: without one the gain is ``churn_before / churn_after - 1``.
    """
    from scipy.optimize import brentq

    def excess(periods: float) -> float:
        after, before = (
            (1 - (1 - churn) ** periods) / churn for churn in (churn_after, churn_before)
        )
        more: float = after / before - 1 - gain
        return more

    return float(brentq(excess, 1e-6, 1e6))


def implied_discount(gain: float, churn_before: float, churn_after: float) -> float:
    """Return the rate per period at which lower churn alone raises a perpetual value by `gain`.

    Value of a constant margin: ``1 / (rate + churn)``.
    """
    return (churn_before - (1 + gain) * churn_after) / gain


def yearly_growth(before: float, after: float, years: float) -> float:
    """Return the growth per year that leads from one to the other."""
    return float((after / before) ** (1 / years) - 1)


def horizon_chances(yearly: float, months: Sequence[int]) -> list[float]:
    """Return the chance within every number of months under one constant hazard: nested, never
    added up.
    """
    return [1 - (1 - yearly) ** (month / 12) for month in months]


def competing_risk(
    total: float, other_share: float, years: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Return the chance of leaving for one cause by year: with the other cause counted, and with it
    censored.

    Parameters
    ----------
    total
        Yearly chance of leaving for any cause; hazards are constant.
    other_share
        Share of the other cause in the hazard.

    Notes
    -----
    Censoring answers what would happen if nobody could leave for the other cause, and so says too
    much."""
    hazard = -math.log(1 - total)
    own = 1 - other_share
    counted = [own * (1 - (1 - total) ** year) for year in years]
    censored = [1 - math.exp(-hazard * own * year) for year in years]
    return counted, censored


def advisers_needed(customers: float, per_adviser: float) -> float:
    """Return how many advisers so many customers ask for."""
    return customers / per_adviser
