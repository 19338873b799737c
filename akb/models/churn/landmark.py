"""Person-months: who was at risk at lag j after an as-of date, who left in it, and what the row
then looks like.

The chance of leaving is one customer-level landmark hazard: from the day T with the features of T,
lag j = 1..12 is the month (T + j - 1 months, T + j months]. A customer is at risk at lag j while
the relation has not ended. The table of all (T, customer, lag) is never made: rows are indices into
the matrix, gathered after sampling.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from akb.catalogue.directions import constraints
from akb.core.dates import add_months, months_between
from akb.core.draws.sampling import extended, lots, lowest, quotas
from akb.core.errors import RefusedError
from akb.models.learners import Sample
from akb.models.temporal import CHUNK, EPOCH, closes_on, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from akb.features.types import Matrix, Targets
    from akb.models.evidence import People

DRAWS = "churn"  # names the draws of the hazard
LAGS = 12  # months
BANDS = ((1, 1), (2, 3), (4, 6), (7, 12))
NEVER = LAGS + 1  # the lag of who does not leave within them
LAG_NAMES = (
    "lag",
    "lag_month",
    "lag_month_sin",
    "lag_month_cos",
    "lag_renewals",
    "lag_renewals_before",
    "lag_renewals_after",
    "lag_since_renewal",
    "lag_renewal_share",
    "lag_to_cliff",
    "lag_tenure_months",
)
RENEWALS = "renewals_in_month_"
_SEASONS = 3  # a season that was seen less often is a coincidence
_NEVER_DAY = np.iinfo(np.int64).max


def band_of(lag: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position in `BANDS` per lag."""
    return np.searchsorted(np.array([last for _, last in BANDS]), lag).astype(np.int64)


@dataclass(frozen=True)
class PersonMonths:
    """A weighted sample of (row of the matrix, lag) with its outcome.

    Parameters
    ----------
    row, lag
        Int64 [n], ascending by row, then lag.
    event
        Bool [n]: the relation ended in this lag.
    weight
        Float64 [n]: how many person-months each row stands for; 1 for events unless even those were
        sampled.
    """

    row: NDArray[np.int64]
    lag: NDArray[np.int64]
    event: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def at(self, where: NDArray[np.bool_]) -> PersonMonths:
        """Return the rows where `where` holds."""
        return PersonMonths(self.row[where], self.lag[where], self.event[where], self.weight[where])


