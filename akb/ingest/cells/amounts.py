"""Amounts as Dutch back offices write them: ``1.234,56``, ``1234.56``, ``€ 33,75-``, ``(33,75)``.

A sign followed by one or two digits at the end is the decimal sign, and of two different signs the
last is. Only ``1.234`` and ``1,234`` are ambiguous; the other cells of the column decide.
``1,5E+04`` is fifteen thousand, whatever the sign of the column. A bookkeeper's debit or credit
beside an amount is a sign only where both occur: what most rows have is the direction of the
column."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.remembered import remembered
from akb.ingest.cells.texts import distinct_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.ingest.cells.texts import DistinctTexts

LARGEST = 1e11  # cents: a billion euros in one policy is a mistake
_SCIENTIFIC = r"^\d+(?:[.,]\d*)?e[+-]?\d{1,3}$"  # 1,5E+04: its sign is always the decimal one
_COARSE = r"^\d(?:[.,]\d?)?e\+?0*[1-9]\d*$"  # two digits or less of ten euros or more
_BEFORE = r"^(cr|db|dr|credit|debet|debit|af|bij)[.:]?([-(\d].*)$"
_AFTER = r"^(.*[-)\d=.,])(cr|db|dr|dt|ct|c|d|credit|debet|debit|af|bij)\.?$"
_CREDIT = ["cr", "ct", "c", "credit", "af"]
_CODES = {
    "£": "GBP",
    "$": "USD",
    "¥": "JPY",
    "us$": "USD",
    "ƒ": "NLG",
    "fl": "NLG",
    "hfl": "NLG",
    "dfl": "NLG",
}
_CURRENCY = (
    r"(us\$|£|\$|¥|ƒ|hfl\.?|dfl\.?|fl\.?|"
    r"gbp|usd|chf|sek|nok|dkk|pln|czk|huf|jpy|nlg|bef|dem|ang|awg|srd)"
)
# ten million euros without cents is no amount but the number of something, or of somebody
_NUMBER = r"^\d{8,}$"


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
    rounded
        Number of cells such as ``1,5E+04``, in which the digits that are not shown are lost.
    coarse
        Number of those that lost more than a hundredth of themselves or a euro, whichever is more.
    foreign
        Currency -> number of cells that are in it and not in euros.
    turned
        Number of cells marked as the opposite (credit among debits) of what most marked ones are.
    whole
        No cell has a decimal sign: the column may be in cents.
    """

    cents: pl.Series
    unreadable: int
    decimal: str
    assumed: int
    rounded: int = 0
    coarse: int = 0
    foreign: Mapping[str, int] = field(default_factory=dict)
    turned: int = 0
    whole: bool = False


@remembered
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
    cells = distinct_texts(texts)
    frame = _bare(cells.texts)
    frame, turned = _with_signs(frame, cells)
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
    rounded, coarse = _rows(cells, frame, _SCIENTIFIC, _COARSE)
    return Amounts(
        cents,
        unreadable,
        sign,
        unsure,
        rounded,
        coarse,
        _foreign(frame, cells),
        turned,
        whole=_is_whole(frame),
    )


def _rows(cells: DistinctTexts, frame: pl.DataFrame, *patterns: str) -> list[int]:
    """Return the number of rows whose text fits each pattern."""
    fits = frame.select(
        pl.col("t").str.contains(pattern).alias(pattern) for pattern in patterns
    ).get_columns()
    return [int(cells.spread(each).sum()) if each.any() else 0 for each in fits]


def _is_whole(frame: pl.DataFrame) -> bool:
    filled = pl.col("t").str.contains(r"\d")
    signs = pl.col("t").str.contains(r"[.,e]")
    found = frame.select(filled=filled.any(), parted=(filled & signs).any()).row(0)
    return bool(found[0] and not found[1])


def _foreign(frame: pl.DataFrame, cells: DistinctTexts) -> dict[str, int]:
    """Return currency -> rows, of the cells that name one that is not the euro."""
    currency = frame["currency"]
    if currency.null_count() == currency.len():
        return {}
    named = cells.spread(currency).drop_nulls().alias("name")
    counts = named.value_counts(name="rows").sort("rows", "name", descending=[True, False])
    return {
        _CODES.get(name.rstrip("."), name.rstrip(".").upper()): rows
        for name, rows in counts.iter_rows()
    }


