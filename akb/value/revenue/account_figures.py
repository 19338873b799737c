"""What the office's accounts say beside the file and the model of cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.typed import made
from akb.value.types import Accounts

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.revenue.cost import ServiceCost
    from akb.value.types import BusinessCase


def accounts_figures(
    base: InForce, cost: ServiceCost, case: BusinessCase | None, other: BusinessCase | None
) -> Accounts | None:
    """Return what the accounts say beside the file; None where the client gave none.

    Returns
    -------
    Accounts
        ``lines`` [{key: commission | fee | payroll | other_cost, accounts, counted (cents), factor,
        far}], ``basis`` (``model`` | ``accounts``: on which cost everything stands), ``result``
        (income less all cost given, cents), ``result_share`` of income, ``contribution_share``
        (what is left of income after the cost to serve), ``hours`` {needed, available} a year, and
        the ``case`` {model, accounts}: net of a year's contacts on both (null: not worked out).
    """
    income = dict(base.portfolio.accounts or {})
    lines = {**income, **cost.accounts}
    client = base.settings.client
    if not lines and client.fte is None:
        return None
    revenue, service = int(base.commission.sum()), int(cost.per_customer(base).sum())
    costs = [line.accounts for line in cost.accounts.values()]
    result = revenue - sum(costs) if len(costs) == len(("payroll", "other_cost")) else None
    nets = {client.cost: _net(case)}
    if "payroll" in cost.accounts or "other_cost" in cost.accounts:
        nets["accounts" if client.cost == "model" else "model"] = _net(other)
    return made(
        Accounts,
        {
            "lines": [
                {
                    "key": key,
                    "accounts": line.accounts,
                    "counted": line.counted,
                    "factor": line.factor,
                    "far": line.far,
                }
                for key, line in lines.items()
            ],
            "basis": client.cost,
            "income": revenue,
            "service": service,
            "result": result,
            "result_share": result / revenue if result is not None and revenue > 0 else None,
            "contribution_share": (revenue - service) / revenue if revenue > 0 else None,
            "hours": None
            if client.fte is None
            else {
                "needed": cost.minutes / 60,
                "available": client.fte * base.value("accounts.hours_per_fte"),
            },
            "case": {key: nets.get(key) for key in ("model", "accounts")},
        },
    )


def _net(case: BusinessCase | None) -> int | None:
    return None if case is None else case.cohort.net.base
