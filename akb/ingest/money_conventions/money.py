"""Premium, commission, fee, signing fee and profit commission in cents per year, net of insurance
premium tax; and what came once.

What the columns mean is found by `conventions`; here it is applied, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.amounts import read_amounts
from akb.ingest.columns.notes import texts_of
from akb.ingest.money_conventions.conventions import read_conventions
from akb.ingest.money_conventions.questions import MoneyColumns, says
from akb.ingest.money_conventions.thresholds import PREMIUMS, TAX
from akb.ingest.money_conventions.unit import in_cents
from akb.ingest.money_conventions.writing import (
    check_level,
    say_contradiction,
    say_forms,
    signs_turned,
)

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table
    from akb.ingest.columns.readings import MoneyConventions

_FEES = ("fee", "fee_term")
_SIGNINGS = ("signing", "signing_term")
ONCE = ("one_off", "advice_fee")
"""Commission at the sale and fees for advice: earned once, at the start of the policy."""
_AMOUNTS = (
    *PREMIUMS,
    "commission",
    "commission_term",
    *_FEES,
    "fee_customer",
    *_SIGNINGS,
    "profit",
    "tax",
    *ONCE,
)
_RATES = ("commission_rate", "signing_rate")
_PARTS = 10_000  # of a percent: 6.125 % and .06125 are both read whole
MONEY_OF = {
    "premium_cents": PREMIUMS,
    "commission_cents": ("commission", "commission_term", "commission_rate"),
    "fee_cents": _FEES,
    "signing_cents": (*_SIGNINGS, "signing_rate"),
    "profit_cents": ("profit",),
    "one_off_cents": ONCE,
}


@dataclass(frozen=True)
class Money:
    """Cents per row (null where unknown), and how they were read.

    Parameters
    ----------
    rows
        premium_cents (net of tax), commission_cents (recurring), fee_cents (of the policy),
        fee_customer_cents (of the customer, on each of his rows), signing_cents, profit_cents:
        Int64, per year; and one_off_cents, earned once.
    conventions
        How premium and commission were read.
    one_off
        Rows with a one-off commission or fee: it is no revenue that comes back.
    unsure
        Cells such as ``1.234`` that no other cell explains.
    """

    rows: pl.DataFrame
    conventions: MoneyConventions
    one_off: int
    unsure: int


@dataclass(frozen=True)
class MoneyRows:
    """The rows of a file of which the money is read.

    Parameters
    ----------
    cells
        Their cells.
    branch
        Branch per row.
    term
        Months per instalment per row; 0 for a single premium, null if unknown.
    counts
        Rows that may tell what the columns mean (those known at X); None for all.
    """

    cells: pl.DataFrame
    branch: pl.Series
    term: pl.Series
    counts: pl.Series | None = None

    def telling(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that may tell what the columns mean."""
        return rows if self.counts is None else rows.filter(self.counts)


def read_money(table: Table, rows: MoneyRows, settings: Settings, notes: Notes) -> Money:
    """Return the money per year of rows of a table.

    Parameters
    ----------
    table, rows
        The file and the rows of it that count.
    settings
        ``[ingest]`` overrides what is found.
    notes
        Receives the number of unreadable amounts.
    """
    amounts, unsure, signs, whole = _amounts(table, rows.cells, settings, notes)
    taxonomy = settings.taxonomy()
    usual = {key: entry.premium for key, entry in taxonomy.items()}
    taxed = rows.branch.is_in([key for key, entry in taxonomy.items() if entry.taxed])
    frame = pl.DataFrame({**amounts, "branch": rows.branch, "term": rows.term, "taxed": taxed})
    frame = frame.with_columns(
        rate=_fraction("commission_rate"), signing_share=_fraction("signing_rate")
    )
    frame = signs_turned(frame, rows.telling(frame), table, notes)
    cents = in_cents(rows.telling(frame), whole, settings, table, notes)
    frame = frame.with_columns((pl.col(cents) / 100).round().cast(pl.Int64)) if cents else frame
    rates = {key: entry.commission for key, entry in taxonomy.items()}
    seen = MoneyColumns(
        rows.telling(frame), table.headings, settings.ingest, rates=rates, premiums=usual
    )
    conventions = read_conventions(seen)
    say_contradiction(seen, table, notes)
    frame = frame.with_columns(premium_cents=_premium(conventions, settings))
    check_level(rows.telling(frame), table, usual, notes)
    money = frame.select(
        "premium_cents",
        commission_cents=_commission(table, conventions),
        fee_cents=pl.coalesce(
            _yearly(table, "fee", "year"), _yearly(table, "fee_term", "instalment")
        ),
        fee_customer_cents=_yearly(table, "fee_customer", "year"),
        signing_cents=_signing(table, conventions),
        profit_cents=_yearly(table, "profit", "year"),
        one_off_cents=pl.when(pl.any_horizontal(pl.col(ONCE).is_not_null())).then(
            pl.sum_horizontal(ONCE)
        ),
    )
    table.dialect |= {"decimal": " ".join(sorted(signs))} if signs else {}
    table.dialect |= {name: reading.value for name, reading in conventions.readings().items()}
    if conventions.commission_basis and conventions.commission_basis.value == "amount":
        del table.dialect["commission_basis"]  # goes without saying
    once = int((money["one_off_cents"].fill_null(0) != 0).sum())
    return Money(money, conventions, once, unsure)


