"""The export's day is doubted.

The finding that says what speaks against it and which command sets the day.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from akb.core.wording.phrases import Listed, Phrase

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
        how=Phrase(f"columns.how.{clock.how}"),
        why=reasons_of(clock),
        clocks=clocks_of(clock),
        command=command(tables, first.instead),
    )


def reasons_of(clock: Clock) -> Listed:
    """Return what speaks against the day, as half a sentence."""
    doubts = (
        Phrase(f"columns.doubts.{doubt.kind}", {"count": doubt.count, "share": doubt.share})
        for doubt in clock.doubts
    )
    return Listed(tuple(doubts), between="; ")


def clocks_of(clock: Clock) -> Phrase:
    """Return where both clocks stop, as a sentence."""
    return Phrase(
        "columns.doubts.clocks", {"starts": clock.starts or "–", "ends": clock.ends or "–"}
    )


def command(tables: Sequence[Table], day: date) -> str:
    """Return the command line that sets the day."""
    files = dict.fromkeys(table.raw.name.split(" [")[0].split("/")[0] for table in tables)
    names = " ".join(shlex.quote(name) for name in [*files][:4])
    return f"akb eda {names} --as-of {day.isoformat()}"
