"""The simulator's engine: one month of an office, for all customers at once.

Everything is an array [customer] or [customer, slot]. Hazards are products of looked-up factors (see `hazards`), and
every month draws the same number of random numbers whatever happens in it, so two futures that differ in one
intervention use the same chance everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from akb.sample import hazards
from akb.sample.calendar import Days, Window, first_of_next_month, month_of
from akb.sample.parameters import CAUSES, NEVER_DAY, NEVER_MONTH, Floats, Parameters, Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.sample.calendar import Market
    from akb.sample.people import People

Rows = NDArray[np.int64]

ACTIVE, CLOSED = 1, 2


@dataclass
class State:
    """What changes month by month; N customers, S slots.

    held; since: step of the start (tenure); renew: renewal month (0 = January); ends, reason: an end that is
    decided (its day, NEVER_DAY if none; its reason code); record: row in the log; shock: what is left of premium
    rises. Per customer: status (0 not yet a customer, ACTIVE, CLOSED: never comes back), joined, emptied, cancelled,
    moved: steps; owner; price_shock, upset (claims and complaints), contact, claimed: fading effects.
    """

    held: NDArray[np.bool_]
    since: NDArray[np.int32]
    renew: NDArray[np.int8]
    ends: Days
    reason: NDArray[np.int8]
    record: NDArray[np.int32]
    shock: Floats
    status: NDArray[np.int8]
    joined: NDArray[np.int32]
    emptied: NDArray[np.int32]
    cancelled: NDArray[np.int32]
    moved: NDArray[np.int32]
    owner: NDArray[np.bool_]
    price_shock: Floats
    upset: Floats
    contact: Floats
    claimed: Floats

    def take(self, rows: Rows | slice) -> State:
        """Return a copy of some customers."""
        return replace(self, **{field.name: getattr(self, field.name)[rows].copy() for field in fields(self)})

    def view(self, count: int) -> State:
        """Return the first customers without copying: what changes in the view changes here."""
        return replace(self, **{field.name: getattr(self, field.name)[:count] for field in fields(self)})


def empty_state(people: People) -> State:
    """Return the state of people of whom nobody is a customer yet."""
    count, slots = people.lapse_base.shape
    ints = np.full(count, NEVER_MONTH, np.int32)
    zeros = np.zeros(count, np.float32)
    return State(
        held=np.zeros((count, slots), np.bool_),
        since=np.zeros((count, slots), np.int32),
        renew=np.zeros((count, slots), np.int8),
        ends=np.full((count, slots), NEVER_DAY, np.int32),
        reason=np.zeros((count, slots), np.int8),
        record=np.full((count, slots), -1, np.int32),
        shock=np.zeros((count, slots), np.float32),
        status=np.zeros(count, np.int8),
        joined=ints.copy(),
        emptied=ints.copy(),
        cancelled=ints.copy(),
        moved=ints.copy(),
        owner=people.owner.copy(),
        price_shock=zeros.copy(),
        upset=zeros.copy(),
        contact=zeros.copy(),
        claimed=zeros.copy(),
    )


class Log:
    """Every policy ever: customer row, slot, start, end, reason and where it came from, by record number."""

    def __init__(self) -> None:
        self._starts: list[tuple[NDArray[np.int64], NDArray[np.int64], Days]] = []
        self._ends: list[tuple[NDArray[np.int32], Days, NDArray[np.int8]]] = []
        self._renumbered: list[tuple[NDArray[np.int32], Days]] = []
        self._claims: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], Days]] = []
        self._contacts: list[tuple[NDArray[np.int64], Days, NDArray[np.int8]]] = []
        self.count = 0

    def start(self, customer: Rows, slot: Rows, day: Days) -> NDArray[np.int32]:
        """Record new policies and return their record numbers."""
        numbers = np.arange(self.count, self.count + len(customer), dtype=np.int32)
        self._starts.append((customer.astype(np.int64), slot.astype(np.int64), day.astype(np.int32)))
        self.count += len(customer)
        return numbers

    def end(self, record: NDArray[np.int32], day: Days, reason: NDArray[np.int8]) -> None:
        """Record ends."""
        self._ends.append((record, day, reason))

    def renumber(self, record: NDArray[np.int32], day: Days) -> None:
        """Record that policies go on under another number."""
        self._renumbered.append((record, day))

    def claim(self, customer: Rows, slot: Rows, record: NDArray[np.int32], day: Days) -> None:
        """Record claims."""
        self._claims.append((customer.astype(np.int64), slot.astype(np.int64), record, day))

    def contacts(self, customer: Rows, day: Days, kind: NDArray[np.int8]) -> None:
        """Record contacts."""
        self._contacts.append((customer.astype(np.int64), day, kind))

    def copy(self) -> Log:
        """Return a log that can grow without changing this one."""
        other = Log()
        other.count = self.count
        for name in ("_starts", "_ends", "_renumbered", "_claims", "_contacts"):
            setattr(other, name, list(getattr(self, name)))
        return other

    def policies(self) -> Policies:
        """Return all policies by record number."""
        customer, slot, start = (np.concatenate(column) for column in zip(*self._starts, strict=True))
        end = np.full(self.count, NEVER_DAY, np.int32)
        reason = np.zeros(self.count, np.int8)
        for record, day, code in self._ends:
            end[record] = day
            reason[record] = code
        return Policies(customer, slot, start, end, reason)

    def renumberings(self) -> tuple[NDArray[np.int32], Days]:
        """Return (record, day) of all renumberings at a move."""
        return _columns(self._renumbered, 2)  # type: ignore[return-value]

    def claims(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], Days]:
        """Return (customer, slot, record, day) of all claims."""
        return _columns(self._claims, 4)  # type: ignore[return-value]

    def all_contacts(self) -> tuple[NDArray[np.int64], Days, NDArray[np.int8]]:
        """Return (customer, day, kind) of all contacts."""
        return _columns(self._contacts, 3)  # type: ignore[return-value]


def _columns(chunks: list[tuple[NDArray[np.int64], ...]] | list, count: int) -> tuple[NDArray[np.int64], ...]:  # type: ignore[type-arg]
    if not chunks:
        return tuple(np.zeros(0, np.int64) for _ in range(count))
    return tuple(np.concatenate(column) for column in zip(*chunks, strict=True))


@dataclass(frozen=True)
class Policies:
    """Policies as columns: customer row, slot, start and end as day numbers (NEVER_DAY = open), reason code."""

    customer: NDArray[np.int64]
    slot: NDArray[np.int64]
    start: Days
    end: Days
    reason: NDArray[np.int8]


@dataclass
class World:
    """What a step needs besides people and state."""

    p: Parameters
    tables: Tables
    market: Market


@dataclass(frozen=True)
class Draws:
    """The random numbers of one step: per cell and per customer, always as many."""

    cell: Floats
    event: NDArray[np.float64]
    move: NDArray[np.float64]
    contact: NDArray[np.float64]
    buy: NDArray[np.float64]
    choice: NDArray[np.float64]
    second: NDArray[np.float64]
    day: NDArray[np.float64]
    lead: NDArray[np.float64]
    spread: NDArray[np.float64]

    def take(self, rows: Rows) -> Draws:
        """Return the random numbers of some customers."""
        return Draws(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw(rng: np.random.Generator, count: int, slots: int) -> Draws:
    """Draw the random numbers of one step."""
    cell = rng.random((count, slots), dtype=np.float32)
    return Draws(cell, *rng.random((9, count)))


class Decisions:
    """The ends decided in one month, in their order: with `remembered` they can be undone one by one.

    An end counts only if it is sooner than what was decided for that policy before.
    """

    def __init__(self, state: State, *, remembered: bool = False) -> None:
        self.state = state
        self._made: list[tuple[Rows, Days, NDArray[np.int8]]] | None = [] if remembered else None
        self._ends = state.ends.copy() if remembered else state.ends
        self._reason = state.reason.copy() if remembered else state.reason

    def decide(self, flat: Rows, day: Days, code: int | NDArray[np.int8]) -> None:
        """Set the end of policies that are held (flat cells) and not yet ending sooner."""
        codes = np.broadcast_to(np.asarray(code, np.int8), flat.shape)
        if self._made is not None:
            self._made.append((flat, day, codes))
        self._set(flat, day, codes)

    def _set(self, flat: Rows, day: Days, codes: NDArray[np.int8]) -> None:
        ends = self.state.ends.reshape(-1)
        sooner = day < ends[flat]
        ends[flat[sooner]] = day[sooner]
        self.state.reason.reshape(-1)[flat[sooner]] = codes[sooner]

    @property
    def new(self) -> Rows:
        """The policies (flat cells) that had no end before this month and have one now."""
        return np.flatnonzero((self.state.ends != NEVER_DAY).reshape(-1) & (self._ends == NEVER_DAY).reshape(-1))

    def undo(self, flat: Rows, undone: NDArray[np.bool_]) -> None:
        """Undo this month's ends of some policies if their reason (by code) is one of `undone`; other ends stay."""
        assert self._made is not None
        self.state.ends.reshape(-1)[flat] = self._ends.reshape(-1)[flat]
        self.state.reason.reshape(-1)[flat] = self._reason.reshape(-1)[flat]
        for cells, day, codes in self._made:
            again = np.isin(cells, flat) & ~undone[codes]
            self._set(cells[again], day[again], codes[again])


