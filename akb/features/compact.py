"""Features in as few bytes as their values need: codes of one or two bytes, and the values behind
them once.

Counts, flags, bands and days are most of what there is of a customer: of 391 features on 66,000
policies 301 have at most 256 different values and one more than 65,535. Nothing is rounded: a
value comes back to the bit.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Codes = NDArray[np.uint16 | np.uint8]
    Rows = NDArray[np.integer]
    Values = NDArray[np.float32]

_WIDTHS = (np.uint8, np.uint16)
_NOBODY = np.iinfo(np.uint16).max
"""Stands where no code does, so that one value less than two bytes could tell has a code."""
_SPACE = 4
"""Places in a table per value at least: then the first look finds nine of ten."""
_SPREAD = np.uint32(0x9E3779B1)
"""2^32 over the golden ratio, made odd: neighbouring values get places far apart (Knuth, TAOCP 3,
section 6.4).
"""


class _CodeTable:
    """Which code each value has: a hash table with linear probing, asked and filled by column.

    A value is found by one multiplication and two looks, where a search among 60,000 sorted ones
    takes seventeen.
    """

    def __init__(self) -> None:
        self.values = np.empty(0, dtype=np.uint32)  # the bits of each value, in the order of codes
        self._codes = np.full(1 << 10, _NOBODY, dtype=np.uint16)

    def find(self, bits: NDArray[np.uint32]) -> NDArray[np.uint16]:
        """Return the code of each value; `_NOBODY` of those that have none."""
        if not len(self.values):
            return np.full(len(bits), _NOBODY, dtype=np.uint16)
        place = self._home(bits)
        codes = self._codes[place]
        other = self._others(codes, bits)
        while len(other):  # another value, or none, stands there
            other = other[codes[other] != _NOBODY]
            place[other] = self._next(place[other])
            codes[other] = self._codes[place[other]]
            other = other[self._others(codes[other], bits[other])]
        return codes

    def add(self, new: NDArray[np.uint32]) -> None:
        """Give values that have no code the next ones; they differ from each other."""
        first = len(self.values)
        self.values = np.concatenate([self.values, new])
        if len(self.values) * _SPACE > len(self._codes):
            size = 1 << (len(self.values) * _SPACE * 2 - 1).bit_length()
            self._codes = np.full(size, _NOBODY, dtype=np.uint16)
            first = 0
        codes = np.arange(first, len(self.values)).astype(np.uint16)
        place = self._home(self.values[first:])
        while len(codes):
            free = self._codes[place] == _NOBODY
            self._codes[place[free]] = codes[free]  # of two in one place the last stays
            left = self._codes[place] != codes
            codes, place = codes[left], self._next(place[left])

    def _home(self, bits: NDArray[np.uint32]) -> NDArray[np.intp]:
        """The places where values are looked for first."""
        unused = np.uint32(33 - len(self._codes).bit_length())
        return ((bits * _SPREAD) >> unused).astype(np.intp)

    def _next(self, place: NDArray[np.intp]) -> NDArray[np.intp]:
        return (place + 1) & (len(self._codes) - 1)

    def _others(self, codes: NDArray[np.uint16], bits: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Where the code found is not that of the value."""
        found = self.values.take(codes.astype(np.intp), mode="clip")
        return np.flatnonzero((found != bits) | (codes == _NOBODY))


class PlainColumn:
    """One feature of all rows, filled a part at a time."""

    def __init__(self, height: int) -> None:
        self._values = np.empty(height, dtype=np.float32)

    def put(self, at: Rows, values: Values) -> None:
        """Put the values of some rows; unknown is NaN."""
        self._values[at] = values

    def put_codes(self, at: Rows, codes: Codes, values: Values) -> None:
        """Put what codes stand for."""
        self._values[at] = values[codes]

    def finished(self, name: str) -> tuple[pl.Series, Values | None]:
        """Return the column, and the values behind its codes; None where it holds values."""
        return pl.Series(name, self._values, nan_to_null=True), None


class CodedColumn:
    """The same in codes, as long as there are few values; more than one thread may fill it."""

    def __init__(self, height: int) -> None:
        self._codes: NDArray[np.generic] = np.zeros(height, dtype=_WIDTHS[0])
        self._table = _CodeTable()
        self._lock = Lock()

    def put(self, at: Rows, values: Values) -> None:
        """Put the values of some rows; unknown is NaN."""
        with self._lock:
            codes = self._coded(values)
            self._codes[at] = values if codes is None else codes

    def put_codes(self, at: Rows, codes: Codes, values: Values) -> None:
        """Put what codes stand for."""
        with self._lock:
            own = self._coded(values)
            self._codes[at] = values[codes] if own is None else own[codes]

    def _coded(self, values: Values) -> NDArray[np.uint16] | None:
        """Return the codes of values, new ones get the next; None where there are too many."""
        if self._codes.dtype == np.float32:
            return None
        bits = values.view(np.uint32)
        codes = self._table.find(bits)
        unknown = codes == _NOBODY
        if not unknown.any():
            return codes
        new = np.unique(bits[unknown])
        self._codes = _wide_enough(self._codes, self._table.values, len(new))
        if self._codes.dtype == np.float32:
            return None
        self._table.add(new)
        codes[unknown] = self._table.find(bits[unknown])
        return codes

    def finished(self, name: str) -> tuple[pl.Series, Values | None]:
        """Return the column, and the values behind its codes; None where it holds values."""
        if self._codes.dtype == np.float32:
            return pl.Series(name, self._codes, nan_to_null=True), None
        return pl.Series(name, self._codes), self._table.values.view(np.float32)


def _wide_enough(
    codes: NDArray[np.generic], known: NDArray[np.uint32], more: int
) -> NDArray[np.generic]:
    """Return codes in a type that has one for the known values and some more, or the values where
    none has.
    """
    for width in _WIDTHS:
        if len(known) + more <= min(np.iinfo(width).max + 1, _NOBODY):
            return codes if codes.dtype == width else codes.astype(width)
    values: Values = known.view(np.float32)
    return values[codes.astype(np.intp)] if len(known) else np.zeros(len(codes), dtype=np.float32)


def put_rows(
    columns: Mapping[str, PlainColumn | CodedColumn],
    at: Rows,
    frame: pl.DataFrame,
    coded: Mapping[str, Values],
) -> None:
    """Put some rows of all columns, as `finished` gives them."""
    for name, column in columns.items():
        given = frame[name].to_numpy()
        if name in coded:
            column.put_codes(at, given, coded[name])
        else:
            column.put(at, given)


def finished(
    rows: pl.DataFrame, columns: dict[str, PlainColumn | CodedColumn]
) -> tuple[pl.DataFrame, dict[str, Values]]:
    """Return the columns beside their rows and the values behind codes; `columns` is emptied, so
    that none is there twice.
    """
    made, coded = list(rows), {}
    for name in list(columns):
        series, values = columns.pop(name).finished(name)
        made.append(series)
        if values is not None:
            coded[name] = values
    return pl.DataFrame(made), coded


def stacked(
    parts: Sequence[tuple[pl.DataFrame, Mapping[str, Values]]], names: Iterable[str]
) -> tuple[pl.DataFrame, dict[str, Values]]:
    """Return the rows of matrices below each other, with one code per value."""
    rows = pl.concat([frame.select("as_of", "customer") for frame, _ in parts])
    columns: dict[str, PlainColumn | CodedColumn] = {
        name: CodedColumn(rows.height) for name in names
    }
    first = 0
    for frame, coded in parts:
        put_rows(columns, np.arange(first, first + frame.height), frame, coded)
        first += frame.height
    return finished(rows, columns)
