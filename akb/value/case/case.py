"""The business case of a run: its basis from the plan, and every figure from the basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.garbage import give_back
from akb.core.typed import made
from akb.value.case.advice import advice
from akb.value.case.basis import (
    CERTAIN,
    LINES,
    YEAR,
    CaseBasis,
    Exploration,
    Span,
    Trialled,
    benefit,
    net,
)
from akb.value.case.cash import Cash, cash, cumulative, deepest, payback_month, running_year
from akb.value.case.claims import claims, rule_of_thumb, sold_and_kept, why_different
from akb.value.case.options import options
from akb.value.case.page.block import page_basis
from akb.value.case.sensitivity import Draws, band, break_even, tornado
from akb.value.case.years import cohorts_of
from akb.value.in_force import EURO_GATES
from akb.value.lifetime.unknown import relation_extremes
from akb.value.targeting.planning.benefits import SIDES
from akb.value.targeting.planning.exploration import best_at_high, explorers
from akb.value.targeting.planning.plan import contact_plan
from akb.value.targeting.planning.prospects import averaged
from akb.value.targeting.team import POOLS
from akb.value.types import (
    BusinessCase,
    CaseLine,
    CashYear,
    CohortTotals,
    Plan,
    PlannedContact,
    PoolHours,
    PortfolioPrice,
    Sensitivity,
    Three,
    WithoutPredictions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.models.types import Gate, Interval
    from akb.value.case.page.block import RowsOfPage
    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.valuation import Valuation


LATER = 2
"""Years whose contacts are planned beside the first; those after them alternate."""
ENOUGH = 50
"""Customers from which two arms can be drawn that show anything."""


def business_case(valued: Valuation, *, page: bool = True) -> BusinessCase | None:
    """Return the business case; None without commission, or where no line of benefit may be given.

    Parameters
    ----------
    page
        Whether a page is made of it, which works on rows of its own.
    """
    if not has_case(valued):
        return None
    basis = case_basis(valued)
    give_back()
    return case_of(basis, valued, page=page)


def has_case(valued: Valuation) -> bool:
    """Return whether there is a business case: a plan, and a line of benefit that may be given."""
    return valued.plan is not None and bool(open_lines(valued))


def open_lines(valued: Valuation) -> tuple[str, ...]:
    """Return the lines of benefit that may be told in euros: those whose predictions passed their
    gates.
    """
    in_force = valued.in_force
    out = []
    if in_force.retention_in_euros and valued.value is not None:
        out.append("relation")
    if valued.policies is not None and bool((valued.policies["gate"] != "closed").any()):
        out.append("policy")
    if any(gate in EURO_GATES for gate in in_force.branch_gates.values()):
        out.append("purchase")
    return tuple(out)


def case_of(
    basis: CaseBasis,
    valued: Valuation,
    *,
    page: bool = True,
    rows: Callable[[], RowsOfPage | None] | None = None,
) -> BusinessCase:
    """Return every figure of the case from its basis.

    Parameters
    ----------
    page
        See `business_case`.
    rows
        What gives the page's rows; None: they are worked out here.
    """
    seed = valued.in_force.settings.models.seed
    draws = Draws(basis, seed)
    lines = {line: benefit(basis.cohort, basis, line).cents() for line in LINES}
    gained = sum(each.base for each in lines.values())
    spent, price = round(basis.cohort.contacts), round(basis.price().base)
    span = net(basis.cohort, basis)
    headline = Three(round(span.low), gained - spent - price, round(span.high))
    given = open_lines(valued)
    without = round(basis.without)
    planned = round(basis.cohort.benefit - basis.cohort.contacts)
    return BusinessCase(
        cohort=CohortTotals(
            benefit=gained,
            contacts=spent,
            price=price,
            net=headline,
            lines=(
                *(
                    CaseLine(line, **vars(lines[line]), mark="assumed", given=line in given)
                    for line in LINES
                ),
                _explored(basis.exploration),
            ),
        ),
        cash=tuple(
            CashYear(year, **vars(row.cents())) for year, row in enumerate(cash(basis), start=1)
        ),
        running_year=running_year(basis).cents(),
        payback_month=payback_month(basis),
        deepest=round(deepest(basis)),
        options=options(basis),
        without_predictions=WithoutPredictions(without, planned - without, price),
        plan=_plan(basis),
        advice=advice(basis, draws, seed),
        sensitivity=Sensitivity(band(draws), tornado(draws), break_even(draws)),
        claims=claims(basis),
        why_different=why_different(basis),
        rule_of_thumb=rule_of_thumb(basis.customers, basis.facts["turnover"], basis.register),
        multiple=_multiple(basis),
        facts=dict(basis.facts),
        curve=tuple(round(cents) for cents in cumulative(basis)[YEAR - 1 :: YEAR].tolist()),
        basis=page_basis(valued, draws, rows and rows()) if page else {},
    )


def _explored(exploration: Exploration) -> CaseLine:
    """Return the line of exploration: what it is expected to bring less its cost; it stands beside
    the net.
    """
    sides = Span(*(exploration.benefit.side(side) - exploration.cost for side in SIDES)).cents()
    return CaseLine(
        "exploration",
        **vars(sides),
        mark="assumed",
        given=True,
        customers=exploration.customers,
        hours=exploration.minutes / 60,
    )


def _plan(basis: CaseBasis) -> Plan:
    """Return who gets which contact, in whole customers and cents."""
    return Plan(
        contacts=_by_option(basis),
        hour_price={pool: round(cents) for pool, cents in basis.plan["hour_price"].items()},
        gap=basis.plan["gap"],
        hours={
            pool: PoolHours(
                used=sum(each.minutes[pool] for each in basis.cohort.sums) / 60,
                available=basis.plan["available"][pool] / 60,
            )
            for pool in POOLS
        },
        **{f"{name}_count": count for name, count in _counts(basis).items()},
    )


def _by_option(basis: CaseBasis) -> tuple[PlannedContact, ...]:
    """Return one row per contact type and who does it."""
    return tuple(
        PlannedContact(
            key=each.key,
            pool=each.pool,
            customers=round(each.customers),
            minutes=round(sum(each.minutes.values())),
            benefit=round(each.benefit()),
            cost=round(each.cost),
        )
        for each in basis.cohort.sums
    )


def _counts(basis: CaseBasis) -> dict[str, float]:
    names = {"relation": "relations_kept", "policy": "policies_kept", "purchase": "policies_sold"}
    return {names[line]: count for line, count in sold_and_kept(basis).items()}


def _multiple(basis: CaseBasis) -> PortfolioPrice | None:
    """Return what the contacts add to the price of the portfolio; None until the client gives a
    multiple.
    """
    multiple = basis.value("portfolio.multiple")
    if multiple <= 0:
        return None
    year = Cash(basis.facts["commission_kept_12m"] + basis.facts["commission_sold_12m"], 0.0, 0.0)
    recurring = round(year.benefit)
    lines = [benefit(basis.cohort, basis, line) for line in LINES]
    base = sum(each.base for each in lines)
    part = {side: sum(each.side(side) for each in lines) / base if base else 0.0 for side in SIDES}
    return made(
        PortfolioPrice,
        {
            "multiple": multiple,
            "recurring": recurring,
            **{side: round(multiple * recurring * part[side]) for side in SIDES},
        },
    )


def case_basis(valued: Valuation) -> CaseBasis:
    """Return what the case is computed on: the plan's sums and cash flows, and the plan of a later
    year.
    """
    in_force, plan = valued.in_force, _planned(valued)
    cohort, *later = cohorts_of(valued, plan, 1 + LATER)
    register = in_force.assumed
    without = without_predictions(valued, plan)
    return CaseBasis(
        customers=in_force.n,
        cohort=cohort,
        later=(later[0], later[1]),
        levels=levels(valued, plan),
        exploration=explored(in_force, plan),
        trialled=trialled(valued, plan),
        without=without,
        plan={"hour_price": plan.hour_price, "gap": plan.gap, "available": plan.available},
        facts=facts(valued, plan),
        ladder=plan.planning.ladder,
        register=register,
    )


def _planned(valued: Valuation) -> ContactPlan:
    if valued.plan is None:
        raise ValueError("there is no plan without commission")
    return valued.plan


def explored(in_force: InForce, plan: ContactPlan) -> Exploration:
    """Return what the contacts that are made to learn cost and bring."""
    rows, option = explorers(in_force, plan, in_force.value("experiment.contacts"))
    few, own = plan.menu.of(rows), np.arange(len(rows))
    brings = {side: float(few.lines(side).total[own, option].sum()) for side in SIDES}
    return Exploration(
        customers=len(rows),
        minutes=float(plan.menu.minutes[rows, option].sum()),
        cost=float(plan.menu.cost[rows, option].sum()),
        benefit=Span(*(brings[side] for side in SIDES)),
    )


def without_predictions(valued: Valuation, plan: ContactPlan) -> float:
    """Return benefit less contacts of the plan that averages would make, judged with the
    predictions; cents.

    The same planner, ladder and hours, on commission and on averages of book and branches.
    """
    in_force, n = valued.in_force, valued.in_force.n
    policies: tuple[Floats, Floats, Rows] = (np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    if valued.policies is not None:
        table = valued.policies.with_columns(
            place=pl.col("branch").rank("dense").cast(pl.Int64) - 1
        )
        margin = (table["margin_cents"] * table["policies"]).to_numpy()
        place = table["place"].to_numpy() * n + table["row"].to_numpy()
        policies = table["expected"].to_numpy(), np.maximum(margin, 0.0), place
    average = averaged(plan.prospects, in_force.commission_customer.astype(np.float64), policies)
    blind = contact_plan(average, plan.planning, plan.available, whole=False).best.share
    brings = np.empty(blind.shape)
    for some, menu in plan.menu.in_blocks():
        brings[some] = blind[some] * np.where(menu.allowed, menu.base.total - menu.cost, 0.0)
    return float(brings.sum())


def levels(valued: Valuation, plan: ContactPlan) -> dict[str, Span]:
    """Return by what every line may be off: the interval of a provisional gate, and reasons that
    are unknown.
    """
    in_force = valued.in_force
    out = dict.fromkeys(LINES, CERTAIN)
    low, high = _widening(
        in_force.churn_gate, _interval(in_force, "churn_preventable_12m", "churn_12m")
    )
    least, most = relation_extremes(in_force)
    if valued.survival is not None and not valued.survival.split:
        entry = in_force.assumed["retention.preventable_share"]
        least, most = (
            (entry.low / entry.value, entry.high / entry.value) if entry.value else (1.0, 1.0)
        )
    out["relation"] = Span(low * least, 1.0, high * most)
    if valued.policies is not None and float(valued.policies["expected"].sum()) > 0:
        out["policy"] = _policy_level(in_force, valued.policies)
    out["purchase"] = _purchase_level(in_force, plan)
    return out


def _policy_level(in_force: InForce, policies: pl.DataFrame) -> Span:
    keys = {e.branch: e.key for e in in_force.entries if e.method == "family_lapse"}
    low = high = total = 0.0
    table = policies.filter(pl.col("expected") > 0).with_columns(
        least=pl.col("expected") * pl.col("preventable_low") / pl.col("preventable"),
        most=pl.col("expected") * pl.col("preventable_high") / pl.col("preventable"),
    )
    grouped = table.group_by("branch").agg(pl.col("expected", "least", "most").sum()).sort("branch")
    for branch, cents, least, most in grouped.iter_rows():
        key = keys.get(branch, "")
        down, up = _widening(in_force.gate(key), _interval(in_force, key))
        low, high, total = low + down * least, high + up * most, total + cents
    return Span(low / total, 1.0, high / total)


def _purchase_level(in_force: InForce, plan: ContactPlan) -> Span:
    """Return the widening of every branch, weighed by what its first discussions would bring."""
    keys = {e.branch: e.key for e in in_force.entries if e.method == "family_purchase"}
    names = list(in_force.taxonomy)
    share, lines = plan.best.share, plan.menu.base
    rows = np.arange(plan.prospects.n)
    low = high = total = 0.0
    for column in range(share.shape[1]):
        brings = share[:, column] * lines.purchase[:, column]
        branch = plan.prospects.branch[rows, plan.menu.first(column)]
        for place in np.unique(branch[(branch >= 0) & (brings > 0)]).tolist():
            name = names[place]
            cents = float(brings[branch == place].sum())
            down, up = _widening(
                in_force.branch_gates.get(name, "none"), _interval(in_force, keys.get(name, ""))
            )
            low, high, total = low + down * cents, high + up * cents, total + cents
    return Span(low / total, 1.0, high / total) if total > 0 else CERTAIN


def _widening(gate: Gate, interval: Interval | None) -> tuple[float, float]:
    """Return factors for the low and high end: a provisional gate brings its interval of
    observed/expected along.
    """
    if gate != "provisional" or interval is None:
        return 1.0, 1.0
    return min(1.0, max(0.0, interval[0])), max(1.0, interval[1])


def _interval(in_force: InForce, *keys: str) -> Interval | None:
    """Return the widest interval of observed/expected among predictions with a provisional gate."""
    found = [
        made.evidence.calibration.ci
        for key in keys
        if (made := in_force.predictions.get(key)) is not None
        and made.gate == "provisional"
        and made.evidence is not None
        and made.evidence.calibration is not None
    ]
    return (min(ci[0] for ci in found), max(ci[1] for ci in found)) if found else None


def trialled(valued: Valuation, plan: ContactPlan) -> Trialled | None:
    """Return who a trial would be about: the plan's personal contacts; without enough, those that
    may pay.

    Where the plan holds too few to draw two arms from, it is everybody whose personal contact pays
    at the high end."""
    in_force, menu = valued.in_force, plan.menu
    personal = np.array([each.pool != "automatic" for each in menu.options])
    if not personal.any():
        return None
    enough = max(2 * in_force.settings.report.suppress_below, ENOUGH)
    share = np.where(personal, plan.best.share, 0.0)
    rows, best = np.flatnonzero(share.sum(axis=1) > 0.5), share.argmax(axis=1)
    if len(rows) < enough:
        best, pays = best_at_high(menu, menu.could & personal)
        rows = np.flatnonzero(pays)
    if len(rows) < enough:
        return None
    column = best[rows]
    held = in_force.policies_per_customer[rows].astype(np.float64)
    leaving, lost = plan.prospects.leaving[rows], plan.prospects.lost[rows]
    earned = in_force.commission_customer[rows] / np.maximum(held, 1.0)
    gone, ended = leaving * held + lost, leaving * held**2 + lost
    minutes = menu.minutes[rows, column].sum(axis=1)
    return Trialled(
        customers=len(rows),
        relations=(float(leaving.mean()), float((leaving * (1 - leaving)).mean())),
        policies=(float(gone.mean()), float(ended.mean() - (gone**2).mean() + gone.var())),
        euros=(
            float((gone * earned).mean()),
            float(
                (ended * earned**2).mean() - ((gone * earned) ** 2).mean() + (gone * earned).var()
            ),
        ),
        minutes=float(minutes.mean()),
        cost=float(menu.cost[rows, column].mean()),
        benefit=float(menu.benefit_of(rows, column).mean()),
    )


def facts(valued: Valuation, plan: ContactPlan) -> dict[str, float]:
    """Return numbers that explain the case: cents a year, counts (``_count``), shares
    (``_share``).
    """
    in_force, could = valued.in_force, plan.prospects
    commission = in_force.commission_customer.astype(np.float64)
    open_ones = ~in_force.announced
    touched = plan.best.share.sum(axis=1)
    lines = plan.menu.base
    share = plan.best.share
    policy_commission = _policy_commission(valued)
    leaves = np.zeros(in_force.n) if valued.survival is None else valued.survival.churn_12m
    relation = np.where(in_force.announced, commission, leaves * commission)
    staying = policy_commission["all"]
    kept_relations = (share * lines.leavers).sum(axis=1) * commission
    effect = np.divide(
        (share * lines.policies).sum(axis=1),
        could.lost,
        out=np.zeros(in_force.n),
        where=could.lost > 0,
    )
    preventable = could.leaving * commission + policy_commission["preventable"]
    out = {
        "turnover": float(in_force.commission.sum()),
        "customers_count": float(in_force.n),
        "customers_callable_count": float(
            (valued.eligibility.callable & ~valued.eligibility.control).sum()
        ),
        "customers_planned_count": float(touched.sum()),
        "leavers_expected_count": float(leaves[open_ones].sum() + in_force.announced.sum()),
        "leavers_preventable_count": float(could.leaving.sum()),
        "policies_lost_staying_count": float(could.lost.sum()),
        "commission_lost_12m": float(relation.sum() + staying.sum()),
        "commission_lost_relations_12m": float(relation.sum()),
        "commission_lost_policies_12m": float(staying.sum()),
        "commission_lost_open_12m": float(relation[open_ones].sum() + staying[open_ones].sum()),
        "commission_lost_preventable_12m": float(preventable.sum()),
        "commission_reached_12m": float((touched * preventable).sum()),
        "commission_kept_12m": float(
            kept_relations.sum() + (effect * policy_commission["preventable"]).sum()
        ),
        "commission_sold_12m": _sold_commission(valued, plan),
        "advisers_count": float(valued.eligibility.advisers),
        "advisers_counted": float(valued.eligibility.advisers_counted),
    }
    rates = valued.rates
    if rates is not None:
        out |= {
            "policy_lapse_share": rates.policy_lapse,
            "customer_churn_share": rates.customer_churn,
        }
        if rates.commission_churn is not None:
            out["commission_churn_share"] = rates.commission_churn
        if rates.left:
            out["natural_of_churn_share"] = rates.natural / rates.left
    return out


def _policy_commission(valued: Valuation) -> dict[str, Floats]:
    """Return cents of commission a year that single policies of those who stay take along: all, and
    preventable.
    """
    n = valued.in_force.n
    out = {"all": np.zeros(n), "preventable": np.zeros(n)}
    if valued.policies is None or valued.policies.is_empty():
        return out
    held = (
        valued.in_force.held.select(
            "row", "branch", "ends", cents=pl.Series(valued.in_force.commission)
        )
        .filter(pl.col("ends").is_null())
        .group_by("row", pl.col("branch").cast(pl.String))
        .agg(cents=pl.col("cents").mean())
    )
    table = valued.policies.join(held, on=["row", "branch"], how="left", maintain_order="left")
    lost = table["lost"].to_numpy()
    ends = np.divide(lost, table["preventable"].to_numpy(), out=np.zeros(len(lost)), where=lost > 0)
    rows, cents = table["row"].to_numpy(), table["cents"].fill_null(0.0).to_numpy()
    out["all"] = np.bincount(rows, weights=ends * cents, minlength=n).astype(float)
    out["preventable"] = np.bincount(rows, weights=lost * cents, minlength=n).astype(float)
    return out


def _sold_commission(valued: Valuation, plan: ContactPlan) -> float:
    """Return the recurring commission a year of the policies sold, cents: sales at the mean margin
    of their worth.
    """
    share, lines = plan.best.share, plan.menu.base
    rows = np.arange(plan.prospects.n)
    total = 0.0
    typical = valued.offers.table.filter(pl.col("commission_cents").is_not_null())
    cents = dict(typical.group_by("branch").agg(pl.col("commission_cents").mean()).iter_rows())
    names = list(valued.in_force.taxonomy)
    for column in range(share.shape[1]):
        branch = plan.prospects.branch[rows, plan.menu.first(column)]
        sold = share[:, column] * lines.sales[:, column]
        for place in np.unique(branch[(branch >= 0) & (sold > 0)]).tolist():
            total += float(sold[branch == place].sum()) * float(cents.get(names[place]) or 0.0)
    return total
