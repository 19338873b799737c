"""What the methods get, and what each contributes to the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from akb.core.text import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import polars as pl

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.core.findings import Finding
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.types import Prediction


@dataclass(frozen=True)
class Room:
    """What every method may look at."""

    matrix: Matrix
    targets: Targets
    settings: Settings
    as_of: date
    history: History
    progress: Callable[[str], None]

    def dates(self, entry: Entry) -> list[date]:
        """Return the dates that may teach an entry: those in the recorded history if it needs ended policies."""
        start = self.history.recorded_from
        return [day for day in self.matrix.dates if "ended" not in entry.needs or (start is not None and day >= start)]


@dataclass(frozen=True)
class Part:
    """What one method gives.

    scores
        customer + a Float32 or Float64 column per key (not yet reconciled); None without any.
    branches
        customer, branch, ``probability`` Float64 at X, for a family.
    former
        customer + a Float32 column per key, for former customers.
    """

    predictions: tuple[Prediction, ...]
    scores: pl.DataFrame | None = None
    branches: pl.DataFrame | None = None
    former: pl.DataFrame | None = None
    importance: tuple[tuple[str, str, float], ...] = ()
    findings: tuple[Finding, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)


def why(key: str, **values: object) -> str:
    """Return a sentence of ``configs/text/<language>/why_models.toml``."""
    return text("why", "nl", "why_models", key).format_map(values)
