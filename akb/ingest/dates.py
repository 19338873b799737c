"""Dates as Dutch back offices write them.

Each cell is read by its own shape; only the order of day and month in ``03/04/2020`` is decided for the column as
a whole, by the cells that allow one reading only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells import rules, told

if TYPE_CHECKING:
    from collections.abc import Sequence

PIVOT = 30  # 29 is 2029, 30 is 1930
FIRST, LAST = date(1900, 1, 2), date(2099, 12, 30)
# What programs write where there is no day: the first day of .NET (1-1-0001), SQL Server (1-1-1753 and 1-1-1900) and
# Excel; later than LAST is "never".
_NEVER = (date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1))
_EXCEL_ZERO = date(1899, 12, 30)
_MONTHS = (
    ("jan", 1), ("feb", 2), ("mrt", 3), ("maa", 3), ("mar", 3), ("apr", 4), ("mei", 5), ("may", 5), ("jun", 6),
    ("jul", 7), ("aug", 8), ("sep", 9), ("okt", 10), ("oct", 10), ("nov", 11), ("dec", 12),
)  # fmt: skip
_TIME = r"[T ]+\d{1,2}[:.]\d{2}([:.]\d{2})?([.,]\d+)?\s*(Z|[+-]\d{2}:?\d{2})?$"
_MIDNIGHT = r"^(\d{8})0{4,6}$"


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
    """

    values: pl.Series
    bad: pl.Series
    order: str | None
    unproven: bool
    format: str


def read_dates(
    texts: pl.Series, *, upto: date | None = None, date_format: str | None = None, order: str | None = None
) -> Dates:
    """Return the dates of a column.

    Parameters
    ----------
    texts
        Cells.
    upto
        In a replay: cells that can only mean a later day take no part in deciding between day-month and month-day.
    date_format
        The client's own format (``strptime``), tried first.
    order
        ``dmy`` or ``mdy`` as another column of the file proved; None if none did.
    """
    cells = told(texts)
    distinct = cells.texts
    parts = _parts(distinct)
    votes = _votes(parts, upto)
    proven = "mdy" if votes[1] > votes[0] else "dmy" if votes[0] else order
    table = _resolved(parts, proven or "dmy")
    if date_format:
        own = distinct.str.to_date(date_format, strict=False)
        table = table.with_columns(day=pl.coalesce(own, pl.col("day")), empty=pl.col("empty") & own.is_null())
    in_range = pl.col("day").is_between(FIRST, LAST)
    table = table.with_columns(
        day=pl.when(in_range & ~pl.col("empty")).then(pl.col("day")),
        bad=~pl.col("empty") & ~in_range.fill_null(value=False),
    )
    values = cells.spread(table["day"])
    bad = cells.spread(table["bad"]).fill_null(value=False)
    seen = table["day"].is_not_null() if upto is None else (table["day"] <= upto).fill_null(value=False)
    unproven = proven is None and not date_format and bool((parts["slash"] & seen).any())
    return Dates(values, bad, proven, unproven, _named(parts, proven or "dmy", date_format))


