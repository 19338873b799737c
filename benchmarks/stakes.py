"""What is truly at stake per customer, from the simulator's own hazards: no future decides who looks worth a contact.

In every month of the next twelve each policy in force has a hazard to be cancelled, and each customer one to switch
everything. Times what the policy, or the relation, goes on to bring in a future in which that month passed without it,
that is what undoing such ends would bring: smooth in chance, where ends that happened are rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.sample.calendar import to_day
from akb.sample.engine import draw, hazards
from akb.sample.futures import FutureRun, future_rng
from akb.sample.paired import YEAR, _Price
from akb.sample.parameters import NEVER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.sample.book import Book
    from akb.sample.engine import Buys, Decisions, Month

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

WINDOW = 12
LATER = 5 / YEAR  # an end takes effect about so many years after the month in which it is decided


@dataclass(frozen=True)
class _Seen:
    """One month: per policy whose end is not decided its customer, record, and hazards, and whether it ended then."""

    row: Rows
    record: Rows
    cancel: Floats
    switch: Floats
    held: Rows
    ended: NDArray[np.bool_]
    until: int


class _Watch:
    """Notes the hazards of every month; an `akb.sample.engine.Intervention` that changes nothing."""

    def __init__(self) -> None:
        self.months: list[_Seen] = []

    def ends(self, month: Month, decisions: Decisions, buys: Buys) -> None:
        """Note who could end what."""
        cells, state = month.cells, month.state
        switch = hazards.relation_hazards(month, month.risk)["switch"]
        row = cells.row.astype(np.int64)
        self.months.append(
            _Seen(
                row=row,
                record=state.record.reshape(-1)[cells.flat].astype(np.int64),
                cancel=cells.voluntary.astype(np.float64),
                switch=switch[row],
                held=np.bincount(row, minlength=len(switch))[row],
                ended=state.ends.reshape(-1)[cells.flat] != NEVER_DAY,
                until=month.w.until,
            )
        )

    def purchases(self, month: Month, buys: Buys) -> Buys:
        """Return what is bought anyway."""
        return buys


def stakes(book: Book, futures: int, seed: int, years: int, growth: float) -> tuple[Floats, Floats]:
    """Return (relation, policy) [customers in force]: cents that an effect of one on either line would bring.

    Parameters
    ----------
    years, growth
        Horizon, and what a euro a year later counts for.
    """
    n = len(book.in_force)
    relation, policy = np.zeros(n), np.zeros(n)
    price = _Price(book, book.in_force)
    as_of, rate, stays = to_day(book.as_of), float(np.log(growth)) or 1e-9, book.p.switch.stays
    for number in range(futures):
        rng = future_rng(seed, number)
        run = FutureRun(book, book.in_force, book.market.redrawn(book.p, book.as_of.year, rng))
        watch = _Watch()
        for month in range(12 * years):
            run.month(draw(rng, n, len(book.p.slot)), [watch] if month < WINDOW else [])
        priced = price.policies(run.log.policies(), np.arange(n))
        start = (priced.start - as_of) / YEAR
        last = np.clip((priced.end.astype(np.float64) - as_of) / YEAR, 0, years)
        for seen in watch.months:
            first = np.clip(np.maximum(start, (seen.until - as_of) / YEAR + LATER), 0, years)
            left = priced.cents * np.maximum((np.exp(rate * last) - np.exp(rate * first)) / rate, 0.0)
            several = seen.held > 1
            alone = 1 - (1 - stays) ** (seen.held - 1)  # chance that a switch leaves another policy behind
            single = np.where(several, seen.cancel + seen.switch * (1 - stays) * alone, 0.0) * ~seen.ended
            policy += np.bincount(seen.row, weights=single * left[seen.record], minlength=n)
            whole = np.where(several, 0.0, seen.cancel) + seen.switch * (1 - stays) ** seen.held
            customer = np.flatnonzero(np.diff(seen.row, prepend=-1))
            quiet = np.bincount(seen.row, weights=seen.ended, minlength=n) == 0
            chance = np.zeros(n)
            chance[seen.row[customer]] = whole[customer]
            relation += chance * quiet * priced.total(left, n)
    return relation / futures, policy / futures