def _with_signs(frame: pl.DataFrame, cells: DistinctTexts) -> tuple[pl.DataFrame, int]:
    """Let the debit or credit that fewer rows have turn the sign; return the frame and the number
    of those rows.
    """
    if frame["credit"].null_count() == frame.height:
        return frame, 0
    credit = cells.spread(frame["credit"]).drop_nulls()
    count = int(credit.sum())
    rare = min(count, credit.len() - count)
    if not rare:
        return frame, 0
    turned = (pl.col("credit") == (count == rare)).fill_null(value=False)
    return frame.with_columns(negative=pl.col("negative") ^ turned), rare


def _bare(distinct: pl.Series) -> pl.DataFrame:
    """Return the digits and signs ``t`` of each cell, whether it is negative or a credit, and its
    foreign currency.
    """
    bare = distinct.to_frame("raw").select(raw=_DIGITS)
    if bare.select(pl.col("raw").str.contains(r"[^\d.,()+-]").any()).item():
        bare = bare.select(
            currency=pl.col("raw").str.extract(_CURRENCY),
            raw=pl.col("raw").str.replace(_CURRENCY, ""),
        ).select(
            "currency",
            credit=pl.coalesce(
                pl.col("raw").str.extract(_BEFORE, 1), pl.col("raw").str.extract(_AFTER, 2)
            ).is_in(_CREDIT),
            raw=pl.col("raw")
            .str.replace(_BEFORE, "${2}")
            .str.replace(_AFTER, "${1}")
            .str.replace(r"[.,][-=]+$", ""),
        )
    else:
        bare = bare.with_columns(
            credit=pl.lit(None, dtype=pl.Boolean), currency=pl.lit(None, dtype=pl.String)
        )
    return bare.select(
        "credit",
        "currency",
        negative=pl.col("raw").str.contains(r"^-|-$|^\(.*\)$"),
        t=pl.col("raw").str.replace_all(r"^[-+(]+|[-+)]+$", ""),
    )


_DIGITS = (  # made once: the question itself takes longer than a short column's answer
    pl.col("raw")
    .str.to_lowercase()
    .str.replace(r"^\s*(?:€|â‚¬|eur)\s*[-–]+\s*$", "0")  # how Excel shows a zero as an amount
    .str.replace_all(r"eur(o)?|€|â‚¬|[\s\x{a0}\x{202f}'’‘`´]|%", "")
    .str.replace_all("−|–", "-")
    .str.replace(r"[.,][-=]+$", "")  # € 12,- and € 12,=
)


@cache
def _certain(sign: str) -> pl.Expr:
    """Say whether a cell can only be read with `sign` as the decimal sign."""
    other = "." if sign == "," else ","
    s, o = f"\\{sign}", f"\\{other}"
    short = rf"^\d*{s}(\d{{1,2}}|\d{{4,}})$"
    both = rf"^\d{{1,3}}({o}\d{{3}})+{s}\d*$"
    zero = rf"^(0{s}\d{{3}}|\d{{4,}}{s}\d{{3}})$"
    thousands = rf"^\d{{1,3}}({o}\d{{3}}){{2,}}$"
    return pl.any_horizontal(
        pl.col("t").str.contains(pattern) for pattern in (short, both, zero, thousands)
    )


@cache
def _cents(sign: str, scale: int = 100) -> pl.Expr:
    t = pl.col("t")
    comma, point = _certain(","), _certain(".")
    as_comma = t.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    as_point = t.str.replace_all(",", "", literal=True)
    neither = t.str.replace_all(r"[.,]", "")
    unsure = as_comma if sign == "," else as_point if sign == "." else neither
    scientific = pl.when(t.str.contains(_SCIENTIFIC)).then(t.str.replace(",", ".", literal=True))
    number = pl.coalesce(
        scientific, pl.when(comma).then(as_comma).when(point).then(as_point).otherwise(unsure)
    )
    valid = scientific.is_not_null() | (
        number.str.contains(r"^(\d+\.?\d*|\.\d+)$") & ~t.str.contains(_NUMBER)
    )
    value = pl.when(valid).then(number).cast(pl.Float64, strict=False) * scale
    signed = pl.when(pl.col("negative")).then(-value).otherwise(value).round(0)
    return pl.when(signed.abs() < LARGEST / 100 * scale).then(signed).cast(pl.Int64)
