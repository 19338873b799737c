"""Amounts as Dutch back offices write them: ``1.234,56``, ``1234.56``, ``€ 33,75-``, ``(33,75)``.

A sign followed by one or two digits at the end is the decimal sign, and of two different signs the last is. Only
``1.234`` and ``1,234`` are ambiguous; the other cells of the column decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from akb.ingest.cells import told

LARGEST = 1e11  # cents: a billion euros in one policy is a mistake
_NUMBER = r"^\d{8,}$"  # ten million euros without cents is no amount but the number of something, or of somebody


@dataclass(frozen=True)
class Amounts:
    """A column of amounts.

    Parameters
    ----------
    cents
        Int64 per row (or hundredths, for a percentage); null where nothing or nonsense stands.
    unreadable
        Number of filled cells that are no amount.
    decimal
        Decimal sign of the column: ``,``, ``.`` or an empty string where no cell has decimals.
    assumed
        Number of cells such as ``1.234`` whose reading no other cell proves.
    """

    cents: pl.Series
    unreadable: int
    decimal: str
    assumed: int


def read_amounts(texts: pl.Series, *, decimal: str | None = None, scale: int = 100) -> Amounts:
    """Return the amounts of a column in hundredths.

    Parameters
    ----------
    texts
        Cells.
    decimal
        The client's own decimal sign; None to find it.
    scale
        Parts of one that are counted: 100 for cents, more for percentages such as 6.125.
    """
    cells = told(texts)
    frame = _bare(cells.texts)
    votes = frame.select(
        comma=_certain(",").sum(),
        point=_certain(".").sum(),
        unsure=pl.col("t").str.contains(r"^[1-9]\d{0,2}[.,]\d{3}$").sum(),
    ).row(0)
    sign = decimal or ("," if votes[0] > votes[1] else "." if votes[1] > votes[0] else "")
    values = frame.select(_cents(sign, scale)).to_series()
    cents = cells.spread(values)
    proven = sign != "" and min(votes[0], votes[1]) == 0
    unsure = 0
    if votes[2] and not (decimal or proven):
        doubtful = cells.spread(frame["t"].str.contains(r"^[1-9]\d{0,2}[.,]\d{3}$"))
        unsure = int(doubtful.fill_null(value=False).sum())
    unreadable = cells.filled() - (cents.len() - cents.null_count())
    return Amounts(cents, unreadable, sign, unsure)


def _bare(distinct: pl.Series) -> pl.DataFrame:
    """Return the digits and signs of each cell, and whether it is negative."""
    text = (
        pl.col("raw")
        .str.to_lowercase()
        .str.replace(r"^\s*(?:€|â‚¬|eur)\s*[-–]+\s*$", "0")  # how Excel shows a zero as an amount
        .str.replace_all(r"eur(o)?|€|â‚¬|[\s\x{a0}\x{202f}']|%", "")
        .str.replace_all("−|–", "-")
        .str.replace(r",[-=]+$", "")  # € 12,- and € 12,=
    )
    return (
        distinct.to_frame("raw")
        .select(raw=text)
        .select(
            negative=pl.col("raw").str.contains(r"^-|-$|^\(.*\)$"),
            t=pl.col("raw").str.replace_all(r"^[-+(]+|[-+)]+$", ""),
        )
    )


def _certain(sign: str) -> pl.Expr:
    """Say whether a cell can only be read with `sign` as the decimal sign."""
    other = "." if sign == "," else ","
    s, o = f"\\{sign}", f"\\{other}"
    short = rf"^\d*{s}(\d{{1,2}}|\d{{4,}})$"
    both = rf"^\d{{1,3}}({o}\d{{3}})+{s}\d*$"
    zero = rf"^(0{s}\d{{3}}|\d{{4,}}{s}\d{{3}})$"
    thousands = rf"^\d{{1,3}}({o}\d{{3}}){{2,}}$"
    return pl.any_horizontal(pl.col("t").str.contains(pattern) for pattern in (short, both, zero, thousands))


def _cents(sign: str, scale: int = 100) -> pl.Expr:
    t = pl.col("t")
    comma, point = _certain(","), _certain(".")
    as_comma = t.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    as_point = t.str.replace_all(",", "", literal=True)
    neither = t.str.replace_all(r"[.,]", "")
    unsure = as_comma if sign == "," else as_point if sign == "." else neither
    number = pl.when(comma).then(as_comma).when(point).then(as_point).otherwise(unsure)
    valid = number.str.contains(r"^(\d+\.?\d*|\.\d+)(e[+]?\d{1,2})?$") & ~t.str.contains(_NUMBER)
    value = pl.when(valid).then(number).cast(pl.Float64, strict=False) * scale
    signed = pl.when(pl.col("negative")).then(-value).otherwise(value).round(0)
    return pl.when(signed.abs() < LARGEST / 100 * scale).then(signed).cast(pl.Int64)
