"""Further futures of a simulated office from the same day, and the true probabilities they add up
to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.core.dates import add_months
from akb.sample.calendar import to_day
from akb.sample.contact import ContactChance, Contacts, PurchaseWatch, effects_of
from akb.sample.engine import Environment, Log, Moment, State, advance, draw
from akb.sample.parameters import CAUSES, NEVER_DAY, tables
from akb.sample.truth import TrueOutcome, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from akb.sample.calendar import Market
    from akb.sample.contact import Effects, PlannedContacts
    from akb.sample.engine import Intervention, MonthDraws, Rows
    from akb.sample.office import SimulatedOffice

EXTRA_MONTHS = 2  # a policy that starts within 31 days of the horizon still saves the relation
_FUTURE, _CONTACT, _PILOT = 11, 12, 13
PILOTS = 16
HORIZONS = (1, 3, 6, 12)


@dataclass(frozen=True)
class Futures:
    """Outcomes of n draws for N customers with S slots and B branches.

    rows [N]: rows of the book's customers; gone [n, N]: days after the as-of date on which the
    relation is over (0 = it is not); cause [n, N]: index into CAUSES, -1 none; lapsed [n, N],
    bought [n, N]: bit sets, slot of a lapsed policy, branch of a first policy taken."""

    book: SimulatedOffice
    rows: Rows
    months: int
    gone: NDArray[np.int16]
    cause: NDArray[np.int8]
    lapsed: NDArray[np.uint32]
    bought: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.gone)

    def part(self, draws: slice) -> Futures:
        """Return some of the draws: one half to rank with, the other to weigh."""
        return replace(
            self,
            gone=self.gone[draws],
            cause=self.cause[draws],
            lapsed=self.lapsed[draws],
            bought=self.bought[draws],
        )

    def churned(self, months: int) -> NDArray[np.bool_]:
        """Return [n, N] whether the relation is over within `months`."""
        limit = to_day(add_months(self.book.as_of, months)) - to_day(self.book.as_of)
        return (self.gone > 0) & (self.gone <= limit)

    def branch_bought(self, branch: int) -> NDArray[np.bool_]:
        """Return [n, N] whether a first policy in a branch was taken."""
        return np.asarray((self.bought >> np.uint32(branch)) & np.uint32(1), np.bool_)

    def outcome(self, number: int) -> pl.DataFrame:
        """Return one draw as 0/1 per target: `probabilities` of that draw alone."""
        return self.part(slice(number, number + 1)).probabilities()

    def probabilities(self) -> pl.DataFrame:
        """Return the mean over the draws, a row per customer, sorted by relation.

        Returns
        -------
        polars.DataFrame
            relation str; churn_{1,3,6,12}m (as far as the futures go),
            churn_{natural,insurer,preventable}_{last}m, policy_lapse_any, policies_lost (a count),
            cross_sell_any, then per branch lapse_{branch} (null where not held) and
            next_policy_{branch} (null where held), all within the length of the futures. Float64.
        """
        import polars as pl

        from akb.sample.records import relation_numbers

        columns: dict[str, object] = {
            "relation": relation_numbers(self.book.people.number[self.rows])
        }
        for months in (*(h for h in HORIZONS if h < self.months), self.months):
            columns[f"churn_{months}m"] = self.churned(months).mean(axis=0)
        for index, name in enumerate(CAUSES):
            columns[f"churn_{name}_{self.months}m"] = (self.cause == index).mean(axis=0)
        columns["policy_lapse_any"] = (self.lapsed != 0).mean(axis=0)
        columns["policies_lost"] = np.bitwise_count(self.lapsed).mean(axis=0)
        columns["cross_sell_any"] = (self.bought != 0).mean(axis=0)
        frame = pl.DataFrame(columns).with_columns(self._branch_columns())
        return frame.sort("relation")

    def _branch_columns(self) -> list[pl.Series]:
        import polars as pl

        p = self.book.p
        held = self.book.state.held[self.rows]
        series = []
        for index, branch in enumerate(p.branches):
            slots = np.flatnonzero(p.branch_of_slot == index)
            holds = held[:, slots].any(axis=1)
            bits = np.uint32(sum(1 << int(slot) for slot in slots))
            lapse = ((self.lapsed & bits) != 0).mean(axis=0)
            buy = self.branch_bought(index).mean(axis=0)
            series.append(
                pl.Series(f"lapse_{branch}", np.where(holds, lapse, np.nan)).fill_nan(None)
            )
            series.append(
                pl.Series(f"next_policy_{branch}", np.where(holds, np.nan, buy)).fill_nan(None)
            )
        return series


@dataclass(frozen=True)
class FutureDraws:
    """Which futures are drawn: their numbers among those of a seed, and how many months they
    last.
    """

    seed: int
    numbers: range
    months: int


def draw_futures(
    book: SimulatedOffice, rows: Rows, draws: FutureDraws, effects: Effects | None = None
) -> Futures:
    """Draw futures of some customers (see `Book.futures`)."""
    drawn = [_one(book, rows, draws, k, effects) for k in draws.numbers]
    t = to_day(book.as_of)
    gone = np.stack([np.where(one.gone == NEVER_DAY, 0, one.gone - t) for one in drawn]).astype(
        np.int16
    )
    return Futures(
        book,
        rows,
        draws.months,
        gone,
        np.stack([one.cause for one in drawn]),
        np.stack([_bits(one.lapsed) for one in drawn]),
        np.stack([_bits(one.bought) for one in drawn]),
    )


def _one(
    book: SimulatedOffice, rows: Rows, draws: FutureDraws, k: int, effects: Effects | None
) -> TrueOutcome:
    """Return the outcome of one future; next year's premiums are another draw as well."""
    interventions = (
        []
        if effects is None
        else [Contacts(effects, contact_chance(book, draws.seed, k), book.step)]
    )
    log = simulated(
        book, rows, future_rng(draws.seed, k), draws.months, interventions, aftermath=EXTRA_MONTHS
    )
    until = to_day(add_months(book.as_of, draws.months))
    return outcome(log.policies(), book.p.branch_of_slot, len(rows), to_day(book.as_of), until)


