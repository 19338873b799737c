"""Exposure to lapse in policy-years, and the lapses in it, by branch, policy year and period.

A day is at risk for a policy if its cover could have ended on it: (start, end]. So a lapse falls in
the policy year that it completes and in the period of its first day without cover, and no day
counts twice. Policies that started before ends were recorded enter on the first recorded day
(delayed entry). Technical ends and continuations are no lapses: they end the exposure (censoring),
and the policy that continues keeps the age of the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.core.relations import OPEN
from akb.describe.relations import is_lapse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DAYS = 365.25
LAST_SINGLE = 20
"""Policy years up to this one stand alone; older policies are one class."""
BANDS = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, LAST_SINGLE), (LAST_SINGLE + 1, None))
"""Policy years, first and last of each band."""
AT_ONCE = 200_000
"""Policies times periods that are looked at together."""
CELL = ("branch", "period", "policy_year")
Counted = tuple[pl.DataFrame, pl.DataFrame]
"""Exposure and the lapses in it, see `cells`."""


@dataclass(frozen=True)
class Period:
    """A stretch (first, last] of at most a year; `whole` if it is one."""

    label: int
    first: date
    last: date
    whole: bool


def calendar_years(since: date, until: date) -> list[Period]:
    """Return the calendar years in (since, until], oldest first; the outer two may be parts."""
    found = []
    for year in range(since.year, until.year + 1):
        before, end = date(year - 1, 12, 31), date(year, 12, 31)
        first, last = max(before, since), min(end, until)
        if first < last:
            found.append(Period(year, first, last, (first, last) == (before, end)))
    return found


def closed_periods(since: date, until: date, at_most: int = 10) -> list[Period]:
    """Return the whole years up to `until`, newest last, as far back as ends were recorded."""
    found: list[Period] = []
    last = until
    while len(found) < at_most and since <= (first := add_months(last, -12)) < last:
        found.append(Period(last.year, first, last, whole=True))
        last = first
    return found[::-1]


def with_origin(policies: pl.DataFrame) -> pl.DataFrame:
    """Return the policies with ``origin``: when the first policy of their chain of continuations
    started.
    """
    origin = policies.select("policy", "customer", "branch", "start_date", "replaced_on").sort(
        "policy"
    )
    origin = origin.with_columns(origin=pl.col("start_date"))
    continued = policies.filter(pl.col("replaces").fill_null(value=False)).select(
        "policy", "customer", "branch", replaced_on="start_date"
    )
    if continued.is_empty():
        return policies.with_columns(origin=pl.col("start_date"))
    while True:
        before = continued.join(
            origin.filter(pl.col("replaced_on").is_not_null()).select(
                "customer", "branch", "replaced_on", earlier="origin"
            ),
            on=["customer", "branch", "replaced_on"],
        )
        before = before.group_by("policy").agg(pl.col("earlier").min())
        found = (
            origin.join(before, on="policy", how="left", maintain_order="left")
            .with_columns(moved=pl.min_horizontal("origin", "earlier"))
            .with_columns(changed=pl.col("moved") < pl.col("origin"))
        )
        if not found["changed"].any():
            return policies.join(
                origin.select("policy", "origin"), on="policy", how="left", maintain_order="left"
            )
        origin = found.with_columns(origin="moved").drop("earlier", "moved", "changed")


def pieces(policies: pl.DataFrame, *periods: Period) -> pl.DataFrame:
    """Return what each policy was at risk in each period, cut where it becomes a year older.

    Parameters
    ----------
    policies
        With ``origin`` (see `with_origin`) and ``level_cents``.

    Returns
    -------
    DataFrame
        policy, customer, branch, ``period``, ``policy_year`` i32 (the first is 1), ``days`` i64,
        ``lapsed`` bool, ``level_cents``.
    """
    asked = pl.DataFrame(
        [(each.label, each.first, each.last, each.first.year) for each in periods],
        schema={"period": pl.Int32, "first": pl.Date, "last": pl.Date, "year": pl.Int32},
        orient="row",
    ).with_columns(
        day=_place_in_year(pl.col("first").dt.month(), pl.col("first").dt.day()),
        leap=pl.date("year", 1, 1).dt.is_leap_year(),
        next_leap=pl.date(pl.col("year") + 1, 1, 1).dt.is_leap_year(),
    )
    until, start = pl.col("until"), pl.col("start_date")
    first, last = (min(each.first for each in periods), max(each.last for each in periods))
    held = (
        policies.select(
            "policy", "customer", "branch", "level_cents", "origin",
            "start_date", "end_date", "cause", "replaced_on",
            until=pl.col("end_date").fill_null(OPEN),
        )
        # what was in force in none of the periods goes before it stands beside all of them
        .filter((start < last) & (until > first) & (until > start))
        .with_columns(
            begun=pl.col("origin").dt.year(),
            begun_month=pl.col("origin").dt.month(),
            begun_day=pl.col("origin").dt.day(),
        )
        .join(asked, how="cross")
        .filter((start < pl.col("last")) & (until > pl.col("first")))
        .select(
            "policy", "customer", "branch", "period", "level_cents",
            entry=pl.max_horizontal("start_date", "first"),
            exit=pl.min_horizontal("until", "last"),
            lapsed=is_lapse(pl.col("last")),
            birthday=_birthday(),
            begun="begun",
        )
    )  # fmt: skip
    age = pl.col("birthday").dt.year() - pl.col("begun")
    cut = pl.col("birthday").clip(pl.col("entry"), pl.col("exit"))
    younger = held.with_columns(policy_year=age, until=cut, from_="entry")
    older = held.with_columns(policy_year=age + 1, until="exit", from_=cut)
    ends = (pl.col("until") == pl.col("exit")) & pl.col("lapsed")
    return (
        pl.concat([younger, older])
        .filter(pl.col("until") > pl.col("from_"))
        .select(
            "policy", "customer", "branch", "period",
            pl.col("policy_year").cast(pl.Int32).clip(1, LAST_SINGLE + 1),
            days=(pl.col("until") - pl.col("from_")).dt.total_days(),
            lapsed=ends,
            level_cents="level_cents",
        )
    )  # fmt: skip


def _birthday() -> pl.Expr:
    """Return the first anniversary of ``origin`` later than ``first``; of 29 February the 28th,
    where there is none.
    """
    month, day = pl.col("begun_month"), pl.col("begun_day")
    on_leap_day = (month == 2) & (day == 29)
    own, after = (
        pl.when(on_leap_day & ~pl.col(leap)).then(28).otherwise(day)
        for leap in ("leap", "next_leap")
    )
    later = _place_in_year(month, own) > pl.col("day")
    year = pl.col("year") + pl.when(later).then(0).otherwise(1)
    return pl.date(year, month, pl.when(later).then(own).otherwise(after))


def _place_in_year(month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return a number that sorts as the days of a year do."""
    return 32 * month.cast(pl.Int32) + day.cast(pl.Int32)