@dataclass(frozen=True)
class Month:
    """What is known in a month when its ends are decided; `held` and the hazards are those at its beginning."""

    people: People
    state: State
    world: World
    w: Window
    held: Rows
    risk: hazards.CustomerFactors
    cells: hazards.PolicyHazards


Buys = tuple[Rows, Rows, Days]  # customer, slot, day


class Intervention(Protocol):
    """Something from outside that changes (or only watches) what customers decide in a month."""

    def ends(self, month: Month, decisions: Decisions, buys: Buys) -> None:
        """Change the ends decided this month."""

    def purchases(self, month: Month, buys: Buys) -> Buys:
        """Return the policies bought this month, changed."""


def advance(
    people: People,
    state: State,
    world: World,
    w: Window,
    u: Draws,
    log: Log,
    *,
    keep: bool = True,
    interventions: Sequence[Intervention] = (),
) -> None:
    """Let one month pass: `state` changes in place, `log` grows.

    Parameters
    ----------
    keep
        Also log claims and contacts.
    interventions
        What comes from outside, in this order.
    """
    held_before = state.held.sum(axis=1)
    risk = hazards.customer_factors(people, state, world, w, held_before)
    cells = hazards.policy_hazards(people, state, world, w, risk)
    decisions = Decisions(state, remembered=bool(interventions))
    _relation_events(people, state, world, w, u, risk, decisions)
    _policy_events(people, state, world, w, u, cells, decisions)
    _moves(people, state, world, w, u, risk.age, log, decisions, keep=keep)
    buys = _purchases(people, state, world, w, u, held_before)
    month = Month(people, state, world, w, held_before, risk, cells)
    for each in interventions:
        each.ends(month, decisions, buys)
        buys = each.purchases(month, buys)
    leaving = _leaving(state, world)
    _end_what_is_due(state, w, log)
    _fade(state, world)
    _claims(people, state, world, w, u, cells, log, keep=keep)
    _contacts(month, u, leaving, buys[0], log, keep=keep)
    _rises(people, state, world, w)
    _start(people, state, w, *buys, log)
    _join(people, state, w, u, log)


