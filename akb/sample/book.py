"""A simulated office: its history, its state on the as-of date, and the ways to go on from
there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.sample.calendar import draw_market, month_of, to_day, window
from akb.sample.engine import ACTIVE, Environment, Log, Moment, State, advance, draw, empty_state
from akb.sample.futures import FutureDraws, Futures, draw_futures, plan_effects, purchase_chances
from akb.sample.office import SimulatedOffice, Transfer
from akb.sample.paired import paired_futures
from akb.sample.parameters import parameters, tables
from akb.sample.people import Population, concatenate, draw_office, joining_people, settled_people

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from akb.sample.contact import PlannedContacts
    from akb.sample.engine import Intervention
    from akb.sample.paired import Paired

_OFFICE, _SETTLED, _JOINING, _MARKET, _HISTORY, _AFTER, _OTHER = range(
    1, 8
)  # separate random streams of one seed


@dataclass(frozen=True)
class Book(SimulatedOffice):
    """A simulated portfolio: an office with the tables that it exports and the ways to go on from
    its as-of date.
    """

    @cached_property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The four tables as an office would export them, by name (see `akb.sample.records`)."""
        from akb.sample.records import export_tables

        return export_tables(self)

    @property
    def policies(self) -> pl.DataFrame:
        """Policies in force and ended since `ended_from`, sorted by (relation, start_date,
        policy).
        """
        return self.tables["policies"]

    @property
    def customers(self) -> pl.DataFrame:
        """The customers of `policies`, sorted by relation."""
        return self.tables["customers"]

    @property
    def claims(self) -> pl.DataFrame:
        """Claims reported by the as-of date."""
        return self.tables["claims"]

    @property
    def contacts(self) -> pl.DataFrame:
        """Contacts until the as-of date."""
        return self.tables["contacts"]

    def futures(
        self,
        n: int,
        seed: int,
        months: int = 12,
        *,
        contact: PlannedContacts | None = None,
        former: bool = False,
        first: int = 0,
    ) -> Futures:
        """Draw `n` further futures of the customers in force, from the same day.

        Parameters
        ----------
        n, seed
            Draw k of a seed is always the same, whatever `n` is; one seed to rank and another to
            judge.
        months
            Length of a future. The gap of 31 days needs up to two months more; they are drawn as
            well.
        contact
            Who of the customers in force is contacted. The chance used everywhere is the same as
            without, so the difference of two sets of futures is the effect of the contacts
            (`paired` is faster and holds policies).
        former
            Also former customers, for win-back; then nobody is contacted.
        first
            Number of the first draw, to share the draws of one seed among processes.

        Returns
        -------
        Futures
            Outcomes per draw and customer, and their means: the true probabilities.
        """
        rows = self.in_force
        if former:
            rows = np.flatnonzero(self.state.status == ACTIVE)
            if contact is not None:
                raise ValueError("a plan of contacts is for customers in force alone")
        effects = None if contact is None else plan_effects(self, contact, self.purchase_chances)
        return draw_futures(self, rows, FutureDraws(seed, range(first, first + n), months), effects)

    @cached_property
    def purchase_chances(self) -> NDArray[np.float64]:
        """The true yearly chance of a first policy [in_force, branches], 0 where the branch is
        held.
        """
        return purchase_chances(self)

    def paired(
        self,
        plans: Sequence[PlannedContacts],
        n: int,
        seed: int,
        months: int = 60,
        *,
        first: int = 0,
        everybody: bool = True,
    ) -> Iterator[Paired]:
        """Draw `n` futures of the customers in force without contact, each with the futures under
        some plans.

        Draw k is that of `futures` with the same seed. Whom a plan does not contact, or whom its
        contact does not move, has the same policies to the day under it: only the others are
        simulated again.

        Parameters
        ----------
        plans
            Any number; they share the future without contact, and the chance that decides what a
            contact does.
        n, seed, first
            As in `futures`.
        months
            Length of a future.
        everybody
            False: ``Paired.without`` holds the customers whom some plan changes, nobody else; gains
            are the same, and it is faster.
        """
        effects = [plan_effects(self, plan, self.purchase_chances) for plan in plans]
        draws = FutureDraws(seed, range(first, first + n), months)
        return paired_futures(self, effects, draws, everybody=everybody)

    def later(self, months: int, seed: int | None = None) -> Book:
        """Return this office `months` later, with new customers: one realised future.

        Parameters
        ----------
        months
            How far to go on.
        seed
            Which future; None for the book's own. Policy and relation numbers stay.
        """
        market = self.market
        source = [self.seed, _AFTER] if seed is None else [self.seed, _OTHER, seed]
        if seed is not None:
            market = market.redrawn(self.p, self.as_of.year, np.random.default_rng([*source, 0]))
        steps = range(self.step + 1, self.step + months + 1)
        people = self.with_new_customers(steps, source)
        state = grown(self.state, people)
        log = self.log.copy()
        world = Environment(self.p, tables(), market)
        for step in steps:
            pass_month(
                Moment(people, state, world, self.window(step)),
                np.random.default_rng([*source, step]),
                log,
            )
        as_of = add_months(self.anchor[0], steps[-1] - self.anchor[1])
        return replace(
            self, as_of=as_of, people=people, state=state, log=log, market=market, step=steps[-1]
        )

    def with_new_customers(self, steps: range, source: list[int]) -> Population:
        """Return the customers who are there and those who join in some steps."""
        windows = [self.window(step) for step in steps]
        first, seed = len(self.people), [*source, _JOINING]
        new = joining_people(
            self.p, self.office, self.joining_per_month, windows, first=first, seed=seed
        )
        return concatenate([self.people, new])


