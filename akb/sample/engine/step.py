"""One month of an office, for all customers at once.

Everything is an array [customer] or [customer, slot]. Hazards are products of looked-up factors
(see `hazards`), and every month draws the same number of random numbers whatever happens in it, so
two futures that differ in one intervention use the same chance everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.sample.engine.ends import end_what_is_due, moves, policy_events, relation_events
from akb.sample.engine.hazards import customer_factors, policy_hazards
from akb.sample.engine.month import Decisions, Month
from akb.sample.engine.service import claims, contacts, fade, leaving_days, rises
from akb.sample.engine.starts import join, purchases, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.sample.engine.log import Log
    from akb.sample.engine.month import Intervention, MonthDraws
    from akb.sample.engine.state import Moment


def advance(
    now: Moment,
    u: MonthDraws,
    log: Log,
    *,
    keep: bool = True,
    interventions: Sequence[Intervention] = (),
) -> None:
    """Let one month pass: the state changes in place, `log` grows.

    Parameters
    ----------
    now
        The month and its customers.
    u
        Its random numbers.
    log
        What happened.
    keep
        Also log claims and contacts.
    interventions
        What comes from outside, in this order.
    """
    held = now.state.held.sum(axis=1)
    risk = customer_factors(now, held)
    month = Month(now.people, now.state, now.world, now.w, held, risk, policy_hazards(now, risk))
    decisions = Decisions(now.state, remembered=bool(interventions))
    relation_events(month, u, decisions)
    policy_events(month, u, decisions)
    moves(month, u, log, decisions, keep=keep)
    buys = purchases(month, u)
    for each in interventions:
        each.ends(month, decisions, buys)
        buys = each.purchases(month, buys)
    leaving = leaving_days(now.state, now.world)
    end_what_is_due(now.state, now.w, log)
    fade(now.state, now.world)
    claims(month, u, log, keep=keep)
    contacts(month, u, leaving, buys[0], log, keep=keep)
    rises(now)
    start(now, buys, log)
    join(now, u, log)
