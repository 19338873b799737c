"""Direct identifiers in free text, and who may be told of a text: the guard between an export and
everything written.

A category (an insurer, an office, an adviser) may be shown if it is no direct identifier and enough
customers share it. Names cannot be recognised by their form; the number of customers who share a
text keeps them out."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

    Span = tuple[int, int]
    Spans = Callable[[str], Iterator[Span]]

HEALTH_BRANCHES = frozenset(
    {
        "zorg",
        "aov",
        "verzuim",
        "wga_wia",
        "ongevallen",
        "orv",
        "uitvaart",
        "leven",
        "woonlasten",
        "pensioen",
    }
)
"""Branches whose claims speak of health, disability, absence or death: never a feature."""
OTHER_BRANCH = "overig"
"""Where what no taxonomy knows stands: its claims may speak of health, so they are no feature
either.
"""


@cache
def known_branches() -> frozenset[str]:
    """Return the branches that akb itself knows; of one that only an export or a client has, claims
    are no feature.
    """
    return frozenset(load_toml("branches.toml")) - {OTHER_BRANCH}


POSSIBLY = r"@|\d[\d\s().-]{6,}|[A-Za-z]{2}\d{2}|\d{4}\s?[A-Za-z]{2}\b|[A-Za-z]{5}\.?\s+\d"
"""What every identifier has something of: a cheap first look at a whole column."""

# Every pattern takes time in proportion to the text, whatever the text: what repeats has a bound or
# a fixed beginning.
_EMAIL = re.compile(r"[^\s@;,<>\"'()]{1,64}@[^\s@;,<>\"'()]{1,255}\.[A-Za-z]{2,}")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_PHONE = re.compile(
    r"(?<![\dA-Za-z])(?:(?:\+|00)[1-9]\d{0,2}(?:[\s./()-]{0,9}\d){8,10}|\(?0[1-9](?:[\s./()-]{0,9}\d){8})(?!\d)"
)
_BSN = re.compile(
    r"(?<![\dA-Za-z])\d{4}[ .]?\d{2}[ .]?\d{3}(?!\d)|(?<![\dA-Za-z])\d{3}[ .]\d{3}[ .]\d{3}(?!\d)"
)
_KVK = re.compile(r"(?i)(?:kvk|kamer van koophandel|rsin)\D{0,12}\d{8}(?!\d)|^\s*\d{8}\s*$")
_POSTCODE = r"(?<![\dA-Za-z])[1-9]\d{3}\s?[A-Za-z]{2}(?![\dA-Za-z])"
_STREET = (
    r"(?:straat|str\.|laan|weg|plein|dijk|kade|gracht|singel|hof|pad|dreef|steeg|markt|plantsoen|"
    r"oord|burgwal)"
)
_ADDRESS = re.compile(
    rf"{_POSTCODE}\W{{0,3}}\d{{1,5}}\b|\b\d{{1,5}}\s?[A-Za-z]?\W{{1,3}}{_POSTCODE}|^\s*{_POSTCODE}\s*$"
)
_STREET_AND_NUMBER = re.compile(rf"(?i)(?<=[a-z][a-z]){_STREET}\s{{1,9}}\d{{1,5}}\s?[a-z]?\b")
_LEAST_LETTERS = 2  # of a street's name before its ending
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_IBAN_LENGTHS = {
    "NL": 18,
    "BE": 16,
    "DE": 22,
    "FR": 27,
    "LU": 20,
    "GB": 22,
    "ES": 24,
    "IT": 27,
    "PL": 28,
    "AT": 20,
}


def is_iban(text: str) -> bool:
    """Return whether `text` is an IBAN: its length, and the remainder 1 after division by 97 (ISO
    13616).
    """
    compact = re.sub(r"[ -]", "", text).upper()
    if not 15 <= len(compact) <= 34 or _IBAN_LENGTHS.get(compact[:2], len(compact)) != len(compact):
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def is_bsn(text: str) -> bool:
    """Return whether `text` is a citizen service number: nine digits that pass the eleven-test."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    if len(digits) != 9 or not any(digits):
        return False
    return (
        sum(
            weight * digit
            for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True)
        )
        % 11
        == 0
    )


def pass_eleven_test(numbers: pl.Series) -> pl.Series:
    """Return `is_bsn` of many texts of nine digits at once."""
    import polars as pl

    digits = [pl.col("n").str.slice(place, 1).cast(pl.Int32) for place in range(9)]
    weighed = [
        weight * digit for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True)
    ]
    total = pl.sum_horizontal(weighed)
    some = pl.max_horizontal(digits) > 0
    return pl.DataFrame({"n": numbers}).select(((total % 11 == 0) & some).alias("bsn")).to_series()


def _iban_spans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        ends = [
            end
            for end in range(match.end(), match.start() + 14, -1)
            if is_iban(text[match.start() : end])
        ]
        if ends:
            yield match.start(), ends[0]


