"""Dates that are written as one number: moments since 1970, and days that lost their leading zero.

One number says little: 1012020 is a day (1 January 2020, of which a spreadsheet took the zero),
1577836800 a moment, 10120 a day of six digits that lost one, or Excel's 15 September 1927. The
column decides."""

from __future__ import annotations

import polars as pl

_WHOLE = r"^(-?\d{1,19})(?:[.,]0+)?$"
_WRAPPED = r"^/?date\((-?\d{1,15})(?:[+-]\d{4})?\)/?$"  # JSON of .NET
_MIDNIGHT = (
    r"^(?:19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?$"
)
_HOST = r"^1(?<y>\d{2})(?<m>0[1-9]|1[0-2])(?<d>0[1-9]|[12]\d|3[01])$"
_NET_EPOCH = 621_355_968_000_000_000  # ticks of 100 ns from the year 1 to 1970
# unit: (smallest and largest size of a moment between 1973 and 2100, units in a second, units from
# zero to 1970)
_MOMENTS = {
    "s": (100_000_000, 4_102_444_800, 1, 0),
    "ms": (100_000_000_000, 4_102_444_800_000, 1_000, 0),
    "us": (100_000_000_000_000, 4_102_444_800_000_000, 1_000_000, 0),
    "ticks": (_NET_EPOCH, 662_380_416_000_000_000, 10_000_000, _NET_EPOCH),
    "ns": (1_000_000_000_000_000_000, 4_102_444_800_000_000_000, 1_000_000_000, 0),
}
_MOST = 0.5  # of a column's numbers, to call them all moments
_SOME = 0.25  # of a column's cells, to call its numbers of six digits days
# of a column of moments that are zero: one of them may be 1-1-1970, many of them are no day
_FEW = 0.005
_DAY = 86_400
# how a number of six digits is written with separators; a year in front keeps two digits
# (`akb.ingest.cells.dates`)
_SIX = {
    "%d%m%y": "${1}-${2}-${3}",
    "%y%m%d": "${1}y${2}-${3}",
    "%m%d%y": "${1}/${2}/${3}",
    "host": "19${1}-${2}-${3}",
}


def plain_numbers(texts: pl.Series, rows: pl.Series) -> pl.DataFrame:
    """Return numbers that are dates as dates with separators.

    Parameters
    ----------
    texts
        Distinct cells.
    rows
        On how many rows each stands.

    Returns
    -------
    ``t`` (the cell, a date with separators where it is a number that the column explains) and
    ``seconds`` (i32?, of the day in UTC, of moments only)."""
    lowered = pl.col("t").str.to_lowercase()
    digits = pl.coalesce(
        pl.col("t").str.extract(_WHOLE), lowered.str.replace_all(r"\\|\s", "").str.extract(_WRAPPED)
    )
    frame = pl.DataFrame({"t": texts.cast(pl.String), "rows": rows}).with_columns(digits=digits)
    frame = frame.with_columns(seconds=pl.lit(None, dtype=pl.Int32))
    if frame["digits"].null_count() == frame.height:
        return frame.select("t", "seconds")
    frame = frame.with_columns(
        number=pl.when(~pl.col("digits").str.contains(_MIDNIGHT)).then(
            pl.col("digits").cast(pl.Int64, strict=False)
        )
    )
    unit = _unit(frame)
    if unit:
        return _moments(frame, unit)
    return _with_zeros(frame)


def _unit(frame: pl.DataFrame) -> str | None:
    """Return the unit of the moments in a column, None where its numbers are none."""
    numbers = frame.filter(pl.col("digits").is_not_null() & (pl.col("number").fill_null(1) != 0))
    for unit, (least, most, _, _) in _MOMENTS.items():
        inside = int(numbers["number"].abs().is_between(least, most).sum())
        if inside and inside >= _MOST * numbers.height and inside >= _MOST * frame.height - 1:
            return unit
    return None


def _moments(frame: pl.DataFrame, unit: str) -> pl.DataFrame:
    _, _, size, zero = _MOMENTS[unit]
    rare = int(frame.filter(pl.col("number") == 0)["rows"].sum()) <= _FEW * int(frame["rows"].sum())
    is_moment = pl.col("number").is_not_null() & (pl.lit(value=rare) | (pl.col("number") != 0))
    since = (pl.col("number") - zero) // size
    day = pl.lit(0, dtype=pl.Int32).cast(pl.Date) + pl.duration(days=since // _DAY)
    inside = is_moment & since.is_between(-_DAY * 36_525, _DAY * 47_847)
    return frame.select(
        t=pl.when(inside).then(day.dt.to_string("%Y-%m-%d")).otherwise("t"),
        seconds=pl.when(inside).then(since % _DAY).cast(pl.Int32),
    )


def _with_zeros(frame: pl.DataFrame) -> pl.DataFrame:
    """Return days of six to eight digits with separators and with the zeros that they lost."""
    number = pl.col("digits")
    year = r"(?:19|20|21)\d{2}"
    century = number.str.contains(_HOST)  # an AS/400's: 1 for 20.., 0 for 19..
    if frame.select(century.any()).item():
        frame = frame.with_columns(number.str.replace(r"^0(\d{6})$", "${1}"))
    eight = (
        pl.when(number.str.contains(rf"^\d{{3}}{year}$"))
        .then(number.str.zfill(8))
        .otherwise(number)
    )
    host = number.str.extract_groups(_HOST)
    read = (
        pl.when(number.str.contains(rf"^{year}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$"))
        .then(number)
        # as a date with separators, so that the column decides between day-month and month-day
        .when(eight.str.contains(rf"^\d{{4}}{year}$"))
        .then(eight.str.replace(r"^(\d{2})(\d{2})(\d{4})$", "${1}-${2}-${3}"))
        .when(host.struct.field("y").is_not_null())
        .then(pl.format("20{}-{}-{}", *(host.struct.field(part) for part in "ymd")))
    )
    six = number.str.contains(r"^\d{6}$").fill_null(value=False)
    frame = frame.with_columns(
        read=read, host=host.struct.field("y").is_not_null().fill_null(value=False), six=six
    )
    form = _order_of_six(frame)
    if form:
        short = number.str.contains(r"^\d{3,6}$").fill_null(value=False)
        order = _SIX[form]
    else:
        short = pl.col("six") & pl.lit(
            value=bool(frame["host"].any())
        )  # the century is the digit that was lost
        order = _SIX["host"]
    padded = number.str.zfill(6).str.replace(r"^(\d{2})(\d{2})(\d{2})$", order)
    return frame.select(t=pl.coalesce(pl.when(short).then(padded), "read", "t"), seconds="seconds")


def _order_of_six(frame: pl.DataFrame) -> str | None:
    """Return the order of day, month and year that most numbers of six digits allow, None where
    they are no days.
    """
    six = frame.filter("six")["digits"]
    if not six.len() or six.len() < _SOME * frame.height or frame["host"].any():
        return None
    allowed = {
        form: int(six.str.to_date(form, strict=False).is_not_null().sum())
        for form in ("%d%m%y", "%y%m%d", "%m%d%y")
    }
    most = max(allowed.values())
    if 2 * most <= six.len():
        return None
    # of orders that all cells allow, the one with fewest years: 180131 and 251207 are years in
    # front
    years = {"%d%m%y": six.str.slice(4), "%y%m%d": six.str.slice(0, 2), "%m%d%y": six.str.slice(4)}
    likely = [
        form for form, count in allowed.items() if count == most and not (years[form] == "01").all()
    ]
    return min(likely or allowed, key=lambda form: years[form].n_unique())
