"""The as-of dates, and for each of them the days on which its windows begin."""

from __future__ import annotations

import calendar
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.core.relations import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from akb.config import Settings
    from akb.ingest.types import Portfolio

OLD = 24
STEPS, WIDE_STEPS = (2, 4), (3, 6)
"""Months between as-of dates, and between those more than `OLD` months back: they say less and cost
as much.
"""

MANY = 10_000
"""Customers in force from which the wider steps do: their rows fill the samples that models learn
from anyway.
"""

SURVIVORS = 36
"""Months back for purchases of who is still there: a year each to be judged on, to choose on and to
learn from.
"""

WINDOWS = (1, 3, 6, 9, 12, 15, 18, 21, 24, 36)
"""Look-back windows in months: the quarters of two years, and three years.

Nothing older than the longest is looked at, at any T, so that all T see equally far.
"""

REACH = WINDOWS[-1]

AHEAD = (1, 3, 6, 12)
"""Months after T in which lapses are counted: the shorter ones prove what a year cannot prove yet.
"""


def as_of_grid(portfolio: Portfolio, settings: Settings) -> list[date]:
    """Return X, every second month back for two years and every fourth before, ascending, so that X
    is the last.

    With many customers the steps are wider, see `MANY`.

    Dates go back as long as they lie within the recorded history (before it only survivors are in
    the file) and within ``settings.time.history_cap_months``. Without any ended policy no leaving
    can be learned, but what those who are there bought can: then they go back `SURVIVORS` months,
    for the longer ago the fewer of them tell of it."""
    x, recorded = portfolio.as_of, portfolio.history.recorded_from
    first = add_months(x, -settings.time.history_cap_months)
    first = max(first, add_months(x, -SURVIVORS) if recorded is None else recorded)
    customers = in_force(portfolio.policies, x)["customer"].n_unique()
    step, old_step = WIDE_STEPS if customers >= MANY else STEPS
    dates, back = [x], step
    while add_months(x, -back) >= first:
        dates.append(add_months(x, -back))
        back += step if back < OLD else old_step
    return sorted(dates)


def date_table(dates: Iterable[date]) -> pl.DataFrame:
    """Return one row per as-of date T.

    t u16 (position, ascending), as_of Date, ``day`` i32 (days since 1970, as all days inside this
    room), ``back_{w}`` i32 (the day T - w months, for each window; a window is (back_w, day]),
    ``ahead_{m}`` i32 for each of `AHEAD`, year, month, day_of_month, month_end."""
    grid = sorted(set(dates))
    columns: dict[str, list[int] | list[bool]] = {"day": [to_day(each) for each in grid]}
    for window in WINDOWS:
        columns[f"back_{window}"] = [to_day(add_months(each, -window)) for each in grid]
    for months in AHEAD:
        columns[f"ahead_{months}"] = [to_day(add_months(each, months)) for each in grid]
    columns["year"] = [each.year for each in grid]
    columns["month"] = [each.month for each in grid]
    columns["day_of_month"] = [each.day for each in grid]
    whole = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int32))
    return whole.select(
        pl.Series("t", range(len(grid)), dtype=pl.UInt16),
        pl.Series("as_of", grid, dtype=pl.Date),
        pl.all(),
        pl.Series(
            "month_end",
            [each.day == calendar.monthrange(each.year, each.month)[1] for each in grid],
            dtype=pl.Boolean,
        ),
    )


def on_each(
    dates: pl.DataFrame, columns: Sequence[str], things: pl.LazyFrame, keep: pl.Expr
) -> pl.LazyFrame:
    """Return things beside each date as far as `keep` holds, a date after another: some columns of
    `dates`, then those of the things.

    As a cross join and a filter, at a tenth of its time: what falls out is never there on all dates
    at once, and the days of a date are one value for all of its rows.
    """
    if dates.is_empty():
        return dates.lazy().select(columns).join(things, how="cross")
    kinds = [dates.schema[name] for name in columns]
    return pl.concat(
        things.select(*map(_as_column, columns, one, kinds), pl.all()).filter(keep)
        for one in dates.select(columns).iter_rows()
    )


@lru_cache(
    maxsize=4_096
)  # each day of a run is asked for by every source, for features and targets
def _as_column(name: str, value: object, kind: pl.DataType) -> pl.Expr:
    return pl.lit(value, dtype=kind).alias(name)


def to_day(day: date) -> int:
    """Return a date as days since 1970, as Polars stores it."""
    return day.toordinal() - 719_163
