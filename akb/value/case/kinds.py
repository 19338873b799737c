"""Lifetime value and the business case by kind of income.

Recurring kinds last as long as the policies that bring them, on the same survival as the whole, and
together they are the whole to the cent; what is earned once stands beside them, undiscounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.revenue import PARTS
from akb.value.in_force import EURO_GATES, to_cents
from akb.value.lifetime.clv import stay_and_leave
from akb.value.lifetime.present import present_factors
from akb.value.lifetime.streams import policy_streams
from akb.value.lifetime.survival import YEAR
from akb.value.revenue.income import ONE_OFF, earned_once, other_income, per_sale
from akb.value.types import IncomeRow

if TYPE_CHECKING:
    from akb.value.in_force import Cents, Floats, InForce
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.types import BusinessCase
    from akb.value.valuation import Valuation

COST = "cost"


def income_figures(valued: Valuation, case: BusinessCase | None) -> list[IncomeRow]:
    """Return a row per kind of income; none where the export knows of commission alone.

    Returns
    -------
    list of IncomeRow
        Rows {``key``: a part of `akb.core.revenue.PARTS`, ``one_off`` or ``cost``; ``year``: cents
        a year as of X (of what is earned once: in the last 12 months); ``customers`` behind it;
        ``clv``: of the policies in force, cents; ``case``: its part in the benefit of the planned
        contacts, base, cents; ``expected``: of what is earned once, cents in the next 12 months}.
        ``cost`` is what goes off for serving, so that ``clv`` and ``case`` of all rows but
        ``one_off`` add up to the lifetime value of the policies in force and to the benefit of the
        case. Over too few customers a row is gone.
    """
    base = valued.in_force
    if not other_income(base):
        return []
    kinds = {key: cents for key in PARTS if (cents := base.revenue_parts[key]).any()}
    values = _values(valued, kinds)
    gained = _gained(valued, case, kinds)
    rows = [
        IncomeRow(
            key=key,
            year=int(cents.sum()),
            customers=int((cents != 0).sum()),
            clv=values.get(key),
            case=gained.get(key),
            expected=None,
        )
        for key, cents in kinds.items()
    ]
    if valued.value is not None and rows:
        spent = -int((valued.value.variable + valued.value.fixed).sum())
        rows.append(
            IncomeRow(
                key=COST,
                year=-int(valued.service_cost.sum()),
                customers=base.n,
                clv=spent,
                case=gained.get(COST),
                expected=None,
            )
        )
    once, customers = earned_once(base)
    brings = per_sale(base)
    if once or brings:
        rows.append(
            IncomeRow(
                key=ONE_OFF,
                year=once,
                customers=customers,
                clv=None,
                case=_sold_once(valued, brings) if case is not None else None,
                expected=_expected_once(valued, brings),
            )
        )
    few = range(1, base.settings.report.suppress_below)
    return [row for row in rows if row.customers not in few]


def _values(valued: Valuation, kinds: dict[str, Cents]) -> dict[str, int]:
    """Return the lifetime value of each kind over the policies in force, before cost."""
    if valued.value is None or not kinds:
        return {}
    made = {key: int(to_cents(total).sum()) for key, (total, _) in _worth(valued, kinds).items()}
    return _whole(made, int(valued.value.commission.sum()))


def _worth(valued: Valuation, kinds: dict[str, Cents]) -> dict[str, tuple[Floats, Floats]]:
    """Return kind -> (n,) today's worth, and the part of it that those who leave preventably bring
    in the first year; see `lifetime.clv.lifetime`.
    """
    base, rows, survival = valued.in_force, valued.branches, valued.survival
    assert rows is not None and survival is not None and valued.flows is not None
    amounts = {
        key: base.held[f"revenue_{key}_cents"].fill_null(0).cast(pl.Int64).to_numpy()
        for key in kinds
    }
    timing, months = base.value("value.timing"), valued.flows.months
    flows = policy_streams(base, rows, amounts, months, timing).by_month()
    factors = present_factors(base, months).tolist()
    leaving = survival.leaving_at(timing)
    total = {key: np.zeros(base.n) for key in kinds}
    early = {key: np.zeros(base.n) for key in kinds}
    there = survival.by_month(timing, months)
    for month, (sums, alive, factor) in enumerate(zip(flows, there, factors, strict=True)):
        for key, amount in sums.items():
            total[key] += amount * alive * factor
            if month < YEAR:
                early[key] += amount * leaving[:, month] * factor
    return {key: (total[key], early[key]) for key in kinds}


def _whole(parts: dict[str, int], total: int) -> dict[str, int]:
    """Return parts that add up to the total: what roundings leave goes to the largest one."""
    largest = max(parts, key=lambda key: (abs(parts[key]), key))
    return {**parts, largest: parts[largest] + total - sum(parts.values())}


def _gained(
    valued: Valuation, case: BusinessCase | None, kinds: dict[str, Cents]
) -> dict[str, int]:
    """Return what the planned contacts keep and sell of each kind, and under `COST` what goes off
    for serving it and what kept customers would have bought.
    """
    plan = valued.plan
    if case is None or plan is None or not kinds:
        return {}
    lines = (_of_relations(valued, plan, kinds), _of_policies(valued, plan, kinds),
             _of_purchases(valued, plan, kinds))  # fmt: skip
    made = {key: round(sum(line[key] for line in lines)) for key in kinds}
    return {**made, COST: case.cohort.benefit - sum(made.values())}


def _of_relations(
    valued: Valuation, plan: ContactPlan, kinds: dict[str, Cents]
) -> dict[str, float]:
    if valued.survival is None or valued.value is None or valued.flows is None:
        return dict.fromkeys(kinds, 0.0)
    base, survival = valued.in_force, valued.survival
    kept = (plan.best.share * plan.menu.base.leavers).sum(axis=1)
    chance = np.where(base.announced, 1.0, survival.preventable)
    out = {}
    for key, (total, early) in _worth(valued, kinds).items():
        stay, leave = stay_and_leave(total, early, chance)
        out[key] = float(kept @ np.where(base.announced, 0.0, stay - leave))
    return out


def _of_policies(valued: Valuation, plan: ContactPlan, kinds: dict[str, Cents]) -> dict[str, float]:
    stakes = valued.policies
    if stakes is None or stakes.is_empty():
        return dict.fromkeys(kinds, 0.0)
    lost = plan.prospects.lost
    kept = (plan.best.share * plan.menu.base.policies).sum(axis=1)
    effect = np.divide(kept, lost, out=np.zeros_like(kept), where=lost > 0)
    parts = (
        valued.in_force.held.select(
            "row", "branch", "ends", *(f"revenue_{key}_cents" for key in kinds)
        )
        .filter(pl.col("ends").is_null())
        .group_by("row", pl.col("branch").cast(pl.String))
        .agg(
            *(
                (pl.col(f"revenue_{key}_cents").fill_null(0).sum() / pl.len()).alias(key)
                for key in kinds
            )
        )
    )
    table = stakes.join(parts, on=["row", "branch"], how="left", maintain_order="left")
    margin = table["margin_cents"].to_numpy()
    years = np.divide(  # discounted years that one kept policy pays
        table["stake_cents"].to_numpy(), margin, out=np.zeros_like(margin), where=margin != 0
    )
    weight = effect[table["row"].to_numpy()] * table["lost"].to_numpy() * years
    return {key: float(weight @ table[key].fill_null(0.0).to_numpy()) for key in kinds}


def _of_purchases(
    valued: Valuation, plan: ContactPlan, kinds: dict[str, Cents]
) -> dict[str, float]:
    """Return what sales bring, after their cost, in the mix of the branch that is discussed
    first.
    """
    held = valued.in_force.held.group_by(pl.col("branch").cast(pl.String)).agg(
        *(pl.col(f"revenue_{key}_cents").fill_null(0).sum().alias(key) for key in kinds)
    )
    mix = {row.pop("branch"): row for row in held.to_dicts()}
    out = dict.fromkeys(kinds, 0.0)
    for branch, _, cents in _discussed(valued, plan):
        parts = mix.get(branch, {})
        whole = sum(parts.values())
        for key in kinds:
            out[key] += cents * parts[key] / whole if whole > 0 else 0.0
    return out


def _discussed(valued: Valuation, plan: ContactPlan) -> list[tuple[str, float, float]]:
    """Return (branch, sales, cents) of the branches that planned contacts discuss first."""
    share, lines = plan.best.share, plan.menu.base
    names, rows = list(valued.in_force.taxonomy), np.arange(plan.prospects.n)
    out = []
    for column in range(share.shape[1]):
        branch = plan.prospects.branch[rows, plan.menu.first(column)]
        sales, cents = (
            share[:, column] * lines.sales[:, column],
            share[:, column] * lines.purchase[:, column],
        )
        for place in np.unique(branch[(branch >= 0) & (sales > 0)]).tolist():
            mine = branch == place
            out.append((names[place], float(sales[mine].sum()), float(cents[mine].sum())))
    return out


def _sold_once(valued: Valuation, brings: dict[str, float]) -> int:
    """Return what the sales of the planned contacts bring once: beside the case, undiscounted."""
    if valued.plan is None:
        return 0
    return round(
        sum(sales * brings.get(branch, 0.0) for branch, sales, _ in _discussed(valued, valued.plan))
    )


def _expected_once(valued: Valuation, brings: dict[str, float]) -> int | None:
    """Return what is expected once of everything that is bought in the next 12 months; None where
    no chance to buy may carry euros.
    """
    gates = _open(valued.in_force)
    table = valued.offers.table.filter(pl.col("branch").cast(pl.String).is_in(sorted(gates)))
    if table.is_empty():
        return None
    chance = table.group_by(pl.col("branch").cast(pl.String)).agg(
        pl.col("probability").sort_by("row").sum()
    )
    expected = (brings.get(branch, 0.0) * n for branch, n in chance.sort("branch").iter_rows())
    return round(float(sum(expected)))


def _open(base: InForce) -> set[str]:
    return {branch for branch, gate in base.branch_gates.items() if gate in EURO_GATES}
