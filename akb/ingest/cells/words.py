"""Coded words of an export in their meaning: status, kind, term, collection, channel, yes and no.

A meaning is a whole one. "Niet-natuurlijk persoon" holds "natuurlijk persoon", and says the
opposite: a word that denies turns what follows it round where there is an opposite, and leaves it
unknown where there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.config import WORDS
from akb.core.wording.text import load_toml
from akb.ingest.cells.texts import distinct_texts, plain, rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from akb.config import Settings

OWN = {column or "permission": table for table, column in WORDS.items()}
"""Column of coded words -> table of ``[ingest]`` in which the client says what his own words mean.
"""
LISTED = {
    "status": ("policies",),
    "kind": ("policies", "customers"),
    "term": ("policies", "premiums"),
    "collection": ("policies",),
    "channel": ("contacts",),
}
"""Column of coded words that are listed with their counts -> roles of the tables in which it
stands.
"""
_PREFIX = 6  # letters of a word that may begin a longer one ("telefoongesprek")
_CLAUSES = re.compile(r"[,;()+/|]|\bmaar\b|\bbut\b", re.IGNORECASE)


@dataclass(frozen=True)
class Meanings:
    """A column of words.

    Parameters
    ----------
    values
        Meaning per row; null where nothing stands, or something unknown.
    unknown
        Distinct texts without a meaning -> number of rows.
    """

    values: pl.Series
    unknown: dict[str, int]


@dataclass(frozen=True)
class Vocabulary:
    """The words of one table of ``[values]``: as they stand, and those long enough to stand in a
    longer text.
    """

    exact: Mapping[str, str]
    long: tuple[str, ...]
    opposites: Mapping[str, str]


def read_words(texts: pl.Series, column: str, settings: Settings | None = None) -> Meanings:
    """Return what the words of a column mean.

    Parameters
    ----------
    texts
        Cells.
    column
        A table of ``[values]`` in ``configs/columns.toml``.
    settings
        The client's own words win; None where there are none.
    """
    own = own_words(column, settings)
    vocabulary = vocabulary_of(column)

    def meaning(text: str) -> str | None:
        return own.get(plain(text)) or own.get(text.strip().lower()) or meaning_of(text, vocabulary)

    return read_with(texts, meaning)


def read_with(
    texts: pl.Series, meaning: Callable[[str], str | None], *, marks: bool = False
) -> Meanings:
    """Return the meaning of each row, given the meaning of a text; with `marks` signs alone are
    texts too.
    """
    cells = distinct_texts(texts, marks=marks)
    values = cells.spread(pl.Series([meaning(text) for text in cells.texts], dtype=pl.String))
    if values.null_count() == cells.place.null_count():
        return Meanings(values, {})
    lost = cells.place.filter(cells.place.is_not_null() & values.is_null()).alias("place")
    counts = lost.value_counts(sort=False).sort("place")
    return Meanings(values, {cells.texts[place]: int(count) for place, count in counts.iter_rows()})


def own_words(column: str, settings: Settings | None) -> dict[str, str]:
    """Return the client's own words of a column, compared as akb compares them; marks stay as they
    are.
    """
    given = getattr(settings.ingest, OWN[column]) if settings and column in OWN else {}
    return {plain(text) or text.strip().lower(): meaning for text, meaning in given.items()}


@cache
def vocabulary_of(column: str) -> Vocabulary:
    """Return the words of a table of ``[values]``."""
    return vocabulary(
        rules().values[column], load_toml("columns.toml")["opposites"].get(column, {})
    )


def vocabulary(
    words: Mapping[str, list[str]], opposites: Mapping[str, str] | None = None
) -> Vocabulary:
    """Return meaning -> words as a vocabulary."""
    exact = {plain(word): meaning for meaning, entries in words.items() for word in entries}
    long = sorted(
        (word for word in exact if len(word) >= _PREFIX), key=lambda word: (-len(word), word)
    )
    return Vocabulary(exact, tuple(long), opposites or {})


@cache
def _denial() -> dict[str, frozenset[str]]:
    return {name: frozenset(words) for name, words in rules().values["denial"].items()}


def denies(before: str) -> bool:
    """Say whether a text ends with a word that denies what comes after it."""
    words = before.split()
    while words and words[-1] in _denial()["fillers"]:
        words.pop()
    return bool(words) and words[-1] in _denial()["words"]


def stands_in(text: str, word: str) -> bool:
    """Say whether a word stands somewhere in a text without a denial before it."""
    place = text.find(word)
    while place >= 0:
        if not denies(text[:place]):
            return True
        place = text.find(word, place + 1)
    return False


def meaning_of(text: str, words: Vocabulary) -> str | None:
    """Return the meaning of a text: as a whole, else of its clauses if they agree."""
    whole = plain(text)
    number = re.sub(r"^(\d+)[.,]0+$", r"\1", text.strip())
    word = plain(number) if number.isdigit() else whole
    if word.isdigit():
        word = word.lstrip("0") or "0"
    if word in words.exact:
        return words.exact[word]
    meanings = {
        meaning for part in _CLAUSES.split(text) if (meaning := _clause(plain(part).split(), words))
    }
    return meanings.pop() if len(meanings) == 1 else None


def _clause(parts: list[str], words: Vocabulary) -> str | None:
    """Return the meaning of a clause: of what stands before a denial, else the opposite of what
    follows it.
    """
    if not parts:
        return None
    joined = " ".join(parts)
    if joined in words.exact:
        return words.exact[joined]
    denial = _denial()
    if (
        len(parts) > 1 and parts[-1] in denial["yes"] | denial["no"]
    ):  # "geroyeerd: nee", "actief: ja"
        said = _stands(" ".join(parts[:-1]), words)
        return words.opposites.get(said or "") if parts[-1] in denial["no"] else said
    at = next((place for place, part in enumerate(parts) if part in denial["words"]), None)
    if at is None:
        return _stands(joined, words)
    before = _stands(" ".join(parts[:at]), words)
    if before:
        return before
    after = parts[at + 1 :]
    said = _stands(" ".join(after), words)
    while after and not said and after[0] in denial["fillers"]:
        after = after[1:]
        said = _stands(" ".join(after), words)
    not_yet = at and parts[at - 1] in denial["not_yet"]
    return None if not_yet and said not in denial["comes"] else words.opposites.get(said or "")


def _stands(text: str, words: Vocabulary) -> str | None:
    """Return the meaning of the longest known word that a text is, begins with or holds as a
    whole.
    """
    if text in words.exact:
        return words.exact[text]
    padded = f" {text} "
    entries = [entry for entry in words.long if text.startswith(entry) or f" {entry} " in padded]
    meanings = {words.exact[entry] for entry in entries}
    if len(meanings) > 1 and all(words.opposites.get(each) in meanings for each in meanings):
        return None  # "particulier en zakelijk": both, so neither
    return words.exact[entries[0]] if entries else None
