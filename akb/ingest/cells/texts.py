"""Cells of text to clean text, dates, amounts and coded values; a whole column at a time.

Everything is decided on the distinct values of a column and then looked up, so that three million
rows cost little more than their distinct values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.wording.text import load_toml
from akb.ingest.cells.remembered import SHORT, remembered

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACCENTS = str.maketrans(
    "áàâäãåéèêëíìîïóòôöõúùûüýÿñçšžÁÀÂÄÃÅÉÈÊËÍÌÎÏÓÒÔÖÕÚÙÛÜÝÑÇ",
    "aaaaaaeeeeiiiiooooouuuuyyncszAAAAAAEEEEIIIIOOOOOUUUUYNC",
)


@dataclass(frozen=True)
class Rules:
    """The tables of ``configs/columns.toml`` that say what cells mean and when a pattern is a
    pattern.
    """

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
    """Return what a value looks like without saying what it is: ``12-03-2020`` becomes
    ``99-99-9999``.

    Digits become 9, letters x or X; other signs stay. Cut at `longest` characters.
    """
    if not text:
        return ""
    signs = (
        "9" if c.isdigit() else ("X" if c.isupper() else "x") if c.isalpha() else c
        for c in text[:longest]
    )
    return "".join(c if c.isprintable() else " " for c in signs) + (
        "…" if len(text) > longest else ""
    )


def clean(texts: pl.Series) -> pl.Series:
    """Return cells without outer spaces and Excel's text tricks (``="00123"``, ``'00123``); empty
    is null.
    """
    if texts.dtype != pl.String:
        texts = texts.cast(pl.String)
    if texts.null_count() == texts.len():
        return texts
    # one question for the whole column: each question costs as much as its few rows
    cell = texts.to_frame("t")
    if texts.len() <= SHORT:
        cleaned = cell.select_seq(_without_tricks(_STRIPPED)).to_series()
    else:  # of many rows the patterns cost most, and hardly a column has such a cell
        cleaned = cell.select_seq(_STRIPPED).to_series()
        if cleaned.to_frame("t").select_seq(_HAS_TRICKS).item():
            cleaned = cleaned.to_frame("t").select_seq(_without_tricks(pl.col("t"))).to_series()
    cleaned = cleaned.alias(texts.name)
    return _where(cleaned, pl.col("t") != "") if (cleaned == "").any() else cleaned


_STRIPPED = pl.col("t").str.strip_chars(" \t\r\n\u00a0\ufeff\u200b")
_HAS_TRICKS = (pl.col("t").str.starts_with("=") | pl.col("t").str.starts_with("'")).any()


def _without_tricks(cell: pl.Expr) -> pl.Expr:
    bare = cell.str.replace(r'^="?(.*?)"?$', "${1}").str.strip_prefix("'")
    return bare.str.strip_chars(" \t")


def _where(texts: pl.Series, keep: pl.Expr) -> pl.Series:
    """Return the texts ``t`` for which `keep` holds, null for the others."""
    kept = texts.to_frame("t").select_seq(pl.when(keep).then(pl.col("t")))
    return kept.to_series().alias(texts.name)


@dataclass(frozen=True)
class DistinctTexts:
    """What a column says: its distinct texts, and which of them stands where.

    Parameters
    ----------
    texts
        The distinct known texts (see `known`), sorted.
    place
        Per row the position in `texts`, u32; null where nothing is told.
    """

    texts: pl.Series
    place: pl.Series

    def spread(self, values: pl.Series) -> pl.Series:
        """Return per row the value of its text, given one per distinct text; null where nothing is
        told.
        """
        return values[self.place].alias(self.place.name)

    def filled(self) -> int:
        """Return the number of rows that tell something."""
        return self.place.len() - self.place.null_count()


def nothing(name: str, rows: int) -> pl.Series:
    """Return a column in which nothing stands."""
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, rows)


def compact(texts: pl.Series) -> pl.Series:
    """Return a column of text as codes with a dictionary of its own, four bytes a row."""
    return (
        texts
        if isinstance(texts.dtype, pl.Categorical)
        else texts.cast(pl.Categorical(pl.Categories.random()))
    )


class Packer:
    """Puts a table together from parts; columns whose texts repeat become codes as they come in.

    Parameters
    ----------
    columns
        Names of the columns.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._parts: dict[str, list[pl.Series]] = {name: [] for name in columns}
        self._types: dict[str, pl.DataType] = {}

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; the first ones decide which columns become codes."""
        if not self._types:
            self._types = {
                name: pl.Categorical(pl.Categories.random())
                if _repeats(rows[name])
                else rows.schema[name]
                for name in self._parts
            }
        packed = rows.select(pl.col(name).cast(dtype) for name, dtype in self._types.items())
        for name, parts in self._parts.items():
            parts.append(packed[name])

    def frame(self) -> pl.DataFrame:
        """Return the table and let go of its parts."""
        if not self._types:
            return pl.DataFrame(
                schema={name: pl.Int64 if name == "line" else pl.String for name in self._parts}
            )
        columns = [pl.concat(self._parts.pop(name), rechunk=True) for name in list(self._parts)]
        return pl.DataFrame(columns)


def packed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose columns of repeating texts are codes."""
    return rows.with_columns(compact(cells) for cells in rows if _repeats(cells))


