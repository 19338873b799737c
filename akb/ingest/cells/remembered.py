"""What was read of a short column is remembered: its losses, its repairs and its readers ask for
the same.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

SHORT = (
    5_000  # rows: comparing them costs less than reading them, and so many columns fit in memory
)
COLUMNS = 128


class _Column:
    """A column that equals another one if the same texts stand in it under the same name."""

    def __init__(self, cells: pl.Series) -> None:
        self.cells = cells
        self.content = (cells.name, isinstance(cells.dtype, pl.Categorical), *cells.to_list())
        self.hash = hash(self.content)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Column) and self.content == other.content


def remembered(
    read: Callable[Concatenate[pl.Series, P], R],
) -> Callable[Concatenate[pl.Series, P], R]:
    """Return a reader of a column that answers at once about a short column that it has read.

    Nobody changes what it answers: a frozen dataclass or a tuple of columns."""

    @lru_cache(maxsize=COLUMNS)
    def latest(column: _Column, options: tuple[Any, ...], named: tuple[tuple[str, Any], ...]) -> R:
        return read(column.cells, *options, **dict(named))

    @wraps(read)
    def answer(cells: pl.Series, *args: P.args, **kwargs: P.kwargs) -> R:
        if cells.len() > SHORT or cells.dtype not in (pl.String, pl.Categorical):
            return read(cells, *args, **kwargs)
        return latest(_Column(cells), args, tuple(kwargs.items()))

    return cast("Callable[Concatenate[pl.Series, P], R]", answer)
