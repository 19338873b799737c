"""Files to a typed `Portfolio`: what the file says, what could not be used, and what akb noticed.

Nothing is imported before it is asked for: the types alone must be cheap for commands that read no
export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.imports import asked_for

if TYPE_CHECKING:
    from akb.ingest.as_it_was import earlier
    from akb.ingest.columns.matching import listed, safe_heading
    from akb.ingest.columns.notes import label
    from akb.ingest.masking import masked
    from akb.ingest.portfolio import read_portfolio
    from akb.ingest.preview import (
        ExportPreview,
        RolePreview,
        TextMeanings,
        read_and_preview,
        settled_texts,
        unknown_texts,
    )

__all__ = [
    "ExportPreview",
    "RolePreview",
    "TextMeanings",
    "earlier",
    "label",
    "listed",
    "masked",
    "read_and_preview",
    "read_portfolio",
    "safe_heading",
    "settled_texts",
    "unknown_texts",
]

_WHERE = {
    "ExportPreview": "preview",
    "RolePreview": "preview",
    "TextMeanings": "preview",
    "earlier": "as_it_was",
    "label": "columns.notes",
    "listed": "columns.matching",
    "masked": "masking",
    "read_and_preview": "preview",
    "read_portfolio": "portfolio",
    "safe_heading": "columns.matching",
    "settled_texts": "preview",
    "unknown_texts": "preview",
}


def __getattr__(name: str) -> Any:
    return asked_for(__name__, _WHERE, name)
