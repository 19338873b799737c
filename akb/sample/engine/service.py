"""What customers live through: claims, contacts, premium rises; and how it fades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.engine.hazards import rise_of
from akb.sample.engine.month import day_in, other_uniform
from akb.sample.parameters import CAUSES, NEVER_DAY

if TYPE_CHECKING:
    from akb.sample.calendar import Days
    from akb.sample.engine.log import Log
    from akb.sample.engine.month import Month, MonthDraws
    from akb.sample.engine.state import Environment, Moment, Rows, State


def fade(state: State, world: Environment) -> None:
    """Let effects fade by a month."""
    service, lapse = world.p.service, world.p.lapse
    state.shock *= np.float32(lapse.rise_decay)
    state.price_shock *= np.float32(lapse.rise_decay)
    state.upset *= np.float32(service.upset_decay)
    state.contact *= np.float32(service.contact_decay)
    state.claimed *= np.float32(service.claim_memory)


def claims(month: Month, u: MonthDraws, log: Log, *, keep: bool) -> None:
    """Claims, well or badly handled; the upper end of the policy's uniform, so none in the month of
    an end.
    """
    people, state, cells, world = month.people, month.state, month.cells, month.world
    service = world.p.service
    rate = world.tables.claim[cells.slot] * people.claims[cells.row]
    chance = u.cell.reshape(-1)[cells.flat]
    hit = np.flatnonzero((chance > 1 - rate) & state.held.reshape(-1)[cells.flat])
    row = cells.row[hit]
    inner = (1 - chance[hit]) / rate[hit]
    poor = inner < service.poor_claim
    effect = np.where(poor, service.poor_claim_effect, service.good_claim_effect).astype(np.float32)
    np.maximum.at(state.upset, row[poor], effect[poor])
    state.upset[row[~poor]] += effect[~poor]
    np.add.at(state.claimed, row, np.float32(1))
    if keep and len(hit):
        day = day_in(month.w, other_uniform(u.spread[row], cells.slot[hit]), 0.0)
        log.claim(
            people.number[row],
            cells.slot[hit].astype(np.int64),
            state.record.reshape(-1)[cells.flat[hit]],
            day,
        )


def leaving_days(state: State, world: Environment) -> Days:
    """Return the day of the first preventable end that lies ahead per customer, NEVER_DAY if there
    is none.
    """
    flat = np.flatnonzero(state.ends.reshape(-1) != NEVER_DAY)
    own_choice = world.tables.reason_class[state.reason.reshape(-1)[flat]] == CAUSES.index(
        "preventable"
    )
    flat = flat[own_choice]
    first = np.full(len(state.status), NEVER_DAY, np.int32)
    np.minimum.at(first, flat // state.held.shape[1], state.ends.reshape(-1)[flat])
    return first


def _inbound(month: Month, leaving: Days, buyers: Rows) -> NDArray[np.float64]:
    """Return the chance that a customer calls or mails this month.

    More policies, a recent claim, a premium rise, a renewal near, something that changes (a move, a
    purchase, an end): more to ask. Of those about to end a policy some call first."""
    state, service, cells, w = month.state, month.world.p.service, month.cells, month.w
    near = np.isin((w.month - np.arange(12)) % 12, (11, 0, 1))
    renewals = np.bincount(
        cells.row, weights=near[state.renew.reshape(-1)[cells.flat]], minlength=len(state.status)
    )
    changed = (w.step - state.moved <= 1) * 1.0 + (w.step - state.cancelled <= 1)
    changed[np.unique(buyers)] += 1
    reason = (
        1
        + state.price_shock
        + service.inbound_claim * state.claimed
        + service.inbound_mutation * changed
    )
    reason += service.inbound_renewal * renewals / np.maximum(month.held, 1)
    busy = month.people.engagement * np.sqrt(month.held) / 12
    first = (
        (leaving != NEVER_DAY) * service.inbound_leaving * np.minimum(month.people.engagement, 2.0)
    )
    return np.asarray(service.inbound * busy * reason + first, np.float64)


def contacts(
    month: Month, u: MonthDraws, leaving: Days, buyers: Rows, log: Log, *, keep: bool
) -> None:
    """Calls and mails: from the customer, from the office, and complaints."""
    people, state, w, held = month.people, month.state, month.w, month.held
    service = month.world.p.service
    complaint = (
        (service.complaint / 12)
        * (1 + 4 * np.maximum(state.upset, 0) + 2 * state.price_shock)
        * (held > 0)
    )
    outbound = (service.outbound / 12) * people.engagement * (held > 0)
    inbound = _inbound(month, leaving, buyers)
    bounds = np.cumsum(np.stack([complaint, outbound, inbound]), axis=0)
    rows = np.flatnonzero(u.contact < bounds[2])
    if not len(rows):
        return
    kind = (u.contact[rows] >= bounds[:2, rows]).sum(axis=0)
    farewell = (kind == 2) & (leaving[rows] != NEVER_DAY)
    state.contact[rows[(kind > 0) & ~farewell]] = (
        1.0  # who calls to end a policy is not won over by that
    )
    state.upset[rows[kind == 0]] += np.float32(service.complaint_effect)
    if keep:
        codes = np.array([1, 2, 0], np.int8)[kind]
        day = day_in(w, other_uniform(u.spread[rows], kind), 0.0)
        before = np.maximum(
            np.minimum(leaving[rows] - 1, w.until) - w.after, 1
        )  # days left to call in
        early = (
            w.after + 1 + np.floor(other_uniform(u.spread[rows], kind) * before).astype(np.int32)
        )
        log.contacts(people.number[rows], np.where(farewell, early, day).astype(np.int32), codes)


def rises(now: Moment) -> None:
    """Premiums rise at the renewals of this month; a rise that is noticed raises the hazard from
    next month on.
    """
    people, state, world, w = now.people, now.state, now.world, now.w
    lapse = world.p.lapse
    flat = np.flatnonzero(state.held.reshape(-1) & (state.renew.reshape(-1) == w.month))
    row, slot = np.divmod(flat, state.held.shape[1])
    rise = rise_of(world, w.year)[slot, people.insurer.reshape(-1)[flat]]
    excess_rise = np.maximum(rise - np.float32(lapse.rise_threshold), 0) * np.float32(
        lapse.rise_effect
    )
    effect = excess_rise * people.price[row]
    state.shock.reshape(-1)[flat] += effect
    np.add.at(
        state.price_shock,
        row,
        effect / np.maximum(state.held[row].sum(axis=1), 1).astype(np.float32),
    )
