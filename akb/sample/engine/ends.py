"""What ends in a month: whole relations, single policies, what goes with a move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.calendar import first_of_next_month
from akb.sample.engine.hazards import REASON_OF_EVENT, relation_hazards
from akb.sample.engine.month import day_in, held_cells, other_uniform
from akb.sample.engine.state import ACTIVE, CLOSED
from akb.sample.parameters import NEVER_DAY

if TYPE_CHECKING:
    from akb.sample.calendar import MonthWindow
    from akb.sample.engine.log import Log
    from akb.sample.engine.month import Decisions, Month, MonthDraws
    from akb.sample.engine.state import Rows, State


def relation_events(month: Month, u: MonthDraws, decisions: Decisions) -> None:
    """Death, end of business, emigration, switching everything, non-payment, merging households."""
    people, state, p = month.people, month.state, month.world.p
    chances = relation_hazards(month, month.risk)
    hit = np.flatnonzero(
        u.event < sum(chances.values())
    )  # few: the rest of the month is theirs alone
    at = np.zeros(len(hit))
    event = u.event[hit]
    for name, every in chances.items():
        chance = every[hit]
        rows = hit[(event >= at) & (event < at + chance)]
        at = at + chance
        if not len(rows):
            continue
        position, slot, flat = held_cells(state, rows)
        owner = rows[position]
        chosen, lead = _who_follows(month, name, owner, slot, u)
        day = day_in(month.w, u.day[owner], p.lapse.first_of_month) + (lead * 30.4).astype(np.int32)
        rounded = (lead > 0) & (u.spread[owner] < 0.7)
        day = np.where(rounded, first_of_next_month(day), day).astype(np.int32)
        code = p.code(REASON_OF_EVENT[name])
        decisions.decide(flat[chosen], day[chosen], code)
        if name in ("death", "close", "emigration"):
            ending = (
                (u.lead[rows] >= p.life.partner) if name == "death" else np.full(len(rows), True)
            )
            if name == "close":
                ending &= people.kind[rows] == 1
            state.status[rows[ending]] = CLOSED


def _who_follows(
    month: Month, name: str, owner: Rows, slot: Rows, u: MonthDraws
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which policies end with an event and how many months later."""
    people, p, t = month.people, month.world.p, month.world.tables
    mixed = other_uniform(u.lead[owner], slot)
    other = other_uniform(u.spread[owner], slot)
    everything = np.full(len(slot), True)
    if name == "death":
        alone = u.lead[owner] >= p.life.partner
        return alone | t.ends_with_partner[slot], np.floor(3 * other) * (mixed < 0.5)
    if name == "close":
        return (people.kind[owner] == 1) | ~t.private[slot], np.floor(3 * other) * (mixed < 0.5)
    if name == "emigration":
        return everything, np.floor(2 * other)
    if name == "switch":
        return mixed >= p.switch.stays, np.searchsorted(
            np.cumsum(p.switch.lead)[:-1], other, side="right"
        ).astype(float)
    if name == "nonpayment":
        return mixed < p.life.nonpayment_end, np.zeros(len(slot))
    return t.doubled[slot] & (mixed < p.life.merge_end), np.floor(2 * other)


def policy_events(month: Month, u: MonthDraws, decisions: Decisions) -> None:
    """Single policies: cancelled, object gone, ended by the insurer."""
    cells, w = month.cells, month.w
    p = month.world.p
    chance = u.cell.reshape(-1)[cells.flat]
    hit = np.flatnonzero(chance < cells.total)
    flat, row, slot = cells.flat[hit], cells.row[hit], cells.slot[hit]
    chance, voluntary = chance[hit], cells.voluntary[hit]
    is_voluntary = chance < voluntary
    is_gone = ~is_voluntary & (chance < voluntary + cells.gone[hit])
    competitor = chance < voluntary * p.lapse.to_competitor
    code = np.select(
        [is_voluntary & competitor, is_voluntary, is_gone],
        [p.code("overstap"), p.code("opzegging_klant"), p.code("verkoop_object")],
        p.code("verzekeraar"),
    ).astype(np.int8)
    later = other_uniform(u.lead[row], slot)
    months = 1 + np.searchsorted(
        np.cumsum(p.lapse.lead_months)[:-1], later / p.lapse.lead_share, side="right"
    )
    lead = np.where((later < p.lapse.lead_share) & ~is_gone, months, 0)
    day = day_in(w, other_uniform(u.day[row], slot), p.lapse.first_of_month)
    ahead = first_of_next_month((day + np.floor(lead * 30.4 - 5)).astype(np.int32))
    decisions.decide(flat, np.where(lead > 0, ahead, day).astype(np.int32), code)


def moves(month: Month, u: MonthDraws, log: Log, decisions: Decisions, *, keep: bool) -> None:
    """Moving house: home policies end or get a new number, renters buy, owners sell."""
    people, state, world, w = month.people, month.state, month.world, month.w
    p = world.p
    chance = world.tables.move[month.risk.age] * (people.kind != 1) * (state.status == ACTIVE)
    rows = np.flatnonzero(u.move < chance)
    if not len(rows):
        return
    state.moved[rows] = w.step
    inner = u.move[rows] / chance[rows]  # uniform given the move
    was_owner = state.owner[rows]
    state.owner[rows] = np.where(
        was_owner, inner >= p.life.sells_to_rent, inner < p.life.buys_house
    )
    position, slot, flat = held_cells(state, rows)
    is_building, is_contents = world.tables.building[slot], world.tables.contents[slot]
    chance_end = is_building * p.life.move_building_end + is_contents * p.life.move_contents_end
    mixed = other_uniform(u.spread[rows[position]], slot)
    day = day_in(w, u.day[rows[position]], 0.3)
    ending = mixed < chance_end
    building = ending & is_building
    contents = ending & is_contents
    decisions.decide(flat[building], day[building], p.code("verkoop_object"))
    decisions.decide(flat[contents], day[contents], p.code("verhuizing"))
    if keep:
        home = (chance_end > 0) & (mixed > 1 - p.life.move_renumber)
        renumbered = flat[home][state.ends.reshape(-1)[flat[home]] == NEVER_DAY]
        log.renumber(
            state.record.reshape(-1)[renumbered], np.full(len(renumbered), w.first, np.int32)
        )


def end_what_is_due(state: State, w: MonthWindow, log: Log) -> None:
    """End the policies whose decided day has come."""
    due = np.flatnonzero(state.ends.reshape(-1) <= w.until)
    if not len(due):
        return
    slots = state.held.shape[1]
    log.end(
        state.record.reshape(-1)[due], state.ends.reshape(-1)[due], state.reason.reshape(-1)[due]
    )
    state.held.reshape(-1)[due] = False
    state.ends.reshape(-1)[due] = NEVER_DAY
    rows = due // slots
    state.cancelled[rows] = w.step
    emptied = rows[~state.held[rows].any(axis=1)]
    state.emptied[emptied] = w.step
