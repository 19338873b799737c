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
    from akb.value.targeting.planning.menu import Menu
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.targeting.planning.prospects import Flags


def candidates(plan: ContactPlan) -> tuple[Rows, Rows]:
    """Return rows outside the plan whose best personal contact pays at the high end, and that
    contact's option.
    """
    menu = plan.menu
    personal = np.array([each.pool != "automatic" for each in menu.options], dtype=np.bool_)
    best, pays = best_at_high(menu, menu.allowed & personal)
    rows = np.flatnonzero(pays & (plan.option == NONE))
    return rows, best[rows]


def best_at_high(menu: Menu, allowed: Flags) -> tuple[Rows, Flags]:
    """Return (n,): the option that brings most at the high end of the effects, and whether it pays
    there.

    Parameters
    ----------
    allowed
        (n, k): the options to choose from.
    """
    best, pays = np.zeros(len(allowed), dtype=np.int64), np.zeros(len(allowed), dtype=np.bool_)
    for some, few in menu.in_blocks():
        worth = np.where(allowed[some], few.lines("high").total - few.cost, -np.inf)
        best[some] = worth.argmax(axis=1)
        pays[some] = worth.max(axis=1, initial=-np.inf) > 0
    return best, pays


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
