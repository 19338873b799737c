"""Features in as few bytes as their values need: codes of one or two bytes, and the values behind
them once.

Counts, flags, bands and days are most of what there is of a customer: of 391 features on 66,000
policies 301 have at most 256 different values and one more than 65,536. Nothing is rounded: a
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

_WIDTHS = (np.uint8, np.uint16)


class PlainColumn:
    """One feature of all rows, filled a part at a time."""

    def __init__(self, height: int) -> None:
        self._values = np.empty(height, dtype=np.float32)

    def put(self, at: NDArray[np.integer], given: NDArray[np.float32]) -> None:
        """Put the values of some rows; unknown is NaN."""
        self._values[at] = given

    def finished(self, name: str) -> tuple[pl.Series, NDArray[np.float32] | None]:
        """Return the column, and the values behind its codes; None where it holds values."""
        return pl.Series(name, self._values, nan_to_null=True), None


class CodedColumn:
    """The same in codes, as long as there are few values; more than one thread may fill it."""

    def __init__(self, height: int) -> None:
        self._codes: NDArray[np.generic] = np.zeros(height, dtype=_WIDTHS[0])
        self._known = np.empty(0, dtype=np.uint32)  # the bits of each value, in the order of codes
        self._sorted, self._code = self._known, np.empty(0, dtype=np.int64)
        self._lock = Lock()

    def put(self, at: NDArray[np.integer], given: NDArray[np.float32]) -> None:
        """Put the values of some rows; unknown is NaN."""
        bits = given.view(np.uint32)
        if not len(bits):
            return
        with self._lock:
            place = self._learned(bits)
            self._codes[at] = given if place is None else self._code[place]

    def _learned(self, bits: NDArray[np.uint32]) -> NDArray[np.intp] | None:
        """Return the places of these values among the sorted ones, to which new ones are added;
        None where there are too many.
        """
        if self._codes.dtype == np.float32:
            return None
        new = bits
        if len(self._sorted):
            place = np.minimum(np.searchsorted(self._sorted, bits), len(self._sorted) - 1)
            new = bits[self._sorted[place] != bits]
            if not len(new):
                return place
        self._learn(np.unique(new))
        if self._codes.dtype == np.float32:
            return None
        return np.searchsorted(self._sorted, bits)

    def _learn(self, new: NDArray[np.uint32]) -> None:
        self._known = np.concatenate([self._known, new])
        self._code = np.argsort(self._known, kind="stable")
        self._sorted = self._known[self._code]
        self._codes = _wide_enough(self._codes, self._known)

    def finished(self, name: str) -> tuple[pl.Series, NDArray[np.float32] | None]:
        """Return the column, and the values behind its codes; None where it holds values."""
        if self._codes.dtype == np.float32:
            return pl.Series(name, self._codes, nan_to_null=True), None
        return pl.Series(name, self._codes), self._known.view(np.float32)


def _wide_enough(codes: NDArray[np.generic], known: NDArray[np.uint32]) -> NDArray[np.generic]:
    """Return codes in a type that has one for every value, or the values where none has."""
    for width in _WIDTHS:
        if len(known) <= np.iinfo(width).max + 1:
            return codes if codes.dtype == width else codes.astype(width)
    values: NDArray[np.float32] = known.view(np.float32)
    return values[codes.astype(np.int64)]


def finished(
    rows: pl.DataFrame, columns: dict[str, PlainColumn | CodedColumn]
) -> tuple[pl.DataFrame, dict[str, NDArray[np.float32]]]:
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
    parts: Sequence[tuple[pl.DataFrame, Mapping[str, NDArray[np.float32]]]], names: Iterable[str]
) -> tuple[pl.DataFrame, dict[str, NDArray[np.float32]]]:
    """Return the rows of matrices below each other, with one code per value."""
    rows = pl.concat([frame.select("as_of", "customer") for frame, _ in parts])
    columns: dict[str, PlainColumn | CodedColumn] = {
        name: CodedColumn(rows.height) for name in names
    }
    for name, column in columns.items():
        first = 0
        for frame, coded in parts:
            given = frame[name].to_numpy()
            given = coded[name][given] if name in coded else given
            column.put(np.arange(first, first + frame.height), given)
            first += frame.height
    return finished(rows, columns)