def simulate(
    customers: int,
    seed: int,
    *,
    months: int = 60,
    as_of: date = date(2025, 12, 31),
    truncate_ended_months: int | None = None,
    drift: Sequence[float] = (),
) -> Book:
    """Simulate a Dutch intermediary's office.

    Parameters
    ----------
    customers
        About how many customers are in force on the as-of date.
    seed
        The same seed gives the same book, to the byte.
    months
        Months of recorded history before the as-of date.
    as_of
        The day of the export.
    truncate_ended_months
        Keep only the policies that ended in the last so many months (offices that clean up); None
        for all.
    drift
        What multiplies the hazards of lapse and switch in each recorded month and those after it:
        before them the first holds, beyond them the last. Empty: the market alone moves them.

    Returns
    -------
    Book
        Its tables, its state on that day and the futures from there.
    """
    p = parameters()
    total = p.book.warm_up_months + months
    windows = [window(as_of, step, total) for step in range(1, total + 1)]
    office = draw_office(p, customers, np.random.default_rng([seed, _OFFICE]))
    settled = settled_people(
        p, office, customers, windows[0].year, np.random.default_rng([seed, _SETTLED])
    )
    per_month = customers * p.book.inflow / 12
    joining = joining_people(p, office, per_month, windows, first=customers, seed=[seed, _JOINING])
    people = concatenate([settled, joining])
    market = draw_market(p, np.random.default_rng([seed, _MARKET]))
    if len(drift):
        before = np.repeat(drift[0], p.book.warm_up_months)
        market = replace(market, drift=np.r_[before, drift].astype(np.float32))
    state, log = empty_state(people), Log()
    _settle(people, state, log, (as_of, total), np.random.default_rng([seed, _SETTLED, 1]))
    world = Environment(p, tables(), market)
    for w in windows:
        now = Moment(people, state, world, w)
        pass_month(now, np.random.default_rng([seed, _HISTORY, w.step]), log)
    recorded_from = add_months(as_of, -months)
    ended_from = (
        recorded_from
        if truncate_ended_months is None
        else add_months(as_of, -truncate_ended_months)
    )
    book = Book(
        as_of=as_of,
        seed=seed,
        recorded_from=recorded_from,
        ended_from=max(recorded_from, ended_from),
        p=p,
        office=office,
        people=people,
        state=state,
        log=log,
        market=market,
        step=total,
        anchor=(as_of, total),
        joining_per_month=per_month,
        transfer=None,
    )
    return replace(book, transfer=_small_transfer(book))


def pass_month(
    now: Moment,
    rng: np.random.Generator,
    log: Log,
    *,
    interventions: Sequence[Intervention] = (),
) -> None:
    """Let a month pass for everybody who has joined by then."""
    known = int(np.searchsorted(now.people.joins, now.w.step, side="right"))
    u = draw(rng, known, now.state.held.shape[1])
    here = replace(now, people=now.people.take(slice(0, known)), state=now.state.view(known))
    advance(here, u, log, interventions=interventions)


def grown(state: State, people: Population) -> State:
    """Return a copy of a state with room for the customers who are new in `people`."""
    grown = empty_state(people)
    before = len(state.status)
    for name in vars(grown):
        getattr(grown, name)[:before] = getattr(state, name)
    return grown


def _settle(
    people: Population, state: State, log: Log, anchor: tuple[date, int], rng: np.random.Generator
) -> None:
    """Give the customers who are there at the start their policies, begun over the years before."""
    rows = np.flatnonzero(people.joins == 0)
    row, slot = np.nonzero(people.package[rows])
    oldest = int(people.tenure[rows].max(initial=0))
    age = np.floor(people.tenure[row] * rng.random(len(row)) ** 1.2).astype(np.int64)
    first = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
    age[first] = people.tenure[row[first]]
    windows = [window(anchor[0], -back, anchor[1]) for back in range(oldest + 1)]
    after = np.array([w.after for w in windows])[age]
    until = np.array([w.until for w in windows])[age]
    firsts = np.array([w.first for w in windows])[age]
    anywhere = after + 1 + np.floor(rng.random(len(row)) * (until - after))
    day = np.where(rng.random(len(row)) < 0.45, firsts, anywhere).astype(np.int32)
    order = np.lexsort((slot, row, day))
    state.record[row[order], slot[order]] = log.start(row[order], slot[order], day[order])
    state.held[row, slot] = True
    state.since[row, slot] = -age
    state.renew[row, slot] = np.where(people.january[row, slot], 0, month_of(day))
    state.status[rows] = ACTIVE
    state.joined[rows] = -people.tenure[rows]


def _small_transfer(book: Book) -> Transfer | None:
    """Choose the transfer whose size on its day is nearest to the one wanted."""
    settings = book.p.book
    day = to_day(
        add_months(date(book.as_of.year, book.as_of.month, 1), -settings.transfer_months_ago)
    )
    if day <= to_day(book.recorded_from):
        return None
    policies = book.log.policies()
    there = (policies.start < day) & (policies.end > day)
    slot = policies.slot[there]
    insurer = book.people.insurer[policies.customer[there], slot].astype(np.int64)
    insurers = len(settings.insurers)
    sizes = np.bincount(slot * insurers + insurer, minlength=len(book.p.slot) * insurers)
    best = int(np.argmin(np.abs(sizes - settings.transfer_share * there.sum())))
    if sizes[best] == 0:
        return None
    chosen = best % insurers
    return Transfer(day, best // insurers, chosen, (chosen + 1) % insurers)
