"""What is odd about how amounts are written.

Currencies, lost digits, signs, and a level far from the usual one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.phrases import Phrase
from akb.ingest.cells.texts import rule
from akb.ingest.money_conventions.levels import level
from akb.ingest.money_conventions.period import contradicted
from akb.ingest.money_conventions.thresholds import ENOUGH, PREMIUMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.ingest.cells.amounts import Amounts
    from akb.ingest.columns.notes import Notes, Table
    from akb.ingest.money_conventions.questions import MoneyColumns


def say_forms(amounts: Amounts, column: str, table: Table, notes: Notes) -> None:
    """Report what is odd about how a column's amounts are written.

    A foreign currency, lost digits, two signs.
    """
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


def signs_turned(
    frame: pl.DataFrame, known: pl.DataFrame, table: Table, notes: Notes
) -> pl.DataFrame:
    """Return the amounts with premiums above zero where nearly all are below it: that is a
    bookkeeper's sign.

    Parameters
    ----------
    frame, known
        The amounts of all rows, and those of the rows that may tell.
    table
        For its headings and name.
    notes
        Receives AKB-D128.
    """
    for name in PREMIUMS:
        below, filled = known.select(
            below=(pl.col(name) < 0).sum(), filled=(pl.col(name) != 0).sum()
        ).row(0)
        if below >= max(ENOUGH, rule("units", "turned") * filled):
            where = {"file": table.raw.name, "column": (table.headings.heading(name) or "")[:40]}
            notes.find("AKB-D128", "tip", below, below / max(known.height, 1), **where)
            frame = frame.with_columns(-pl.col(name))
    return frame


def check_level(
    premiums: pl.DataFrame, table: Table, usual: Mapping[str, float], notes: Notes
) -> None:
    """Report AKB-D116 where the premiums per year, as read, are far from what is usual in their
    branches.

    Parameters
    ----------
    premiums
        ``branch`` and ``premium_cents`` of the rows that count.
    """
    seen = level(premiums, pl.col("premium_cents") / 100, usual)
    if (
        seen is None
        or seen.within(rule("units", "far_factor"))
        or seen.rows < rule("units", "rows")
    ):
        return
    times = round(seen.ratio) if seen.ratio > 1 else round(1 / seen.ratio)
    column = (
        next((table.headings.heading(name) for name in PREMIUMS if name in table.headings.at), None)
        or ""
    )
    notes.find(
        "AKB-D116",
        "issue",
        seen.rows,
        file=table.raw.name,
        column=column[:40],
        way=Phrase("money.level.high" if seen.ratio > 1 else "money.level.low", {"times": times}),
        branches=seen.branches,
    )


def say_contradiction(seen: MoneyColumns, table: Table, notes: Notes) -> None:
    """Report AKB-D129 where the heading of a premium says per year, and the amounts per instalment,
    or the reverse.
    """
    shown = contradicted(seen)
    if shown:
        notes.find(
            "AKB-D129",
            "issue",
            shown.numbers["short"],
            file=table.raw.name,
            column=(table.headings.heading(seen.premium or "") or "")[:40],
            said=Phrase(f"money.value.{seen.answers['premium_per'].value}"),
            shown=Phrase(f"money.value.{shown.value}"),
            why=shown.because(),
            setting=shown.value,
        )
