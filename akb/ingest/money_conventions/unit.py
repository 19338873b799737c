"""Is a column in euros or in cents?

No heading says "in cents", and a column of whole numbers may be either. The usual premium of each
branch (``configs/branches.toml``) tells: a book whose branches nearly all cost a hundred times as
much as usual, without one decimal sign, is in cents.

A worked row: a contents policy costs some 120 euros a year; the file says 11950, and the other
branches stand as high above what is usual. They are 119.50."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import rule
from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.levels import level
from akb.ingest.money_conventions.questions import Detector, by_setting, first_answer
from akb.ingest.money_conventions.thresholds import ENOUGH, PREMIUMS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from akb.config import Branch, Ingest, Settings
    from akb.ingest.columns.notes import Notes, Table
    from akb.ingest.money_conventions.levels import Level

_CENTS = 100


@dataclass(frozen=True)
class UnitColumn:
    """A column without decimals, of which the unit is asked.

    Parameters
    ----------
    name
        Its canonical column.
    rows
        The amounts (in hundredths of what stands there) by column, ``branch`` and ``term``.
    taxonomy
        The usual premium and rate of commission per branch.
    asked
        The client's settings.
    paid
        The premium that a commission is compared with.
    in_cents
        Columns that turned out to be in cents before.
    """

    name: str
    rows: pl.DataFrame
    taxonomy: Mapping[str, Branch]
    asked: Ingest
    paid: str | None
    in_cents: Collection[str]


def in_cents(
    rows: pl.DataFrame, whole: Collection[str], settings: Settings, table: Table, notes: Notes
) -> list[str]:
    """Return the columns of `rows` that hold cents and not euros.

    Parameters
    ----------
    rows
        The amounts (in hundredths of what stands there) by column, ``branch`` and ``term``.
    whole
        Columns in which no cell has decimals; no other can be in cents.
    settings
        What the client says, and the usual premium and rate of commission per branch.
    table
        For its headings and name.
    notes
        Receives AKB-D115.
    """
    asked, taxonomy = settings.ingest, settings.taxonomy()
    filled = [name for name in PREMIUMS if rows[name].null_count() < rows.height]
    premium = next((name for name in filled if name in whole), None)
    paid = filled[0] if filled else None
    commissions = [name for name in whole if name.startswith("commission")]
    found: list[str] = []

    def ask(name: str, detectors: tuple[Detector[UnitColumn], ...]) -> bool:
        reading = first_answer(detectors, UnitColumn(name, rows, taxonomy, asked, paid, found))
        if reading.how == "data" and reading.value == "cents":
            _say(name, reading, table, notes)
        return reading.value == "cents"

    if asked.amounts_in == "cents":
        return list(whole)
    if premium and ask(premium, PREMIUM_DETECTORS):
        found += [name for name in whole if name not in commissions]
    for name in commissions:
        if ask(name, COMMISSION_DETECTORS):
            found.append(name)
    return found


def _by_setting(seen: UnitColumn) -> Reading | None:
    return by_setting(seen.asked.amounts_in)


def _by_usual_premium(seen: UnitColumn) -> Reading | None:
    """Of those who pay once a year, if enough do: an instalment is no year's premium."""
    yearly = seen.rows.filter(pl.col("term") == 12)
    enough = yearly.select((pl.col(seen.name) > 0).sum()).item() >= ENOUGH
    rows = yearly if enough else seen.rows
    times = pl.when(pl.col("term") > 0).then(12 / pl.col("term")).otherwise(1.0)
    value = pl.col(seen.name) / 100 * (times if "term" in seen.name else pl.lit(1.0))
    return _beside(level(rows, value, {key: entry.premium for key, entry in seen.taxonomy.items()}))


def _by_usual_rate(seen: UnitColumn) -> Reading | None:
    """A commission of a hundred times its usual share of the premium.

    A premium in cents counts as euros here.
    """
    if seen.paid is None:
        return None
    premium = pl.col(seen.paid) / (_CENTS if seen.paid in seen.in_cents else 1)
    rates = {key: entry.commission for key, entry in seen.taxonomy.items()}
    return _beside(level(seen.rows.filter(premium > 0), pl.col(seen.name) / premium, rates))


def _beside(seen: Level | None) -> Reading | None:
    if seen is None:
        return None
    numbers = {"of": seen.rows, "times": round(seen.ratio), "branches": seen.branches}
    hundred = seen.within(rule("units", "cents_factor"), of=_CENTS)
    return Reading("cents" if hundred else "euros", "data", "usual", numbers)


def _as_the_premium(seen: UnitColumn) -> Reading | None:
    """Nothing to compare with: as the premium."""
    return Reading("cents", "unsure", "as_premium") if seen.in_cents else None


def _euros(_: UnitColumn) -> Reading:
    return Reading("euros", "unsure", "no_level")


PREMIUM_DETECTORS: tuple[Detector[UnitColumn], ...] = (_by_setting, _by_usual_premium, _euros)
COMMISSION_DETECTORS: tuple[Detector[UnitColumn], ...] = (
    _by_setting,
    _by_usual_rate,
    _as_the_premium,
    _euros,
)


def _say(column: str, reading: Reading, table: Table, notes: Notes) -> None:
    notes.find(
        "AKB-D115",
        "tip",
        reading.numbers["of"],
        file=table.raw.name,
        column=(table.headings.heading(column) or "")[:40],
        times=reading.numbers["times"],
        branches=reading.numbers["branches"],
    )
