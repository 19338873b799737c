"""The export's day is doubted: the finding that says what speaks against it and which command sets the day."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from akb.core.numbers import day_nl, number_nl, percent_nl
from akb.core.text import text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes, Table


def find_doubts(tables: Sequence[Table], clock: Clock, notes: Notes) -> None:
    """Report what speaks against the export's day (AKB-D090)."""
    if not clock.doubts:
        return
    first = clock.doubts[0]
    notes.find(
        "AKB-D090",
        "issue",
        first.count,
        first.share,
        day=clock.as_of,
        how=text("columns", "nl", "how", clock.how),
        why=reasons_of(clock),
        clocks=clocks_of(clock),
        command=command(tables, first.instead),
    )


def reasons_of(clock: Clock) -> str:
    """Return what speaks against the day, as half a sentence."""
    return "; ".join(
        text("columns", "nl", "doubts", doubt.kind).format(count=number_nl(doubt.count), share=percent_nl(doubt.share))
        for doubt in clock.doubts
    )


def clocks_of(clock: Clock) -> str:
    """Return where both clocks stop, as a sentence."""
    starts, ends = (day_nl(day) if day else "–" for day in (clock.starts, clock.ends))
    return text("columns", "nl", "doubts", "clocks").format(starts=starts, ends=ends)


def command(tables: Sequence[Table], day: date) -> str:
    """Return the command line that sets the day."""
    files = dict.fromkeys(table.raw.name.split(" [")[0].split("/")[0] for table in tables)
    names = " ".join(shlex.quote(name) for name in [*files][:4])
    return f"akb eda {names} --as-of {day.isoformat()}"
