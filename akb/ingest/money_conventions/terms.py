"""Payment terms: how many months there are between two instalments.

A cell says it in words ("12x per jaar", "per: 3 maand(en)", "Kwartaalbetaling") or as a bare number, and a bare number
counts months (1, 3, 6, 12) or times a year (12, 4, 2, 1). The whole column tells which: the client's setting, then the
heading, then the numbers that occur (2 and 4 are times, 3 and 6 months), then the premiums of both ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from akb.core.text import text as text_of_key
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.texts import Told, plain, rules, told
from akb.ingest.cells.words import Meanings, own_words, read_with
from akb.ingest.columns.matching import key_of
from akb.ingest.columns.notes import texts_of
from akb.ingest.money_conventions.bases import ENOUGH, level_by_term

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

Unit = Literal["months", "times"]

PAYMENT_MONTHS = (1, 3, 6, 12)
"""Terms of which the rest of akb knows what they mean; money can be read at others too."""

_LENGTHS = (1, 2, 3, 4, 6, 12)  # months that make whole instalments a year
_SINGLE = ("0", "99")
_LEAST = 3  # rows with a 2 or a 4, at least, to believe that they are no slip of the pen
_SHARE = 0.02  # or this share of the bare numbers, in a small file
_FAR_MORE = 10  # so many times as often is the rule, and the other the exception
_TURNED = 0.65  # so clearly do those with the other number pay a part
_TIMES_A_YEAR = re.compile(r"perjaar|peryear|perannum|aantal(termijn|betaling)|numberof|timesa|keerper|termijnenper")

_NUMBERS = {
    "eenmaal": "1 x", "eens": "1 x", "once": "1 x", "tweemaal": "2 x", "twice": "2 x", "viermaal": "4 x",
    "twaalfmaal": "12 x", "een": "1", "one": "1", "twee": "2", "two": "2", "drie": "3", "three": "3", "vier": "4",
    "four": "4", "zes": "6", "six": "6", "twaalf": "12", "twelve": "12",
}  # fmt: skip
_UNITS = {
    6: r"half\s?(?:jaar|jaren|jaarlijkse?|year|years|yearly)|halve jaren|hj|semesters?",
    3: r"kwartaal|kwartalen|kwart|kw|kwt|k|quarters?|q|trimesters?",
    1: r"maandelijkse?|maand(?:en)?|mnds?|mdn|mnd|months?|monthly|mths?|m",
    12: r"jaarlijkse?|jaar|jaren|jr|years?|yearly|yr|annum|pj|j|y",
}
_UNIT = "|".join(f"(?P<u{months}>{words})" for months, words in _UNITS.items())
_TIMES = r"(?:x|maal|keer|times|termijn(?:en)?|betaling(?:en)?|instal?lments?|payments?)"
_EACH = r"(?:per|p|elke|ieder|iedere|every|each|om de|in de|a)"
_OF_UNIT = re.compile(rf"(?:\b(?P<times>\d+)\s*{_TIMES}?\s*)?\b{_EACH}\s*(?P<every>\d*)\s*(?:{_UNIT})\b")
_TIMES_UNIT = re.compile(rf"\b(?P<times>\d+)\s*{_TIMES}\s*(?P<every>)(?:{_UNIT})\b")
_ONLY_TIMES = re.compile(rf"\b(\d+)\s*{_TIMES}(?:\b|$)")
_SPAN = re.compile(rf"\b(?P<every>\d+)\s*(?:{_UNIT})\b")
_STEMS = (
    (0, r"koopsom|eenmalig|single|one off|lump|ineens"),
    (6, r"half ?ja|half ?ye|semi ?ann|bi ?annu"),
    (3, r"kwart|quart|driemaand|trimest"),
    (2, r"tweemaand|bi ?month"),
    (4, r"viermaand"),
    (1, r"maand|month|mnd"),
    (12, r"jaar|year|annu"),
)
_LETTERS = {"q": 3, "y": 12, "a": 12, "s": 6}
_WEEKS = re.compile(r"we(?:e)?k|fortnight")


@dataclass(frozen=True)
class Terms:
    """The terms of a table.

    Parameters
    ----------
    months
        Int8 per row: months between two instalments, 0 a single premium, null unknown.
    unknown
        Distinct texts that say no term -> number of rows.
    """

    months: pl.Series
    unknown: dict[str, int]

    @property
    def meanings(self) -> Meanings:
        """The terms as words and their meanings."""
        return Meanings(self.months.cast(pl.String), self.unknown)

    def known(self) -> pl.Series:
        """Return the terms that the rest of akb knows."""
        return self.months.to_frame("m").select(pl.when(pl.col("m").is_in(PAYMENT_MONTHS)).then("m")).to_series()


def read_terms(table: Table, cells: pl.DataFrame, branch: pl.Series, settings: Settings, notes: Notes) -> Terms:
    """Return the terms of the rows of `cells`.

    Parameters
    ----------
    table, cells
        The file and the rows of it that count.
    branch
        Branch per row; the premiums of one branch are compared.
    settings
        ``[ingest] term_unit`` says what a bare number counts.
    notes
        Receives AKB-D110 where bare numbers are times a year, AKB-D111 where that cannot be settled.
    """
    column = told(texts_of(cells, "term"))
    own = own_words("term", settings)
    parsed = [_own(text, own) or _months(text) for text in column.texts]
    bare = pl.Series([None if _own(text, own) else _bare(text) for text in column.texts], dtype=pl.Int64)
    unit = _unit(table, cells, column, bare, branch, settings, notes)
    months = [
        _in_months(number, unit) if number is not None else words for number, words in zip(bare, parsed, strict=True)
    ]
    rows = column.place.drop_nulls().alias("place").value_counts(sort=False).sort("place")
    unknown = {column.texts[place]: int(count) for place, count in rows.iter_rows() if months[place] is None}
    return Terms(column.spread(pl.Series(months, dtype=pl.Int8)), unknown)


def read_term_words(texts: pl.Series, settings: Settings | None = None) -> Meanings:
    """Return the months that the words of a column say; a bare number as it is written: its column tells what it is."""
    own = own_words("term", settings)

    def meaning(text: str) -> str | None:
        if _bare(text) is not None and not _own(text, own):
            return text.strip()
        months = _own(text, own) or _months(text)
        return None if months is None else str(months)

    return read_with(texts, meaning)


def _own(text: str, own: Mapping[str, str]) -> int | None:
    """Return the months that the client says a text means; None where he says nothing of it."""
    given = own.get(plain(text)) or own.get(text.strip().lower())
    return int(given) if given is not None and given.isdigit() else None


@cache
def _words() -> dict[str, int]:
    return {plain(word): int(months) for months, words in rules().values["term"].items() for word in words}


def _bare(text: str) -> int | None:
    """Return a bare number of instalments or months, None for words and for the codes of a single premium."""
    match = re.fullmatch(r"\s*0*(\d{1,2})(?:[.,]0+)?\s*", text)
    return int(match[1]) if match and match[1] not in _SINGLE else None


def _in_months(number: int, unit: Unit) -> int | None:
    if unit == "months":
        return number if number in _LENGTHS else None
    return 12 // number if number in _LENGTHS else None


def _months(text: str) -> int | None:
    """Return the months between two instalments that a text says."""
    if re.fullmatch(r"\s*(?:0+|99)(?:[.,]0+)?\s*", text):
        return 0
    part = re.fullmatch(r"\s*1\s*/\s*(\d+)\s*", text)
    if part:
        return _whole(12, int(part[1]))
    words = plain(re.sub(r"(\d)\s*/\s*(?=[A-Za-z])", r"\1 per ", text))
    if words in _words():
        return _words()[words]
    if _WEEKS.search(words):
        return None  # thirteen a year is no number of months
    words = " ".join(_NUMBERS.get(word, word) for word in words.split())
    counted = next((read(match) for pattern, read in _COUNTED if (match := pattern.search(words))), _UNCOUNTED)
    if counted != _UNCOUNTED:
        return counted
    stem = next((months for months, stems in _STEMS if re.search(stems, words)), None)
    return _LETTERS.get(words) if stem is None else stem


def _length(match: re.Match[str]) -> int:
    return next(months for months in _UNITS if match[f"u{months}"])


def _whole(months: int, times: int) -> int | None:
    return months // times if times and months % times == 0 and months // times in _LENGTHS else None


_UNCOUNTED = -1
_COUNTED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int | None]], ...] = (
    (re.compile(r"maand(?:elijkse)? ?termijn|monthly instal"), lambda _: 1),
    (_OF_UNIT, lambda match: _whole(_length(match) * int(match["every"] or 1), int(match["times"] or 1))),
    (_TIMES_UNIT, lambda match: _whole(_length(match), int(match["times"]))),
    (_ONLY_TIMES, lambda match: _whole(12, int(match[1]))),
    (re.compile(r"^(?:maanden|maand en|months)\s*(\d+)$"), lambda match: _whole(int(match[1]), 1)),
    (re.compile(r"^(?:m|mnd)\s*(\d+)$"), lambda match: _whole(int(match[1]), 1)),
    (_SPAN, lambda match: _whole(_length(match) * int(match["every"]), 1)),
)


@dataclass(frozen=True)
class _Numbers:
    """How often the bare numbers of a column occur."""

    times: int  # a 2 or a 4
    months: int  # a 3 or a 6
    ends: bool  # both a 1 and a 12
    every: int

    @property
    def are_times(self) -> bool:
        enough = self.times >= min(_LEAST, _SHARE * self.every)
        return self.times > 0 and enough and self.times >= _FAR_MORE * self.months

    @property
    def are_months(self) -> bool:
        """They are months, or nothing speaks for anything else."""
        return not self.times and (self.months > 0 or not self.ends)


def _unit(
    table: Table,
    cells: pl.DataFrame,
    column: Told,
    bare: pl.Series,
    branch: pl.Series,
    settings: Settings,
    notes: Notes,
) -> Unit:
    """Say what the bare numbers of a column count."""
    asked = settings.ingest.term_unit
    heading = key_of(table.headings.heading("term") or "")
    if asked or bare.null_count() == bare.len():
        return asked or "months"
    rows = column.spread(bare)
    counts = {number: int((rows == number).sum()) for number in _LENGTHS}
    ends = counts[1] > 0 and counts[12] > 0
    seen = _Numbers(counts[2] + counts[4], counts[3] + counts[6], ends, sum(counts.values()))
    if _TIMES_A_YEAR.search(heading):
        return _say_times("heading", seen.every, seen.every, table, notes)
    if seen.are_times:
        return _say_times("numbers", seen.times, seen.every, table, notes)
    if seen.are_months or "maand" in heading or "month" in heading:
        return "months"
    way, few, many = _level(table, cells, rows, branch, settings)
    if way is not None and way <= -_TURNED:
        return _say_times("premiums", few, many, table, notes)
    _say_unsettled(seen, way is not None and way >= _TURNED, table, notes)
    return "months"


def _say_unsettled(seen: _Numbers, settled: bool, table: Table, notes: Notes) -> None:
    """Report numbers that may be either, where that changes a premium or most numbers speak against it."""
    mixed = seen.times * _FAR_MORE > seen.months > 0
    by_instalment = any(name in table.headings.at for name in ("premium_term", "premium_term_gross"))
    silent = not seen.times and not seen.months and by_instalment
    if (mixed or silent) and not settled and seen.every >= ENOUGH:
        rows = seen.times + seen.months if mixed else seen.every
        params = {"times": seen.times, "months": seen.months, **_where(table)}
        notes.find("AKB-D111", "issue", rows, rows / seen.every, **params)


def _where(table: Table) -> dict[str, Any]:
    return {"file": table.raw.name, "column": (table.headings.heading("term") or "")[:40]}


def _say_times(why: str, rows: int, of: int, table: Table, notes: Notes) -> Unit:
    explained = text_of_key("money", "nl", "terms", why).format(rows=rows, of=of)
    notes.find("AKB-D110", "tip", rows, why=explained, **_where(table))
    return "times"


def _level(
    table: Table, cells: pl.DataFrame, rows: pl.Series, branch: pl.Series, settings: Settings
) -> tuple[float | None, int, int]:
    """Return how the premium differs between the numbers, read as months (see `bases.level_by_term`)."""
    names = ("premium_term", "premium_term_gross", "premium", "premium_gross")
    name = next((name for name in names if name in table.headings.at), None)
    if name is None:
        return None, 0, 0
    amounts = read_amounts(texts_of(cells, name), decimal=settings.ingest.decimal)
    frame = pl.DataFrame({"branch": branch, "term": rows.cast(pl.Int8), "premium": amounts.cents})
    return level_by_term(frame.filter(pl.col("premium") > 0), pl.col("premium"))
