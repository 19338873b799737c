"""What will happen: engine, calibration, survival, evidence, explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.types import ModelRun


def run_models(
    matrix: Matrix,
    targets: Targets,
    entries: Sequence[Entry],
    settings: Settings,
    *,
    as_of: date,
    history: History,
    progress: Callable[[str], None],
) -> ModelRun:
    """Fit, prove and score every entry of the models room; see `akb.models.run`."""
    from akb.models.run import run_models as run

    return run(matrix, targets, entries, settings, as_of=as_of, history=history, progress=progress)
