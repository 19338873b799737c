"""What was known when: as-of cuts, named feature groups, targets.

Nothing is imported before it is asked for: the types alone must be cheap for commands that read no
export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.imports import asked_for

if TYPE_CHECKING:
    from akb.features.grid import as_of_grid
    from akb.features.hindsight.verdicts import without_hindsight
    from akb.features.matrix import build_matrix, known_then
    from akb.features.single.rows import SingleCustomers
    from akb.features.targets.labels import build_targets
    from akb.features.themes import topics_of

__all__ = [
    "SingleCustomers",
    "as_of_grid",
    "build_matrix",
    "build_targets",
    "known_then",
    "topics_of",
    "without_hindsight",
]

_WHERE = {
    "as_of_grid": "grid",
    "SingleCustomers": "single.rows",
    "build_matrix": "matrix",
    "known_then": "matrix",
    "build_targets": "targets.labels",
    "without_hindsight": "hindsight.verdicts",
    "topics_of": "themes",
}


def __getattr__(name: str) -> Any:
    return asked_for(__name__, _WHERE, name)
