"""What a text says of a term: "12x per jaar", "per.

3 maand(en)", "Kwartaalbetaling", or a bare number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from akb.ingest.cells.texts import plain, rules
from akb.ingest.cells.words import own_words, read_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from akb.config import Settings
    from akb.ingest.cells.words import Meanings

LENGTHS = (1, 2, 3, 4, 6, 12)
"""Months that make whole instalments a year."""

_SINGLE = ("0", "99")  # codes of a single premium
_NUMBERS = {
    "eenmaal": "1 x", "eens": "1 x", "once": "1 x", "tweemaal": "2 x", "twice": "2 x",
    "viermaal": "4 x",
    "twaalfmaal": "12 x", "een": "1", "one": "1", "twee": "2", "two": "2", "drie": "3",
    "three": "3", "vier": "4",
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
_OF_UNIT = re.compile(
    rf"(?:\b(?P<times>\d+)\s*{_TIMES}?\s*)?\b{_EACH}\s*(?P<every>\d*)\s*(?:{_UNIT})\b"
)
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


def read_term_words(texts: pl.Series, settings: Settings | None = None) -> Meanings:
    """Return the months that the words of a column say; a bare number as it is written.

    Its column tells what it is.
    """
    own = own_words("term", settings)

    def meaning(text: str) -> str | None:
        if bare_number(text) is not None and not own_months(text, own):
            return text.strip()
        months = own_months(text, own) or months_in(text)
        return None if months is None else str(months)

    return read_with(texts, meaning)


def own_months(text: str, own: Mapping[str, str]) -> int | None:
    """Return the months that the client says a text means; None where he says nothing of it."""
    given = own.get(plain(text)) or own.get(text.strip().lower())
    return int(given) if given is not None and given.isdigit() else None


@cache
def _words() -> dict[str, int]:
    return {
        plain(word): int(months)
        for months, words in rules().values["term"].items()
        for word in words
    }


def bare_number(text: str) -> int | None:
    """Return a bare number of instalments or months, None for words and for the codes of a single
    premium.
    """
    match = re.fullmatch(r"\s*0*(\d{1,2})(?:[.,]0+)?\s*", text)
    return int(match[1]) if match and match[1] not in _SINGLE else None


def months_in(text: str) -> int | None:
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
    counted = next(
        (read(match) for pattern, read in _COUNTED if (match := pattern.search(words))), _UNCOUNTED
    )
    if counted != _UNCOUNTED:
        return counted
    stem = next((months for months, stems in _STEMS if re.search(stems, words)), None)
    return _LETTERS.get(words) if stem is None else stem


def _length(match: re.Match[str]) -> int:
    return next(months for months in _UNITS if match[f"u{months}"])


def _whole(months: int, times: int) -> int | None:
    return months // times if times and months % times == 0 and months // times in LENGTHS else None


_UNCOUNTED = -1
_COUNTED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int | None]], ...] = (
    (re.compile(r"maand(?:elijkse)? ?termijn|monthly instal"), lambda _: 1),
    (
        _OF_UNIT,
        lambda match: _whole(_length(match) * int(match["every"] or 1), int(match["times"] or 1)),
    ),
    (_TIMES_UNIT, lambda match: _whole(_length(match), int(match["times"]))),
    (_ONLY_TIMES, lambda match: _whole(12, int(match[1]))),
    (re.compile(r"^(?:maanden|maand en|months)\s*(\d+)$"), lambda match: _whole(int(match[1]), 1)),
    (re.compile(r"^(?:m|mnd)\s*(\d+)$"), lambda match: _whole(int(match[1]), 1)),
    (_SPAN, lambda match: _whole(_length(match) * int(match["every"]), 1)),
)
