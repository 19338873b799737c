"""Who the customers are: everything about them that the engine does not change, drawn once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from akb.sample.parameters import AGES, KINDS, Floats, Parameters, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.sample.calendar import MonthWindow

T = TypeVar("T", "Population", "Office")

OLDEST_RELATION_YEARS = 28
SETTLED_EXIT = (
    0.075  # yearly exit of an average customer, to draw who is still there after many years
)


@dataclass(frozen=True)
class Office:
    """The people and companies that the customers meet.

    adviser_office [adviser] office of each adviser; adviser_lapse, adviser_buy [adviser] log
    effects; office_lapse [office]; insurer_lapse [insurer]; main_insurer [office, slot] the first
    choice."""

    adviser_office: NDArray[np.int64]
    adviser_lapse: NDArray[np.float64]
    adviser_buy: NDArray[np.float64]
    office_lapse: NDArray[np.float64]
    insurer_lapse: NDArray[np.float64]
    main_insurer: NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """One row per customer (N), in the order in which they join; S slots.

    number: lasting row number; joins: step in which they join (0 = already there); tenure: months
    with the office before step 0; birth: year, 0 for companies; adviser; home: postcode area;
    opt_out. Latent, never exported: frailty (hazard factor of loyalty, adviser, office), price,
    engagement, nonpayment, claims, wealth, persuadable (how much more than others a contact moves
    this customer, standard normal), buy_most (all purchase rates never add up to more). Per slot:
    lapse_base, buy_base (monthly rates), insurer, january (renews on 1 January), package (held when
    they join)."""

    number: NDArray[np.int64]
    joins: NDArray[np.int64]
    tenure: NDArray[np.int64]
    kind: NDArray[np.int8]
    birth: NDArray[np.int64]
    adviser: NDArray[np.int64]
    office: NDArray[np.int64]
    opt_out: NDArray[np.bool_]
    owner: NDArray[np.bool_]
    own_collection: NDArray[np.bool_]
    frailty: Floats
    price: Floats
    engagement: Floats
    nonpayment: Floats
    claims: Floats
    wealth: Floats
    persuadable: Floats
    lapse_base: Floats
    buy_base: Floats
    buy_most: Floats
    insurer: NDArray[np.int8]
    january: NDArray[np.bool_]
    package: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Population:
        """Return some customers."""
        return replace(
            self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)}
        )


def concatenate(parts: Sequence[T]) -> T:
    """Return the rows of all parts below each other."""
    names = [field.name for field in fields(parts[0])]
    return replace(
        parts[0],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
    )


def draw_office(p: Parameters, customers: int, rng: np.random.Generator) -> Office:
    """Draw offices, advisers and insurers with their real effects on lapses and purchases."""
    low, high = p.book.advisers
    advisers = int(np.clip(round(customers / p.book.customers_per_adviser), low, high))
    offices = int(np.clip(round(customers / p.book.customers_per_office), 3, len(p.book.offices)))
    insurers = len(p.book.insurers)
    return Office(
        adviser_office=np.arange(advisers) % offices,
        adviser_lapse=_effects(p.spread.adviser, advisers, rng),
        adviser_buy=_effects(p.spread.adviser_purchase, advisers, rng),
        office_lapse=_effects(p.spread.office, offices, rng),
        insurer_lapse=_effects(p.spread.insurer, insurers, rng),
        main_insurer=rng.integers(0, insurers, (offices, len(p.slot))),
    )


def _effects(sd: float, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw log effects around zero, so that a book's level does not hang on a handful of people."""
    effects = rng.normal(0, sd, count)
    return np.asarray(effects - effects.mean(), np.float64)


