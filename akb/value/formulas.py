"""The business-case formulas of the sources, restated: small, pure, and proven on their worked examples."""

from __future__ import annotations

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

    Exits are spread evenly over a year (half-year rule): a year's turnover is the mean of its begin and end. No growth.
    """
    before, after = 1.0 - churn_before, 1.0 - churn_after
    return [(after**year + after ** (year + 1) - before**year - before ** (year + 1)) / 2 for year in range(years)]


def cross_sell_rule(customers: float, buys: float, branch_share: float, commission: float) -> float:
    """Return the rule of thumb for cross-sell: customers x share that buys x share in core branches x commission.

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
    """Return the churn probability above which a contact pays: cost / (rescue x value); infinite without value."""
    return cost / (rescue * value) if rescue * value > 0 else float("inf")


def expected_saving(rescue: float, probability: float, stake: float, cost: float) -> float:
    """Return what a contact is expected to save: rescue x probability x value at stake - contact cost."""
    return rescue * probability * stake - cost


def half_year(benefits: Sequence[float]) -> float:
    """Return the benefits of a first year in which every line builds up evenly: half of the sum."""
    return sum(benefits) / 2


def rank_by(values: Sequence[float]) -> list[int]:
    """Return positions from the highest value to the lowest; ties keep their order."""
    return sorted(range(len(values)), key=lambda place: (-values[place], place))


def yearly_growth(now: float, later: float, years: int) -> float:
    """Return the growth a year that leads from `now` to `later` in so many years."""
    return float((later / now) ** (1 / years) - 1)


def advisers_needed(customers: float, per_adviser: float) -> float:
    """Return how many advisers so many customers ask for."""
    return customers / per_adviser
