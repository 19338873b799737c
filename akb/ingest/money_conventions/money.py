"""Premium, commission, fee and signing fee in cents per year, net of insurance premium tax.

What the columns mean is found by `bases`; here it is applied, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.amounts import read_amounts
from akb.ingest.columns.notes import texts_of
from akb.ingest.columns.readings import Bases
from akb.ingest.money_conventions.bases import TAX, per_year, read_bases, says
from akb.ingest.money_conventions.units import check_level, in_cents, say_forms, settled_by_usual, signs_turned

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

_PREMIUMS = ("premium", "premium_gross", "premium_term", "premium_term_gross")
_FEES = ("fee", "fee_term")
_SIGNINGS = ("signing", "signing_term")
_AMOUNTS = (*_PREMIUMS, "commission", "commission_term", *_FEES, "fee_customer", *_SIGNINGS, "tax", "one_off")
_RATES = ("commission_rate", "signing_rate")
_PARTS = 10_000  # of a percent: 6.125 % and .06125 are both read whole
MONEY_OF = {
    "premium_cents": _PREMIUMS,
    "commission_cents": ("commission", "commission_term", "commission_rate"),
    "fee_cents": _FEES,
    "signing_cents": (*_SIGNINGS, "signing_rate"),
}


@dataclass(frozen=True)
class Money:
    """Cents per row (null where unknown), and how they were read.

    Parameters
    ----------
    rows
        premium_cents (net of tax), commission_cents (recurring), fee_cents (of the policy), fee_customer_cents (of
        the customer, on each of his rows), signing_cents: Int64, per year.
    bases
        How premium and commission were read.
    one_off
        Rows with a one-off commission: it is no revenue that comes back.
    unsure
        Cells such as ``1.234`` that no other cell explains.
    """

    rows: pl.DataFrame
    bases: Bases
    one_off: int
    unsure: int


def read_money(
    table: Table,
    cells: pl.DataFrame,
    branch: pl.Series,
    term: pl.Series,
    settings: Settings,
    notes: Notes,
    counts: pl.Series | None = None,
) -> Money:
    """Return the money per year for the rows of `cells`.

    Parameters
    ----------
    table, cells
        The file and the rows of it that count.
    branch
        Branch per row.
    term
        Months per instalment per row; 0 for a single premium, null if unknown.
    settings
        ``[ingest]`` overrides what is found.
    notes
        Receives the number of unreadable amounts.
    counts
        Rows that may tell what the columns mean (those known at X); None for all.
    """
    amounts, unsure, signs, whole = _amounts(table, cells, settings, notes)
    taxonomy = settings.taxonomy()
    usual = {key: entry.premium for key, entry in taxonomy.items()}
    taxed = branch.is_in([key for key, entry in taxonomy.items() if entry.taxed])
    frame = pl.DataFrame({**amounts, "branch": branch, "term": term, "taxed": taxed})
    frame = frame.with_columns(rate=_fraction("commission_rate"), signing_share=_fraction("signing_rate"))
    frame = signs_turned(frame, frame if counts is None else frame.filter(counts), table, notes)
    known = frame if counts is None else frame.filter(counts)
    cents = in_cents(known, whole, table, settings.ingest, taxonomy, notes)
    frame = frame.with_columns((pl.col(cents) / 100).round().cast(pl.Int64)) if cents else frame
    known = frame if counts is None else frame.filter(counts)
    bases = read_bases(
        known, table.headings, settings.ingest, {key: entry.commission for key, entry in taxonomy.items()}
    )
    bases = settled_by_usual(bases, known, usual)
    frame = frame.with_columns(premium_cents=_premium(bases, settings))
    check_level(frame if counts is None else frame.filter(counts), table, usual, notes)
    rows = frame.select(
        "premium_cents",
        commission_cents=_commission(table, bases),
        fee_cents=pl.coalesce(_yearly(table, "fee", "year"), _yearly(table, "fee_term", "instalment")),
        fee_customer_cents=_yearly(table, "fee_customer", "year"),
        signing_cents=_signing(table, bases),
    )
    table.dialect |= {"decimal": " ".join(sorted(signs))} if signs else {}
    table.dialect |= {name: reading.value for name, reading in bases.readings().items()}
    if bases.commission_basis and bases.commission_basis.value == "amount":
        del table.dialect["commission_basis"]  # goes without saying
    return Money(rows, bases, int((frame["one_off"].fill_null(0) != 0).sum()), unsure)


def _amounts(
    table: Table, cells: pl.DataFrame, settings: Settings, notes: Notes
) -> tuple[dict[str, pl.Series], int, set[str], list[str]]:
    """Return the columns of money, doubtful cells, decimal signs and the columns that may be in cents."""
    unsure, signs, whole = 0, set(), []
    cents: dict[str, pl.Series] = {}
    for column in (*_AMOUNTS, *_RATES):
        if column not in table.headings.at:
            cents[column] = pl.Series([None] * cells.height, dtype=pl.Int64)
            continue
        scale = _PARTS if column in _RATES else 100
        amounts = read_amounts(texts_of(cells, column), decimal=settings.ingest.decimal, scale=scale)
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
    return pl.when((value.abs().max() > 1).fill_null(value=False)).then(value / 100).otherwise(value)


def _cents(value: pl.Expr) -> pl.Expr:
    return value.round().cast(pl.Int64)


def _premium(bases: Bases, settings: Settings) -> pl.Expr:
    """Return the net premium per year: of the column that was judged, else of another that is filled."""
    tax = pl.when("taxed").then(1 + TAX).otherwise(1.0)
    asked = settings.ingest

    def net(column: str) -> pl.Expr:
        if column == bases.premium and bases.premium_per and bases.premium_basis:
            per, basis = bases.premium_per.value, bases.premium_basis.value
        else:
            per = asked.premium_per or ("instalment" if "term" in column else "year")
            basis = asked.premium_basis or ("gross" if column.endswith("gross") else "net")
        value = pl.col(column) * per_year(per)
        return _cents(value / tax) if basis == "gross" else value.cast(pl.Int64)

    return pl.coalesce(net(column) for column in _PREMIUMS)


def _commission(table: Table, bases: Bases) -> pl.Expr:
    """Return the recurring commission per year: an amount, else a percentage of the net premium."""
    rate = _cents(pl.col("premium_cents") * pl.col("rate"))
    per = bases.commission_per.value if bases.commission_per else "year"
    parts = []
    for column in ("commission", "commission_term"):
        if column == bases.commission and bases.commission_basis and bases.commission_basis.value == "percentage":
            parts.append(_cents(pl.col("premium_cents") * pl.col(column) / 10_000))
        elif column == bases.commission:
            parts.append((pl.col(column) * per_year(per)).cast(pl.Int64))
        else:
            parts.append(_yearly(table, column, "instalment" if "term" in column else "year"))
    return pl.coalesce(*parts, rate)


def _yearly(table: Table, column: str, usual: str) -> pl.Expr:
    """Return an amount per year; the heading may say per month or per year, else it is as `usual`."""
    said = says(table.headings.heading(column), "month", "year") or usual
    return (pl.col(column) * per_year(said if usual == "year" or said == "month" else usual)).cast(pl.Int64)


def _signing(table: Table, bases: Bases) -> pl.Expr:
    """Return the signing fee per year; a silent heading is per instalment where the commission's is."""
    follows = bases.commission_per.value if bases.commission_per else "year"
    said = says(table.headings.heading("signing"), "month", "year") or follows
    return pl.coalesce(
        (pl.col("signing") * per_year(said)).cast(pl.Int64),
        _yearly(table, "signing_term", "instalment"),
        _cents(pl.col("premium_cents") * pl.col("signing_share")),
    )
