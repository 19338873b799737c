"""What the steps after the day is known have in common.

The day, the settings, and where to say what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes


@dataclass(frozen=True)
class IngestRun:
    """One reading of an export.

    Parameters
    ----------
    clock
        X and the export's own day.
    settings
        The run's settings, with the branches that are the export's own.
    notes
        Receives rejects and findings.
    """

    clock: Clock
    settings: Settings
    notes: Notes