def per_year(per: str) -> pl.Expr:
    """Return how often an amount is paid in a year.

    Null for an instalment of unknown length and a single premium.
    """
    if per == "instalment":
        return pl.when(pl.col("term") > 0).then(12 // pl.col("term").replace(0, None))
    return pl.lit(12 if per == "month" else 1)


def _amounts(
    table: Table, cells: pl.DataFrame, settings: Settings, notes: Notes
) -> tuple[dict[str, pl.Series], int, set[str], list[str]]:
    """Return the columns of money, doubtful cells, decimal signs and the columns that may be in
    cents.
    """
    unsure, signs, whole = 0, set(), []
    cents: dict[str, pl.Series] = {}
    nothing = pl.Series([None], dtype=pl.Int64)
    for column in (*_AMOUNTS, *_RATES):
        if column not in table.headings.at:
            cents[column] = nothing.new_from_index(0, cells.height)
            continue
        scale = _PARTS if column in _RATES else 100
        amounts = read_amounts(
            texts_of(cells, column), decimal=settings.ingest.decimal, scale=scale
        )
        notes.count_unreadable(column, amounts.unreadable)
        cents[column] = amounts.cents
        unsure += amounts.assumed
        signs |= {amounts.decimal} - {""}
        whole += [column] if amounts.whole and column not in _RATES else []
        say_forms(amounts, column, table, notes)
    return cents, unsure, signs, whole


def _fraction(column: str) -> pl.Expr:
    """Return a column of rates as fractions: percentages, unless none of them is above one."""
    value = pl.col(column) / _PARTS
    return (
        pl.when((value.abs().max() > 1).fill_null(value=False)).then(value / 100).otherwise(value)
    )


def _cents(value: pl.Expr) -> pl.Expr:
    return value.round().cast(pl.Int64)


def _premium(conventions: MoneyConventions, settings: Settings) -> pl.Expr:
    """Return the net premium per year.

    Of the column that was judged, else of another that is filled.
    """
    tax = pl.when("taxed").then(1 + TAX).otherwise(1.0)
    asked = settings.ingest

    def net(column: str) -> pl.Expr:
        if column == conventions.premium and conventions.premium_per and conventions.premium_basis:
            per, basis = conventions.premium_per.value, conventions.premium_basis.value
        else:
            per = asked.premium_per or ("instalment" if "term" in column else "year")
            basis = asked.premium_basis or ("gross" if column.endswith("gross") else "net")
        value = pl.col(column) * per_year(per)
        return _cents(value / tax) if basis == "gross" else value.cast(pl.Int64)

    return pl.coalesce(net(column) for column in PREMIUMS)


def _commission(table: Table, conventions: MoneyConventions) -> pl.Expr:
    """Return the recurring commission per year: an amount, else a percentage of the net premium."""
    rate = _cents(pl.col("premium_cents") * pl.col("rate"))
    per = conventions.commission_per.value if conventions.commission_per else "year"
    kind = conventions.commission_basis
    parts = []
    for column in ("commission", "commission_term"):
        if column == conventions.commission and kind and kind.value == "percentage":
            parts.append(_cents(pl.col("premium_cents") * pl.col(column) / 10_000))
        elif column == conventions.commission:
            parts.append((pl.col(column) * per_year(per)).cast(pl.Int64))
        else:
            parts.append(_yearly(table, column, "instalment" if "term" in column else "year"))
    return pl.coalesce(*parts, rate)


def _yearly(table: Table, column: str, usual: str) -> pl.Expr:
    """Return an amount per year.

    The heading may say per month or per year, else it is as `usual`.
    """
    said = says(table.headings.heading(column), "month", "year") or usual
    return (pl.col(column) * per_year(said if usual == "year" or said == "month" else usual)).cast(
        pl.Int64
    )


def _signing(table: Table, conventions: MoneyConventions) -> pl.Expr:
    """Return the signing fee per year.

    A silent heading is per instalment where the commission's is.
    """
    follows = conventions.commission_per.value if conventions.commission_per else "year"
    said = says(table.headings.heading("signing"), "month", "year") or follows
    return pl.coalesce(
        (pl.col("signing") * per_year(said)).cast(pl.Int64),
        _yearly(table, "signing_term", "instalment"),
        _cents(pl.col("premium_cents") * pl.col("signing_share")),
    )
