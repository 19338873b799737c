"""Past one machine: the same steps as tasks on the workers of a Dask scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.imports import asked_for

if TYPE_CHECKING:
    from akb.cluster.connection import connected

__all__ = ["connected"]


def __getattr__(name: str) -> Any:
    return asked_for(__name__, {"connected": "connection"}, name)