class Landmarks:
    """The matrix seen as person-months, without making them.

    Parameters
    ----------
    matrix, targets
        As they leave the features room; the relation's targets lie in the order of the matrix.
    people
        Who the customers are, to show an error by group.
    """

    def __init__(self, matrix: Matrix, targets: Targets, people: People | None = None) -> None:
        self.people = people
        self.matrix = matrix
        # the month of the lag says it all: of the calendar at T the hazard only learns coincidences
        self.names = tuple(
            each.name
            for each in matrix.features
            if each.group != "season" and not each.name.startswith(RENEWALS)
        )
        self.dates = matrix.dates
        seasons = months_between(self.dates[0], self.dates[-1]) >= _SEASONS * LAGS
        self.lag_names = tuple(
            name for name in LAG_NAMES if seasons or not name.startswith("lag_month")
        )
        self.gap_days, self.lag_days = targets.gap_days, targets.lag_days
        frame = matrix.rows
        as_of = frame["as_of"]
        self.start = np.searchsorted(
            as_of.to_physical().to_numpy(), [day_number(day) for day in self.dates]
        )
        self.stop = np.append(self.start[1:], matrix.height)
        self.date_of = np.repeat(np.arange(len(self.dates)), self.stop - self.start)
        self.customer = frame["customer"].to_numpy()
        self.identity = matrix.identity_of(self.customer)
        self.teaches = matrix.teaches(self.customer)
        self.cause = targets.relation["cause"]
        self.end_day = _day_or_never(targets.relation, "end_date")
        self.censor_day = _day_or_never(targets.relation, "censored_on")
        self.bound = np.array(
            [[day_number(add_months(day, lag)) for lag in range(NEVER)] for day in self.dates]
        )
        self.event_lag, self.seen_lags = self._lags()
        # worked out once, for `narrowed` ones too
        self._calendar, self._due, self.cliff_months  # noqa: B018

    def _lags(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lag in which the relation ends, 1..12, or 13 where it does not within 12 months; and
        the lags that can be followed: those that are over before a relation that was not lost
        disappears (transferred, converted).
        """
        event, seen = (
            np.full(self.matrix.height, NEVER, dtype=np.int64),
            np.empty(self.matrix.height, dtype=np.int64),
        )
        for d, (start, stop) in enumerate(zip(self.start, self.stop, strict=True)):
            event[start:stop] = np.maximum(
                np.searchsorted(self.bound[d, 1:], self.end_day[start:stop]) + 1, 1
            )
            seen[start:stop] = np.searchsorted(self.bound[d, 1:], self.censor_day[start:stop])
        return event, seen

    def closed_lags(self, day: date) -> NDArray[np.int64]:
        """Return per as-of date how many lags were closed, and so known, on `day`."""
        return np.array(
            [
                sum(
                    closes_on(each, lag, self.gap_days, self.lag_days) <= day
                    for lag in range(1, NEVER)
                )
                for each in self.dates
            ],
            dtype=np.int64,
        )

    def latest_closed(self, day: date, lags: int) -> int | None:
        """Return the position of the last as-of date of which `lags` lags were closed on `day`;
        None without one.
        """
        closed = np.flatnonzero(self.closed_lags(day) >= lags)
        return int(closed[-1]) if len(closed) else None

    def rows_of(self, position: int, followed: int = 0) -> NDArray[np.int64]:
        """Return the rows of the matrix of one as-of date, of relations that can be followed for so
        many months.
        """
        rows = np.arange(self.start[position], self.stop[position])
        if not followed:
            return rows
        last = day_number(add_months(self.dates[position], followed))
        return rows[self.censor_day[rows] > last]

    def draw(
        self,
        first: NDArray[np.int64],
        last: NDArray[np.int64],
        size: int,
        key: int,
        *,
        events: float = 0.5,
    ) -> PersonMonths:
        """Return about `size` person-months with a lag from `first` to `last` (per as-of date), of
        those who may teach.

        All events are kept, unless they would fill more than the share `events` of `size`: then
        they are sampled too. Sampled are the lowest of the draw `key` on each date, of those who
        stayed half in months with a renewal: the few months in which most happens. It depends on
        who is there when, not on the order of rows.
        """
        rows = np.concatenate(  # of a year's draw most dates have no lag in it
            [
                np.empty(0, dtype=np.int64),
                *map(self.rows_of, np.flatnonzero(last >= first).tolist()),
            ]
        )
        date, event = self.date_of[rows], self.event_lag[rows]
        low, high = first[date], np.minimum(last[date], self.seen_lags[rows])
        high = np.where(self.teaches[rows], high, 0)
        gone = rows[(event >= low) & (event <= high)]
        lot = self._lots(key, gone, self.event_lag[gone])
        event_at, event_weight = lowest(lot, self.date_of[gone], int(size * events))
        gone = gone[event_at]
        row, lag, weight = self._stays(
            rows, low, np.minimum(high, event - 1), size=max(size - len(gone), 1), key=key
        )
        row, lag = np.concatenate([row, gone]), np.concatenate([lag, self.event_lag[gone]])
        order = np.lexsort((lag, row))
        ended = np.arange(len(row)) >= len(row) - len(gone)
        return PersonMonths(
            row[order], lag[order], ended[order], np.concatenate([weight, event_weight])[order]
        )

    def _lots(
        self, key: int, rows: NDArray[np.int64], lag: NDArray[np.int64]
    ) -> NDArray[np.uint64]:
        """The place of person-months in a draw."""
        return lots(key, self.identity[rows], self.bound[self.date_of[rows], 0], lag)

    def _stays(
        self,
        rows: NDArray[np.int64],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        *,
        size: int,
        key: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Rows, lags and weights of a sample of person-months with a lag from `low` to `high` (per
        row of `rows`: all of some dates).
        """
        due, reached = self._due
        some = high >= low
        before = reached[rows, np.clip(low - 1, 0, LAGS)]
        with_renewal = np.where(some, reached[rows, np.clip(high, 0, LAGS)] - before, 0).astype(int)
        without = np.where(some, high - low + 1, 0) - with_renewal
        # per date first those without a renewal in the month, then those with one
        date = self.date_of[rows]
        counts = np.stack(
            [
                np.bincount(date, each, len(self.dates)).astype(np.int64)
                for each in (without, with_renewal)
            ],
            axis=1,
        )
        total = counts.sum(axis=0)
        wanted = min(int(total[1]), max(size // 2, size - int(total[0])))
        given = np.stack([quotas(counts[:, 0], size - wanted), quotas(counts[:, 1], wanted)], 1)
        asked = np.flatnonzero(given.any(axis=1))
        bounds = zip(
            np.searchsorted(date, asked), np.searchsorted(date, asked, "right"), strict=True
        )
        parts = [
            self._lowest_stays(rows[a:b], low[a:b], high[a:b], wanted=given[each], key=key)
            for each, (a, b) in zip(asked, bounds, strict=True)
        ]
        if not parts:
            nothing = np.empty(0, dtype=np.int64)
            return nothing, nothing, np.empty(0)
        row, lag = (np.concatenate(each) for each in zip(*parts, strict=True))
        which = self.date_of[row], due[row, lag - 1].astype(np.int64)
        return row, lag, (counts / np.maximum(given, 1))[which]

    def _lowest_stays(
        self,
        rows: NDArray[np.int64],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        *,
        wanted: NDArray[np.int64],
        key: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lowest person-months of one date: as many as wanted without and with a renewal."""
        lags = np.arange(1, NEVER)
        row, column = np.nonzero((lags >= low[:, None]) & (lags <= high[:, None]))
        lag = column + 1
        whole = lots(key, self.identity[rows], self.bound[self.date_of[rows], 0])
        lot = extended(whole[row], lag)
        row = rows[row]
        due = self._due[0][row, column]
        picked = []
        for is_due, number in enumerate(wanted.tolist()):
            of_kind = np.flatnonzero(due == bool(is_due))
            if number < len(of_kind):
                of_kind = of_kind[np.argpartition(lot[of_kind], number)[:number]]
            picked.append(np.sort(of_kind))
        chosen = np.concatenate(picked)
        return row[chosen], lag[chosen]

    def known_on(self, day: date, size: int, key: int) -> PersonMonths:
        """Return person-months whose outcome was known on `day`: the rows to learn from on that
        day.
        """
        closed = self.closed_lags(day)
        return self.draw(np.ones_like(closed), closed, size, key)

    def after(self, position: int, day: date, size: int, key: int) -> PersonMonths:
        """Return person-months from as-of date `position` on, known on `day`: to judge a model made
        at that date.
        """
        closed = self.closed_lags(day)
        closed[:position] = 0
        return self.draw(np.ones_like(closed), closed, size, key)

    def year(
        self, day: date, back: int, band: tuple[int, int], size: int, key: int
    ) -> PersonMonths:
        """Return person-months of one lag band that fall in one year of calendar time, counted back
        from `day`.

        Year 0 is the last twelve months of which the outcome was known on `day`.
        """
        closed = self.closed_lags(day)
        newest = max((int(self.bound[d, lag]) for d, lag in enumerate(closed) if lag), default=0)
        upper = day_number(add_months(_date(newest), -12 * back)) if newest else 0
        lower = day_number(add_months(_date(newest), -12 * (back + 1))) if newest else 0
        inside = (self.bound[:, 1:] > lower) & (self.bound[:, 1:] <= upper)
        first = np.maximum(
            np.where(inside.any(axis=1), inside.argmax(axis=1) + 1, NEVER + 1), band[0]
        )
        last = np.minimum(
            np.where(inside.any(axis=1), LAGS - inside[:, ::-1].argmax(axis=1), 0), band[1]
        )
        return self.draw(first, np.minimum(last, closed), size, key, events=0.2)

    def yearly_rates(self, day: date) -> tuple[list[int], list[int]]:
        """Return how many relations ended, and person-months, per whole year that was closed on
        `day`, newest first.

        Every month is counted once, from the last as-of date before it, on those who may teach.
        """
        closed = self.closed_lags(day)
        dates = np.flatnonzero(closed)
        following = np.append(self.bound[1:, 0], self.bound[-1, -1])
        months: dict[int, tuple[int, int]] = {}
        for d in dates.tolist():
            rows = np.flatnonzero(self.teaches[self.start[d] : self.stop[d]]) + self.start[d]
            event, seen = self.event_lag[rows], self.seen_lags[rows]
            for lag in range(1, int(closed[d]) + 1):
                if lag > 1 and self.bound[d, lag - 1] >= following[d]:
                    break
                there = (event >= lag) & (seen >= lag)
                back = months_between(add_months(self.dates[d], lag), day)
                months[back] = int((there & (event == lag)).sum()), int(there.sum())
        if not months:
            return [], []
        newest = min(months)
        years = [
            [months[newest + 12 * year + month] for month in range(12)]
            for year in range((max(months) - newest + 1) // 12)
            if all(newest + 12 * year + month in months for month in range(12))
        ]
        return [sum(n for n, _ in each) for each in years], [
            sum(m for _, m in each) for each in years
        ]

    def narrowed(self, names: tuple[str, ...]) -> Landmarks:
        """Return the same person-months with fewer features, in the order of the matrix; the lag's
        own stay.
        """
        lean = copy(self)
        lean.names = tuple(name for name in self.names if name in set(names))
        return lean

    def with_columns(self, columns: Sequence[str]) -> Landmarks:
        """Return the same person-months with exactly these columns, in this order: those that a
        saved model expects.

        Raises
        ------
        RefusedError
            If the matrix lacks one of them.
        """
        lean = copy(self)
        lean.names = tuple(name for name in columns if name not in LAG_NAMES)
        lean.lag_names = tuple(name for name in columns if name in LAG_NAMES)
        lacking = sum(not self.matrix.has(name) for name in lean.names)
        if lacking or (*lean.names, *lean.lag_names) != tuple(columns):
            raise RefusedError(
                f"the saved model expects {lacking} features that "
                "this version of akb does not make",
                "Run akb eda again: that fits the models anew.",
            )
        return lean

    def distinct(self, months: PersonMonths) -> int:
        """Return how many different relations ended in these person-months."""
        ended = months.row[months.event]
        return len(np.unique(np.stack([self.customer[ended], self.end_day[ended]]), axis=1).T)

    def base(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the features of these rows, float32 [n, f], in the order of `names`; unknown is
        NaN.
        """
        return _floats(self.matrix, rows, self.names)

    @cached_property
    def _calendar(self) -> NDArray[np.float32]:
        """Renewals in each of the twelve months after T, float32 [rows, 12]; NaN unknown."""
        given = [f"{RENEWALS}{lag}" for lag in range(1, NEVER)]
        if all(map(self.matrix.has, given)):
            return self.matrix.floats(slice(0, self.matrix.height), given)
        next_renewal = self.column("months_to_next_renewal")
        month = np.mod(np.ceil(next_renewal) - 1, LAGS) + 1
        counts = (month[:, None] == np.arange(1, NEVER)).astype(np.float32)
        return np.asarray(
            np.where(np.isnan(next_renewal)[:, None], np.nan, counts), dtype=np.float32
        )

    @cached_property
    def _due(self) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
        """Whether something renews per lag month [rows, 12], and in how many lag months up to each
        lag [rows, 13].
        """
        due = np.nan_to_num(self._calendar) > 0
        reached = np.zeros((len(due), LAGS + 1), dtype=np.int8)
        np.cumsum(due, axis=1, out=reached[:, 1:])
        return due, reached

    def column(self, *names: str) -> NDArray[np.float32]:
        """Return the first of these features that the matrix has, float32 [rows]; NaN without
        one.
        """
        for name in names:
            if self.matrix.has(name):
                return self.matrix.column(name)
        return np.full(self.matrix.height, np.nan, dtype=np.float32)

    @cached_property
    def cliff_months(self) -> NDArray[np.float32]:
        """Months from T to the first anniversary of a young policy, per row; NaN without one."""
        return self.column("months_to_cliff")

    @cached_property
    def tenure_months(self) -> NDArray[np.float32]:
        """Months that the relation existed at T, per row; NaN where the matrix does not say."""
        if self.matrix.has("tenure_months"):
            return self.column("tenure_months")
        return np.asarray(12 * self.column("tenure_years"), dtype=np.float32)

    def design(self, rows: NDArray[np.int64], lag: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return features and lag features of person-months, float32 [n, f + `lag_names`]."""
        base = self.base(rows)
        # column by column, as both Polars and LightGBM keep it
        x = np.empty((len(rows), base.shape[1] + len(self.lag_names)), dtype=np.float32, order="F")
        x[:, : base.shape[1]] = base
        x[:, base.shape[1] :] = self.lag_features(rows, lag)
        return x

    def lag_features(self, rows: NDArray[np.int64], lag: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what only the month of the lag knows, float32 [n, `lag_names`]."""
        months = np.array([day.month for day in self.dates])[self.date_of[rows]]
        month = (months + lag - 1) % LAGS + 1
        counts = self._calendar[rows]
        at = np.arange(len(rows))
        column = lag - 1
        back = (column[:, None] - np.arange(LAGS)) % LAGS
        # Months since the latest renewal before or in the lag month, going round the year; NaN
        # without renewals.
        turned = np.take_along_axis(counts, back, axis=1)
        since = np.where((turned > 0).any(axis=1), (turned > 0).argmax(axis=1), np.nan)
        angle = 2 * np.pi * month / LAGS
        parts = (
            lag,
            month,
            np.sin(angle),
            np.cos(angle),
            turned[:, 0],
            turned[:, 1],
            counts[at, (column + 1) % LAGS],
            since,
            turned[:, 0] / np.maximum(turned.sum(axis=1), 1),
            self.cliff_months[rows] - lag,
            self.tenure_months[rows] + lag,
        )
        kept = [part for name, part in zip(LAG_NAMES, parts, strict=True) if name in self.lag_names]
        return np.stack([np.asarray(part, dtype=np.float32) for part in kept], axis=1)

    def sample(self, months: PersonMonths, offset: NDArray[np.float64]) -> Sample:
        """Return person-months as rows that a candidate can learn from or be judged on."""
        return Sample(
            x=self.design(months.row, months.lag),
            label=months.event.astype(np.float64),
            weight=months.weight,
            offset=offset[months.lag - 1],
            cluster=self.customer[months.row],
            names=self.names + self.lag_names,
            monotone=constraints("leave", self.names + self.lag_names),
        )


def parts_of(rows: NDArray[np.int64]) -> list[slice]:
    """Return rows in parts whose features are small: of everybody at once they are gigabytes."""
    return [slice(first, first + CHUNK) for first in range(0, len(rows), CHUNK)]


def base_offset(months: PersonMonths) -> NDArray[np.float64]:
    """Return the log-odds of leaving per lag 1..12: one rate per lag band, shrunk to the overall
    rate, float64 [12].
    """
    at_risk, ended = float(months.weight.sum()), float(months.weight[months.event].sum())
    overall = (ended + 0.5) / (at_risk + 100)
    band = band_of(months.lag)
    exposure = np.bincount(band, weights=months.weight, minlength=len(BANDS))
    events = np.bincount(band, weights=months.weight * months.event, minlength=len(BANDS))
    prior = 20.0  # events: below that a band says little about itself
    rate = (events + prior) / (exposure + prior / overall)
    return np.asarray(np.log(rate / (1 - rate))[band_of(np.arange(1, NEVER))])


def _day_or_never(frame: pl.DataFrame, column: str) -> NDArray[np.int64]:
    """Days since 1970; the largest number where there is no date."""
    if column not in frame.columns:
        return np.full(frame.height, _NEVER_DAY, dtype=np.int64)
    given = frame[column].to_physical()
    return np.where(
        given.is_null().to_numpy(), _NEVER_DAY, given.fill_null(0).to_numpy().astype(np.int64)
    )


def _floats(matrix: Matrix, rows: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.float32]:
    if not names:
        return np.empty((len(rows), 0), dtype=np.float32)
    contiguous = (
        len(rows) > 0
        and int(rows[-1] - rows[0]) == len(rows) - 1
        and bool((np.diff(rows) == 1).all())
    )
    return matrix.floats(slice(int(rows[0]), int(rows[-1]) + 1) if contiguous else rows, names)


def _date(days: int) -> date:
    return date.fromordinal(days + EPOCH)
