"""Cells of text to clean text, dates, amounts and coded values; a whole column at a time.

Everything is decided on the distinct values of a column and then looked up, so that three million rows cost
little more than their distinct values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.core.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACES = "[\\s\u00a0\u2007\u202f\ufeff\u200b]+"
_PREFIX = 6  # letters of a word that may begin a longer one ("telefoongesprek")
_ACCENTS = str.maketrans(
    "áàâäãåéèêëíìîïóòôöõúùûüýÿñçšžÁÀÂÄÃÅÉÈÊËÍÌÎÏÓÒÔÖÕÚÙÛÜÝÑÇ", "aaaaaaeeeeiiiiooooouuuuyyncszAAAAAAEEEEIIIIOOOOOUUUUYNC"
)


@dataclass(frozen=True)
class Rules:
    """The tables of ``configs/columns.toml`` that say what cells mean and when a pattern is a pattern."""

    values: dict[str, dict[str, list[str]]]
    rules: dict[str, dict[str, float]]


@cache
def rules() -> Rules:
    """Return the shipped rules."""
    table = load_toml("columns.toml")
    return Rules(table["values"], table["rules"])


def rule(table: str, key: str) -> float:
    """Return one threshold of ``[rules.<table>]``."""
    return float(rules().rules[table][key])


def plain(text: str) -> str:
    """Return `text` in lower case, without accents, punctuation and double spaces."""
    lowered = text.translate(_ACCENTS).lower()
    return " ".join("".join(c if c.isalnum() else " " for c in lowered).split())


def shape(text: str | None, longest: int = 40) -> str:
    """Return what a value looks like without saying what it is: ``12-03-2020`` becomes ``99-99-9999``.

    Digits become 9, letters x or X; other signs stay. Cut at `longest` characters.
    """
    if not text:
        return ""
    signs = ("9" if c.isdigit() else ("X" if c.isupper() else "x") if c.isalpha() else c for c in text[:longest])
    return "".join(c if c.isprintable() else " " for c in signs) + ("…" if len(text) > longest else "")


def clean(texts: pl.Series) -> pl.Series:
    """Return cells without outer spaces and Excel's text tricks (``="00123"``, ``'00123``); empty is null."""
    if texts.dtype != pl.String:
        texts = texts.cast(pl.String)
    cleaned = (
        texts.str.strip_chars(" \t\r\n\u00a0\ufeff\u200b")
        .str.replace(r'^="?(.*?)"?$', "${1}")
        .str.strip_prefix("'")
        .str.strip_chars(" \t")
    )
    return cleaned.to_frame("t").select(pl.when(pl.col("t") != "").then(pl.col("t"))).to_series().alias(texts.name)


def look_up(texts: pl.Series, distinct: pl.Series, values: pl.Series) -> pl.Series:
    """Return ``values`` at the place of each text, given the values of the `distinct` texts."""
    table = pl.DataFrame({"t": distinct, "v": values})
    found = texts.to_frame("t").join(table, on="t", how="left", maintain_order="left", nulls_equal=True)
    return found["v"].alias(texts.name)


@cache
def _null_texts() -> frozenset[str]:
    return frozenset(plain(word).replace(" ", "") for word in rules().values["null"]["text"])


def distinct_of(texts: pl.Series) -> pl.Series:
    """Return the distinct cells, sorted, null left out."""
    return texts.drop_nulls().unique().sort()


def known(texts: pl.Series) -> pl.Series:
    """Return clean texts in which words for "nothing is known" are null."""
    cleaned = clean(texts)
    distinct = distinct_of(cleaned)
    nothing = _null_texts()
    short = distinct.filter((distinct.str.len_chars() <= 8) & ~distinct.str.contains(r"\d"))
    empty = [text for text in short if plain(text).replace(" ", "") in nothing]
    if not empty:
        return cleaned
    return (
        cleaned.to_frame("t").select(pl.when(~pl.col("t").is_in(empty)).then(pl.col("t"))).to_series().alias(texts.name)
    )


def identifiers(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return ids as text, as written and as the key to join on (upper case, no spaces and dots)."""
    written = known(texts.str.replace_all('"', "", literal=True))
    whole = written.str.contains(r"^\d+\.0$")
    if whole.any() and bool(whole.drop_nulls().all()):  # numbers that passed through a spreadsheet
        written = written.str.strip_suffix(".0")
    key = written.str.replace_all(r"[\s\.\x{a0}]", "").str.to_uppercase()
    key = key.to_frame("k").select(pl.when(pl.col("k") != "").then(pl.col("k"))).to_series()
    return written.alias(texts.name), key.alias(texts.name)


def coded(texts: pl.Series, table: str | Mapping[str, list[str]]) -> tuple[pl.Series, int]:
    """Return the meaning of coded cells, and how many filled cells have none.

    Parameters
    ----------
    texts
        Cells.
    table
        Name of a table in ``[values]``, or the table itself: meaning -> words.
    """
    words = rules().values[table] if isinstance(table, str) else table
    exact = {plain(word): meaning for meaning, entries in words.items() for word in entries}
    long = sorted((word for word in exact if len(word) >= _PREFIX), key=lambda word: (-len(word), word))
    texts = known(texts)
    distinct = distinct_of(texts)

    def meaning(text: str) -> str | None:
        word = plain(text)
        if word.isdigit():
            word = word.lstrip("0") or "0"
        if word in exact:
            return exact[word]
        padded = f" {word}"
        return next((exact[entry] for entry in long if word.startswith(entry) or f" {entry} " in f"{padded} "), None)

    values = pl.Series([meaning(text) for text in distinct], dtype=pl.String)
    result = look_up(texts, distinct, values)
    return result, int((texts.is_not_null() & result.is_null()).sum())
