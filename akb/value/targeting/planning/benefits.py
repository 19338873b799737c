"""What every contact type brings and takes for every customer: the columns that the planner chooses
from.

A worked row. A call (relation .15, policy .12) to a customer who leaves preventably with chance .10
and has € 2,000 at stake, beside € 40 of policies that he is expected to lose: relation .15 x .10 x
2,000 = € 30, policy .12 x 40 = € 4.80. If a purchase is discussed as well, worth € 6, that is its
second purpose and counts for `secondary_share`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from akb.value.targeting.team import POOLS

if TYPE_CHECKING:
    from akb.config import ContactType, Settings
    from akb.value.in_force import Floats, Rows
    from akb.value.targeting.planning.prospects import Flags, Prospects

Places = NDArray[np.int8]
"""(n, branches): places among the prospects' branches of those to discuss, the best first."""
Side = Literal["low", "base", "high"]
SIDES: tuple[Side, ...] = ("low", "base", "high")
Pushes = Mapping[str, Mapping[Side, float]]
"""Contact type -> side of the effects -> shift of log-odds: see `pushes_of`."""
Discussed = Mapping["Option", Places]
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

    def of(self, rows: Rows | slice) -> Lines:
        """Return the same of some customers."""
        return Lines(**{each.name: getattr(self, each.name)[rows] for each in fields(Lines)})

    @property
    def total(self) -> Floats:
        """(n, k): all lines together."""
        out: Floats = self.relation + self.policy + self.purchase
        return out


@dataclass(frozen=True)
class MenuInputs:
    """Customers, and what contacts do for them: what every column of the plan is worked out from.

    Parameters
    ----------
    pushes
        See `pushes_of`.
    """

    prospects: Prospects
    planning: Planning
    pushes: Pushes

    def of(self, rows: Rows | slice) -> MenuInputs:
        """Return the same of some customers."""
        return replace(self, prospects=self.prospects.of(rows))


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
    """Return contact type -> side -> the shift of log-odds of every branch if it were the first to
    be discussed.

    Parameters
    ----------
    book
        Everybody who can buy; None: the prospects are everybody.
    """
    book = prospects if book is None else book
    most = prospects.likely.shape[1]
    found: dict[tuple[float, int], float] = {}  # types may share an effect
    out: dict[str, dict[Side, float]] = {}
    for key, contact in ladder.items():
        out[key] = {}
        for side in SIDES:
            points = getattr(contact.purchase, side)
            same = (points, _breadth(contact, most))
            if same not in found:
                found[same] = shift_of(book, contact, points)
            out[key][side] = found[same]
    return out


def parts(columns: tuple[Option, ...], ladder: Mapping[str, ContactType]) -> list[Option]:
    """Return the options and what they turn into for who does not call."""
    others = [
        replace(each, key=other)
        for each in columns
        if (other := ladder[each.key].otherwise) is not None
    ]
    return list(dict.fromkeys([*columns, *others]))


def discussed_in(inputs: MenuInputs, option: Option) -> Places:
    """Return (n, branches): places of the branches that bring most at the base, the best first."""
    prospects, contact = inputs.prospects, inputs.planning.ladder[option.key]
    breadth = _breadth(contact, prospects.chance.shape[1])
    if not breadth:
        return np.zeros((prospects.n, 0), dtype=np.int8)
    more = _more(prospects.chance, inputs.pushes[option.key]["base"])
    net = _net(prospects.worth, inputs.planning, option)
    order = np.argsort(-(more * net), axis=1, kind="stable")
    return order[:, :breadth].astype(np.int8)


def _net(worth: Floats, planning: Planning, option: Option) -> Floats:
    """Return cents of a purchase after the minutes of a sale; what does not pay is not
    discussed.
    """
    selling = planning.ladder[option.key].sale_minutes * planning.rates[option.pool]
    out: Floats = np.maximum(worth - selling, 0.0)
    return out


def _sold(
    inputs: MenuInputs, option: Option, push: float, discussed: Places
) -> tuple[Floats, Floats]:
    """Return (n,) cents and purchases of what is discussed, later places less."""
    prospects, breadth = inputs.prospects, discussed.shape[1]
    if not breadth:
        nothing = np.zeros(prospects.n)
        return nothing, nothing
    order = discussed.astype(np.int64)
    worth = _net(np.take_along_axis(prospects.worth, order, axis=1), inputs.planning, option)
    more = _more(np.take_along_axis(prospects.chance, order, axis=1), push)
    gained = np.where(worth > 0, more, 0.0) * PLACE ** np.arange(breadth)
    return (gained * worth).sum(axis=1), gained.sum(axis=1)


def lines_of(inputs: MenuInputs, option: Option, side: Side, discussed: Discussed) -> Lines:
    """Return the lines of one option before purposes and repeats; each (n,)."""
    ladder, prospects = inputs.planning.ladder, inputs.prospects
    contact = ladder[option.key]
    own = _direct(inputs, option, side, discussed[option])
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
    other = replace(option, key=contact.otherwise)
    rest = _direct(inputs, other, side, discussed[other])
    return replace(
        out,
        **{
            name: getattr(out, name) + getattr(rest, name) * (1 - chance)
            for name, chance in reached.items()
        },
    )


def _direct(inputs: MenuInputs, option: Option, side: Side, discussed: Places) -> Lines:
    """Return the lines of a contact that takes place for certain; each (n,)."""
    contact, prospects = inputs.planning.ladder[option.key], inputs.prospects
    keeps = float("retention" in contact.purposes)
    relation, policy = (
        keeps * getattr(contact.relation, side),
        keeps * getattr(contact.policy, side),
    )
    cents, sales = _sold(inputs, option, inputs.pushes[option.key][side], discussed)
    return Lines(
        relation=relation * prospects.relation,
        policy=policy * prospects.policy,
        purchase=cents,
        leavers=relation * prospects.leaving,
        policies=policy * prospects.lost,
        sales=sales,
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


def minutes_of(prospects: Prospects, planning: Planning, option: Option) -> Floats:
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


def out_of_pocket(prospects: Prospects, planning: Planning, key: str) -> Floats:
    """Return (n,): what a contact costs beside time, cents."""
    out = np.zeros(prospects.n)
    for contact, chance in _reached(prospects, planning, key):
        out += 100 * chance * contact.cost
    return out


def allowed_in(prospects: Prospects, contact: ContactType) -> Flags:
    """Return (n,): whether the type may be used; the office itself wakes nobody whom a contact
    could wake.
    """
    begins = contact.reach != "inbound" or contact.otherwise is not None
    awake = prospects.wakeable if begins else np.ones(prospects.n, dtype=np.bool_)
    out: Flags = prospects.eligible & awake & prospects.reachable[contact.consent]
    return out
