"""In what units amounts stand: euros or cents, per year or per instalment; and what is odd about how they are written.

A heading may be silent or wrong. The usual premium of each branch (``configs/branches.toml``) is a second witness: a
book whose branches nearly all cost a hundred times as much as usual, without one decimal sign, is in cents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import rule
from akb.ingest.columns.readings import Bases, Reading
from akb.ingest.money_conventions.bases import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from akb.config import Branch, Ingest
    from akb.ingest.cells.amounts import Amounts
    from akb.ingest.columns.notes import Notes, Table

_CENTS = 100
_INSTALMENTS = (1, 3, 6)


@dataclass(frozen=True)
class Level:
    """How amounts compare with the usual ones.

    Parameters
    ----------
    ratio
        The middle branch's median over what is usual there, weighed by rows.
    rows, branches
        What was compared.
    """

    ratio: float
    rows: int
    branches: int

    def within(self, factor: float) -> bool:
        """Say whether the level is less than `factor` times too high or too low."""
        return abs(math.log(self.ratio)) < math.log(factor)


def level(rows: pl.DataFrame, value: pl.Expr, usual: Mapping[str, float]) -> Level | None:
    """Return how `value` compares with what is usual in each ``branch``; None where too few rows can be compared."""
    known = {branch: amount for branch, amount in usual.items() if amount > 0}
    branches = (
        rows.select("branch", value=value)
        .filter(pl.col("value") > 0, pl.col("branch").is_in(list(known)))
        .group_by("branch")
        .agg(rows=pl.len(), median=pl.col("value").median())
        .with_columns(ratio=pl.col("median") / pl.col("branch").replace_strict(known, return_dtype=pl.Float64))
        .sort("ratio", "branch")
    )
    total = int(branches["rows"].sum())
    if total < ENOUGH:
        return None
    middle = float(branches.filter(pl.col("rows").cum_sum() * 2 >= total)["ratio"][0])
    return Level(middle, total, branches.height)


def say_forms(amounts: Amounts, column: str, table: Table, notes: Notes) -> None:
    """Report what is odd about how a column's amounts are written: a foreign currency, lost digits, two signs."""
    where = {"file": table.raw.name, "column": (table.headings.heading(column) or column)[:40]}
    rows = max(amounts.cents.len(), 1)
    for currency, count in amounts.foreign.items():
        notes.find("AKB-D112", "issue", count, count / rows, **where, currency=currency)
    if amounts.rounded:
        severity = "issue" if amounts.coarse else "tip"
        share = amounts.rounded / rows
        notes.find("AKB-D113", severity, amounts.rounded, share, **where, coarse=amounts.coarse)  # type: ignore[arg-type]
    if amounts.turned:
        notes.find("AKB-D114", "issue", amounts.turned, amounts.turned / rows, **where)


def signs_turned(frame: pl.DataFrame, known: pl.DataFrame, table: Table, notes: Notes) -> pl.DataFrame:
    """Return the amounts with premiums above zero where nearly all are below it: that is a bookkeeper's sign.

    Parameters
    ----------
    frame, known
        The amounts of all rows, and those of the rows that may tell.
    table
        For its headings and name.
    notes
        Receives AKB-D128.
    """
    for name in _PREMIUMS:
        below, filled = known.select(below=(pl.col(name) < 0).sum(), filled=(pl.col(name) != 0).sum()).row(0)
        if below >= max(ENOUGH, rule("units", "turned") * filled):
            where = {"file": table.raw.name, "column": (table.headings.heading(name) or "")[:40]}
            notes.find("AKB-D128", "tip", below, below / max(known.height, 1), **where)
            frame = frame.with_columns(-pl.col(name))
    return frame