def settled_people(
    p: Parameters, office: Office, count: int, year: int, rng: np.random.Generator
) -> Population:
    """Draw `count` customers who have been with the office for years: those of many more who are
    still there.
    """
    kept: list[Population] = []
    found = 0
    while found < count:
        people = _draw(p, office, 3 * count, year, rng)
        tenure = rng.integers(0, OLDEST_RELATION_YEARS * 12, len(people))
        grown_up = (people.birth == 0) | (year - people.birth - tenure / 12 >= 18)
        stays = np.exp(-SETTLED_EXIT * people.frailty.astype(np.float64) * tenure / 12)
        still_there = grown_up & (rng.random(len(people)) < stays)
        kept.append(replace(people, tenure=tenure).take(still_there))
        found += int(still_there.sum())
    people = concatenate(kept).take(slice(0, count))
    people = people.take(np.argsort(-people.tenure, kind="stable"))
    package = _package(p, people, p.purchase.settled_share, rng, year)
    return replace(people, package=package, number=np.arange(count))


def joining_people(
    p: Parameters,
    office: Office,
    per_month: float,
    windows: Sequence[MonthWindow],
    *,
    first: int,
    seed: list[int],
) -> Population:
    """Draw the customers who join in some months, numbered from `first`."""
    parts = []
    for step, year in ((w.step, w.year) for w in windows):
        rng = np.random.default_rng([*seed, step])
        count = int(rng.poisson(per_month))
        people = _draw(p, office, count, year, rng, young=True)
        package = _package(p, people, p.purchase.join_share, rng, year)
        parts.append(replace(people, package=package, joins=np.full(count, step)))
    people = concatenate(parts)
    return replace(people, number=first + np.arange(len(people)))


def _draw(
    p: Parameters,
    office: Office,
    count: int,
    year: int,
    rng: np.random.Generator,
    *,
    young: bool = False,
) -> Population:
    """Draw customers without their policies."""
    slots = len(p.slot)
    spread = p.spread
    kind = np.searchsorted(
        [p.book.private, p.book.private + p.book.business], rng.random(count), side="right"
    )
    age = _ages(kind, count, rng, young=young)
    adviser = rng.integers(0, len(office.adviser_office), count)
    its_office = office.adviser_office[adviser]
    frailty = np.exp(
        rng.normal(0, spread.loyalty, count)
        + office.adviser_lapse[adviser]
        + office.office_lapse[its_office]
    )
    insurer = _insurers(p, office, its_office, rng)
    january = (
        rng.random((count, slots))
        < np.where(kind == 0, p.book.january_private, p.book.january_business)[:, None]
    )
    own_collection = rng.random(count) < 0.4
    buyer = np.exp(rng.normal(0, spread.purchase, count) + office.adviser_buy[adviser])
    taste = rng.normal(0, 1, count)
    owner = rng.random(count) < tables().owner[np.clip(age, 18, AGES - 1)]
    lapse = np.array([slot.lapse for slot in p.slot]) / 12 * p.lapse.level
    buy_base = _buy_base(p, kind, taste, buyer)
    lapse_base = (
        lapse[None, :]
        * np.exp(rng.normal(0, spread.policy, (count, slots)) + office.insurer_lapse[insurer])
        * np.where(own_collection, p.lapse.own_collection, 1.0)[:, None]
    )
    return Population(
        number=np.arange(count),
        joins=np.zeros(count, np.int64),
        tenure=np.zeros(count, np.int64),
        kind=kind.astype(np.int8),
        birth=np.where(kind == 1, 0, year - age),
        adviser=adviser,
        office=its_office,
        opt_out=rng.random(count) < p.book.opt_out,
        owner=owner,
        own_collection=own_collection,
        frailty=frailty.astype(np.float32),
        price=np.exp(rng.normal(0, spread.price, count)).astype(np.float32),
        engagement=np.exp(rng.normal(0, spread.engagement, count)).astype(np.float32),
        nonpayment=np.exp(rng.normal(-(spread.nonpayment**2) / 2, spread.nonpayment, count)).astype(
            np.float32
        ),
        claims=np.exp(rng.normal(0, spread.claims, count)).astype(np.float32),
        wealth=np.exp(rng.normal(0, spread.wealth, count)).astype(np.float32),
        persuadable=rng.normal(0, 1, count).astype(np.float32),
        lapse_base=lapse_base.astype(np.float32),
        buy_base=buy_base.astype(np.float32),
        buy_most=(1.0001 * p.purchase.cap * buy_base.sum(axis=1)).astype(np.float32),
        insurer=insurer.astype(np.int8),
        january=january,
        package=np.zeros((count, slots), np.bool_),
    )


