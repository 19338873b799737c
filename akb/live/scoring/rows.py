"""The rows of one customer before and after corrections, as the stored models expect them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.features.types import BranchRows, Matrix

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun
    from akb.models.rescoring import PlainScores


class WholeRun:
    """What a run knows of everyone at X, and the models that it is asked with."""

    def __init__(self, run: StoredRun, portfolio: Portfolio, settings: Settings) -> None:
        from akb.features import SingleCustomers, build_matrix, build_targets

        self._run, self._settings = run, settings
        taught = run.taught_branches()
        self._matrix = build_matrix(portfolio, [portfolio.as_of], settings)
        targets = build_targets(portfolio, self._matrix, settings, taught)
        self._held, self._eligible = (
            _RowsByCustomer(rows) for rows in (targets.held, targets.eligible)
        )
        self._singles = SingleCustomers(portfolio, settings, taught)
        self._number = int(portfolio.customers["customer"].max()) + 1  # type: ignore[arg-type]
        none = pl.DataFrame(schema=targets.counts.schema)
        # what models look at beside the rows they are asked about
        self._targets = replace(targets, counts=none)
        self._places = _places(self._matrix.rows["customer"])

    def answered(self, made: Portfolio, number: int) -> tuple[PlainScores, int]:
        """Return what the models say of a customer as the export knows him and, under the number
        that is returned, corrected.

        Parameters
        ----------
        made
            Of `corrections.corrected`.
        """
        from akb.models.rescoring import plain_scores

        now, matrix = self._singles.rows_of(made, number), self._matrix
        first, _ = self._places[number]
        frame = _below(matrix.at(first), now.features, self._number)
        branches = (
            self._held.beside(now.held, number, self._number),
            self._eligible.beside(now.eligible, number, self._number),
        )
        said = plain_scores(
            Matrix(frame, matrix.features),
            branches,
            self._targets,
            self._settings,
            self._run.models,
        )
        return said, self._number


class _RowsByCustomer:
    """Rows per branch of X, found by customer."""

    def __init__(self, rows: BranchRows) -> None:
        frame = rows.frame.sort("customer", maintain_order=True)
        self._rows = replace(rows, frame=frame)
        self._places = _places(frame["customer"])

    def beside(self, corrected: BranchRows, number: int, other: int) -> BranchRows:
        """Return the rows of a customer, and below them the corrected ones under another number."""
        first, last = self._places.get(number, (0, 0))
        own = self._rows.frame.slice(first, last - first)
        both = _below(own, corrected.frame, other)
        return replace(self._rows, frame=both.sort("branch", "customer"))


def _below(own: pl.DataFrame, corrected: pl.DataFrame, other: int) -> pl.DataFrame:
    """Put corrected rows under another number below one's own."""
    number = pl.lit(other, dtype=own.schema["customer"]).alias("customer")
    return pl.concat([own, corrected.with_columns(number).select(own.columns)])


def _places(customers: pl.Series) -> dict[int, tuple[int, int]]:
    """Customer -> the first and behind the last of his rows, which stand together."""
    values = customers.to_numpy()
    found, first = np.unique(values, return_index=True)
    ends = np.append(first[1:], len(values))
    return {
        int(customer): (int(begin), int(end))
        for customer, begin, end in zip(found, first, ends, strict=True)
    }
