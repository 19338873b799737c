"""Two more kinds of office with known hazards: one that lives on subscriptions and fees, and one
whose collective contracts decide for their members.

Simpler than `akb.sample.book`, and whole in itself: a decider (a customer, or the party to a
collective contract) leaves at a hazard of his own and takes all his positions along; a position (a
policy, a subscription, a member's policy) ends at a hazard of its own; customers take new ones. All
hazards are known, so `KindBook.futures` draws the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

Kind = Literal["subscription", "collective"]
KINDS: tuple[Kind, ...] = ("subscription", "collective")
AS_OF = date(2025, 12, 31)
FAR = 10**6
WARM_UP, RECORDED = 180, 84  # months simulated before X, and months whose ends are in the export
MEMBERS = 50  # of a collective contract, about


@dataclass(frozen=True)
class Position:
    """A kind of position: what it is called and brings, and its own yearly hazards (all chosen)."""

    name: str
    premium: float
    commission: float
    fee_month: float
    once: float
    lapse: float
    take: float
    at_renewal: float


BRANCHES: dict[Kind, tuple[Position, ...]] = {
    "subscription": (  # net premiums: what the office earns is the subscription and its advice
        Position("Serviceabonnement", 0, 0, 14.95, 0, 0.09, 0.06, 5.0),
        Position("Personenauto", 560, 0, 0, 0, 0.09, 0.06, 3.0),
        Position("Inboedel", 140, 0, 0, 0, 0.06, 0.06, 3.0),
        Position("Aansprakelijkheid particulier", 55, 13.75, 0, 0, 0.05, 0.06, 3.0),
        Position("Arbeidsongeschiktheid", 1900, 0, 0, 750, 0.06, 0.02, 2.0),
        Position("Hypotheek", 0, 0, 0, 2500, 0.05, 0.03, 1.0),
    ),
    "collective": (
        Position("Collectieve ongevallen", 180, 27, 0, 0, 0.11, 0.0, 1.0),
        Position("Personenauto", 560, 98, 0, 0, 0.09, 0.05, 3.0),
        Position("Inboedel", 140, 38.5, 0, 0, 0.06, 0.05, 3.0),
        Position("Aansprakelijkheid particulier", 55, 13.75, 0, 0, 0.05, 0.05, 3.0),
    ),
}
LEAVE = {"customer": 0.05, "contract": 0.07}  # a year, all at once (chosen)
LOYALTY = 0.5  # standard deviation of the log of a decider's own hazard (chosen)
JOINS = 0.11  # members that join a contract in a year, of its first size (chosen: about level)
INFLOW = {"subscription": 0.07, "collective": 0.065}  # deciders a year (tuned: about level)
HOLDS = 0.45  # of the branches beside the first that a customer begins with (chosen)
ONLY_SUBSCRIPTION = 0.25  # customers who have a subscription and nothing else (chosen)
_REASONS = ("Overstap naar andere maatschappij", "Opzegging klant", "Overlijden", "")
_SHARES = (0.5, 0.3, 0.1, 0.1)


@dataclass(frozen=True)
class KindState:
    """Deciders and positions at the end of a month; months count from X, which closes month 0.

    Parameters
    ----------
    contract, loyalty, renewal, only, size
        Per decider: a collective contract; its own hazard; the month of the year of its renewal;
        has a subscription and never anything else; members at the start (0: a customer).
    owner, member, branch, start, end
        Per position: its decider, the number of its member (-1: the decider himself), its branch,
        and the months in which it starts and ends.
    left
        Per position: it ended because its decider left.
    """

    contract: Mask
    loyalty: Floats
    renewal: Ints
    only: Mask
    size: Ints
    owner: Ints
    member: Ints
    branch: Ints
    start: Ints
    end: Ints
    left: Mask


@dataclass(frozen=True)
class KindFutures:
    """What happened to the deciders in force at X in every draw.

    Parameters
    ----------
    gone
        (draws, deciders): month in which the decider had nothing any more; `FAR`: not within it.
    lasted
        (draws, positions): part of the months that a position in force at X lasted.
    """

    gone: Ints
    lasted: Floats


@dataclass(frozen=True)
class KindBook:
    """A simulated office of a kind, as it stands at X."""

    kind: Kind
    seed: int
    state: KindState

    @property
    def in_force(self) -> Ints:
        """Deciders with a position in force, ascending."""
        return np.unique(self.state.owner[self.state.end > 0])

    @property
    def held(self) -> Ints:
        """Positions in force, ascending."""
        return np.flatnonzero(self.state.end > 0)

    def futures(self, draws: int, seed: int, months: int = 12) -> KindFutures:
        """Draw futures from X with the same hazards as the history."""
        held = self.held
        before = replace(
            self.state,
            **{
                name: getattr(self.state, name)[held]
                for name in ("owner", "member", "branch", "start", "end", "left")
            },
        )
        gone = np.full((draws, len(self.in_force)), FAR, np.int64)
        lasted = np.empty((draws, len(held)))
        for draw in range(draws):
            rng = np.random.default_rng([seed, draw])
            state = before
            for month in range(1, months + 1):
                state = advance(self.kind, state, month, rng)
            last = np.zeros(len(self.state.loyalty), np.int64)
            np.maximum.at(last, state.owner, state.end)
            last = last[self.in_force]
            gone[draw] = np.where(last <= months, last, FAR)
            lasted[draw] = np.minimum(state.end[: len(held)] - 0.5, months) / months
        return KindFutures(gone, lasted)

    def key_of(self, decider: Ints) -> list[str]:
        """Return the relation number of a customer, or the number of a contract."""
        return [
            f"C{each:05d}" if self.state.contract[each] else f"{100_000 + each}"
            for each in decider.tolist()
        ]

    @property
    def policies(self) -> pl.DataFrame:
        """The export: positions in force and those that ended in the recorded months."""
        return _export(self)

    def truth(self, draws: int = 200) -> pl.DataFrame:
        """Return a row per decider in force: its key, the true chance to be gone within 1, 3, 6 and
        12 months, and the yearly income of what it holds with the part expected over 36 months.
        """
        import polars as pl

        gone = self.futures(draws, self.seed + 7001).gone
        return pl.DataFrame(
            {
                "relation": self.key_of(self.in_force),
                **{f"churn_{m}m": (gone <= m).mean(axis=0) for m in (1, 3, 6, 12)},
            }
        ).sort("relation")


def simulate_kind(kind: Kind, customers: int, seed: int = 1) -> KindBook:
    """Return an office of a kind with about so many customers in force; members count as one."""
    rng = np.random.default_rng([20261129, KINDS.index(kind), seed])
    contracts = customers // (2 * MEMBERS) if kind == "collective" else 0
    state = _born(kind, rng, customers, contracts, -WARM_UP)
    earlier = rng.integers(0, 120, len(state.loyalty))[state.owner]
    state = replace(state, start=state.start - earlier)
    for month in range(-WARM_UP + 1, 1):
        state = advance(kind, state, month, rng)
        arrive = rng.poisson(INFLOW[kind] / 12 * customers)
        found = rng.poisson(INFLOW[kind] / 12 * contracts)
        if arrive or found:
            state = _joined(state, _born(kind, rng, arrive, found, month))
    return KindBook(kind, seed, state)


def hazards(kind: Kind, state: KindState, month: int) -> tuple[Floats, Floats]:
    """Return the chance of this month that a decider leaves, and that a position ends by itself."""
    leave = np.where(state.contract, LEAVE["contract"], LEAVE["customer"]) * state.loyalty
    leave = leave / 12 * _season(month - state.renewal, 4.0)
    branch = BRANCHES[kind]
    yearly = np.array([each.lapse for each in branch])[state.branch]
    peak = np.array([each.at_renewal for each in branch])[state.branch]
    return np.minimum(leave, 0.9), yearly / 12 * _season(month - state.start, peak)


def _season(since: Ints, peak: Floats | float) -> Floats:
    """Return the factor of a month: `peak` times as high in the month of the renewal, 1 on
    average.
    """
    at = np.asarray(peak, np.float64)
    out: Floats = np.where(since % 12 == 0, at, 1.0) * 12 / (11 + at)
    return out


def advance(kind: Kind, state: KindState, month: int, rng: np.random.Generator) -> KindState:
    """Return the state a month later: who leaves, what ends, what is taken, who joins."""
    leave, lapse = hazards(kind, state, month)
    alive = state.end == FAR
    leaves = rng.random(len(leave)) < leave
    ends = alive & (leaves[state.owner] | (rng.random(len(lapse)) < lapse))
    state = replace(
        state,
        end=np.where(ends, month, state.end),
        left=state.left | (ends & leaves[state.owner]),
    )
    return _taken(kind, state, month, rng)


def _taken(kind: Kind, state: KindState, month: int, rng: np.random.Generator) -> KindState:
    branch, n = BRANCHES[kind], len(state.loyalty)
    alive = state.end == FAR
    there = np.zeros(n, np.bool_)
    there[state.owner[alive]] = True
    holds = np.zeros((n, len(branch)), np.bool_)
    holds[state.owner[alive], state.branch[alive]] = True
    take = np.array([each.take for each in branch]) / 12
    takes = (rng.random(holds.shape) < take) & ~holds & (there & ~state.contract)[:, None]
    takes[:, 1:] &= ~state.only[:, None]
    owner, taken = np.nonzero(takes)
    joins = np.where(there & state.contract, rng.poisson(JOINS / 12 * state.size), 0)
    members = np.repeat(np.flatnonzero(joins), joins[joins > 0])
    first = int(state.member.max(initial=-1)) + 1
    return _with_positions(
        state,
        np.concatenate([owner, members]),
        np.concatenate([np.full(len(owner), -1), first + np.arange(len(members))]),
        np.concatenate([taken, np.zeros(len(members), np.int64)]),
        month,
    )


def _with_positions(
    state: KindState, owner: Ints, member: Ints, branch: Ints, month: int
) -> KindState:
    new = len(owner)
    return replace(
        state,
        owner=np.concatenate([state.owner, owner.astype(np.int64)]),
        member=np.concatenate([state.member, member.astype(np.int64)]),
        branch=np.concatenate([state.branch, branch.astype(np.int64)]),
        start=np.concatenate([state.start, np.full(new, month, np.int64)]),
        end=np.concatenate([state.end, np.full(new, FAR, np.int64)]),
        left=np.concatenate([state.left, np.zeros(new, np.bool_)]),
    )


def _born(
    kind: Kind, rng: np.random.Generator, customers: int, contracts: int, month: int
) -> KindState:
    """Return new deciders with what they begin with."""
    n = customers + contracts
    contract = np.arange(n) >= customers
    only = (rng.random(n) < ONLY_SUBSCRIPTION) & ~contract & (kind == "subscription")
    size = np.where(contract, np.maximum(rng.poisson(MEMBERS, n), 5), 0).astype(np.int64)
    empty = np.zeros(0, np.int64)
    state = KindState(
        contract=contract,
        loyalty=np.exp(rng.normal(0, LOYALTY, n) - LOYALTY**2 / 2),
        renewal=rng.integers(0, 12, n),
        only=only,
        size=size,
        owner=empty,
        member=empty,
        branch=empty,
        start=empty,
        end=empty,
        left=np.zeros(0, np.bool_),
    )
    width = len(BRANCHES[kind])
    holds = (rng.random((n, width)) < HOLDS) & ~contract[:, None]
    first = 1 + rng.integers(0, width - 1, n)
    holds[np.arange(n), np.where(only, 0, first)] = ~contract
    holds[only, 1:] = False
    holds[:, 0] &= kind == "subscription"
    owner, branch = np.nonzero(holds)
    members = np.repeat(np.arange(n), size)
    return _with_positions(
        state,
        np.concatenate([owner, members]),
        np.concatenate([np.full(len(owner), -1), np.arange(len(members))]),
        np.concatenate([branch, np.zeros(len(members), np.int64)]),
        month,
    )


def _joined(state: KindState, born: KindState) -> KindState:
    """Return a state with new deciders after the others, under numbers of their own."""
    deciders = len(state.loyalty)
    first = int(state.member.max(initial=-1)) + 1
    moved = replace(
        born,
        owner=born.owner + deciders,
        member=np.where(born.member < 0, -1, born.member + first),
    )
    return KindState(
        **{
            name: np.concatenate([getattr(state, name), getattr(moved, name)])
            for name in KindState.__dataclass_fields__
        }
    )


def _export(book: KindBook) -> pl.DataFrame:
    """Return the rows of the export, in the words of a Dutch back office."""
    import polars as pl

    state = book.state
    rng = np.random.default_rng([book.seed, 3])
    rows = np.flatnonzero(state.end > -RECORDED)
    started, ended = rng.integers(1, 29, len(state.owner)), rng.integers(1, 29, len(state.owner))
    together = rng.integers(1, 29, len(state.loyalty))  # who leaves leaves on one day
    ended = np.where(state.left, together[state.owner], ended)
    same = state.start == state.end
    ended = np.where(same, np.maximum(ended, started + 1), ended)
    branches = BRANCHES[book.kind]
    spread = np.exp(rng.normal(0, 0.25, len(state.owner)))
    why = rng.choice(len(_REASONS), len(state.loyalty), p=_SHARES)
    own = rng.choice(2, len(state.owner))
    birth = rng.integers(1945, 2000, len(state.loyalty))
    euros = "{:.2f}".format
    out = []
    for row in rows.tolist():
        owner, branch = int(state.owner[row]), branches[int(state.branch[row])]
        contract, gone = bool(state.contract[owner]), state.end[row] <= 0
        start = _day(int(state.start[row]), int(started[row]))
        reason = _REASONS[why[owner] if state.left[row] else own[row]]
        times = float(spread[row])
        key = book.key_of(np.array([owner]))[0]
        renewal = int(state.renewal[owner]) if contract else int(state.start[row]) % 12
        line = {
            "Relatienummer": f"M{int(state.member[row]):06d}" if contract else key,
            "Polisnummer": f"P{row:07d}",
            "Branche": branch.name,
            "Maatschappij": "" if branch.fee_month else ("Duinrand", "De Vaart")[row % 2],
            "Ingangsdatum": start,
            "Einddatum": _day(int(state.end[row]), int(ended[row])) if gone else "",
            "Royementsreden": reason if gone else "",
            "Premie per jaar": euros(branch.premium * times) if branch.premium else "",
            "Provisie per jaar": "" if branch.fee_month else euros(branch.commission * times),
            "Hoofdvervaldatum": _day(renewal, 1),
            "Adviseur": f"ADV{owner % 3 + 1:02d}",
            "Soort relatie": "Particulier",
            "Geboortejaar": str(birth[owner]),
        }
        if book.kind == "subscription":
            line |= {
                "Abonnement per maand": euros(branch.fee_month * times) if branch.fee_month else "",
                "Advieskosten": euros(branch.once * times) if branch.once else "",
            }
        else:
            line["Collectief contract"] = key if contract else ""
        out.append({name: cell.replace(".", ",") for name, cell in line.items()})
    return pl.DataFrame(out)


def _day(month: int, day: int) -> str:
    """Return a day of a month, counted from the month that X closes."""
    whole = 12 * AS_OF.year + AS_OF.month - 1 + month
    return f"{day:02d}-{whole % 12 + 1:02d}-{whole // 12}"


def write_kind(book: KindBook, folder: Path, *, truth: bool = True) -> list[Path]:
    """Write the export and, if asked, ``truth/probabilities.parquet``; return the export's
    files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "polissen.csv"
    path.write_bytes(book.policies.write_csv(separator=";").encode("utf-8-sig"))
    if truth:
        (folder / "truth").mkdir(exist_ok=True)
        book.truth().write_parquet(folder / "truth" / "probabilities.parquet")
    return [path]
