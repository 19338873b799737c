"""Premium and commission in cents per year, net of insurance premium tax.

Headings say per year or per instalment, net or with tax; settings win. A heading that says neither ("Premie") is per
year, unless monthly payers pay a fraction of what yearly payers of the same branch pay: then it is per instalment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.amounts import read_amounts
from akb.ingest.columns import key_of
from akb.ingest.notes import texts_of

if TYPE_CHECKING:
    from akb.config import Branch, Settings
    from akb.ingest.notes import Notes, Table

TAX = 0.21
_ENOUGH = 20  # rows per branch and term before their medians are compared
_FRACTION = 0.25  # monthly instalments are a twelfth; yearly premiums of monthly payers are about equal
_PREMIUMS = ("premium", "premium_gross", "premium_term", "premium_term_gross")
_COLUMNS = (*_PREMIUMS, "commission", "commission_term", "commission_rate")
MONEY_OF = {"premium_cents": _PREMIUMS, "commission_cents": ("commission", "commission_term", "commission_rate")}
_YEAR_WORDS = ("jaar", "year", "annual", "njp", "perjr")


@dataclass(frozen=True)
class Money:
    """Cents per row (null where unknown), and what was assumed.

    Parameters
    ----------
    premium, commission
        Int64 cents per year; the premium is net of tax.
    per, basis
        ``year`` or ``instalment``, ``net`` or ``gross``: how the premium was read; empty without a premium.
    detected
        `per` was found in the data, not in the heading or the settings.
    unsure
        Cells such as ``1.234`` that no other cell explains.
    """

    premium: pl.Series
    commission: pl.Series
    per: str
    basis: str
    detected: bool
    unsure: int


def read_money(
    table: Table, cells: pl.DataFrame, branch: pl.Series, term: pl.Series, settings: Settings, notes: Notes
) -> Money:
    """Return premium and commission per year for the rows of `cells`.

    Parameters
    ----------
    table, cells
        The file and the rows of it that count.
    branch
        Branch per row.
    term
        Months per instalment per row; 0 for a single premium, null if unknown.
    settings
        ``premium_per``, ``premium_basis`` and ``decimal`` override what is found.
    notes
        Receives the number of unreadable amounts.
    """
    cents, unsure, signs = _amounts(table, cells, settings, notes)
    taxed = branch.is_in([key for key, entry in settings.taxonomy().items() if entry.taxed])
    frame = pl.DataFrame({**cents, "branch": branch, "term": term, "taxed": taxed})
    heading = key_of(table.headings.heading("premium") or "")
    explicit = any(word in heading for word in _YEAR_WORDS)
    asked = settings.ingest.premium_per
    found = "instalment" if not asked and not explicit and _looks_per_instalment(frame) else "year"
    per = asked or found
    gross = settings.ingest.premium_basis == "gross"
    per_year = pl.when(pl.col("term") > 0).then(12 // pl.col("term").replace(0, None))
    tax = pl.when("taxed").then(1 + TAX).otherwise(1.0)

    def net(column: str, *, instalment: bool, taxed_: bool) -> pl.Expr:
        value = pl.col(column) * per_year if instalment else pl.col(column)
        return (value / tax).round().cast(pl.Int64) if taxed_ else value.cast(pl.Int64)

    premium = pl.coalesce(
        net("premium", instalment=per == "instalment", taxed_=gross),
        net("premium_gross", instalment=False, taxed_=True),
        net("premium_term", instalment=asked != "year", taxed_=gross),
        net("premium_term_gross", instalment=asked != "year", taxed_=True),
    )
    frame = frame.with_columns(yearly=premium)
    commission_heading = key_of(table.headings.heading("commission") or "")
    follows = per == "instalment" and not any(word in commission_heading for word in _YEAR_WORDS)
    commission = pl.coalesce(
        net("commission", instalment=follows, taxed_=False),
        net("commission_term", instalment=True, taxed_=False),
        (pl.col("yearly") * pl.col("commission_rate") / 10_000).round().cast(pl.Int64),
    )
    frame = frame.with_columns(earned=commission)
    used = next((name for name in _PREMIUMS if name in table.headings.at), "")
    table.dialect |= {"decimal": " ".join(sorted(signs))} if signs else {}
    if used:
        per = per if used == "premium" else "instalment" if "term" in used else "year"
        basis = "gross" if gross or used.endswith("gross") else "net"
        table.dialect |= {"premium_per": per, "premium_basis": basis}
        return Money(frame["yearly"], frame["earned"], per, basis, used == "premium" and found == "instalment", unsure)
    return Money(frame["yearly"], frame["earned"], "", "", detected=False, unsure=unsure)


def _amounts(
    table: Table, cells: pl.DataFrame, settings: Settings, notes: Notes
) -> tuple[dict[str, pl.Series], int, set[str]]:
    unsure, signs = 0, set()
    cents: dict[str, pl.Series] = {}
    for column in _COLUMNS:
        if column not in table.headings.at:
            cents[column] = pl.Series([None] * cells.height, dtype=pl.Int64)
            continue
        amounts = read_amounts(texts_of(cells, column), decimal=settings.ingest.decimal)
        notes.count_unreadable(column, amounts.unreadable)
        cents[column] = amounts.cents
        unsure += amounts.assumed
        signs |= {amounts.decimal} - {""}
    return cents, unsure, signs


def _looks_per_instalment(frame: pl.DataFrame) -> bool:
    """Say whether monthly payers pay a fraction of yearly payers, branch by branch."""
    medians = (
        frame.filter(pl.col("premium") > 0, pl.col("term").is_in([1, 12]))
        .group_by("branch", "term")
        .agg(rows=pl.len(), median=pl.col("premium").median())
        .filter(pl.col("rows") >= _ENOUGH)
    )
    pairs = medians.filter(pl.col("term") == 1).join(medians.filter(pl.col("term") == 12), on="branch", suffix="_year")
    if pairs.is_empty():
        return False
    ratio = pairs.select((pl.col("median") / pl.col("median_year")).median()).item()
    return bool(ratio < _FRACTION)


def derive_commission(policies: pl.DataFrame, taxonomy: dict[str, Branch]) -> pl.DataFrame:
    """Fill missing commission with premium times the branch's rate; nothing on branches under the commission ban.

    Parameters
    ----------
    policies
        With ``branch``, ``premium_cents`` and ``commission_cents`` (given or null).

    Returns
    -------
    The same with ``commission_cents`` filled where the premium is known and ``commission_source``
    (``given | derived | null``).
    """
    rates = pl.DataFrame(
        {
            "branch": list(taxonomy),
            "_rate": [0.0 if entry.ban else entry.commission for entry in taxonomy.values()],
        }
    )
    derived = (pl.col("premium_cents") * pl.col("_rate")).round().cast(pl.Int64)
    return (
        policies.join(rates, on="branch", how="left", maintain_order="left")
        .with_columns(
            commission_source=pl.when(pl.col("commission_cents").is_not_null())
            .then(pl.lit("given"))
            .when(pl.col("premium_cents").is_not_null())
            .then(pl.lit("derived")),
            commission_cents=pl.coalesce("commission_cents", derived),
        )
        .drop("_rate")
    )