def in_cents(
    frame: pl.DataFrame,
    whole: Collection[str],
    table: Table,
    asked: Ingest,
    taxonomy: Mapping[str, Branch],
    notes: Notes,
) -> list[str]:
    """Return the columns of `frame` that hold cents and not euros.

    Parameters
    ----------
    frame
        The amounts (in hundredths of what stands there) by column, ``branch`` and ``term``.
    whole
        Columns in which no cell has decimals; no other can be in cents.
    table
        For its headings and name.
    asked
        ``amounts_in`` of the settings wins.
    taxonomy
        The usual premium and rate of commission per branch.
    notes
        Receives AKB-D115.
    """
    if asked.amounts_in or not whole:
        return list(whole) if asked.amounts_in == "cents" else []
    premium = next((name for name in _PREMIUMS if name in whole and frame[name].null_count() < frame.height), None)
    columns: list[str] = []
    if premium:
        usual = {key: entry.premium for key, entry in taxonomy.items()}
        seen = _premium_level(frame, premium, usual)
        if seen and _is_hundred(seen):
            columns = [name for name in whole if not name.startswith("commission")]
            _say_cents(premium, seen, table, notes)
    rates = {key: entry.commission for key, entry in taxonomy.items()}
    paid = next((name for name in _PREMIUMS if frame[name].null_count() < frame.height), None)
    for name in (name for name in whole if name.startswith("commission")):
        # a premium that turned out to be in cents counts as euros here
        base = pl.col(paid) / (_CENTS if paid in columns else 1) if paid else None
        seen = None if base is None else level(frame.filter(base > 0), pl.col(name) / base, rates)
        if seen and _is_hundred(seen):
            columns.append(name)
            _say_cents(name, seen, table, notes)
        elif seen is None and columns:
            columns.append(name)  # nothing to compare with: as the premium
    return columns


_PREMIUMS = ("premium", "premium_gross", "premium_term", "premium_term_gross")


def _premium_level(frame: pl.DataFrame, column: str, usual: Mapping[str, float]) -> Level | None:
    """Return the level of a premium whose unit is not known yet: of those who pay once a year, if enough do."""
    yearly = frame.filter(pl.col("term") == 12)
    enough = yearly.select((pl.col(column) > 0).sum()).item() >= ENOUGH
    rows = yearly if enough else frame
    times = pl.when(pl.col("term") > 0).then(12 / pl.col("term")).otherwise(1.0) if "term" in column else pl.lit(1.0)
    return level(rows, pl.col(column) / 100 * times, usual)


def _is_hundred(seen: Level) -> bool:
    return abs(math.log(seen.ratio / _CENTS)) < math.log(rule("units", "cents_factor"))


def _say_cents(column: str, seen: Level, table: Table, notes: Notes) -> None:
    notes.find(
        "AKB-D115",
        "tip",
        seen.rows,
        file=table.raw.name,
        column=(table.headings.heading(column) or "")[:40],
        times=round(seen.ratio),
        branches=seen.branches,
    )


def settled_by_usual(bases: Bases, frame: pl.DataFrame, usual: Mapping[str, float]) -> Bases:
    """Return the bases, a premium of unknown unit settled by the usual ones where only one reading fits them."""
    reading, column = bases.premium_per, bases.premium
    if reading is None or column is None or reading.how != "unsure":
        return bases
    value = pl.col(column) / 100
    parts = frame.filter(pl.col("term").is_in(_INSTALMENTS))
    if parts.height >= ENOUGH:
        other, rows, times = "instalment", parts, 12 / pl.col("term")
    else:
        other, rows, times = "month", frame, pl.lit(12.0)
    seen = {"year": level(rows, value, usual), other: level(rows, value * times, usual)}
    near = rule("units", "near_factor")
    fits = {name: each for name, each in seen.items() if each and each.within(near)}
    if len(fits) != 1 or next(iter(fits.values())).branches < rule("units", "branches"):
        return bases
    per, fitting = next(iter(fits.items()))
    settled = Reading(per, "data", f"usual_{per}", {"of": fitting.rows})
    commission = bases.commission_per
    if commission and commission.how == "unsure" and commission.why == "as_premium":
        commission = settled
    return replace(bases, premium_per=settled, commission_per=commission)


def check_level(premiums: pl.DataFrame, table: Table, usual: Mapping[str, float], notes: Notes) -> None:
    """Report AKB-D116 where the premiums per year, as read, are far from what is usual in their branches.

    Parameters
    ----------
    premiums
        ``branch`` and ``premium_cents`` of the rows that count.
    """
    seen = level(premiums, pl.col("premium_cents") / 100, usual)
    if seen is None or seen.within(rule("units", "far_factor")) or seen.rows < rule("units", "rows"):
        return
    times = round(seen.ratio) if seen.ratio > 1 else round(1 / seen.ratio)
    from akb.core.text import text

    way = text("money", "nl", "level", "high" if seen.ratio > 1 else "low")
    column = next((table.headings.heading(name) for name in _PREMIUMS if name in table.headings.at), None) or ""
    notes.find(
        "AKB-D116",
        "issue",
        seen.rows,
        file=table.raw.name,
        column=column[:40],
        way=way.format(times=times),
        branches=seen.branches,
    )