def _ages(
    kind: NDArray[np.int64], count: int, rng: np.random.Generator, *, young: bool
) -> NDArray[np.int64]:
    mean, sd, most = (38, 14, 85) if young else (52, 17, 96)
    age = np.rint(rng.normal(mean, sd, count))
    return np.where(kind == 2, np.clip(age, 23, 68), np.clip(age, 18, most)).astype(np.int64)


def _insurers(
    p: Parameters, office: Office, its_office: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """A customer's insurer per slot: the office's first choice, the customer's own usual one, or
    any.
    """
    count, slots, insurers = len(its_office), len(p.slot), len(p.book.insurers)
    usual = rng.integers(0, insurers, count)[:, None]
    any_insurer = rng.integers(0, insurers, (count, slots))
    u = rng.random((count, slots))
    first = office.main_insurer[its_office]
    return np.where(u < p.book.main_insurer, first, np.where(u < 0.8, usual, any_insurer))


def _holding(
    p: Parameters, kind: NDArray[np.int64], taste: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the chance [N, S] that a settled customer holds a slot, given its taste for one
    address.
    """
    chance = np.array([[getattr(slot, f"hold_{name}") for slot in p.slot] for name in KINDS])
    log_odds = np.log(np.maximum(chance, 1e-9) / (1 - chance))[kind]
    breadth = np.array([slot.breadth for slot in p.slot])
    odds = np.exp(log_odds + breadth[None, :] * taste[:, None])
    return np.where(chance[kind] > 0, odds / (1 + odds), 0.0)


def _buy_base(
    p: Parameters, kind: NDArray[np.int64], taste: NDArray[np.float64], buyer: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the monthly purchase rate [N, S]: the slot's, more for those who would hold it
    sooner.
    """
    rate = np.array([slot.buy for slot in p.slot]) / 12 * p.purchase.level
    main_kind = np.array([0 if slot.hold_private > 0 else 1 for slot in p.slot])
    usual = np.array(
        [getattr(slot, f"hold_{KINDS[k]}") for slot, k in zip(p.slot, main_kind, strict=True)]
    )
    affinity = _holding(p, kind, taste) / usual[None, :]
    return np.asarray(rate[None, :] * affinity * buyer[:, None])


def _package(
    p: Parameters, people: Population, share: float, rng: np.random.Generator, year: int
) -> NDArray[np.bool_]:
    """Draw what is held: settled customers by their affinity, new ones start with less; always at
    least one.
    """
    rate = np.array([slot.buy for slot in p.slot]) / 12 * p.purchase.level
    usual = np.array([slot.hold_private or slot.hold_business for slot in p.slot])
    settled = people.buy_base / rate[None, :] * usual[None, :]
    age = np.where(people.birth == 0, 45, np.clip(year - people.birth, 18, AGES - 1))
    settled = settled * np.clip(tables().buy_age[age], 0.4, 1.25)
    home = [number for number, slot in enumerate(p.slot) if slot.branch == "opstal"]
    settled[:, home] *= people.owner[:, None]
    held = rng.random(settled.shape) < np.minimum(settled, 0.95) * share
    second = np.flatnonzero(tables().needs_first >= 0)
    singles = np.delete(settled, second, axis=1)
    pick = (
        rng.random(len(people))[:, None] * singles.sum(axis=1, keepdims=True)
        > singles.cumsum(axis=1)
    ).sum(axis=1)
    first = np.delete(np.arange(settled.shape[1]), second)[np.minimum(pick, singles.shape[1] - 1)]
    held[:, second] &= held[:, tables().needs_first[second]]
    # new customers always bring the policy they came for; settled ones only if nothing else was
    # drawn
    lonely = np.full(len(people), True) if people.tenure.max(initial=0) == 0 else ~held.any(axis=1)
    held[np.flatnonzero(lonely), first[lonely]] = True
    return np.asarray(held)
