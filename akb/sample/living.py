"""An office that goes on living month by month while somebody works in it, and what its back office
shows on any day: ends are registered late.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.sample.book import Book, grown, pass_month
from akb.sample.calendar import to_day
from akb.sample.contact import ContactChance, Contacts, Effects
from akb.sample.engine import Environment, Moment
from akb.sample.parameters import NEVER_DAY, tables

if TYPE_CHECKING:
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from akb.sample.engine import Policies, Rows
    from akb.sample.people import Population

_LIVING, _DRIFT, _LAG = 41, 42, 43  # random streams of one seed
LONGEST_LAG = 60  # days


@dataclass(frozen=True)
class OfficeOnDay(Book):
    """An office as its back office shows it on a day: what is not registered yet is not there.

    registered [policies ever]: day on which the end was registered, NEVER_DAY if none is decided.
    """

    registered: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    @cached_property
    def all_policies(self) -> Policies:
        """Every policy ever; ends that are not registered by the day are open."""
        policies = super().all_policies
        unknown = self.registered > to_day(self.as_of)
        policies.end[unknown] = NEVER_DAY
        policies.reason[unknown] = 0
        return policies

    @cached_property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables of the export; nothing begins or happens after the day."""
        from akb.sample.records import export_tables

        made = export_tables(self)
        policies = made["policies"].filter(made["policies"]["start_date"] <= self.as_of)
        contacts = made["contacts"].filter(made["contacts"]["date"] <= self.as_of)
        customers = made["customers"].join(
            policies.select("relation").unique(), on="relation", how="semi", maintain_order="left"
        )
        return {**made, "policies": policies, "contacts": contacts, "customers": customers}


class LivingOffice:
    """An office from the as-of date of a book on, a month at a time.

    Parameters
    ----------
    book
        Where it begins.
    months
        How far it can go.
    seed
        Which future; the same chance whatever contacts are made.
    drift
        What multiplies the hazards of lapse and switch in each of those months; beyond them the
        last holds.
    lag_days
        Mean delay between an end (or its announcement) and its registration: exponential, at most
        `LONGEST_LAG`.

    Attributes
    ----------
    begin
        Int [customers ever]: month in which somebody was contacted, -1 = not yet.
    """

    def __init__(
        self,
        book: Book,
        months: int,
        *,
        seed: int,
        drift: tuple[float, ...] = (),
        lag_days: float = 10.0,
    ) -> None:
        self.book, self._seed = book, seed
        steps = range(book.step + 1, book.step + months + 1)
        people = book.with_new_customers(steps, [seed, _LIVING])
        market = book.market
        if drift:
            past = market.drift if len(market.drift) else np.ones(book.step, np.float32)
            market = replace(market, drift=np.r_[past[: book.step], drift].astype(np.float32))
        self._now = replace(
            book, people=people, state=grown(book.state, people), log=book.log.copy(), market=market
        )
        self._lag = np.random.default_rng([seed, _LAG])
        self._mean = lag_days
        ended = book.all_policies.end
        late = self._lag.random(len(ended)) < 0.6  # the others were announced in time
        self.registered = np.where(
            ended <= to_day(book.as_of), ended + late * self._lags(len(ended)), 0
        ).astype(np.int32)
        self.registered[ended == NEVER_DAY] = NEVER_DAY
        self.begin: Rows = np.full(len(people), -1, np.int64)
        self._chance = ContactChance((seed, _DRIFT), (len(people), len(book.p.slot)))

    @property
    def month(self) -> int:
        """Months lived since the book's day."""
        return self._now.step - self.book.step

    @property
    def lived_until(self) -> date:
        """The last day that has been lived."""
        return self._now.as_of

    @property
    def people(self) -> Population:
        """Everybody who is or will be a customer."""
        return self._now.people

    def _lags(self, count: int) -> NDArray[np.int64]:
        drawn = np.floor(self._lag.standard_exponential(count) * self._mean)
        return np.minimum(drawn, LONGEST_LAG).astype(np.int64)

    def live(self, relation: float = 0.0, policy: float = 0.0) -> None:
        """Let a month pass; contacts of the months before work with these effects."""
        now = self._now
        step = now.step + 1
        w, known = (
            now.window(step),
            int(np.searchsorted(now.people.joins, step, side="right")),
        )
        before = now.state.ends.copy()
        count = now.log.count
        effects = Effects(
            self.begin[:known],
            np.full(known, relation),
            np.full(known, policy),
            np.zeros((known, len(now.p.branches))),
        )
        contacts = Contacts(effects, self._chance, self.book.step, rows=np.arange(known))
        world = Environment(now.p, tables(), now.market)
        ended_before = now.log.policies().end
        pass_month(
            Moment(now.people, now.state, world, w),
            np.random.default_rng([self._seed, _LIVING, step]),
            now.log,
            interventions=[contacts],
        )
        self._now = replace(now, step=step, as_of=add_months(now.anchor[0], step - now.anchor[1]))
        self._register(before, ended_before, now.log.count - count, (w.after, w.until))

    def _register(
        self, before: NDArray[np.int32], ended: NDArray[np.int32], new: int, days: tuple[int, int]
    ) -> None:
        """Note when the ends decided this month are registered: announced or late."""
        now = self._now
        self.registered = np.concatenate([self.registered, np.full(new, NEVER_DAY, np.int32)])
        policies = now.log.policies()
        fresh = np.flatnonzero(policies.end[: len(ended)] != ended)
        fresh = fresh[self.registered[fresh] == NEVER_DAY]
        row, slot = np.nonzero(now.state.held & (now.state.ends != NEVER_DAY))
        ahead = now.state.record[row, slot]
        ahead = ahead[(before[row, slot] == NEVER_DAY) & (self.registered[ahead] == NEVER_DAY)]
        self.registered[fresh] = policies.end[fresh] + self._lags(len(fresh))
        decided = days[0] + 1 + np.floor(self._lag.random(len(ahead)) * (days[1] - days[0]))
        self.registered[ahead] = decided.astype(np.int64) + self._lags(len(ahead))

    def on(self, day: date) -> OfficeOnDay:
        """Return the office as its back office shows it on a day that has been lived."""
        now = self._now
        if to_day(day) > to_day(now.as_of):
            raise ValueError(f"{day} has not been lived yet")
        shared = {name: getattr(now, name) for name in now.__dataclass_fields__}
        return OfficeOnDay(**{**shared, "as_of": day, "registered": self.registered})

    def all_ends(self) -> tuple[Policies, NDArray[np.int32]]:
        """Return every policy ever with its true end, and when the end was registered."""
        return self._now.all_policies, self.registered


def weeks_of(book: Book, weeks: int) -> list[date]:
    """Return the days a week apart after the as-of date of a book."""
    return [book.as_of + timedelta(days=7 * week) for week in range(1, weeks + 1)]