def _address_spans(text: str) -> Iterator[Span]:
    """Yield addresses, the first one first: each kind is looked for again only from where the one
    before ended.
    """
    at = 0
    street, other = _street_span(text, 0), _ADDRESS.search(text)
    while street or other:
        spans = [street] if street else []
        span = min([*spans, other.span()] if other else spans, key=lambda span: span[0])
        yield span
        at = span[1]
        if street and street[0] < at:
            street = _street_span(text, at)
        if other and other.start() < at:
            other = _ADDRESS.search(text, at)


def _street_span(text: str, at: int) -> Span | None:
    """Return the first street and number from `at`: its ending is looked for, and from there its
    first letter.
    """
    for match in _STREET_AND_NUMBER.finditer(text, at):
        begin = match.start()
        while begin > at and text[begin - 1] in _LETTERS:
            begin -= 1
        if match.start() - begin >= _LEAST_LETTERS:
            return begin, match.end()
    return None


def _spans(
    pattern: re.Pattern[str], test: Callable[[str], bool] | None = None
) -> Callable[[str], Iterator[tuple[int, int]]]:
    def find(text: str) -> Iterator[tuple[int, int]]:
        return (
            match.span() for match in pattern.finditer(text) if test is None or test(match.group())
        )

    return find


def _is_no_day(text: str) -> bool:
    """Return whether a bare number of eight digits is no date such as 20240131 or 31012024."""
    digits = "".join(sign for sign in text if sign.isdigit())
    return not re.fullmatch(
        r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|(?:[0-2]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d",
        digits,
    )


_DETECTORS: dict[str, Spans] = {
    "email": _spans(_EMAIL),
    "iban": _iban_spans,
    "phone": _spans(_PHONE),
    "bsn": _spans(_BSN, is_bsn),
    "kvk": _spans(_KVK, _is_no_day),
    "address": _address_spans,
}
KINDS = tuple(_DETECTORS)


def identifier_in(text: str) -> str | None:
    """Return the kind of the first direct identifier in a text (one of `KINDS`), None without one.

    E-mail address, IBAN (mod 97), telephone number, BSN (eleven-test), KvK number (named so, or
    eight bare digits), address (street and number, or a full postcode that stands alone or beside a
    house number)."""
    return next((kind for kind, find in _DETECTORS.items() if any(True for _ in find(text))), None)


def redacted(text: str) -> str:
    """Return the text with its direct identifiers taken out."""
    for find in _DETECTORS.values():
        parts, last = [], 0
        for start, end in find(text):
            parts += [text[last:start], "…"]
            last = end
        text = "".join([*parts, text[last:]])
    return text


def kinds_of(texts: pl.Series) -> dict[str, str]:
    """Return the distinct texts of a column that hold a direct identifier -> its kind."""
    import polars as pl

    distinct = texts.drop_nulls().unique().cast(pl.String)
    found = {
        text: identifier_in(text)
        for text in distinct.filter(distinct.str.contains(POSSIBLY)).sort()
    }
    return {text: kind for text, kind in found.items() if kind}


def looks_like_name(text: str) -> bool:
    """Return whether a text is written as the name of a person: "J. de Vries", "Anna van den Berg",
    "Jansen, P.A.".

    Two to six words: initials and capitalised words, with Dutch (and some other) particles between
    them; no digit, and no word of firms, places and products. Other texts look so too ("Nationale
    Nederlanden"): one is no evidence, a whole column of them with one per customer is."""
    particles, nobody = _words_of_names()
    words = text.replace(",", " ").split()
    others = [word for word in words if word.lower() not in particles]
    if not 2 <= len(words) <= 6 or not 1 <= len(others) <= 4:
        return False
    if any(word.replace(".", "").lower() in nobody for word in words):
        return False
    full = [word for word in others if _is_surname(word)]
    return bool(full) and all(word in full or _is_initials(word) for word in others)


@cache
def _words_of_names() -> tuple[frozenset[str], frozenset[str]]:
    words = load_toml("columns.toml")["values"]["person"]
    return frozenset(words["particles"]), frozenset(words["nobody"])


def _is_surname(word: str) -> bool:
    letters = re.sub(r"[.'\u2019-]", "", word)
    long = len(letters) > 2 or letters[1:].islower()
    return long and letters.isalpha() and letters[0].isupper()


def _is_initials(word: str) -> bool:
    parts = [part for part in re.split(r"[.-]", word) if part]
    return bool(parts) and all(
        part.isalpha() and part[0].isupper() and part[1:] in ("", "h", "j") for part in parts
    )


def may_be_shown(text: str, customers: int, limit: int) -> bool:
    """Return whether a text of the export may stand in an output: no identifier, and at least
    `limit` customers.
    """
    return customers >= limit and identifier_in(text) is None


def shared(values: pl.Series, customers: pl.Series, limit: int) -> frozenset[str]:
    """Return the texts that at least `limit` different customers share and that are no direct
    identifier.
    """
    import polars as pl

    counted = (
        pl.DataFrame({"value": values, "customer": customers})
        .drop_nulls()
        .group_by("value")
        .agg(customers=pl.col("customer").n_unique())
    )
    return frozenset(
        value for value, count in counted.iter_rows() if may_be_shown(value, count, limit)
    )
