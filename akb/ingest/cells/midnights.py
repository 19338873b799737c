"""Midnights that were written in universal time: 2019-12-31T23:00Z is the first of January in the
Netherlands.

A program that keeps days as moments and exports them in universal time moves every day to the
evening before: to 23:00 in winter and to 22:00 in summer. Where the times of a column are all such
evenings, they are days."""

from __future__ import annotations

import polars as pl

_HERE = "Europe/Amsterdam"
_NEARLY_ALL = 0.9
_LAST_MINUTE = pl.col("seconds") >= 24 * 3600 - 60  # the end of a day is the beginning of the next
_WINTER = pl.col("seconds") == 23 * 3600  # midnight in winter time, written so all the year round
_LEAST = 3  # evenings of a column that does not say that its times are universal


def next_day(days: pl.Series, seconds: pl.Series, zone: pl.Series) -> pl.Series:
    """Return the days, a day later where the time is midnight in the Netherlands written in
    universal time.

    Parameters
    ----------
    days
        Date per distinct cell; null where nothing or nonsense stands.
    seconds
        Time of the day; null without one.
    zone
        ``utc`` where the cell says so, empty where it says nothing.
    """
    if seconds.null_count() == seconds.len():
        return days
    frame = pl.DataFrame({"day": days, "seconds": seconds, "zone": zone})
    there = pl.col("day").cast(pl.Datetime("ms")) + pl.duration(seconds=pl.col("seconds"))
    here = there.dt.replace_time_zone("UTC").dt.convert_time_zone(_HERE)
    timed = (
        pl.col("day").is_not_null()
        & pl.col("seconds").is_not_null()
        & pl.col("zone").is_in(["", "utc"])
    )
    midnight = (here.dt.time() == pl.time(0, 0, 0)) & timed
    evening = (midnight & (pl.col("seconds") > 0)).fill_null(value=False)
    frame = frame.with_columns(timed=timed, evening=evening, here=here.dt.date())
    said, silent = pl.col("zone") == "utc", pl.col("zone") == ""
    whole = (pl.col("seconds") == 0) | pl.col(
        "evening"
    )  # a day is a midnight, here or in universal time
    counts = frame.select(
        said=(said & pl.col("timed")).sum(),
        days=(said & pl.col("timed") & whole).sum(),
        silent=(silent & pl.col("timed")).sum(),
        evenings=(silent & pl.col("evening")).sum(),
    ).row(0, named=True)
    moved = pl.lit(value=False)
    tomorrow = pl.col("day") + pl.duration(days=1)
    # Five evenings of a summer prove nothing: some days have to be a midnight as it is in winter.
    winters = frame.filter(_WINTER & pl.col("evening")).height
    for moment, proven in ((_LAST_MINUTE, True), (_WINTER, winters >= _LEAST)):
        if proven and _all_at(frame, moment):
            day = pl.when(pl.col("timed") & moment).then(tomorrow).otherwise("day").alias("day")
            return frame.select(day).to_series()
    if counts["said"] and counts["days"] >= _NEARLY_ALL * counts["said"]:
        moved = moved | (said & pl.col("evening"))
    if counts["evenings"] >= max(_LEAST, _NEARLY_ALL * counts["silent"]):
        moved = moved | (silent & pl.col("evening"))
    return frame.select(pl.when(moved).then("here").otherwise("day").alias("day")).to_series()


def _all_at(frame: pl.DataFrame, moment: pl.Expr) -> bool:
    """Whether all times of a column are one moment of the day, beside plain days."""
    timed = frame.filter(pl.col("timed").fill_null(value=False))
    return (
        timed.height >= _LEAST
        and timed.filter(moment.fill_null(value=False)).height == timed.height
    )
