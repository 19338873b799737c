"""Exploration: contacts that are made to learn, drawn among those that pay if the effects are at
their high end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.draws import drawn
from akb.value.targeting.planning.planner import NONE

if TYPE_CHECKING:
    from akb.value.in_force import InForce, Rows
    from akb.value.targeting.planning.plan import ContactPlan


def candidates(plan: ContactPlan) -> tuple[Rows, Rows]:
    """Return rows outside the plan whose best personal contact pays at the high end, and that
    contact's option.
    """
    menu = plan.menu
    personal = np.array([each.pool != "automatic" for each in menu.options], dtype=np.bool_)
    worth = np.where(menu.allowed & personal, menu.lines["high"].total - menu.cost, -np.inf)
    best = worth.argmax(axis=1)
    pays = (worth[np.arange(len(best)), best] > 0) & (plan.option == NONE)
    rows = np.flatnonzero(pays)
    return rows, best[rows]


def explorers(in_force: InForce, plan: ContactPlan, contacts: float) -> tuple[Rows, Rows]:
    """Return who is contacted to learn, at most so many a year, and by which option; by keyed
    hash.
    """
    rows, option = candidates(plan)
    lots = drawn(
        f"akb exploration {in_force.as_of.year}", in_force.customers["pseudonym"][rows].to_list()
    )
    first = np.argsort(lots, kind="stable")[: max(0, round(contacts))]
    return rows[first], option[first]
