"""``models/cards/<key>.json``: a card for every entry of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.chapters.evidence.facts import predictions
from akb.report.context import Context
from akb.report.files.summary import as_bytes
from akb.report.plain import plain

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

SCHEMA = "akb.card/1"


def card_files(bundle: RunBundle) -> dict[str, bytes]:
    """Return path inside the run folder -> card: the same words and figures as in the report."""
    context = Context(bundle)
    return {
        f"models/cards/{row['key']}.json": as_bytes({"schema": SCHEMA, **plain(row["card"])})
        for row in predictions(context)
    }
