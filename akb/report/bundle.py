"""What a run hands to the report: everything that was found, nothing about how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.core.findings import Finding
    from akb.features.types import Feature
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun, Prediction
    from akb.value.types import ValueRun


@dataclass(frozen=True)
class RunBundle:
    """One run, ready to be written.

    Parameters
    ----------
    portfolio, settings, entries
        What was read, how, and the catalogue unfolded for the branches of this portfolio.
    features
        The columns of the matrix (their descriptions only).
    models, value
        None where that room could not run; the report then says what is missing.
    extra_findings
        Findings of rooms whose result type carries none (features); the other rooms' are taken from
        their results.
    versions
        Library -> version. No times, no paths: the report is byte-equal between runs on the same
        input.
    no_pseudonyms
        Write relation numbers instead of pseudonyms in the files for those who may see them, the
        portal among them; never in report.html.
    past
        What the models said three years ago; only kept, for whoever works the value out again.
    """

    portfolio: Portfolio
    settings: Settings
    entries: tuple[Entry, ...]
    features: tuple[Feature, ...] = ()
    models: ModelRun | None = None
    value: ValueRun | None = None
    extra_findings: tuple[Finding, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    no_pseudonyms: bool = False
    past: ModelRun | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of every room, once each."""
        models = self.models.findings if self.models else ()
        value = self.value.findings if self.value else ()
        found: list[Finding] = []
        for finding in (*self.portfolio.findings, *self.extra_findings, *models, *value):
            if finding not in found:
                found.append(finding)
        return tuple(found)

    @property
    def predictions(self) -> dict[str, Prediction]:
        """Every prediction by key, in catalogue order where the catalogue knows it."""
        made = {p.key: p for run in (self.models, self.value) if run for p in run.predictions}
        order = {entry.key: place for place, entry in enumerate(self.entries)}
        return dict(
            sorted(made.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))
        )
