"""What begins in a month: policies bought, new customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.sample.calendar import month_of
from akb.sample.engine.hazards import purchase_hazards
from akb.sample.engine.month import choose, day_in
from akb.sample.engine.state import ACTIVE
from akb.sample.parameters import NEVER_DAY

if TYPE_CHECKING:
    from akb.sample.engine.log import Log
    from akb.sample.engine.month import Buys, Month, MonthDraws
    from akb.sample.engine.state import Moment


def purchases(month: Month, u: MonthDraws) -> Buys:
    """Return (customer, slot, day) of policies bought: at most two a month, by current and former
    customers.
    """
    state, p = month.state, month.world.p
    rows = np.flatnonzero((u.buy < month.people.buy_most) & (state.status == ACTIVE))
    rate = purchase_hazards(month, month.held, rows)
    total = rate.sum(axis=1)
    buys = u.buy[rows] < total
    rows, rate, total = rows[buys], rate[buys], total[buys]
    slot = choose(rate, u.choice[rows])
    both = np.flatnonzero(u.second[rows] < p.purchase.second)
    rest = rate[both].copy()
    rest[np.arange(len(both)), slot[both]] = 0
    both, rest = both[rest.sum(axis=1) > 0], rest[rest.sum(axis=1) > 0]
    also = choose(rest, u.second[rows[both]] / p.purchase.second)
    customer = np.concatenate([rows, rows[both]])
    bought = np.concatenate([slot, also])
    return customer, bought, day_in(month.w, u.day[customer], 0.45)


def start(now: Moment, buys: Buys, log: Log) -> None:
    """Put new policies in force."""
    people, state, w = now.people, now.state, now.w
    customer, slot, day = buys
    if not len(customer):
        return
    state.record[customer, slot] = log.start(people.number[customer], slot, day)
    state.held[customer, slot] = True
    state.since[customer, slot] = w.step
    state.renew[customer, slot] = np.where(people.january[customer, slot], 0, month_of(day))
    state.shock[customer, slot] = 0
    state.ends[customer, slot] = NEVER_DAY
    returned = np.unique(customer)
    state.joined[returned] = np.where(
        state.emptied[returned] > state.joined[returned], w.step, state.joined[returned]
    )


def join(now: Moment, u: MonthDraws, log: Log) -> None:
    """New customers start with their first policies."""
    people, state, w = now.people, now.state, now.w
    rows = np.flatnonzero((people.joins == w.step) & (state.status == 0))
    if not len(rows):
        return
    state.status[rows] = ACTIVE
    state.joined[rows] = w.step
    position, slot = np.nonzero(people.package[rows])
    customer = rows[position]
    start(now, (customer, slot, day_in(w, u.day[customer], 0.45)), log)
