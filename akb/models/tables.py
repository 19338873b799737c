"""Small helpers for tables of customers and branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def positions(customers: NDArray[np.uint32], of: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return where each of `of` stands in the ascending `customers`; all must be there."""
    return np.searchsorted(customers, of).astype(np.int64)


def named_rows(
    customer: NDArray[np.uint32], group: NDArray[np.int16], names: Sequence[str], chance: Any
) -> pl.DataFrame:
    """Return customer, branch, probability of some rows, by customer and the name of the branch.

    Parameters
    ----------
    group
        Per row the place of its branch in `names`.
    """
    keys = pl.Enum(sorted(names))  # sorted by one byte: of millions of rows texts are gigabytes
    branch = pl.Series("branch", names, dtype=keys).gather(group)
    rows = pl.DataFrame(
        {"customer": customer, "branch": branch, "probability": chance},
        schema={"customer": pl.UInt32, "branch": keys, "probability": pl.Float64},
    )
    return rows.sort("customer", "branch").with_columns(pl.col("branch").cast(pl.String))


def wide(branches: pl.DataFrame, keys: dict[str, str]) -> pl.DataFrame:
    """Return customer + one Float32 column per branch of `keys` (branch -> key); null where there
    is no row.
    """
    chosen = branches.filter(pl.col("branch").is_in(list(keys)))
    frame = chosen.select(pl.col("customer").unique().sort())
    for branch, key in keys.items():
        own = chosen.filter(pl.col("branch") == branch)
        column = own.select("customer", pl.col("probability").cast(pl.Float32).alias(key))
        frame = frame.join(column, on="customer", how="left", maintain_order="left")
    return frame


def stored(given: pl.DataFrame) -> pl.DataFrame:
    """Return scores as they are kept: numbers as Float32, classes as text."""
    return given.with_columns(pl.selectors.float().cast(pl.Float32))