def _repeats(cells: pl.Series) -> bool:
    return cells.dtype == pl.String and 2 * cells.n_unique() <= cells.len()


@remembered
def distinct_texts(texts: pl.Series, *, marks: bool = False) -> DistinctTexts:
    """Return the distinct known texts of a column (text, or codes with a dictionary) and where they
    stand.

    With `marks` a sign such as ✓ or * says something; else cells of signs only are empty.
    """
    if texts.null_count() == texts.len():
        nowhere = pl.Series([None], dtype=pl.UInt32).new_from_index(0, texts.len())
        return DistinctTexts(pl.Series(dtype=pl.String), nowhere)
    if texts.len() <= SHORT:
        return _distinct_of_few(texts, marks=marks)
    codes = compact(texts)
    present = codes.unique().drop_nulls()
    cleaned = _known(present.cast(pl.String), marks=marks)
    distinct = distinct_of(cleaned)
    spots = look_up(cleaned, distinct, pl.int_range(distinct.len(), dtype=pl.UInt32, eager=True))
    return DistinctTexts(distinct, _per_row(codes, present, spots))


def _distinct_of_few(texts: pl.Series, *, marks: bool) -> DistinctTexts:
    """Return the distinct texts of a short column, looked up without a question to Polars, each of
    which costs more than so few rows.
    """
    cells = texts.to_list()
    present = [text for text in dict.fromkeys(cells) if text is not None]
    cleaned = _known(pl.Series(present, dtype=pl.String), marks=marks).to_list()
    distinct = sorted({text for text in cleaned if text is not None})
    spots = {text: spot for spot, text in enumerate(distinct)}
    places = {text: spots.get(clean) for text, clean in zip(present, cleaned, strict=True)}
    return DistinctTexts(
        pl.Series(texts.name, distinct, dtype=pl.String),
        pl.Series(texts.name, [places.get(text) for text in cells], dtype=pl.UInt32),
    )


def _per_row(codes: pl.Series, present: pl.Series, values: pl.Series) -> pl.Series:
    """Return per row the value of its code, given one for each code that is `present`."""
    numbers = present.to_physical().to_numpy()
    place = np.zeros(int(numbers.max(initial=0)) + 1, dtype=np.uint32)
    place[numbers] = np.arange(len(numbers), dtype=np.uint32)
    spots = pl.Series(place)[codes.to_physical()]
    return values[spots].alias(codes.name)


def look_up(texts: pl.Series, distinct: pl.Series, values: pl.Series) -> pl.Series:
    """Return ``values`` at the place of each text, given the values of the `distinct` texts."""
    table = pl.DataFrame({"t": distinct, "v": values})
    found = texts.to_frame("t").join(
        table, on="t", how="left", maintain_order="left", nulls_equal=True
    )
    return found["v"].alias(texts.name)


@cache
def _null_texts() -> frozenset[str]:
    return frozenset(plain(word).replace(" ", "") for word in rules().values["null"]["text"])


@lru_cache(maxsize=20_000)
def says_nothing(text: str) -> bool:
    """Say whether a text is a word for "nothing is known"."""
    return plain(text).replace(" ", "") in _null_texts()


def is_mark(text: str) -> bool:
    """Say whether a text is made of signs only and is none of those that say that nothing is
    known.
    """
    return bool(text.strip()) and not plain(text) and text.strip() not in _signs_of_nothing()


