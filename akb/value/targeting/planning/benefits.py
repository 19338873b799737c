"""What every contact type brings and takes for every customer: the columns that the planner chooses
from.

A worked row. A call (relation .15, policy .12) to a customer who leaves preventably with chance .10
and has € 2,000 at stake, beside € 40 of policies that he is expected to lose: relation .15 x .10 x
2,000 = € 30, policy .12 x 40 = € 4.80. If a purchase is discussed as well, worth € 6, that is its
second purpose and counts for `secondary_share`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from akb.value.targeting.team import POOLS

if TYPE_CHECKING:
    from akb.config import ContactType, Settings
    from akb.value.in_force import Floats, Rows
    from akb.value.targeting.planning.prospects import Flags, Prospects

Side = Literal["low", "base", "high"]
SIDES: tuple[Side, ...] = ("low", "base", "high")
Pushes = Mapping[str, Mapping[Side, "Floats"]]
"""Contact type -> side of the effects -> (n, b): see `pushes_of`."""
PLACE = 0.7
"""How much less the next branch in the same contact counts than the one before."""
FAR = 20.0
"""A shift of log-odds that makes any chance certain or impossible."""
ROUNDS, SAME = 100, 1e-12  # of looking for a shift, and how near two may be to be the same


@dataclass(frozen=True)
class Planning:
    """What the planner is told beside the ladder.

    Parameters
    ----------
    rates
        Pool -> cents per minute of who really does the work; ``automatic`` costs nothing.
    secondary_share, repeat_share
        What a purpose beside the first counts for, and a contact within 24 months of one.
    """

    ladder: Mapping[str, ContactType]
    rates: Mapping[str, float]
    secondary_share: float
    repeat_share: float

    @classmethod
    def of(cls, settings: Settings) -> Planning:
        """Return it from the settings of a run."""
        value = {name: entry.value for name, entry in settings.assumed().items()}
        return cls(
            ladder=settings.ladder(),
            rates={
                "automatic": 0.0,
                "inside": 100 * value["cost.rate_office"] / 60,
                "adviser": 100 * value["cost.rate_adviser"] / 60,
            },
            secondary_share=value["planning.secondary_share"],
            repeat_share=value["planning.repeat_share"],
        )


@dataclass(frozen=True)
class Option:
    """A column of the plan: a contact type, and the pool that really does it."""

    key: str
    pool: str


def options(ladder: Mapping[str, ContactType]) -> tuple[Option, ...]:
    """Return the columns: every type by its own pool, and inside work by an adviser too."""
    own = [Option(key, contact.pool) for key, contact in ladder.items()]
    return tuple(own + [Option(each.key, "adviser") for each in own if each.pool == "inside"])


@dataclass(frozen=True)
class Lines:
    """Benefits per row and option at one side of the effects, cents; factors for purpose and repeat
    are in it.

    Parameters
    ----------
    relation, policy, purchase
        (n, k): the three lines of euros; purchases after the minutes that a sale takes.
    leavers, policies, sales
        (n, k): relations kept, policies kept and policies sold, as counts.
    """

    relation: Floats
    policy: Floats
    purchase: Floats
    leavers: Floats
    policies: Floats
    sales: Floats

    @property
    def total(self) -> Floats:
        """(n, k): all lines together."""
        out: Floats = self.relation + self.policy + self.purchase
        return out


@dataclass(frozen=True)
class Menu:
    """Everything that the planner chooses from.

    Parameters
    ----------
    lines
        Side of the effects -> lines. Purposes are ranked at the base, and the same at every side.
    minutes
        (n, k, p): per pool of `POOLS`, without those of sales.
    out_of_pocket, cost
        (n, k): cents; the second with the time at the rate of who does it.
    discussed
        Per option (n, branches): places among the prospects' branches of those to discuss, the best
        first.
    keeps_first
        (n, k): whether keeping is the first purpose of the contact; else selling is.
    could, allowed
        (n, k): whether the option may be used but for the draw of the control group, and with it.
    """

    options: tuple[Option, ...]
    lines: Mapping[Side, Lines]
    minutes: Floats
    out_of_pocket: Floats
    cost: Floats
    discussed: tuple[Rows, ...]
    keeps_first: Flags
    could: Flags
    allowed: Flags

    @cached_property
    def first(self) -> Rows:
        """(n, k): place of the branch to discuss first; 0 where an option discusses none."""
        none = np.zeros(len(self.cost), dtype=np.int64)
        return np.stack([each[:, 0] if each.shape[1] else none for each in self.discussed], axis=1)

    @cached_property
    def value(self) -> Floats:
        """(n, k): benefit less cost, cents; ``-inf`` where not allowed."""
        return self.worth_where(self.allowed)

    def worth_where(self, allowed: Flags) -> Floats:
        """Return (n, k): benefit less cost, cents; ``-inf`` elsewhere."""
        out: Floats = np.where(allowed, self.lines["base"].total - self.cost, -np.inf)
        return out

    def value_of(self, rows: Rows, column: Rows) -> Floats:
        """Return benefit less cost of an option for some customers, cents, allowed or not."""
        out: Floats = self.lines["base"].total[rows, column] - self.cost[rows, column]
        return out


class Likely(Protocol):
    """Over whom the points of an effect on purchases are a mean: see `Prospects.likely`."""

    @property
    def weight(self) -> Floats:
        """(m,): customers of the row."""

    @property
    def likely(self) -> Floats:
        """(m, b): the highest chances of the open branches, highest first."""


def pushes_of(
    prospects: Prospects, ladder: Mapping[str, ContactType], book: Likely | None = None
) -> Pushes:
    """Return contact type -> side -> (n, b): purchases more per branch if it were the first to be
    discussed.

    Parameters
    ----------
    book
        Everybody who can buy; None: the prospects are everybody.
    """
    book = prospects if book is None else book
    found: dict[tuple[float, int], Floats] = {}  # types may share an effect
    out: dict[str, dict[Side, Floats]] = {}
    for key, contact in ladder.items():
        out[key] = {}
        for side in SIDES:
            points = getattr(contact.purchase, side)
            same = (points, _breadth(contact, prospects.likely.shape[1]))
            if same not in found:
                found[same] = _more(prospects.chance, shift_of(book, contact, points))
            out[key][side] = found[same]
    return out


def menu(prospects: Prospects, planning: Planning, pushes: Pushes) -> Menu:
    """Return what every contact brings and takes; `pushes`: see `pushes_of`."""
    columns = options(planning.ladder)
    offers = {
        each: _offer(prospects, planning, each, pushes) for each in _parts(columns, planning.ladder)
    }
    raw = {
        side: [_raw(prospects, planning, option, side, offers) for option in columns]
        for side in SIDES
    }
    keeps_first = _keeps_first(raw["base"])
    retention = np.where(keeps_first, 1.0, planning.secondary_share)
    purchase = np.where(keeps_first, planning.secondary_share, 1.0)
    repeat = np.where(prospects.repeated, planning.repeat_share, 1.0)[:, None]
    keeping, selling = retention * repeat, purchase * repeat
    factors = {
        "relation": keeping,
        "policy": keeping,
        "leavers": keeping,
        "policies": keeping,
        "purchase": selling,
        "sales": selling,
    }
    lines = {
        side: Lines(
            **{
                name: np.stack([getattr(each, name) for each in raw[side]], axis=1) * factor
                for name, factor in factors.items()
            }
        )
        for side in SIDES
    }
    minutes = np.stack([_minutes(prospects, planning, option) for option in columns], axis=1)
    paid = np.stack([_out_of_pocket(prospects, planning, option.key) for option in columns], axis=1)
    rates = np.array([planning.rates[pool] for pool in POOLS])
    could = np.stack(
        [_allowed(prospects, planning.ladder[option.key]) for option in columns], axis=1
    )
    return Menu(
        options=columns,
        lines=lines,
        minutes=minutes,
        out_of_pocket=paid,
        cost=paid + minutes @ rates,
        discussed=tuple(offers[each].discussed for each in columns),
        keeps_first=keeps_first,
        could=could,
        allowed=could & ~prospects.control[:, None],
    )


@dataclass(frozen=True)
class _Offer:
    """What is discussed in one option: side -> (n,) cents and purchases; ``discussed`` (n,
    branches): which.
    """

    brings: Mapping[Side, Floats]
    sales: Mapping[Side, Floats]
    discussed: Rows


def _parts(columns: tuple[Option, ...], ladder: Mapping[str, ContactType]) -> list[Option]:
    """Return the options and what they turn into for who does not call."""
    others = [
        replace(each, key=other)
        for each in columns
        if (other := ladder[each.key].otherwise) is not None
    ]
    return list(dict.fromkeys([*columns, *others]))


def _offer(prospects: Prospects, planning: Planning, option: Option, pushes: Pushes) -> _Offer:
    """Return what is discussed: the branches that bring most at the base, the best first, later
    places less.
    """
    contact = planning.ladder[option.key]
    breadth = _breadth(contact, prospects.chance.shape[1])
    nothing = np.zeros(prospects.n)
    if not breadth:
        none = dict.fromkeys(SIDES, nothing)
        return _Offer(none, none, np.zeros((prospects.n, 0), dtype=np.int64))
    selling = contact.sale_minutes * planning.rates[option.pool]
    net = np.maximum(prospects.worth - selling, 0.0)  # what does not pay is not discussed
    more = pushes[option.key]
    order = np.argsort(-(more["base"] * net), axis=1, kind="stable")[:, :breadth]
    worth = np.take_along_axis(net, order, axis=1)
    places = PLACE ** np.arange(breadth)
    gained = {
        side: np.where(worth > 0, np.take_along_axis(more[side], order, axis=1), 0.0) * places
        for side in SIDES
    }
    return _Offer(
        {side: (each * worth).sum(axis=1) for side, each in gained.items()},
        {side: each.sum(axis=1) for side, each in gained.items()},
        order,
    )


def _keeps_first(raw: list[Lines]) -> Flags:
    """Return (n, k): whether keeping brings more than selling; that purpose counts whole, the other
    a part.
    """
    keep = np.stack([each.relation + each.policy for each in raw], axis=1)
    sell = np.stack([each.purchase for each in raw], axis=1)
    out: Flags = keep >= sell
    return out


def _raw(
    prospects: Prospects,
    planning: Planning,
    option: Option,
    side: Side,
    offers: Mapping[Option, _Offer],
) -> Lines:
    """Return the lines of one option before purposes and repeats; each (n,)."""
    contact = planning.ladder[option.key]
    own = _direct(prospects, contact, offers[option], side)
    if contact.reach != "inbound":
        return own
    before, year = prospects.inbound_before_end, prospects.inbound_year
    reached = {
        "relation": before,
        "policy": before,
        "leavers": before,
        "policies": before,
        "purchase": year,
        "sales": year,
    }
    out = replace(own, **{name: getattr(own, name) * chance for name, chance in reached.items()})
    if contact.otherwise is None:
        return out
    other = planning.ladder[contact.otherwise]
    rest = _direct(prospects, other, offers[replace(option, key=contact.otherwise)], side)
    return replace(
        out,
        **{
            name: getattr(out, name) + getattr(rest, name) * (1 - chance)
            for name, chance in reached.items()
        },
    )


def _direct(prospects: Prospects, contact: ContactType, offer: _Offer, side: Side) -> Lines:
    """Return the lines of a contact that takes place for certain; each (n,)."""
    keeps = float("retention" in contact.purposes)
    relation, policy = (
        keeps * getattr(contact.relation, side),
        keeps * getattr(contact.policy, side),
    )
    return Lines(
        relation=relation * prospects.relation,
        policy=policy * prospects.policy,
        purchase=offer.brings[side],
        leavers=relation * prospects.leaving,
        policies=policy * prospects.lost,
        sales=offer.sales[side],
    )


def pushed(chance: Floats, shift: float) -> Floats:
    """Return chances after a shift of their log-odds; what nobody would ever buy stays so."""
    odds = chance * np.exp(shift)
    out: Floats = odds / (1.0 - chance + odds)
    return out


def _more(chance: Floats, shift: float) -> Floats:
    return np.zeros_like(chance) if shift == 0 else pushed(chance, shift) - chance


def _breadth(contact: ContactType, most: int) -> int:
    return min(contact.branches, most) if "cross_sell" in contact.purposes else 0


def shift_of(book: Likely, contact: ContactType, points: float) -> float:
    """Return the shift of log-odds with which the mean over all who can buy rises by `points` (a
    share).

    Over everybody with an open branch, whoever may be contacted and whatever it is worth: neither
    hours, consents nor costs change what an effect does. The likeliest branches count, as many as
    are discussed, later places less."""
    likely = book.likely[:, : _breadth(contact, book.likely.shape[1])]
    weight = book.weight * (book.likely[:, :1] > 0).any(axis=1)
    if points == 0 or not weight.any() or not likely.shape[1]:
        return 0.0
    share = weight / weight.sum()
    places = PLACE ** np.arange(likely.shape[1])

    def excess(chance: Floats) -> float:
        return float(share @ (chance - likely) @ places) - points

    if excess(pushed(likely, FAR)) < 0:  # more than everybody buys everything
        return FAR
    if excess(pushed(likely, -FAR)) > 0:
        return -FAR
    low, high, shift = (
        -FAR,
        FAR,
        0.0,
    )  # Newton's steps, halved where they leave what is left between both ends
    for _ in range(ROUNDS):
        chance = pushed(likely, shift)
        over = excess(chance)
        low, high = (low, shift) if over > 0 else (shift, high)
        slope = float(share @ (chance * (1.0 - chance)) @ places)
        nearer = shift - over / slope if slope > 0 else np.inf
        nearer = nearer if low <= nearer <= high else (low + high) / 2
        if abs(nearer - shift) < SAME:
            break
        shift = nearer
    return shift


def _reached(
    prospects: Prospects, planning: Planning, key: str
) -> list[tuple[ContactType, Floats]]:
    """Return the contact types that an option is made of, with the chance that each takes place."""
    contact = planning.ladder[key]
    if contact.reach != "inbound":
        return [(contact, np.ones(prospects.n))]
    parts = [(contact, prospects.inbound_year)]
    if contact.otherwise is not None:
        parts.append((planning.ladder[contact.otherwise], 1 - prospects.inbound_year))
    return parts


def _minutes(prospects: Prospects, planning: Planning, option: Option) -> Floats:
    """Return (n, p): minutes per pool; follow-ups are the advisers'.

    Without those of a sale: its line pays for them. Were they to come out of the hours for
    contacts, then a contact that sells more would leave hours for fewer, and more effect would
    bring less."""
    out = np.zeros((prospects.n, len(POOLS)))
    for contact, chance in _reached(prospects, planning, option.key):
        if option.pool in POOLS:
            out[:, POOLS.index(option.pool)] += chance * contact.minutes
        out[:, POOLS.index("adviser")] += chance * contact.follow_up * contact.follow_up_minutes
    return out


def _out_of_pocket(prospects: Prospects, planning: Planning, key: str) -> Floats:
    out = np.zeros(prospects.n)
    for contact, chance in _reached(prospects, planning, key):
        out += 100 * chance * contact.cost
    return out


def _allowed(prospects: Prospects, contact: ContactType) -> Flags:
    """Return (n,): whether the type may be used; the office itself wakes nobody whom a contact
    could wake.
    """
    begins = contact.reach != "inbound" or contact.otherwise is not None
    awake = prospects.wakeable if begins else np.ones(prospects.n, dtype=np.bool_)
    out: Flags = prospects.eligible & awake & prospects.reachable[contact.consent]
    return out
