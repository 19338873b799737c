"""The Cut: the portfolio as it was known at T, for many T in one plan.

Feature groups see these frames and nothing else, so that none of them can look past T:

- ``held``: policies in force at T. Ends, causes and replacements are not in it, for they lie after
  T.
- ``gone``: policies that ended in the `REACH` months up to T, with what was known of the end at T.
- ``taken``: purchases in the `REACH` months up to T.
- ``claims``, ``contacts``, ``payments``: what had happened by T.
- ``premiums``: policies in force at T with their premium, as dated by T (see `premiums.priced`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.features.grid import REACH, WINDOWS, date_table, on_each
from akb.features.premiums import priced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

Source = Literal["held", "gone", "taken", "claims", "contacts", "payments", "premiums"]
KEY = ["t", "customer"]
OWN = "col_"
"""How the columns without a role begin."""
MONTH = 30.4375
"""Days in a mean month."""

ANSWERS = ("contacted", "paid")
"""Days on which an event was followed by another: they are dated themselves."""

_WINDOWS = ("day", *(f"back_{window}" for window in WINDOWS))


def in_one(time: pl.Expr, branch: pl.Expr) -> pl.Expr:
    """Return time, branch and the column ``customer`` as one whole number i64, in the order of the
    three.

    Tables find each other by it, and are sorted by it, in less time than by three columns.

    Parameters
    ----------
    time
        T or days since 1970: 19 bits with a sign.
    branch
        A place among branches: 12 bits. A customer has 32.
    """
    return (
        time.cast(pl.Int64) * 2**44
        + branch.cast(pl.Int64) * 2**32
        + pl.col("customer").cast(pl.Int64)
    )


ONE = in_one(pl.col("t"), pl.col("branch")).alias("one")
"""T, branch code and customer, see `in_one`."""


@dataclass(frozen=True)
class Cut:
    """What was known at each T.

    Parameters
    ----------
    dates
        `date_table` of the as-of dates.
    frames
        Per source, one row per (T, thing); every frame has t, customer and the days on which T's
        windows begin.
    """

    dates: pl.DataFrame
    frames: Mapping[Source, pl.LazyFrame] = field(default_factory=dict)


def cut(facts: pl.DataFrame, events: Mapping[Source, pl.DataFrame], dates: Iterable[date]) -> Cut:
    """Return the Cut of policies and dated events for all `dates` at once.

    Parameters
    ----------
    facts
        `facts.policy_facts`.
    events
        Claims, contacts or payments with customer u32 and ``date`` i32 (days since 1970); premiums
        as `premiums.premium_records`.
    """
    table = date_table(dates)
    frames: dict[Source, pl.LazyFrame] = {"held": _held(facts, table), "gone": _gone(facts, table)}
    frames["taken"] = _taken(facts, table)
    for source, frame in events.items():
        frames[source] = (
            priced(facts, frame, table) if source == "premiums" else _happened(frame, table)
        )
    return Cut(table, frames)


def of_own_columns(facts: pl.DataFrame) -> list[str]:
    """Return the names of the columns that the export has without a role, see
    `matrix.with_own_columns`.
    """
    return [name for name in facts.columns if name.startswith(OWN)]


def _held(facts: pl.DataFrame, dates: pl.DataFrame) -> pl.LazyFrame:
    """Policies in force at T, with their age and their next renewal after T."""
    known = facts.lazy().select(
        "customer",
        "branch",
        "insurer_code",
        "start",
        "end",
        "opens",
        "renewal_month",
        "renewal_day",
        "own_collection",
        "payment_months",
        *of_own_columns(facts),
    )
    calendar = ("t", *_WINDOWS, "year", "month", "day_of_month", "month_end")
    there = (pl.col("start") <= pl.col("day")) & (
        pl.col("end").is_null() | (pl.col("end") > pl.col("day"))
    )
    month, day = pl.col("renewal_month").cast(pl.Int32), pl.col("renewal_day").cast(pl.Int32)
    months = (month - pl.col("month")) % 12
    passed = (months == 0) & (day <= pl.col("day_of_month"))
    this_year = (month > pl.col("month")) | (
        (month == pl.col("month")) & (day > pl.col("day_of_month"))
    )
    due = pl.date(pl.col("year") + (~this_year).cast(pl.Int32), month, day)
    return (
        on_each(dates, calendar, known, there)
        .with_columns(
            age=pl.col("day") - pl.col("start"),
            due=due.to_physical() - pl.col("day"),
            # the month after T in which it renews: 1 is (T, T + 1 month], 12 is (T + 11 months, T +
            # 12 months]
            due_month=pl.when(passed)
            .then(12)
            .otherwise(
                months + ((day > pl.col("day_of_month")) & ~pl.col("month_end")).cast(pl.Int32)
            ),
            first_year=pl.col("start") > pl.col("back_12"),
        )
        .drop("end", "year", "month", "day_of_month", "month_end", "renewal_day")
    )


def _gone(facts: pl.DataFrame, dates: pl.DataFrame) -> pl.LazyFrame:
    """Policies that ended up to T; whether that was a lapse, as known at T."""
    known = (
        facts.lazy()
        .filter(pl.col("end").is_not_null())
        .select(
            "customer",
            "branch",
            "insurer_code",
            "start",
            "end",
            "opens",
            "cause",
            "moved",
            "settled",
            *of_own_columns(facts),
        )
    )
    return (
        _up_to_each(dates, known, "end")
        .with_columns(
            lapsed=pl.col("settled").is_null() | (pl.col("settled") > pl.col("day")),
            lasted=pl.col("end") - pl.col("start"),
        )
        .drop("settled")
    )


def _taken(facts: pl.DataFrame, dates: pl.DataFrame) -> pl.LazyFrame:
    """Purchases up to T, as known at T."""
    known = facts.lazy().filter("taken").select("customer", "branch", "start")
    return _up_to_each(dates, known, "start")


def _happened(events: pl.DataFrame, dates: pl.DataFrame) -> pl.LazyFrame:
    """Events up to T; what answered an event is known from the day of the answer."""
    answers = [name for name in ANSWERS if name in events.columns]
    return _up_to_each(dates, events.lazy(), "date").with_columns(
        pl.when(pl.col(name) <= pl.col("day")).then(pl.col(name)) for name in answers
    )


def _up_to_each(dates: pl.DataFrame, known: pl.LazyFrame, when: str) -> pl.LazyFrame:
    """What happened in the `REACH` months up to each T by its column `when`, and how many days ago
    (``since``).
    """
    lately = (pl.col(when) <= pl.col("day")) & (pl.col(when) > pl.col(f"back_{REACH}"))
    found = on_each(dates, ("t", *_WINDOWS), known, lately)
    return found.with_columns(since=pl.col("day") - pl.col(when))
