"""Dates in the words of databases and office programs, brought to the plain forms that
`akb.ingest.cells.dates` splits.

SQL Server writes ``Jan  1 2020 12:00AM``, Reporting Services and Access ``1/1/2020 12:00:00 AM`` or
``woensdag 1 januari 2020``, Java ``Wed Jan 01 00:00:00 CET 2020``, Oracle ``01-JAN-20
12.00.00.000000 AM``, and SAS ``01JAN2020:00:00:00``. The time of the day is kept beside the day: it
tells a midnight that was written in another zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS = (
    ("jan", 1), ("feb", 2), ("fev", 2), ("mrt", 3), ("maa", 3), ("mar", 3), ("mae", 3),
    ("apr", 4), ("avr", 4),
    ("mei", 5), ("may", 5), ("mai", 5), ("juin", 6), ("jun", 6), ("juil", 7), ("jul", 7),
    ("aug", 8), ("aou", 8),
    ("sep", 9), ("okt", 10), ("oct", 10), ("nov", 11), ("dec", 12), ("dez", 12),
)  # fmt: skip
_DAYS = (
    "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag", "ma", "di",
    "wo", "do", "vr", "za",
    "zo", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon",
    "tue", "tues", "wed",
    "thu", "thur", "thurs", "fri", "sat", "sun", "montag", "dienstag", "mittwoch", "donnerstag",
    "freitag", "samstag",
    "sonnabend", "sonntag", "mo", "mi", "fr", "sa", "so", "lundi", "mardi", "mercredi", "jeudi",
    "vendredi", "samedi",
    "dimanche", "lun", "mer", "jeu", "ven", "sam", "dim",
)  # fmt: skip
_DAY_WORDS = "|".join(sorted(_DAYS, key=lambda word: (-len(word), word)))
_ACCENTS = (
    "á",
    "à",
    "â",
    "ä",
    "é",
    "è",
    "ê",
    "ë",
    "î",
    "ï",
    "ô",
    "ö",
    "û",
    "ü",
    "\u00a0",
    "’",
    "‘",
    "`",
)
_PLAIN = ("a", "a", "a", "a", "e", "e", "e", "e", "i", "i", "o", "o", "u", "u", " ", "'", "'", "'")
_ZONE = r"(?:z|utc|gmt|cet|cest|met|mest|wet|west|bst|est|edt|pst|pdt)"
_SHIFT = r"[+-]\d{2}:?\d{2}"
_UNIVERSAL = ("z", "utc", "gmt", "+0000", "+00:00", "-0000", "-00:00", "utc+0000", "gmt+0000")
_HALF = r"(?:\s*(?<half>[ap])\.?m\b\.?)?"
_IN_ZONE = rf"{_HALF}\s*(?<zone>{_ZONE}?(?:{_SHIFT})?)"
# a day in digits and a time; a time between words; a time with points, which only stands behind a
# day
_MOMENT = (
    r"^(?<day>[\d\-/.]+)[t ](?<h>\d{1,2}):(?<m>\d{2})(?::(?<s>\d{2}))?(?:[.,]\d{1,9})?"
    r"(?: ?(?<half>[ap])m)?(?<zone>z|[+-]\d{2}:?\d{2})?(?<rest>)$"
)
_CLOCK = (
    r"^(?<day>.*?)(?:t|[ ,:]+)(?<h>\d{1,2})[:u](?<m>\d{2})(?::(?<s>\d{2}))?(?:[.,:]\d{1,9})?"
    rf"{_IN_ZONE}(?:\s(?<rest>.*)|$)"
)
_DOTTED = (
    r"^(?<day>.*[\da-z])(?:t| +)(?<h>\d{1,2})\.(?<m>\d{2})(?:\.(?<s>\d{2}))?(?:[.,]\d{1,9})?"
    rf"{_IN_ZONE}(?<rest>)$"
)
_LEFT_OUT = (
    (r"^(\d{8})[t ]?(\d{2})(\d{2})(\d{2})", "${1} ${2}:${3}:${4}"),
    (r"^(\d{8})[t ]?(\d{2})(\d{2})$", "${1} ${2}:${3}"),
    (r"\([^)]*\)", " "),
    (r"^\s*(?:\{(?:ts|d)|date|timestamp)\s*'", ""),
    (r"^\s*#|#\s*$|'\s*\}?\s*$", ""),
    (rf"^\s*(?:{_DAY_WORDS})\b[.,]*\s*", ""),
    (rf"[\s,]+(?:{_DAY_WORDS})\.?\s*$", ""),
    (
        r"^\s*mar\.?\s+(\d{1,2}[-/. ]+(?:\d{1,2}[-/. ]+\d{2,4}|[a-z].*))$",
        "${1}",
    ),  # mardi, where it is no month
    (r"\b(?:om|at|um|uur|uhr)\b", " "),
)
_AFTERWARDS = (
    (r"^(\s*\d{5}),(\d+)", "${1}.${2}"),  # a day of Excel and a part of it
    (r"\b(\d{1,2})(?:e|ste|de|st|nd|rd|th|er)\b", "${1}"),
    (r"'(\d{2})\b", "${1}"),
    (",", " "),
)


def plain_dates(texts: pl.Series) -> pl.DataFrame:
    """Return dates without the words and times around them.

    Parameters
    ----------
    texts
        Distinct cells.

    Returns
    -------
    ``t`` (lower case, no time), ``seconds`` (i32?, of the day; null without a time), ``zone`` (str,
    ``utc`` where it says so, empty where it says nothing, else as written), ``half`` (bool, the
    time had AM or PM)."""
    frame = pl.DataFrame({"t": texts.cast(pl.String).str.to_lowercase()}).with_row_index("place")
    # most columns are days in digits, or days with a time, and there are many of them
    kind = frame.select(
        pl.when(~pl.col("t").str.contains(r"[^\d\-/.]|^\d{12,}$"))
        .then(pl.lit("day"))
        .when(pl.col("t").str.contains(_MOMENT))
        .then(pl.lit("moment"))
        .otherwise(pl.lit("words"))
        .fill_null("day")
    ).to_series()
    days = frame.filter(kind == "day").with_columns(
        seconds=pl.lit(None, dtype=pl.Int32), zone=pl.lit(""), half=pl.lit(value=False)
    )
    parts, moments, words = [days], frame.filter(kind == "moment"), frame.filter(kind == "words")
    if moments.height:
        parts.append(_timed(moments, _MOMENT))
    if words.height:
        parts.append(_without_words(words))
    return pl.concat(parts).sort("place").drop("place")


def _timed(frame: pl.DataFrame, pattern: str) -> pl.DataFrame:
    """Split off the time of cells that hold nothing but a day and a time; others stay as they
    are.
    """
    part = pl.col("clock").struct.field
    frame = frame.with_columns(clock=pl.col("t").str.extract_groups(pattern))
    hour = part("h").cast(pl.Int32)
    hour = pl.when(part("half").is_not_null()).then(hour % 12).otherwise(hour)
    hour = pl.when(part("half") == "p").then(hour + 12).otherwise(hour)
    zone = part("zone").str.strip_chars().fill_null("")
    return frame.select(
        "place",
        t=pl.when(part("h").is_not_null())
        .then(
            pl.concat_str(
                part("day"), part("rest"), separator=" ", ignore_nulls=True
            ).str.strip_chars(" ")
        )
        .otherwise("t"),
        seconds=hour * 3600 + part("m").cast(pl.Int32) * 60 + part("s").cast(pl.Int32).fill_null(0),
        zone=pl.when(zone.is_in(_UNIVERSAL)).then(pl.lit("utc")).otherwise(zone),
        half=part("half").is_not_null(),
    )


def _without_words(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("t").str.replace_many(list(_ACCENTS), list(_PLAIN))
    text = pl.lit(" ") + _replaced(text, _LEFT_OUT).str.strip_chars()
    timed = _timed(frame.with_columns(t=text), _CLOCK)
    dotted = _timed(timed.filter(pl.col("seconds").is_null()).select("place", "t"), _DOTTED)
    every = pl.concat([timed.filter(pl.col("seconds").is_not_null()), dotted])
    bare = _replaced(pl.col("t"), _AFTERWARDS).str.replace_all(r"\s*([-/.])\s*", "${1}")
    return every.with_columns(t=bare.str.replace_all(r"\s+", " ").str.strip_chars(" "))


def _replaced(text: pl.Expr, rules: Sequence[tuple[str, str]]) -> pl.Expr:
    for pattern, instead in rules:
        text = text.str.replace_all(pattern, instead)
    return text