def day_in(w: Window, u: NDArray[np.float64], first_of_month: float) -> Days:
    """Return a day of the window from uniforms: often the first of the month."""
    rest = np.clip((u - first_of_month) / (1 - first_of_month), 0, 1 - 1e-9)
    anywhere = w.after + 1 + np.floor(rest * (w.until - w.after)).astype(np.int32)
    return np.where(u < first_of_month, w.first, anywhere).astype(np.int32)


def _mixed(u: NDArray[np.float64], slot: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.float64]:
    """Return another uniform per slot from a customer's uniform."""
    return (u + (slot + 1) * 0.6180339887498949) % 1.0


def _held_cells(state: State, rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Return (position in `rows`, slot, flat index) of the policies that these customers hold."""
    position, slot = np.nonzero(state.held[rows])
    return position, slot, rows[position] * state.held.shape[1] + slot


def _relation_events(
    people: People, state: State, world: World, w: Window, u: Draws, risk: hazards.CustomerFactors, decisions: Decisions
) -> None:
    """Death, end of business, emigration, switching everything, non-payment, merging households."""
    p = world.p
    chances = hazards.relation_hazards(people, state, world, w, risk)
    hit = np.flatnonzero(u.event < sum(chances.values()))  # few: the rest of the month is theirs alone
    at = np.zeros(len(hit))
    event = u.event[hit]
    for name, every in chances.items():
        chance = every[hit]
        rows = hit[(event >= at) & (event < at + chance)]
        at = at + chance
        if not len(rows):
            continue
        position, slot, flat = _held_cells(state, rows)
        owner = rows[position]
        chosen, lead = _who_follows(p, world, people, name, owner, slot, u)
        day = day_in(w, u.day[owner], p.lapse.first_of_month) + (lead * 30.4).astype(np.int32)
        rounded = (lead > 0) & (u.spread[owner] < 0.7)
        day = np.where(rounded, first_of_next_month(day), day).astype(np.int32)
        code = p.code(hazards.REASON_OF_EVENT[name])
        decisions.decide(flat[chosen], day[chosen], code)
        if name in ("death", "close", "emigration"):
            ending = (u.lead[rows] >= p.life.partner) if name == "death" else np.full(len(rows), True)
            if name == "close":
                ending &= people.kind[rows] == 1
            state.status[rows[ending]] = CLOSED


def _who_follows(
    p: Parameters, world: World, people: People, name: str, owner: Rows, slot: Rows, u: Draws
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which policies end with an event and how many months later."""
    mixed = _mixed(u.lead[owner], slot)
    other = _mixed(u.spread[owner], slot)
    t = world.tables
    everything = np.full(len(slot), True)
    if name == "death":
        alone = u.lead[owner] >= p.life.partner
        return alone | t.ends_with_partner[slot], np.floor(3 * other) * (mixed < 0.5)
    if name == "close":
        return (people.kind[owner] == 1) | ~t.private[slot], np.floor(3 * other) * (mixed < 0.5)
    if name == "emigration":
        return everything, np.floor(2 * other)
    if name == "switch":
        return mixed >= p.switch.stays, np.searchsorted(np.cumsum(p.switch.lead)[:-1], other, side="right").astype(
            float
        )
    if name == "nonpayment":
        return mixed < p.life.nonpayment_end, np.zeros(len(slot))
    return t.doubled[slot] & (mixed < p.life.merge_end), np.floor(2 * other)


def _policy_events(
    people: People, state: State, world: World, w: Window, u: Draws, cells: hazards.PolicyHazards, decisions: Decisions
) -> None:
    """Single policies: cancelled, object gone, ended by the insurer."""
    p = world.p
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
    later = _mixed(u.lead[row], slot)
    months = 1 + np.searchsorted(np.cumsum(p.lapse.lead_months)[:-1], later / p.lapse.lead_share, side="right")
    lead = np.where((later < p.lapse.lead_share) & ~is_gone, months, 0)
    day = day_in(w, _mixed(u.day[row], slot), p.lapse.first_of_month)
    ahead = first_of_next_month((day + np.floor(lead * 30.4 - 5)).astype(np.int32))
    decisions.decide(flat, np.where(lead > 0, ahead, day).astype(np.int32), code)


def _moves(
    people: People,
    state: State,
    world: World,
    w: Window,
    u: Draws,
    age: Rows,
    log: Log,
    decisions: Decisions,
    *,
    keep: bool,
) -> None:
    """Moving house: home policies end or get a new number, renters buy, owners sell."""
    p = world.p
    chance = world.tables.move[age] * (people.kind != 1) * (state.status == ACTIVE)
    rows = np.flatnonzero(u.move < chance)
    if not len(rows):
        return
    state.moved[rows] = w.step
    inner = u.move[rows] / chance[rows]  # uniform given the move
    was_owner = state.owner[rows]
    state.owner[rows] = np.where(was_owner, inner >= p.life.sells_to_rent, inner < p.life.buys_house)
    position, slot, flat = _held_cells(state, rows)
    is_building, is_contents = world.tables.building[slot], world.tables.contents[slot]
    chance_end = is_building * p.life.move_building_end + is_contents * p.life.move_contents_end
    mixed = _mixed(u.spread[rows[position]], slot)
    day = day_in(w, u.day[rows[position]], 0.3)
    ending = mixed < chance_end
    building = ending & is_building
    contents = ending & is_contents
    decisions.decide(flat[building], day[building], p.code("verkoop_object"))
    decisions.decide(flat[contents], day[contents], p.code("verhuizing"))
    if keep:
        home = (chance_end > 0) & (mixed > 1 - p.life.move_renumber)
        renumbered = flat[home][state.ends.reshape(-1)[flat[home]] == NEVER_DAY]
        log.renumber(state.record.reshape(-1)[renumbered], np.full(len(renumbered), w.first, np.int32))


def _end_what_is_due(state: State, w: Window, log: Log) -> None:
    """End the policies whose decided day has come."""
    due = np.flatnonzero(state.ends.reshape(-1) <= w.until)
    if not len(due):
        return
    slots = state.held.shape[1]
    log.end(state.record.reshape(-1)[due], state.ends.reshape(-1)[due], state.reason.reshape(-1)[due])
    state.held.reshape(-1)[due] = False
    state.ends.reshape(-1)[due] = NEVER_DAY
    rows = due // slots
    state.cancelled[rows] = w.step
    emptied = rows[~state.held[rows].any(axis=1)]
    state.emptied[emptied] = w.step


def _fade(state: State, world: World) -> None:
    """Let effects fade by a month."""
    service, lapse = world.p.service, world.p.lapse
    state.shock *= np.float32(lapse.rise_decay)
    state.price_shock *= np.float32(lapse.rise_decay)
    state.upset *= np.float32(service.upset_decay)
    state.contact *= np.float32(service.contact_decay)
    state.claimed *= np.float32(service.claim_memory)


def _claims(
    people: People,
    state: State,
    world: World,
    w: Window,
    u: Draws,
    cells: hazards.PolicyHazards,
    log: Log,
    *,
    keep: bool,
) -> None:
    """Claims, well or badly handled; the upper end of the policy's uniform, so none in the month of an end."""
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
        day = day_in(w, _mixed(u.spread[row], cells.slot[hit]), 0.0)
        log.claim(people.number[row], cells.slot[hit].astype(np.int64), state.record.reshape(-1)[cells.flat[hit]], day)


def _leaving(state: State, world: World) -> Days:
    """Return the day of the first preventable end that lies ahead per customer, NEVER_DAY if there is none."""
    flat = np.flatnonzero(state.ends.reshape(-1) != NEVER_DAY)
    own_choice = world.tables.reason_class[state.reason.reshape(-1)[flat]] == CAUSES.index("preventable")
    flat = flat[own_choice]
    first = np.full(len(state.status), NEVER_DAY, np.int32)
    np.minimum.at(first, flat // state.held.shape[1], state.ends.reshape(-1)[flat])
    return first


def _calls(month: Month, leaving: Days, buyers: Rows) -> NDArray[np.float64]:
    """Return the chance that a customer calls or mails this month.

    More policies, a recent claim, a premium rise, a renewal near, something that changes (a move, a purchase, an end):
    more to ask. Of those about to end a policy some call first.
    """
    state, service, cells, w = month.state, month.world.p.service, month.cells, month.w
    near = np.isin((w.month - np.arange(12)) % 12, (11, 0, 1))
    renewals = np.bincount(cells.row, weights=near[state.renew.reshape(-1)[cells.flat]], minlength=len(state.status))
    changed = (w.step - state.moved <= 1) * 1.0 + (w.step - state.cancelled <= 1)
    changed[np.unique(buyers)] += 1
    reason = 1 + state.price_shock + service.inbound_claim * state.claimed + service.inbound_mutation * changed
    reason += service.inbound_renewal * renewals / np.maximum(month.held, 1)
    busy = month.people.engagement * np.sqrt(month.held) / 12
    first = (leaving != NEVER_DAY) * service.inbound_leaving * np.minimum(month.people.engagement, 2.0)
    return np.asarray(service.inbound * busy * reason + first, np.float64)


def _contacts(month: Month, u: Draws, leaving: Days, buyers: Rows, log: Log, *, keep: bool) -> None:
    """Calls and mails: from the customer, from the office, and complaints."""
    people, state, w, held = month.people, month.state, month.w, month.held
    service = month.world.p.service
    complaint = (service.complaint / 12) * (1 + 4 * np.maximum(state.upset, 0) + 2 * state.price_shock) * (held > 0)
    outbound = (service.outbound / 12) * people.engagement * (held > 0)
    inbound = _calls(month, leaving, buyers)
    bounds = np.cumsum(np.stack([complaint, outbound, inbound]), axis=0)
    rows = np.flatnonzero(u.contact < bounds[2])
    if not len(rows):
        return
    kind = (u.contact[rows] >= bounds[:2, rows]).sum(axis=0)
    farewell = (kind == 2) & (leaving[rows] != NEVER_DAY)
    state.contact[rows[(kind > 0) & ~farewell]] = 1.0  # who calls to end a policy is not won over by that
    state.upset[rows[kind == 0]] += np.float32(service.complaint_effect)
    if keep:
        codes = np.array([1, 2, 0], np.int8)[kind]
        day = day_in(w, _mixed(u.spread[rows], kind), 0.0)
        before = np.maximum(np.minimum(leaving[rows] - 1, w.until) - w.after, 1)  # days left to call in
        early = w.after + 1 + np.floor(_mixed(u.spread[rows], kind) * before).astype(np.int32)
        log.contacts(people.number[rows], np.where(farewell, early, day).astype(np.int32), codes)


def _rises(people: People, state: State, world: World, w: Window) -> None:
    """Premiums rise at the renewals of this month; a rise that is noticed raises the hazard from next month on."""
    lapse = world.p.lapse
    flat = np.flatnonzero(state.held.reshape(-1) & (state.renew.reshape(-1) == w.month))
    row, slot = np.divmod(flat, state.held.shape[1])
    rise = hazards.rise_of(world, w.year)[slot, people.insurer.reshape(-1)[flat]]
    noticed = np.maximum(rise - np.float32(lapse.rise_threshold), 0) * np.float32(lapse.rise_effect)
    effect = noticed * people.price[row]
    state.shock.reshape(-1)[flat] += effect
    np.add.at(state.price_shock, row, effect / np.maximum(state.held[row].sum(axis=1), 1).astype(np.float32))


def _purchases(people: People, state: State, world: World, w: Window, u: Draws, held: Rows) -> Buys:
    """Return (customer, slot, day) of policies bought: at most two a month, by current and former customers."""
    p = world.p
    rows = np.flatnonzero((u.buy < people.buy_most) & (state.status == ACTIVE))
    rate = hazards.purchase_hazards(people, state, world, w, held, rows)
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
    return customer, bought, day_in(w, u.day[customer], 0.45)


def choose(rate: NDArray[np.float64], u: NDArray[np.float64]) -> Rows:
    """Return a slot per row, with chances in proportion to the rates."""
    cumulative = rate.cumsum(axis=1)
    return np.asarray((u[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1), np.int64)


def _start(people: People, state: State, w: Window, customer: Rows, slot: Rows, day: Days, log: Log) -> None:
    """Put new policies in force."""
    if not len(customer):
        return
    state.record[customer, slot] = log.start(people.number[customer], slot, day)
    state.held[customer, slot] = True
    state.since[customer, slot] = w.step
    state.renew[customer, slot] = np.where(people.january[customer, slot], 0, month_of(day))
    state.shock[customer, slot] = 0
    state.ends[customer, slot] = NEVER_DAY
    returned = np.unique(customer)
    state.joined[returned] = np.where(state.emptied[returned] > state.joined[returned], w.step, state.joined[returned])


def _join(people: People, state: State, w: Window, u: Draws, log: Log) -> None:
    """New customers start with their first policies."""
    rows = np.flatnonzero((people.joins == w.step) & (state.status == 0))
    if not len(rows):
        return
    state.status[rows] = ACTIVE
    state.joined[rows] = w.step
    position, slot = np.nonzero(people.package[rows])
    customer = rows[position]
    _start(people, state, w, customer, slot, day_in(w, u.day[customer], 0.45), log)