def _parts(distinct: pl.Series) -> pl.DataFrame:
    """Split distinct cells by shape: year, month, day where the shape says which is which, else first and second."""
    t = pl.col("t")
    months = pl.lit(None, dtype=pl.Int32)
    for name, number in reversed(_MONTHS):
        months = pl.when(pl.col("word").str.starts_with(name)).then(pl.lit(number, dtype=pl.Int32)).otherwise(months)
    frame = distinct.to_frame("raw").with_columns(t=pl.col("raw").str.replace(_MIDNIGHT, "${1}").str.replace(_TIME, ""))
    frame = frame.with_columns(
        iso=t.str.extract_groups(r"^(?<y>\d{4})[-/. ](?<m>\d{1,2})[-/. ](?<d>\d{1,2})$"),
        pair=t.str.extract_groups(r"^(?<a>\d{1,2})(?<sep>[-/. ])(?<b>\d{1,2})[-/. ](?<y>\d{4}|\d{2})$"),
        named=t.str.to_lowercase().str.extract_groups(
            r"^(?<d>\d{1,2})[-/. ]*(?<w>[a-z]{3,9})\.?[-/. ]*(?<y>\d{4}|\d{2})$"
        ),
        ymd=t.str.extract_groups(r"^(?<y>(?:19|20|21)\d{2})(?<m>0[1-9]|1[0-2])(?<d>[0-3]\d)$"),
        dmy8=t.str.extract_groups(r"^(?<d>[0-3]\d)(?<m>0[1-9]|1[0-2])(?<y>(?:19|20|21)\d{2})$"),
        serial=t.str.extract(r"^([1-7]\d{4})(?:[.,]\d+)?$").cast(pl.Int32),
        empty=t.str.to_lowercase().str.replace_all(r"[-/. :]", "").is_in(rules().values["null"]["dates"]),
    )
    fields = {"iso": "ymd", "ymd": "ymd", "dmy8": "ymd", "named": "dy"}
    columns = {
        f"{name}_{part}": pl.col(name).struct.field(part).cast(pl.Int32)
        for name, parts in fields.items()
        for part in parts
    }
    frame = frame.with_columns(**columns, word=pl.col("named").struct.field("w"))
    year = pl.coalesce("iso_y", "ymd_y", "named_y", pl.when(pl.col("ymd_y").is_null()).then(pl.col("dmy8_y")))
    written = pl.coalesce(pl.col(name).struct.field("y") for name in ("iso", "ymd", "named", "dmy8", "pair"))
    return frame.select(
        "empty",
        "serial",
        y=_full_year(pl.coalesce(year, pl.col("pair").struct.field("y").cast(pl.Int32)), written.str.len_chars() == 2),
        m=pl.coalesce("iso_m", "ymd_m", months, "dmy8_m"),
        d=pl.coalesce("iso_d", "ymd_d", "named_d", "dmy8_d"),
        first=pl.col("pair").struct.field("a").cast(pl.Int32),
        second=pl.col("pair").struct.field("b").cast(pl.Int32),
        slash=pl.col("pair").struct.field("sep") == "/",
        iso=pl.col("iso_y").is_not_null(),
        compact=pl.coalesce("ymd_y", "dmy8_y").is_not_null(),
        word=pl.col("word").is_not_null(),
    )


def _full_year(year: pl.Expr, short: pl.Expr) -> pl.Expr:
    return pl.when(short & (year < PIVOT)).then(year + 2000).when(short).then(year + 1900).otherwise(year)


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
    first, second = pl.col("first"), pl.col("second")
    pairs = parts.filter(first.is_not_null()).select(
        dmy=_day(pl.col("y"), second, first), mdy=_day(pl.col("y"), first, second)
    )
    only = pairs.filter(pl.col("dmy").is_null() != pl.col("mdy").is_null())
    if upto is not None:
        only = only.filter(pl.coalesce("dmy", "mdy") <= upto)
    return int(only["dmy"].is_not_null().sum()), int(only["mdy"].is_not_null().sum())


def _resolved(parts: pl.DataFrame, order: str) -> pl.DataFrame:
    day, month = ("first", "second") if order == "dmy" else ("second", "first")
    read = parts.select(
        "empty",
        day=pl.coalesce(
            _day(pl.col("y"), pl.coalesce("m", month), pl.coalesce("d", day)),
            pl.lit(_EXCEL_ZERO) + pl.duration(days=pl.col("serial")),
        ),
    )
    never = (pl.col("day").is_in(_NEVER) | (pl.col("day") > LAST)).fill_null(value=False)
    return read.with_columns(empty=pl.col("empty") | never)


def _named(parts: pl.DataFrame, order: str, date_format: str | None) -> str:
    pairs = "dd-mm-jjjj" if order == "dmy" else "mm-dd-jjjj"
    seen: Sequence[tuple[str, bool]] = (
        (date_format or "", bool(date_format)),
        ("jjjj-mm-dd", bool(parts["iso"].any())),
        (pairs, bool(parts["first"].is_not_null().any())),
        ("jjjjmmdd", bool(parts["compact"].any())),
        ("dd-mmm-jj", bool(parts["word"].any())),
        ("Excel", bool(parts["serial"].is_not_null().any())),
    )
    return ", ".join(name for name, present in seen if present)
