"""What is tested: the columns of today's values that features use, one code per policy, and a
column's own name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.features.grid import to_day

if TYPE_CHECKING:
    from akb.ingest.types import Portfolio

ROLES = (
    "adviser",
    "office",
    "region",
    "postcode",
    "kind",
    "birth_year",
    "insurer",
    "term",
    "collection",
    "renewal",
)
"""Canonical columns of which the source keeps today's value and that features use."""
MOST_POLICIES = 150_000
BINS = 10
FEW_VALUES = 30
"""A number with more values is cut into tenths."""
YEARS = 5
ENOUGH_ALIKE = 30
"""Policies per stratum: with fewer a value is compared with itself, and the strata are made wider.
"""


def tested_rows(portfolio: Portfolio) -> pl.DataFrame:
    """Return the policies that were in force for a day, sorted: policy, customer, stratum, start,
    end, lost.

    Of a very large portfolio every so-manieth customer.
    """
    policies = portfolio.policies
    every = max(1, -(-policies.height // MOST_POLICIES))
    chosen = policies.filter(pl.col("customer") % every == 0).sort("policy")
    technical = (pl.col("cause") == "technical") | pl.col("replaced_on").is_not_null()
    return chosen.select(
        "policy",
        "customer",
        stratum=_strata(chosen),
        start=pl.col("start_date").to_physical(),
        end=pl.col("end_date").to_physical(),
        lost=pl.col("end_date").is_not_null() & ~technical.fill_null(value=False),
    )


def _strata(policies: pl.DataFrame) -> pl.Series:
    """Return policies alike in branch and year of start, as a code; in a small book of a year, or
    some years.
    """
    year = pl.col("start_date").dt.year()
    for alike in (pl.struct("branch", year), year, year // 3, year // 6):
        found = policies.select(alike.rank("dense").cast(pl.UInt32).alias("stratum")).to_series()
        if found.len() >= ENOUGH_ALIKE * found.n_unique():
            return found
    return pl.zeros(policies.height, pl.UInt32, eager=True).alias("stratum")


def tested_days(portfolio: Portfolio) -> list[int]:
    """Return X and the days before it on which windows open, within the recorded history,
    descending.

    Years where there are two at least, else halves of what there is.
    """
    recorded, x = portfolio.history.recorded_from, portfolio.as_of
    if recorded is None:
        return [to_day(x)]
    months = portfolio.history.months
    step = 12 if months >= 24 else 6 if months >= 12 else 3 if months >= 6 else 1
    days = [x]
    while len(days) <= YEARS and add_months(x, -step * len(days)) >= recorded:
        days.append(add_months(x, -step * len(days)))
    return [to_day(day) for day in days]


def role_codes(portfolio: Portfolio, rows: pl.DataFrame) -> dict[str, list[pl.Series]]:
    """Return per canonical column that is filled the codings under which it is tested, a code per
    row of `rows`.
    """
    texts = role_texts(portfolio, rows)
    found = {
        name: [coded(texts[name])]
        for name in texts.columns
        if texts[name].null_count() < texts.height
    }
    born = _of_customers(portfolio, rows, "birth_year")["birth_year"]
    if born.null_count() < born.len():
        found["birth_year"] = number_codes(born, rows["stratum"])
    return {name: found[name] for name in ROLES if name in found}


def role_texts(portfolio: Portfolio, rows: pl.DataFrame) -> pl.DataFrame:
    """Return per row of `rows` the canonical columns that hold a text or a code; of a renewal
    whether it has moved.
    """
    moved = pl.col("renewal_date").dt.month() != pl.col("start_date").dt.month()
    policies = rows.select("policy").join(
        portfolio.policies.select(
            "policy",
            "insurer",
            "collection",
            term=pl.col("payment_months").cast(pl.String),
            renewal=pl.when(moved).then(pl.lit("moved")).when(~moved).then(pl.lit("start")),
        ),
        on="policy",
        how="left",
        maintain_order="left",
    )
    people = _of_customers(portfolio, rows, "adviser", "office", "kind", "postcode4", "region")
    people = people.with_columns(postcode=pl.col("postcode4").str.slice(0, 2))
    return policies.drop("policy").hstack(people.drop("customer", "postcode4"))


def _of_customers(portfolio: Portfolio, rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    customers = portfolio.customers
    given = [
        pl.col(name) if name in customers.columns else pl.lit(None, pl.String).alias(name)
        for name in names
    ]
    return rows.select("customer").join(
        customers.select("customer", *given), on="customer", how="left", maintain_order="left"
    )


def coded(texts: pl.Series) -> pl.Series:
    """Return texts as their position in the alphabet; null stays null."""
    return texts.rank("dense").cast(pl.Int64)


def number_codes(numbers: pl.Series, stratum: pl.Series) -> list[pl.Series]:
    """Return two codings of numbers: their values (many: tenths), and tenths within the stratum;
    null stays null.
    """
    values = numbers.cast(pl.Float64)
    whole = coded(values) if values.n_unique() <= FEW_VALUES else _tenths(values, None)
    return [whole, _tenths(values, stratum)]


def _tenths(values: pl.Series, stratum: pl.Series | None) -> pl.Series:
    frame = pl.DataFrame({"v": values, "s": np.zeros(values.len()) if stratum is None else stratum})
    place = (pl.col("v").rank("average").over("s") - 0.5) / pl.col("v").count().over("s")
    return frame.select((place * BINS).floor().cast(pl.Int64)).to_series()
