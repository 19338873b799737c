"""What lists, business case and figures all stand on: cost, survival, offers, lifetime value, and who is called.

One way to get there, for a whole run and for the business case alone: so the figures of ``akb case`` are those of the
run that ``akb case --out`` would write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.case.case import business_case
from akb.value.in_force import InForce, may_tell
from akb.value.lifetime.clv import discount_factors, earned_12m, lifetime, present_value, streams
from akb.value.lifetime.survival import YEAR, branch_rows, relations
from akb.value.revenue.cost import service_cost
from akb.value.revenue.rates import closed_year, year_rates
from akb.value.targeting.actions import chosen, outside
from akb.value.lifetime.purchases import offers
from akb.value.targeting.decision import decide
from akb.value.targeting.eligibility import desk
from akb.value.targeting.gaps import care_gaps
from akb.value.targeting.retention import defence

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.in_force import Cents, Floats
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.cost import ServiceCost
    from akb.value.revenue.rates import YearRates
    from akb.value.lifetime.purchases import Offers
    from akb.value.targeting.decision import Decision
    from akb.value.targeting.eligibility import Desk
    from akb.value.targeting.retention import Defence
    from akb.value.types import BusinessCase


@dataclass(frozen=True)
class Valuation:
    """What is known of customers before anything is listed or told.

    Parameters
    ----------
    history
        Every unbroken relation, see `rates.spells`.
    rates
        Counted in the last closed year; None where none was recorded.
    paths, rows
        The relation and its branches over time; None where the models know no ends.
    value, earned
        Lifetime value, and (commission, cost to serve) of the coming 12 months in cents.
    desk
        Who may be on a list; `decision` has its own, without those for whom nobody has time.
    found
        Top Defend; None without lifetime value.
    decision
        Who is called, and by whom; its offers know it.
    """

    base: InForce
    history: pl.DataFrame
    rates: YearRates | None
    cost: ServiceCost
    paths: Relations | None
    rows: pl.DataFrame | None
    made: Offers
    value: Lifetime | None
    earned: tuple[Cents, Cents] | None
    desk: Desk
    found: Defence | None
    decision: Decision

    @property
    def euros(self) -> bool:
        """Whether retention may be told in euros."""
        return may_tell(self.base, self.value)


def valuation(
    portfolio: Portfolio, models: ModelRun, settings: Settings, *, say: Callable[[str], None], earned: bool = True
) -> Valuation:
    """Return what everything else stands on.

    Parameters
    ----------
    earned
        Whether the coming 12 months are asked for; who is called does not depend on them.
    """
    base = InForce(portfolio, models, settings)
    time = settings.time
    say("what happened in the last closed year")
    history = base.spells
    window = closed_year(portfolio, time.gap_days, time.registration_lag_days)
    rates = year_rates(base.policies, history, *window) if window else None

    say("cost to serve and survival")
    cost = service_cost(base)
    months = YEAR * max(1, round(base.value("value.horizon_years")))
    paths = relations(base, months)
    rows = branch_rows(base, paths, rates.policy_lapse if rates else 0.0) if paths else None

    say("next best policies")
    made = offers(base, cost, _mean_kept(rows))
    value = coming = None
    if paths is not None and rows is not None and (earned or base.has_commission):
        say("lifetime value")
        flows = streams(base, rows, cost, months, base.value("value.timing"))
        if earned:
            halfway = flows if base.value("value.timing") == 0.5 else streams(base, rows, cost, YEAR, 0.5)
            coming = earned_12m(halfway, paths)
        value = lifetime(base, paths, flows, made) if base.has_commission else None

    say("who is called")
    shared = desk(base)
    found = (
        defence(base, paths, value, shared, cost.per_customer(base))
        if paths is not None and value is not None
        else None
    )
    pays = _years_of_commission(base, paths, made)
    told = found if may_tell(base, value) else None
    decision = decide(base, shared, value, told, made, alive_12m(base, paths), pays)
    return Valuation(base, history, rates, cost, paths, rows, made, value, coming, shared, found, decision)


def case_of(work: Valuation, beside: dict[str, float]) -> BusinessCase | None:
    """Return the business case; `beside` is what is done beside its calls, see `actions.outside`."""
    decision = work.decision
    return business_case(
        work.base,
        work.paths,
        work.value,
        work.found,
        decision.desk,
        decision.calls,
        decision.ranked,
        work.rates,
        beside,
    )


def case_alone(portfolio: Portfolio, models: ModelRun, settings: Settings) -> BusinessCase | None:
    """Return the business case of a whole run, to the cent, without its lists and figures."""
    work = valuation(portfolio, models, settings, say=lambda _: None, earned=False)
    choice = chosen(work.base, work.paths, work.value, work.found, work.made, work.decision, care_gaps(work.base))
    return case_of(work, outside(work.base, choice, work.decision.calls))


def alive_12m(base: InForce, paths: Relations | None) -> Floats:
    """Return the chance per customer that the relation still exists after 12 months; 1 where nobody knows."""
    return paths.alive[:, YEAR] if paths is not None else np.ones(base.n)


def _mean_kept(rows: pl.DataFrame | None) -> float:
    if rows is None or rows.is_empty():
        return 1.0
    return float(np.average(rows["kept"].to_numpy(), weights=rows["policies"].to_numpy()))


def _years_of_commission(base: InForce, paths: Relations | None, made: Offers) -> Floats:
    """Discounted years that a policy bought today is expected to pay, per customer."""
    if paths is None:
        return np.ones(base.n)
    timing = base.value("value.timing")
    months = paths.months
    curve = made.kept ** ((np.arange(months) + timing) / YEAR) / YEAR
    factors = discount_factors(months, base.value("value.discount"), base.value("value.indexation"), timing)
    return present_value(np.broadcast_to(curve, (base.n, months)), paths.alive_at(timing), factors)
