"""The office's annual accounts beside what the export adds up to: amounts are brought to the
accounts, to the cent, and the factor is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from akb.core.relations import in_force

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import polars as pl

LOW, HIGH = 0.7, 1.3
"""A factor outside of these says that the file and the accounts do not speak of the same thing."""
COLUMNS = {"commission": "commission_cents", "fee": "fee_cents"}


@dataclass(frozen=True)
class AccountLine:
    """A total of the accounts beside the same in the file or in the model, in cents a year."""

    accounts: int
    counted: int

    @property
    def factor(self) -> float | None:
        """What amounts are multiplied with; None where there is nothing to multiply."""
        return self.accounts / self.counted if self.counted > 0 else None

    @property
    def far(self) -> bool:
        """Whether the two lie further apart than `LOW` and `HIGH` allow."""
        return self.factor is None or not LOW <= self.factor <= HIGH


def file_column(column: str) -> str:
    """Return under which name the amounts of the file stay."""
    return f"{column.removesuffix('_cents')}_file_cents"


def in_file(policies: pl.DataFrame) -> pl.DataFrame:
    """Return policies with the amounts of the file, whatever they were brought to."""
    kept = {file_column(column): column for column in COLUMNS.values()}
    there = {kept[name]: name for name in policies.columns if name in kept}
    return policies.with_columns(**there).drop(list(there.values()))


def brought_to_accounts(
    policies: pl.DataFrame, as_of: date, totals: Mapping[str, int]
) -> tuple[pl.DataFrame, dict[str, AccountLine]]:
    """Return policies whose recurring amounts in force add up to the accounts, to the cent.

    Parameters
    ----------
    policies
        With what was brought there before, the amounts of the file are taken: doing it again
        changes nothing.
    totals
        Line of `COLUMNS` -> cents a year.

    Returns
    -------
    tuple
        The policies, with the amounts of the file under `file_column`; and the lines. A line of
        which the file knows nothing changes nothing. Each policy is rounded to a cent; what
        roundings leave is carried on to the next one, policies in force first.
    """
    import polars as pl

    policies, lines = in_file(policies), dict[str, AccountLine]()
    for name, total in totals.items():
        column, kept = COLUMNS[name], file_column(COLUMNS[name])
        known = column in policies.columns
        held = in_force(policies, as_of)
        line = AccountLine(total, int(held[column].sum() or 0) if known else 0)
        lines[name] = line
        if line.factor is None:
            continue
        first = pl.col("policy").is_in(held["policy"].implode())
        running = (pl.col(column).fill_null(0).cum_sum() * line.factor).round().cast(pl.Int64)
        scaled = (
            policies.sort(~first, "policy")
            .with_columns(running=running)
            .select(
                "policy",
                scaled=pl.when(pl.col(column).is_not_null()).then(
                    pl.col("running") - pl.col("running").shift(1, fill_value=0)
                ),
            )
        )
        policies = (
            policies.with_columns(pl.col(column).alias(kept))
            .join(scaled, on="policy", how="left", maintain_order="left")
            .with_columns(pl.col("scaled").alias(column))
            .drop("scaled")
        )
    return policies, lines


def times(policies: pl.DataFrame, lines: Mapping[str, AccountLine]) -> pl.DataFrame:
    """Return policies of an earlier day with their amounts times today's factors."""
    import polars as pl

    policies = in_file(policies)
    factors = {
        COLUMNS[name]: line.factor
        for name, line in lines.items()
        if line.factor is not None and COLUMNS[name] in policies.columns
    }
    return policies.with_columns(
        *(pl.col(column).alias(file_column(column)) for column in factors),
        *(
            (pl.col(column) * factor).round().cast(pl.Int64).alias(column)
            for column, factor in factors.items()
        ),
    )
