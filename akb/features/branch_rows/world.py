"""What held and eligible branch rows have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY, in_one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Branch, Settings
    from akb.features.cut import Cut
    from akb.features.types import Feature
    from akb.ingest.types import Portfolio


class BranchWorld:
    """What both kinds of rows need to know of the portfolio."""

    def __init__(
        self,
        portfolio: Portfolio,
        branches: Mapping[str, Branch],
        recorded: int | None,
        rows: pl.DataFrame,
        settings: Settings,
    ) -> None:
        self.branches = list(branches)
        self.names = pl.Enum(sorted(settings.taxonomy()))
        self.rules = tuple(branches.values())
        self.customers = portfolio.customers.select("customer", "kind", "birth_year", "adviser")
        self.recorded = recorded
        self.gap_days = settings.time.gap_days
        self.rows = rows

    def asked(self, seen: Cut) -> pl.LazyFrame:
        """Return t, customer of those at the dates of a Cut who have a row in the matrix."""
        return (
            seen.dates.lazy()
            .select("t", "as_of")
            .join(self.rows.lazy().select("as_of", "customer"), on="as_of")
            .select(KEY)
        )

    def seen(self, window: int, days: int = 0) -> pl.Expr:
        """Whether T - window (- days) lies within the recorded history."""
        return (
            pl.lit(value=False)
            if self.recorded is None
            else pl.col(f"back_{window}") - days >= self.recorded
        )

    def code(self) -> pl.Expr:
        """The key of a branch code in one byte: there are tens of millions of rows."""
        return pl.col("branch").replace_strict(
            range(len(self.branches)), self.branches, return_dtype=self.names
        )

    def name(self) -> pl.Expr:
        """The key of a branch code."""
        return pl.col("branch").replace_strict(
            range(len(self.branches)), self.branches, return_dtype=pl.String
        )


def finished(table: pl.LazyFrame, features: dict[str, pl.Expr], world: BranchWorld) -> pl.DataFrame:
    """Return keys, features, label and event date of a table with ``event`` (a day) and
    ``ahead_12``.
    """
    label = (pl.col("event") <= pl.col("ahead_12")).fill_null(value=False)
    return table.select(
        "as_of",
        "customer",
        world.code(),
        *(value.cast(pl.Float32).alias(name) for name, value in features.items()),
        label=label.cast(pl.Float32),
        event_date=pl.col("event").cast(pl.Date),
    ).collect()


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return branch rows by as_of, branch key (an Enum in alphabetical order) and customer."""
    return rows.sort(in_one(pl.col("as_of").to_physical(), pl.col("branch").to_physical()))


def names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    """Return the names of features."""
    return tuple(feature.name for feature in features)