def _at_once(periods: Sequence[Period], policies: int) -> Iterator[Sequence[Period]]:
    """Yield the periods in parts of which the policies times the periods fit in memory: of a small
    office all of them, for each question costs more than its few rows.
    """
    size = max(1, AT_ONCE // max(policies, 1))
    for start in range(0, len(periods), size):
        yield periods[start : start + size]


def cells(policies: pl.DataFrame, periods: Iterable[Period]) -> Counted:
    """Return exposure by `CELL`, and the lapses in it one by one.

    Parameters
    ----------
    policies
        See `pieces`. What no revenue is known of counts in policies only.

    Returns
    -------
    tuple
        `CELL` with ``days``, ``cent_days``, ``lapses``, ``lapsed_cents``, ``customers`` (at risk in
        it), sorted; and policy, customer, `CELL`, ``level_cents`` of every lapse.
    """
    counted, lapses = [_NO_CELLS], [_NO_LAPSES]
    for some in _at_once(list(periods), policies.height):
        found = pieces(policies, *some)
        cents = pl.col("level_cents").fill_null(0).cast(pl.Int64)
        counted.append(
            found.group_by(CELL)
            .agg(
                days=pl.col("days").sum(),
                cent_days=(cents * pl.col("days")).sum(),
                lapses=pl.col("lapsed").sum().cast(pl.Int64),
                lapsed_cents=cents.filter(pl.col("lapsed")).sum(),
                customers=pl.col("customer").n_unique().cast(pl.Int64),
            )
            .select(_NO_CELLS.columns)
        )
        lapses.append(found.filter("lapsed").select(_NO_LAPSES.columns))
    return (
        pl.concat(counted, how="vertical_relaxed").sort(CELL),
        pl.concat(lapses, how="vertical_relaxed").sort("policy"),
    )


def added(parts: Sequence[Sequence[Counted]]) -> list[Counted]:
    """Return the `cells` of all customers from those of parts of them, one or more of each part."""
    if len(parts) == 1:
        return list(parts[0])
    out = []
    for each in zip(*parts, strict=True):
        counts = pl.concat([own for own, _ in each]).group_by(CELL).agg(pl.all().sum())
        lapses = pl.concat([own for _, own in each])
        out.append((counts.select(_NO_CELLS.columns).sort(CELL), lapses.sort("policy")))
    return out


_NO_CELLS = pl.DataFrame(
    schema={
        "branch": pl.String, "period": pl.Int32, "policy_year": pl.Int32, "days": pl.Int64,
        "cent_days": pl.Int64, "lapses": pl.Int64, "lapsed_cents": pl.Int64, "customers": pl.Int64,
    }
)  # fmt: skip
_NO_LAPSES = pl.DataFrame(
    schema={
        "policy": pl.UInt32, "customer": pl.UInt32, "branch": pl.String, "period": pl.Int32,
        "policy_year": pl.Int32, "level_cents": pl.Int64,
    }
)  # fmt: skip


def band_of(column: str = "policy_year") -> pl.Expr:
    """Return the first policy year of the band."""
    firsts: Sequence[int] = [first for first, _ in BANDS]
    found = pl.lit(firsts[0], dtype=pl.Int32)
    for first in firsts[1:]:
        found = pl.when(pl.col(column) >= first).then(pl.lit(first, pl.Int32)).otherwise(found)
    return found
