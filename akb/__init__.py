"""akb: predictions and a business case for active customer management (*actief klantbeheer*).

From Python: `check`, `eda`, `score` and `load`; see `akb.api`. Importing akb costs nothing: what is
heavy is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core import __version__
from akb.core.imports import asked_for

if TYPE_CHECKING:
    from akb.api import AkbError, Check, Export, RefusedError, Run, check, eda, load, score

__all__ = [
    "AkbError",
    "Check",
    "Export",
    "RefusedError",
    "Run",
    "__version__",
    "check",
    "eda",
    "load",
    "score",
]

_WHERE = {
    "AkbError": "core.errors",
    "Check": "api",
    "Export": "api",
    "RefusedError": "core.errors",
    "Run": "api",
    "check": "api",
    "eda": "api",
    "load": "api",
    "score": "api",
}


def __getattr__(name: str) -> Any:
    return asked_for(__name__, _WHERE, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
