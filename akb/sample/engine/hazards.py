"""The known hazards: products of looked-up factors, used by the engine and written out as truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.sample.calendar import FIRST_YEAR
from akb.sample.parameters import AGES, FORGOTTEN, LONGEST_TENURE, MOST_POLICIES, NEVER_DAY, Floats

if TYPE_CHECKING:
    from akb.sample.engine.state import Environment, Moment

Rows = NDArray[np.int64]

REASON_OF_EVENT = {
    "death": "overlijden",
    "close": "einde_bedrijf",
    "emigration": "emigratie",
    "switch": "overstap",
    "nonpayment": "wanbetaling",
    "merge": "samenvoeging",
}
HIGHEST = 0.5  # no monthly hazard of one policy goes above this


@dataclass(frozen=True)
class CustomerFactors:
    """Per customer: age (0 = company), policies held, policy hazard factor, switch hazard
    factor.
    """

    age: Rows
    held: Rows
    policy: Floats
    switch: Floats


@dataclass(frozen=True)
class PolicyHazards:
    """Monthly hazards of the policies whose end is not yet decided: flat cell, customer row, slot,
    hazard by cause.
    """

    flat: Rows
    row: NDArray[np.int32]
    slot: NDArray[np.int32]
    voluntary: Floats
    gone: Floats
    insurer: Floats

    @property
    def total(self) -> Floats:
        """All causes together."""
        return self.voluntary + self.gone + self.insurer


def rise_of(world: Environment, year: int) -> Floats:
    """Return the premium rises [slot, insurer] of a year."""
    return np.asarray(world.market.rises[year - FIRST_YEAR], np.float32)


def customer_factors(now: Moment, held: Rows) -> CustomerFactors:
    """Return what multiplies the hazards of all policies of a customer this month.

    Parameters
    ----------
    held
        Policies in force [N].
    """
    people, state, world, w = now.people, now.state, now.world, now.w
    p, t = world.p, world.tables
    age = np.where(people.birth == 0, 0, np.clip(w.year - people.birth, 18, AGES - 1))
    size = np.minimum(held, MOST_POLICIES)
    fresh = np.clip(w.step - state.cancelled - 1, 0, FORGOTTEN)
    since_move = w.step - state.moved - 1
    common = people.frailty * t.lapse_age[age]
    common *= np.maximum(1 + state.upset, np.float32(0.4))
    common *= 1 - np.float32(p.service.contact_effect) * state.contact
    common *= np.float32(p.lapse.season[w.month]) * world.market.lapses(w)
    common *= np.where(
        since_move < p.life.move_months, np.float32(1 + p.life.move_lapse), np.float32(1)
    )
    tenure = np.clip(w.step - state.joined, 0, LONGEST_TENURE - 1)
    switch = (
        common
        * t.switch_package_cancel[size, fresh]
        * t.switch_tenure[tenure]
        * (1 + state.price_shock)
    )
    return CustomerFactors(age, held, common * t.package_cancel[size, fresh], switch)


def policy_hazards(now: Moment, risk: CustomerFactors) -> PolicyHazards:
    """Return the monthly hazards of every policy in force whose end is not decided."""
    people, state, world, w = now.people, now.state, now.world, now.w
    p, t = world.p, world.tables
    flat = np.flatnonzero(state.held.reshape(-1) & (state.ends.reshape(-1) == NEVER_DAY))
    rows, slots = _grid(*state.held.shape)
    row, slot = rows[flat], slots[flat]
    renewal = t.renewal[(w.month - np.arange(12)) % 12]
    voluntary = people.lapse_base.reshape(-1)[flat] * risk.policy[row]
    voluntary *= t.tenure[np.clip(w.step - state.since.reshape(-1)[flat], 0, LONGEST_TENURE - 1)]
    voluntary *= renewal[state.renew.reshape(-1)[flat]]
    voluntary *= 1 + state.shock.reshape(-1)[flat]
    insurer = (
        np.float32(p.life.insurer_base / 12)
        + np.float32(p.life.insurer_after_claims / 12) * state.claimed
    )
    return PolicyHazards(
        flat,
        row,
        slot,
        np.minimum(voluntary, np.float32(HIGHEST)),
        t.gone[slot],
        np.minimum(insurer, 0.1)[row],
    )


@lru_cache(maxsize=4)
def _grid(count: int, slots: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return row and slot of every flat cell: looking them up is faster than dividing."""
    return np.repeat(np.arange(count, dtype=np.int32), slots), np.tile(
        np.arange(slots, dtype=np.int32), count
    )