def future_rng(seed: int, k: int) -> np.random.Generator:
    """Return the random numbers of future k."""
    return np.random.default_rng([seed, _FUTURE, k])


def contact_chance(book: SimulatedOffice, seed: int, k: int) -> ContactChance:
    """Return the random numbers of what contacts do in future k."""
    return ContactChance((seed, _CONTACT, k), (len(book.in_force), len(book.p.slot)))


def plan_effects(
    book: SimulatedOffice, plan: PlannedContacts, chances: NDArray[np.float64]
) -> Effects:
    """Work a plan for the customers in force out, given their `purchase_chances`."""
    return effects_of(plan, chances, book.people.persuadable[book.in_force])


def purchase_chances(book: SimulatedOffice) -> NDArray[np.float64]:
    """Return the chance of a first policy within twelve months [customers in force, branches], 0
    where it is held.

    The sum of the monthly chances in a few futures, not a count of purchases: smooth, and never
    zero where it can be."""
    rows = book.in_force
    total = np.zeros((len(rows), len(book.p.branches)))
    for k in range(PILOTS):
        watch = PurchaseWatch(book.p, book.state.held[rows])
        simulated(book, rows, np.random.default_rng([book.seed, _PILOT, k]), 12, [watch])
        total += watch.total
    return np.minimum(total / PILOTS, 0.99)


def simulated(
    book: SimulatedOffice,
    rows: Rows,
    rng: np.random.Generator,
    months: int,
    interventions: Sequence[Intervention] = (),
    *,
    aftermath: int = 0,
) -> Log:
    """Return the policies of one future: those in force now (record numbers first), then those
    taken later.

    Parameters
    ----------
    interventions
        What comes from outside in those months, for the customers in `rows`.
    aftermath
        Months that follow, only of customers of whom a policy ended in the last two: has it been
        replaced? They see the same chance as if everybody went on, and nothing from outside.
    """
    market = book.market.redrawn(book.p, book.as_of.year, rng)
    slots = len(book.p.slot)
    run = FutureRun(book, rows, market)
    for _ in range(months):
        run.month(draw(rng, len(rows), slots), interventions)
    lately = np.flatnonzero(run.state.cancelled >= book.step + months - 1)
    run.keep(lately)
    for _ in range(aftermath):
        run.month(draw(rng, len(rows), slots).take(lately))
    return run.log


class FutureRun:
    """Some customers of a book who go on from its as-of date, in one market, month by month."""

    def __init__(self, book: SimulatedOffice, rows: Rows, market: Market) -> None:
        self.people = replace(book.people.take(rows), number=np.arange(len(rows)))
        self.state = book.state.take(rows)
        self.log = Log()
        self._book, self._step = book, book.step
        self._world = Environment(book.p, tables(), market)
        _restart_log(book, rows, self.state, self.log)

    def keep(self, rows: Rows) -> None:
        """Go on with some of the customers alone; what the log holds of the others ends here."""
        self.people, self.state = self.people.take(rows), self.state.take(rows)

    def month(self, u: MonthDraws, interventions: Sequence[Intervention] = ()) -> None:
        """Let a month pass."""
        self._step += 1
        w = self._book.window(self._step)
        advance(
            Moment(self.people, self.state, self._world, w),
            u,
            self.log,
            keep=False,
            interventions=interventions,
        )


def _restart_log(book: SimulatedOffice, rows: Rows, state: State, log: Log) -> None:
    """Begin a log with the policies in force, customers numbered as in `rows`."""
    row, slot = np.nonzero(state.held)
    began = book.all_policies.start[state.record[row, slot]]
    state.record[row, slot] = log.start(row, slot, began)


def _bits(flags: NDArray[np.bool_]) -> NDArray[np.uint32]:
    weights = np.uint32(1) << np.arange(flags.shape[1], dtype=np.uint32)
    return np.asarray((flags * weights).sum(axis=1, dtype=np.uint32))
