"""Dates in the words of databases and office programs, brought to the plain forms that `akb.ingest.dates` splits.

SQL Server writes ``Jan  1 2020 12:00AM``, Reporting Services and Access ``1/1/2020 12:00:00 AM`` or ``woensdag 1
januari 2020``, Java ``Wed Jan 01 00:00:00 CET 2020``, Oracle ``01-JAN-20 12.00.00.000000 AM``, and SAS
``01JAN2020:00:00:00``.
The time of the day is kept beside the day: it tells a midnight that was written in another zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS = (
    ("jan", 1), ("feb", 2), ("fev", 2), ("mrt", 3), ("maa", 3), ("mar", 3), ("mae", 3), ("apr", 4), ("avr", 4),
    ("mei", 5), ("may", 5), ("mai", 5), ("juin", 6), ("jun", 6), ("juil", 7), ("jul", 7), ("aug", 8), ("aou", 8),
    ("sep", 9), ("okt", 10), ("oct", 10), ("nov", 11), ("dec", 12), ("dez", 12),
)  # fmt: skip
_DAYS = (
    "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag", "ma", "di", "wo", "do", "vr", "za",
    "zo", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "tues", "wed",
    "thu", "thur", "thurs", "fri", "sat", "sun", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag",
    "sonnabend", "sonntag", "mo", "mi", "fr", "sa", "so", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi",
    "dimanche", "lun", "mer", "jeu", "ven", "sam", "dim",
)  # fmt: skip
_DAY_WORDS = "|".join(sorted(_DAYS, key=lambda word: (-len(word), word)))
_ACCENTS = ("á", "à", "â", "ä", "é", "è", "ê", "ë", "î", "ï", "ô", "ö", "û", "ü", "\u00a0", "’", "‘", "`")
_PLAIN = ("a", "a", "a", "a", "e", "e", "e", "e", "i", "i", "o", "o", "u", "u", " ", "'", "'", "'")
_ZONE = r"(?:z|utc|gmt|cet|cest|met|mest|wet|west|bst|est|edt|pst|pdt)"
_SHIFT = r"[+-]\d{2}:?\d{2}"
_CLOCK = (
    r"(?:t|[ ,:]+)(?<h>\d{1,2})[:u](?<m>\d{2})(?::(?<s>\d{2}))?(?:[.,:]\d{1,9})?"
    rf"(?:\s*(?<half>[ap])\.?m\b\.?)?\s*(?<zone>{_ZONE}?(?:{_SHIFT})?)(?:\s|$)"
)
_DOTTED = (
    r"^(?<day>.*[\da-z])(?:t| +)(?<h>\d{1,2})\.(?<m>\d{2})(?:\.(?<s>\d{2}))?(?:[.,]\d{1,9})?"
    rf"(?:\s*(?<half>[ap])\.?m\b\.?)?\s*(?<zone>{_ZONE}?(?:{_SHIFT})?)$"
)
_LEFT_OUT = (
    (r"^(\d{8})[t ]?(\d{2})(\d{2})(\d{2})", "${1} ${2}:${3}:${4}"),
    (r"^(\d{8})[t ]?(\d{2})(\d{2})$", "${1} ${2}:${3}"),
    (r"\([^)]*\)", " "),
    (r"^\s*(?:\{(?:ts|d)|date|timestamp)\s*'", ""),
    (r"^\s*#|#\s*$|'\s*\}?\s*$", ""),
    (rf"^\s*(?:{_DAY_WORDS})\b[.,]*\s*", ""),
    (rf"[\s,]+(?:{_DAY_WORDS})\.?\s*$", ""),
    (r"^\s*mar\.?\s+(\d{1,2}[-/. ]+(?:\d{1,2}[-/. ]+\d{2,4}|[a-z].*))$", "${1}"),  # mardi, where it is no month
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
    ``t`` (lower case, no time), ``seconds`` (i32?, of the day; null without a time), ``zone`` (str, ``utc`` where it
    says so, empty where it says nothing, else as written), ``half`` (bool, the time had AM or PM).
    """
    frame = texts.cast(pl.String).to_frame("t").with_columns(t=pl.col("t").str.to_lowercase())
    # most columns are digits and hyphens only, and there are many of them
    odd = frame["t"].str.contains(r"[^\d\-/.]|^\d{12,}$").fill_null(value=False)
    if not odd.any():
        return frame.with_columns(seconds=pl.lit(None, dtype=pl.Int32), zone=pl.lit(""), half=pl.lit(value=False))
    words = _without_words(frame.filter(odd))
    place = pl.when(odd).then(odd.cast(pl.UInt32).cum_sum() - 1)
    taken = frame.select(place=place)["place"]
    spread = words.select(pl.all().gather(taken.to_list())) if len(words) else words
    return pl.DataFrame(
        {
            "t": frame.select(pl.when(odd).then(spread["t"]).otherwise("t").alias("t"))["t"],
            "seconds": spread["seconds"],
            "zone": spread["zone"].fill_null(""),
            "half": spread["half"].fill_null(value=False),
        }
    )


def _without_words(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("t").str.replace_many(list(_ACCENTS), list(_PLAIN))
    text = _replaced(text, _LEFT_OUT)
    frame = frame.select(t=pl.lit(" ") + text.str.strip_chars())
    clock = pl.col("t").str.extract_groups(_CLOCK)
    dotted = pl.when(~pl.col("t").str.contains(_CLOCK)).then(pl.col("t").str.extract_groups(_DOTTED))

    def part(name: str) -> pl.Expr:
        return pl.coalesce(clock.struct.field(name), dotted.struct.field(name))

    hour = part("h").cast(pl.Int32)
    hour = pl.when(part("half").is_not_null()).then(hour % 12).otherwise(hour)
    hour = pl.when(part("half") == "p").then(hour + 12).otherwise(hour)
    zone = part("zone").str.strip_chars()
    bare = (
        pl.when(part("h").is_not_null())
        .then(pl.col("t").str.replace(_CLOCK, " ").str.replace(_DOTTED, "${day} "))
        .otherwise("t")
    )
    return frame.select(
        t=_replaced(bare, _AFTERWARDS)
        .str.replace_all(r"\s*([-/.])\s*", "${1}")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(" "),
        seconds=(hour * 3600 + part("m").cast(pl.Int32) * 60 + part("s").cast(pl.Int32).fill_null(0)),
        zone=pl.when(zone.is_in(["z", "utc", "gmt", "+0000", "+00:00", "-0000", "-00:00", "utc+0000", "gmt+0000"]))
        .then(pl.lit("utc"))
        .otherwise(zone.fill_null("")),
        half=part("half").is_not_null(),
    )


def _replaced(text: pl.Expr, rules: Sequence[tuple[str, str]]) -> pl.Expr:
    for pattern, instead in rules:
        text = text.str.replace_all(pattern, instead)
    return text