def relation_hazards(now: Moment, risk: CustomerFactors) -> dict[str, NDArray[np.float64]]:
    """Return the monthly hazards of what ends a whole relation, or much of it; zero for who has no
    policy.
    """
    people, state, world, w = now.people, now.state, now.world, now.w
    p, t = world.p, world.tables
    here = (risk.held > 0) & (state.status == 1)
    person = people.kind != 1
    tenure = w.step - state.joined
    young = np.where(tenure < 36, p.life.close_young, 1.0)
    stops = np.array([0.0, p.life.close_business, p.life.close_self_employed])[people.kind] / 12
    merging = (people.kind == 0) & (risk.age >= 22) & (risk.age <= 38)
    chances = {
        "death": t.death[risk.age] * person,
        "close": stops * young,
        "emigration": (p.life.emigration / 12) * person * np.where(risk.age < 45, 1.6, 0.5),
        "switch": np.minimum(p.switch.rate / 12 * risk.switch, 0.3),
        "nonpayment": p.life.nonpayment
        / 12
        * people.nonpayment
        * np.where(risk.age > 60, 0.4, 1.2),
        "merge": p.life.merge / 12 * merging,
    }
    return {name: np.asarray(chance, np.float64) * here for name, chance in chances.items()}


def purchase_hazards(now: Moment, held: Rows, rows: Rows) -> NDArray[np.float64]:
    """Return the monthly rates [rows, slot] at which these customers take what they do not hold.

    The rate is the customer's own base times at most the cap, so base times cap bounds it.
    """
    people, state, world, w = now.people, now.state, now.world, now.w
    p, t = world.p, world.tables
    purchase = p.purchase
    own = state.held[rows]
    birth = people.birth[rows]
    age = np.where(birth == 0, 45, np.clip(w.year - birth, 18, AGES - 1))
    factor = np.exp(own.astype(np.float64) @ t.log_pair) * t.buy_age[age]
    moved = (w.step - state.moved[rows]) <= p.life.move_months
    factor *= np.where(moved[:, None] & t.home[None, :], purchase.moved, 1.0)
    factor *= np.where(t.building[None, :] & ~state.owner[rows][:, None], 0.02, 1.0)
    factor *= _readiness(now, held, rows)[:, None]
    possible = ~own
    second = np.flatnonzero(t.needs_first >= 0)
    possible[:, second] &= own[:, t.needs_first[second]]
    return np.asarray(people.buy_base[rows] * np.minimum(factor, purchase.cap) * possible)


def _readiness(now: Moment, held: Rows, rows: Rows) -> NDArray[np.float64]:
    """Return what multiplies all purchase rates of a customer."""
    state, world, w = now.state, now.world, now.w
    purchase = world.p.purchase
    has = held[rows]
    ready = np.array([purchase.package[0], *purchase.package])[np.minimum(has, MOST_POLICIES)]
    ready = ready * purchase.season[w.month] * (1 + purchase.contact * state.contact[rows])
    ready = ready / np.maximum(1 + state.upset[rows], 0.8)
    ready = ready * np.where(w.step - state.joined[rows] <= 12, purchase.first_year, 1.0)
    ready = ready * np.where(w.step - state.cancelled[rows] <= 3, purchase.after_cancel, 1.0)
    away = np.clip(w.step - state.emptied[rows] - 1, 0, LONGEST_TENURE - 1)
    return np.asarray(np.where(has == 0, world.tables.winback[away], ready))
