"""Files to a typed `Portfolio`: what the file says, what could not be used, and what akb noticed.

Nothing is imported before it is asked for: the types alone must be cheap for commands that read no export.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.imports import asked_for

if TYPE_CHECKING:
    from akb.ingest.as_it_was import earlier
    from akb.ingest.masking import masked
    from akb.ingest.portfolio import read_portfolio

__all__ = ["earlier", "masked", "read_portfolio"]

_WHERE = {"earlier": "as_it_was", "masked": "masking", "read_portfolio": "portfolio"}


def __getattr__(name: str) -> Any:
    return asked_for(__name__, _WHERE, name)
