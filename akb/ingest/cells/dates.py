"""Dates as Dutch back offices write them.

Each cell is read by its own shape. What one cell cannot tell is decided for the column as a whole:
the order of day and month in ``03/04/2020`` by the cells that allow one reading only, what a bare
number is (`date_numbers`), and whether the hours 22 and 23 are midnights in the Netherlands that
were written in universal time (`midnights`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.ingest.cells.date_numbers import plain_numbers
from akb.ingest.cells.date_words import MONTHS, plain_dates
from akb.ingest.cells.midnights import next_day
from akb.ingest.cells.remembered import remembered
from akb.ingest.cells.texts import distinct_texts, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.cells.texts import DistinctTexts

PIVOT = 30  # 29 is 2029, 30 is 1930
FIRST, LAST = date(1900, 1, 2), date(2099, 12, 30)
# What programs write where there is no day: the first day of .NET (1-1-0001), SQL Server (1-1-1753
# and 1-1-1900) and Excel; later than LAST is "never".
_NEVER = (date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1))
_EXCEL_ZERO = date(1899, 12, 30)
# so many different dates, of which one half is mostly 1 and the other seldom, show where the day
# stands
_LEAST = 6
_MOSTLY, _SELDOM = 0.8, 0.4
_REMEMBERED = 32  # columns of dates of one export
_NAMED = (
    r"^(?<d>\d{1,2})[-/. ]*(?<w>[a-z]{3,9})\.?[-/. ]*(?<y>\d{4}|\d{2})$",
    r"^(?<w>[a-z]{3,9})\.?[-/. ]+(?<d>\d{1,2})[-/. ]+(?<y>\d{4}|\d{2})$",
    r"^(?<y>\d{4})[-/. ]*(?<w>[a-z]{3,9})\.?[-/. ]*(?<d>\d{1,2})$",
)


@dataclass(frozen=True)
class Dates:
    """A column of dates.

    Parameters
    ----------
    values
        Date per row; null where nothing or nonsense stands.
    bad
        True where something stands that is no date.
    order
        ``dmy`` or ``mdy`` if a cell proved it, else None.
    unproven
        Slashed dates were read as day/month without proof.
    format
        What was understood, as text for the dialect.
    short
        True where the year is written with two digits, so that its century was chosen.
    """

    values: pl.Series
    bad: pl.Series
    order: str | None
    unproven: bool
    format: str
    short: pl.Series


@remembered
def read_dates(
    texts: pl.Series,
    *,
    upto: date | None = None,
    date_format: str | None = None,
    order: str | None = None,
) -> Dates:
    """Return the dates of a column.

    Parameters
    ----------
    texts
        Cells.
    upto
        In a replay: cells that can only mean a later day take no part in deciding between day-month
        and month-day.
    date_format
        The client's own format (``strptime``), tried first.
    order
        ``dmy`` or ``mdy`` as another column of the file proved; None if none did.
    """
    cells = distinct_texts(texts)
    distinct = cells.texts
    parts = split_dates(cells)
    votes = _votes(parts, upto)
    proven = "mdy" if votes[1] > votes[0] else "dmy" if votes[0] else order or _leaning(parts, upto)
    table = _resolved(parts, proven or "dmy")
    if date_format:
        own = distinct.str.to_date(date_format, strict=False)
        table = table.with_columns(
            day=pl.coalesce(own, pl.col("day")), empty=pl.col("empty") & own.is_null()
        )
    in_range = pl.col("day").is_between(FIRST, LAST)
    table = table.with_columns(
        day=pl.when(in_range & ~pl.col("empty")).then(pl.col("day")),
        bad=~pl.col("empty") & ~in_range.fill_null(value=False),
    )
    values = cells.spread(table["day"])
    bad = cells.spread(table["bad"]).fill_null(value=False)
    seen = (
        table["day"].is_not_null()
        if upto is None
        else (table["day"] <= upto).fill_null(value=False)
    )
    unproven = proven is None and not date_format and bool((parts["slash"] & seen).any())
    short = cells.spread(parts["short"]).fill_null(value=False)
    return Dates(values, bad, proven, unproven, _named(parts, proven or "dmy", date_format), short)


def split_dates(cells: DistinctTexts) -> pl.DataFrame:
    """Split distinct cells by shape: year, month, day where the shape says which is which, else
    first and second.

    Returns
    -------
    A row per distinct cell: ``empty``, ``serial`` (Excel's number of a day), ``y``, ``m``, ``d``,
    ``first``, ``second`` (with ``y``, where the order of the two is the column's), ``short`` (two
    digits of a year), ``slash``, ``iso``, ``compact``, ``word`` (how it is written), ``half`` (AM
    or PM), ``seconds`` and ``zone`` (time of day)."""
    # What a column of dates says is asked for some three times: by its losses, its repairs and its
    # readers.
    return _split(tuple(cells.texts.cast(pl.String).to_list()), tuple(_rows(cells)))


@lru_cache(maxsize=_REMEMBERED)
def _split(texts: tuple[str, ...], rows: tuple[int, ...]) -> pl.DataFrame:
    t, cells = pl.col("t"), pl.Series(texts, dtype=pl.String)
    months = pl.lit(None, dtype=pl.Int32)
    for name, number in reversed(MONTHS):
        months = (
            pl.when(pl.col("word").str.starts_with(name))
            .then(pl.lit(number, dtype=pl.Int32))
            .otherwise(months)
        )
    numbers = plain_numbers(cells, pl.Series(rows, dtype=pl.UInt32))
    words = plain_dates(numbers["t"])
    frame = words.with_columns(
        raw=cells,
        seconds=pl.coalesce(pl.col("seconds"), numbers["seconds"]),
        part=pl.col("t").str.extract(r"^[1-7]\d{4}(\.\d+)$").cast(pl.Float64),
        zone=pl.when(numbers["seconds"].is_not_null()).then(pl.lit("utc")).otherwise("zone"),
    )
    named = [t.str.extract_groups(pattern) for pattern in _NAMED]
    frame = frame.with_columns(
        iso=t.str.extract_groups(r"^(?<y>\d{4})[-/. ](?<m>\d{1,2})[-/. ](?<d>\d{1,2})$"),
        pair=t.str.extract_groups(
            r"^(?<a>\d{1,2})(?<sep>[-/. ])(?<b>\d{1,2})[-/. ](?<y>\d{4}|\d{2})$"
        ),
        ymd=t.str.extract_groups(r"^(?<y>(?:19|20|21)\d{2})(?<m>0[1-9]|1[0-2])(?<d>[0-3]\d)$"),
        six=t.str.extract_groups(r"^(?<y>\d{2})y(?<m>\d{2})-(?<d>\d{2})$"),
        serial=t.str.extract(r"^([1-7]\d{4})(?:[.,]\d+)?$").cast(pl.Int32),
        empty=t.str.replace_all(r"[-/. :]", "").is_in(rules().values["null"]["dates"])
        | ((t == "") & (pl.col("seconds") == 0)),  # how Access shows its day zero
    )
    fields = {"iso": "ymd", "ymd": "ymd", "six": "ymd"}
    columns = {
        f"{name}_{part}": pl.col(name).struct.field(part).cast(pl.Int32)
        for name, parts in fields.items()
        for part in parts
    }
    word, named_y, named_d = (
        pl.coalesce(form.struct.field(part) for form in named) for part in ("w", "y", "d")
    )
    frame = frame.with_columns(
        **columns, word=word, named_y=named_y, named_d=named_d.cast(pl.Int32)
    )
    pair = pl.col("pair").struct.field
    written = pl.coalesce(
        *(pl.col(name).struct.field("y") for name in ("iso", "ymd", "six", "pair")), "named_y"
    )
    short = written.str.len_chars() == 2
    return frame.select(
        "empty",
        "serial",
        "zone",
        "half",
        seconds=pl.coalesce("seconds", ((pl.col("part") * 1440).round() * 60).cast(pl.Int32)),
        y=_full_year(
            pl.coalesce(
                "iso_y",
                "ymd_y",
                "six_y",
                pl.col("named_y").cast(pl.Int32),
                pair("y").cast(pl.Int32),
            ),
            short,
        ),
        m=pl.coalesce("iso_m", "ymd_m", "six_m", months),
        d=pl.coalesce("iso_d", "ymd_d", "six_d", "named_d"),
        first=pair("a").cast(pl.Int32),
        second=pair("b").cast(pl.Int32),
        short=short.fill_null(value=False),
        slash=pair("sep") == "/",
        iso=pl.col("iso_y").is_not_null(),
        compact=pl.col("raw").str.contains(r"^\d{8}(?:0{4,6})?$"),
        word=pl.col("word").is_not_null(),
    )


def _rows(cells: DistinctTexts) -> list[int]:
    """Return on how many rows each distinct cell stands."""
    places = cells.place.drop_nulls().to_numpy()
    return [int(rows) for rows in np.bincount(places, minlength=cells.texts.len())]


def _full_year(year: pl.Expr, short: pl.Expr) -> pl.Expr:
    return (
        pl.when(short & (year < PIVOT))
        .then(year + 2000)
        .when(short)
        .then(year + 1900)
        .otherwise(year)
    )


def _day(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return a date, null where there is no such day."""
    text = pl.format(
        "{}-{}-{}",
        year.cast(pl.String).str.zfill(4),
        month.cast(pl.String).str.zfill(2),
        day.cast(pl.String).str.zfill(2),
    )
    return text.str.to_date("%Y-%m-%d", strict=False)


def _votes(parts: pl.DataFrame, upto: date | None) -> tuple[int, int]:
    """Return how many distinct cells can only be day-month, and only month-day."""
    if parts["first"].null_count() == parts.height:
        return 0, 0
    pairs = parts.select(dmy=_day_of("dmy"), mdy=_day_of("mdy"))
    dmy, mdy = pl.col("dmy"), pl.col("mdy")
    known = pl.lit(value=True) if upto is None else pl.coalesce(dmy, mdy) <= upto
    only = pairs.select(
        (dmy.is_not_null() & mdy.is_null() & known).sum().alias("dmy"),
        (mdy.is_not_null() & dmy.is_null() & known).sum().alias("mdy"),
    )
    return only.row(0)


def _leaning(parts: pl.DataFrame, upto: date | None) -> str | None:
    """Return ``mdy`` where no cell proves an order and the column as a whole still does, else None.

    A clock with AM and PM beside slashes is American; and where all days are the first of a month,
    which starts and renewals often are, the half that is always 1 is the day."""
    first, second = pl.col("first"), pl.col("second")
    pairs = parts.filter(first.is_not_null(), ~pl.col("empty"))
    if upto is not None:
        pairs = pairs.filter(_day(pl.col("y"), second, first) <= upto)
    if pairs.height and bool((pairs["slash"] & pairs["half"]).all()):
        return "mdy"
    if pairs.height < _LEAST:
        return None
    ones = pairs.select(day=(second == 1).mean(), month=(first == 1).mean()).row(0)
    return "mdy" if ones[0] >= _MOSTLY and ones[1] <= _SELDOM else None


@cache
def _day_of(order: str) -> pl.Expr:
    """Return the date of two numbers of which one is the month."""
    first, second = pl.col("first"), pl.col("second")
    day, month = (first, second) if order == "dmy" else (second, first)
    return _day(pl.col("y"), month, day)


@cache
def _read_as(order: str) -> pl.Expr:
    """Return the date of a cell, whatever its shape."""
    day, month = ("first", "second") if order == "dmy" else ("second", "first")
    return pl.coalesce(
        _day(pl.col("y"), pl.coalesce("m", month), pl.coalesce("d", day)),
        pl.lit(_EXCEL_ZERO) + pl.duration(days=pl.col("serial")),
    )


def _resolved(parts: pl.DataFrame, order: str) -> pl.DataFrame:
    read = parts.select("empty", day=_read_as(order))
    read = read.with_columns(day=next_day(read["day"], parts["seconds"], parts["zone"]))
    never = (pl.col("day").is_in(_NEVER) | (pl.col("day") > LAST)).fill_null(value=False)
    return read.with_columns(empty=pl.col("empty") | never)


def _named(parts: pl.DataFrame, order: str, date_format: str | None) -> str:
    pairs = "dd-mm-yyyy" if order == "dmy" else "mm-dd-yyyy"
    seen: Sequence[tuple[str, bool]] = (
        (date_format or "", bool(date_format)),
        ("yyyy-mm-dd", bool(parts["iso"].any())),
        (pairs, bool(parts["first"].is_not_null().any())),
        ("yyyymmdd", bool(parts["compact"].any())),
        ("dd-mmm-yy", bool(parts["word"].any())),
        ("Excel", bool(parts["serial"].is_not_null().any())),
    )
    return ", ".join(name for name, present in seen if present)