@cache
def _signs_of_nothing() -> frozenset[str]:
    listed = rules().values["null"]
    return frozenset(word for word in (*listed["text"], *listed["signs"]) if not plain(word))


def distinct_of(texts: pl.Series) -> pl.Series:
    """Return the distinct cells as text, sorted, null left out."""
    if texts.len() <= SHORT:
        few = sorted({text for text in texts.to_list() if text is not None})
        return pl.Series(texts.name, few, dtype=pl.String)
    return texts.drop_nulls().unique().cast(pl.String).sort()


def distinct_with(texts: pl.Series, pattern: str) -> pl.Series:
    """Return the distinct cells in which a pattern is found, as text, in no order."""
    if isinstance(texts.dtype, pl.Categorical):
        texts = texts.unique().cast(pl.String)
    return texts.filter(texts.str.contains(pattern)).unique()


_WORD = 8  # signs of the longest word for "nothing is known"
_FIGURE = re.compile(r"\d|€")  # of a number; "€ -" is zero


@remembered
def known(texts: pl.Series) -> pl.Series:
    """Return clean texts in which words for "nothing is known" are null."""
    if isinstance(texts.dtype, pl.Categorical):
        cells = distinct_texts(texts)
        return cells.spread(cells.texts)
    return _known(texts)


def _known(texts: pl.Series, *, marks: bool = False) -> pl.Series:
    if texts.null_count() == texts.len():
        return texts.cast(pl.String)
    cleaned = clean(texts)
    if cleaned.len() <= SHORT:
        return _known_of_few(cleaned, marks=marks)
    cell = pl.col("t")
    few = cleaned.to_frame("t").filter(cell.str.len_chars() <= _WORD)
    short = few.filter(~cell.str.contains(_FIGURE.pattern)).unique()  # "€ -" is zero
    empty = [text for text in short["t"] if says_nothing(text) and not (marks and is_mark(text))]
    return _where(cleaned, ~pl.col("t").is_in(empty)) if empty else cleaned


def _known_of_few(cleaned: pl.Series, *, marks: bool) -> pl.Series:
    """Return what `_known` does of a short column, a text at a time."""
    cells = cleaned.to_list()
    empty = {
        text
        for text in set(cells)
        if text is not None
        and len(text) <= _WORD
        and not _FIGURE.search(text)
        and says_nothing(text)
        and not (marks and is_mark(text))
    }
    if not empty:
        return cleaned
    filled = [None if text in empty else text for text in cells]
    return pl.Series(cleaned.name, filled, dtype=pl.String)


@remembered
def identifiers(
    texts: pl.Series, letters: frozenset[str] = frozenset()
) -> tuple[pl.Series, pl.Series]:
    """Return ids as text, as written and as the key to join on: upper case, no spaces and dots.

    `letters` names what of the writing tells numbers apart and stays in the key: ``dots`` (and
    spaces), ``case``."""
    if isinstance(texts.dtype, pl.Categorical):
        present = texts.unique().drop_nulls()
        written, key = _identifiers(present.cast(pl.String), letters)
        return _per_row(texts, present, written), _per_row(texts, present, key)
    return _identifiers(texts, letters)


def _identifiers(texts: pl.Series, letters: frozenset[str]) -> tuple[pl.Series, pl.Series]:
    if texts.len() > SHORT and not texts.to_frame("t").select_seq(_HAS_OTHER_SIGNS).item():
        written = known(texts)  # a key as it stands
        return written, written
    written = known(texts.str.replace_all('"', "", literal=True))
    if "dots" not in letters:
        whole = written.str.contains(r"^\d+\.0$")
        if whole.any() and whole.all():  # through a spreadsheet
            written = written.str.strip_suffix(".0")
    cell = pl.col("t").str
    key = (
        cell.replace_all(r"[\s\x{a0}]+", " ")
        if "dots" in letters
        else cell.replace_all(r"[\s\.\x{a0}]", "")
    )
    key = key if "case" in letters else key.str.to_uppercase()
    keys = written.to_frame("t").select_seq(key).to_series()
    keys = _where(keys, pl.col("t") != "") if (keys == "").any() else keys
    return written.alias(texts.name), keys.alias(texts.name)


# small letters, blanks, dots, quotes, letters with accents: what a key may write otherwise
_HAS_OTHER_SIGNS = pl.col("t").str.contains("[^!#-\\-/-`{-~]").any()
