"""What lists, business case and figures all stand on: cost, survival, purchases, lifetime value,
and the plan.

One way to get there, for a whole run and for the business case alone: so the figures of ``akb
case`` are those of the run that ``akb case --out`` would write."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.describe.relations import closed_year, year_rates
from akb.value.beside import ALONE
from akb.value.in_force import ANY_LAPSE, InForce
from akb.value.lifetime.ahead import LifetimeInputs, YearsAhead, years_ahead
from akb.value.lifetime.policies import policy_stakes, preventable_shares
from akb.value.lifetime.present import present_factors
from akb.value.lifetime.purchases import offers
from akb.value.lifetime.streams import streams
from akb.value.lifetime.survival import YEAR, branch_rows, relations
from akb.value.revenue.cost import service_cost
from akb.value.targeting.eligibility import eligibility
from akb.value.targeting.planning.benefits import Planning
from akb.value.targeting.planning.plan import contact_plan
from akb.value.targeting.planning.prospects import (
    Stakes,
    candidates,
    prospects,
    relation_stakes,
)
from akb.value.targeting.staffing import feasible, staffed

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.config import Settings
    from akb.describe.relations import YearRates
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.beside import Start
    from akb.value.in_force import Cents, Floats
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.streams import Streams
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.cost import ServiceCost
    from akb.value.targeting.eligibility import Eligibility
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.targeting.planning.prospects import Prospects
    from akb.value.targeting.staffing import Assignment


@dataclass(frozen=True)
class Valuation:
    """What is known of the customers in force before anything is listed or worded.

    Parameters
    ----------
    rates
        Counted in the last closed year; None where none was recorded.
    survival, branches
        The relation over time, and its branches (`survival.branch_rows`); None where the models
        know no ends.
    flows, value, earned
        Monthly amounts, lifetime value, and (commission, cost to serve) of the coming 12 months in
        cents.
    policies
        `policies.policy_stakes`; None without survival or commission.
    prospects, plan
        What contacts could change, and who gets which; None without commission.
    paid
        (n, places): discounted years that one purchase more of a place of `prospects` pays; 0
        where nothing is offered.
    staffing
        Who does the plan's work.
    """

    in_force: InForce
    rates: YearRates | None
    cost: ServiceCost
    survival: Relations | None
    branches: pl.DataFrame | None
    offers: Offers
    flows: Streams | None
    value: Lifetime | None
    earned: tuple[Cents, Cents] | None
    five_years: Cents | None
    policies: pl.DataFrame | None
    eligibility: Eligibility
    prospects: Prospects | None
    paid: Floats | None
    plan: ContactPlan | None
    staffing: Assignment | None

    @property
    def euros(self) -> bool:
        """Whether retention may be told in euros."""
        return self.in_force.retention_in_euros and self.value is not None

    @cached_property
    def service_cost(self) -> Cents:
        """(n,): cost to serve every customer for a year, cents."""
        return self.cost.per_customer(self.in_force)


def valuation(
    portfolio: Portfolio,
    models: ModelRun,
    settings: Settings,
    *,
    say: Callable[[str], None],
    earned: bool = True,
) -> Valuation:
    """Return what everything else stands on.

    Parameters
    ----------
    earned
        Whether the coming 12 months and who does what are asked for; the plan depends on the second
        only where a person's time might not suffice, and then it is worked out.
    """
    return valuation_of(InForce(portfolio, models, settings), say=say, earned=earned)


def valuation_of(
    in_force: InForce, *, say: Callable[[str], None], earned: bool = True, start: Start = ALONE
) -> Valuation:
    """Return `valuation` of customers in force.

    Parameters
    ----------
    start
        Begins what does not wait for the rest, see `side_by_side`.
    """
    portfolio, settings = in_force.portfolio, in_force.settings
    time = settings.time
    say("what happened in the last closed year")
    window = closed_year(portfolio, time.gap_days, time.registration_lag_days)
    rates = year_rates(in_force.policies, in_force.spells, *window) if window else None

    eligible_ones = start(partial(eligibility, in_force))
    say("cost to serve and survival")
    cost = service_cost(in_force)
    months = YEAR * max(1, round(in_force.value("value.horizon_years")))
    survival = relations(in_force, months)
    branches = (
        branch_rows(in_force, survival, rates.policy_lapse if rates else 0.0) if survival else None
    )

    say("next best policies")
    purchases = offers(in_force, cost, _mean_kept(branches))
    open_ones = candidates(in_force, purchases) if in_force.has_commission else None
    flows = value = coming = further = stakes = paid = None
    if survival is not None and branches is not None and (earned or in_force.has_commission):
        say("lifetime value")
        flows = streams(in_force, branches, cost, months, in_force.value("value.timing"))
        whole = LifetimeInputs(
            paths=survival,
            flows=flows,
            bought=np.where(in_force.announced, 0.0, purchases.yearly_margin),
            kept=purchases.kept,
            present=present_factors(in_force, months),
            offered=None if open_ones is None else open_ones.offered,
        )
        asked = partial(years_ahead, value=in_force.has_commission, coming=earned)
        ahead = YearsAhead.joined(start.on_parts(asked, whole.parts(start.parts)))
        value, coming, further, paid = ahead.value, ahead.coming, ahead.five_years, ahead.paid
        if in_force.has_commission:
            stakes = policy_stakes(in_force, survival, branches, cost, preventable_shares(in_force))

    say("who is contacted, how and by whom")
    eligible = eligible_ones()
    planned = staffing = could = None
    if open_ones is not None:
        stake = _stakes(in_force, survival, value, stakes)
        if paid is None:  # nobody knows when relations end: one year
            paid = np.where(np.isnan(open_ones.offered), 0.0, 1.0)
        could = prospects(in_force, stake, purchases, eligible, (open_ones, paid))
        planned = contact_plan(could, Planning.of(settings), eligible.minutes)
        if earned or not feasible(in_force, planned, eligible):
            planned, staffing = staffed(in_force, planned, eligible)
    return Valuation(
        in_force=in_force,
        rates=rates,
        cost=cost,
        survival=survival,
        branches=branches,
        offers=purchases,
        flows=flows,
        value=value,
        earned=coming,
        five_years=further,
        policies=stakes,
        eligibility=eligible,
        prospects=could,
        paid=paid,
        plan=planned,
        staffing=staffing,
    )


def _stakes(
    in_force: InForce,
    survival: Relations | None,
    value: Lifetime | None,
    policies: pl.DataFrame | None,
) -> Stakes:
    """Return what the two lines that keep are worth per customer."""
    relation, leaving = relation_stakes(in_force, survival, value)
    policy, lost = np.zeros(in_force.n), np.zeros(in_force.n)
    if policies is not None and in_force.shown(ANY_LAPSE).order != "unproven":
        rows = policies["row"].to_numpy()
        policy = np.bincount(
            rows, weights=policies["expected"].to_numpy(), minlength=in_force.n
        ).astype(float)
        lost = np.bincount(rows, weights=policies["lost"].to_numpy(), minlength=in_force.n).astype(
            float
        )
    return Stakes(relation, leaving, policy, lost)


def _mean_kept(rows: pl.DataFrame | None) -> float:
    if rows is None or rows.is_empty():
        return 1.0
    return float(np.average(rows["kept"].to_numpy(), weights=rows["policies"].to_numpy()))
