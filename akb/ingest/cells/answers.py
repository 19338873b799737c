"""Yes and no as offices write them: words, numbers, and marks in a box.

A mark is an answer: ✓, ☑, *, × or • says yes where the others are empty. Only where a column has
ticks as well as crosses is a cross a no; an empty box is one always."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import distinct_of, rules
from akb.ingest.cells.words import Meanings, meaning_of, read_with, vocabulary_of

if TYPE_CHECKING:
    from collections.abc import Callable

YES, NO = "yes", "no"
_NUMBER = re.compile(r"^[-+]?(\d+)(?:[.,]0+)?$")  # Access writes yes as -1


def read_answers(texts: pl.Series) -> Meanings:
    """Return ``yes`` or ``no`` per row; null where nothing stands, or something that is neither."""
    mark = marks_of(texts)
    vocabulary = vocabulary_of("boolean")

    def answer(text: str) -> str | None:
        return mark(text) or meaning_of(bare(text), vocabulary)

    return read_with(texts, answer, marks=True)


def marks_of(texts: pl.Series) -> Callable[[str], str | None]:
    """Return what a mark means in this column: text -> ``yes``, ``no``, or None where it is no
    mark.
    """
    ticks, crosses, others, empty = _marks()
    standing = {text.strip() for text in distinct_of(texts)}
    crossed = NO if standing & ticks and standing & crosses else YES
    meaning = (
        dict.fromkeys([*ticks, *others], YES)
        | dict.fromkeys(crosses, crossed)
        | dict.fromkeys(empty, NO)
    )
    return lambda text: meaning.get(text.strip().removesuffix("\ufe0f"))


def bare(text: str) -> str:
    """Return a number without sign and without a fraction of zeros ("1,0", "0.00", "-1"); another
    text as it is.
    """
    number = _NUMBER.match(text.strip())
    return number[1] if number else text


@cache
def _marks() -> tuple[frozenset[str], ...]:
    table = rules().values["marks"]
    return tuple(frozenset(table[name]) for name in ("ticks", "crosses", "others", "empty"))
