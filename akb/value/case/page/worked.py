"""The case on the page's rows: what the page's own script works out, by the planner of a run.

The script in ``akb/report/assets/planner.js`` does the same, and passes the same vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.basis import CERTAIN, LINES, YEAR, CaseBasis, Cohort, Exploration, Span
from akb.value.case.cash import YEARS, Cash, lowest, paid_back
from akb.value.case.page.block import likely_cells
from akb.value.case.page.rows import RATES, decoded, unpacked
from akb.value.targeting.planning.benefits import Planning, pushes_of
from akb.value.targeting.planning.plan import contact_plan, next_year
from akb.value.targeting.team import POOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Settings
    from akb.value.case.page.rows import PageRows
    from akb.value.in_force import Floats
    from akb.value.targeting.planning.plan import ContactPlan

_NOBODY = Exploration(0, 0.0, 0.0, CERTAIN)


@dataclass(frozen=True)
class PageCase:
    """The case on the page's rows.

    Parameters
    ----------
    basis
        As of a run, but for months: `calendar` has them by the year.
    calendar
        Cohort -> line -> (years + 1,): see `rows.PageRows.cash`.
    profile
        Line -> (years, 12): parts of a calendar year.
    """

    plan: ContactPlan
    basis: CaseBasis
    calendar: tuple[Mapping[str, Floats], ...]
    profile: Mapping[str, Floats]

    @property
    def cash(self) -> list[Cash]:
        """The first five years; see `akb.value.case.cash.cash`."""
        price = self.basis.price().base
        years = self._inflow().sum(axis=1)
        return [
            Cash(float(gain), self.basis.year(year).contacts, price)
            for year, gain in enumerate(years.tolist())
        ]

    @property
    def running_year(self) -> Cash:
        """A year far ahead; see `akb.value.case.cash.running_year`."""
        brings = [sum(each[line][YEARS] for line in LINES) for each in self.calendar[1:]]
        contacts = [each.contacts for each in self.basis.later]
        return Cash(float(np.mean(brings)), float(np.mean(contacts)), self.basis.price().base)

    @property
    def payback_month(self) -> int | None:
        """See `akb.value.case.cash.payback_month`."""
        return paid_back(self._cumulative())

    @property
    def deepest(self) -> float:
        """See `akb.value.case.cash.deepest`."""
        return lowest(self._cumulative(), self.basis)

    def _cumulative(self) -> Floats:
        paid = np.repeat([(row.contacts + row.price) / YEAR for row in self.cash], YEAR)
        first = 100 * self.basis.value("price.eda")
        out: Floats = np.cumsum(self._inflow().ravel() - paid) - first
        return out

    def _inflow(self) -> Floats:
        """(years, 12): what comes in when contacts go on every year."""
        out = np.zeros((YEARS, YEAR))
        for begun in range(YEARS):
            cohort = self.calendar[0 if begun == 0 else 1 + (begun - 1) % 2]
            for line in LINES:
                ahead = YEARS - begun
                out[begun:] += cohort[line][:ahead, None] * self.profile[line][:ahead]
        return out


def page_case(block: Mapping[str, Any], settings: Settings) -> PageCase:
    """Return the case on the rows of a `page_basis` under other settings: effects, minutes, costs,
    hours, rates, prices, and which contact types there are.
    """
    register, planning = settings.assumed(), Planning.of(settings)
    rows = decoded(block["rows"])
    rate = {name: register[f"cost.rate_{name}"].value for name in RATES}
    was = {name: block["register"][f"cost.rate_{name}"]["value"] for name in RATES}
    more = {name: rate[name] - was[name] for name in RATES}
    rows = at_rates(rows, more, float(block["policy_cost"]))
    pushes = pushes_of(rows.could, planning.ladder, likely_cells(block))
    hours = {pool: register[f"capacity.hours_per_year_{pool}"].value for pool in POOLS}
    available = {
        pool: each["own"] + each["usual"] * hours[pool] for pool, each in block["pools"].items()
    }
    plan = contact_plan(rows.could, planning, available, whole=False, pushes=pushes)
    second = next_year(plan)
    plans = (plan, second, next_year(second))
    cohorts = [Cohort(each.sums(), {}) for each in plans]
    basis = CaseBasis(
        customers=block["customers"],
        cohort=cohorts[0],
        later=(cohorts[1], cohorts[2]),
        levels={line: Span(*block["levels"][line]) for line in LINES},
        exploration=_NOBODY,
        trialled=None,
        without=0.0,
        plan={"hour_price": plan.hour_price, "gap": 0.0, "available": available},
        facts={},
        ladder=planning.ladder,
        register=register,
    )
    profile = {line: unpacked(block["profile"][line]).reshape(YEARS, YEAR) for line in LINES}
    return PageCase(plan, basis, tuple(_calendar(rows, each) for each in plans), profile)


def at_rates(rows: PageRows, more: Mapping[str, float], policy_cost: float) -> PageRows:
    """Return the rows where an hour costs so many euros more: serving customers costs more."""
    if not any(more.values()):
        return rows
    could, slope = rows.could, rows.slopes
    relation = could.relation + sum(slope[f"relation_{name}"] * more[name] for name in RATES)
    policy = could.policy + slope["policy_office"] * more["office"]
    worth = could.worth - policy_cost * more["office"] * rows.years[:, None]
    cash = {
        **rows.cash,
        "relation": rows.cash["relation"] * _times(relation, could.relation),
        "policy": rows.cash["policy"] * _times(policy, could.policy),
    }
    worth = np.where(could.worth > 0, np.maximum(worth, 0.0), 0.0)
    could = replace(could, relation=relation, policy=policy, worth=worth)
    return replace(rows, could=could, cash=cash)


def _times(new: Floats, old: Floats) -> Floats:
    """Return (b, 1): by what a stake has changed; 1 where there was none."""
    out: Floats = np.divide(new, old, out=np.ones_like(old), where=old != 0)[:, None]
    return out


def _calendar(rows: PageRows, plan: ContactPlan) -> dict[str, Floats]:
    """Return line -> (years + 1,): when the euros of a plan come in."""
    lines, share, could = plan.menu.base, plan.best.share, rows.could

    def part(counts: Floats, of: Floats) -> Floats:
        kept = (share * counts).sum(axis=1)
        out: Floats = np.divide(kept, of, out=np.zeros(len(of)), where=of > 0)
        return out

    weights = {
        "relation": part(lines.leavers, could.leaving),
        "policy": part(lines.policies, could.lost),
        "purchase": (share * lines.purchase).sum(axis=1),
    }
    return {line: (could.weight * weights[line]) @ rows.cash[line] for line in LINES}
