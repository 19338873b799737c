"""The years and the length of the list that looking ahead and looking back start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.describe.relations import closed_years

if TYPE_CHECKING:
    from datetime import date

    from akb.value.in_force import InForce
    from akb.value.targeting.planning.plan import ContactPlan

INFLOW_YEARS = 3


def inflow_years(base: InForce) -> list[tuple[date, date]]:
    """Return the closed years from which inflow is counted."""
    time = base.settings.time
    return closed_years(base.portfolio, time.gap_days, time.registration_lag_days, INFLOW_YEARS)


def contacts_a_year(base: InForce, plan: ContactPlan | None) -> int:
    """Return the personal contacts of a year's plan; everybody where there is none."""
    return base.n if plan is None or not plan.personal else plan.personal
