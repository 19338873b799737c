"""Annex: the numbers that nobody measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.report.typed import Facts, made

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class AssumptionRow:
    """An assumption of the register; see `akb.config.Assumption`."""

    key: str
    value: float
    low: float
    high: float
    unit: str
    kind: str
    affects: str
    source: str
    label: str
    note: str
    evidence: str
    owner: str
    supplied: bool


@dataclass(frozen=True)
class AssumptionFacts(Facts):
    """The register of assumptions."""

    KEY: ClassVar[str] = "assumptions"

    rows: tuple[AssumptionRow, ...]


def facts(context: Context) -> AssumptionFacts:
    """Return every assumption of the run, by name."""
    register = sorted(context.bundle.settings.assumed().items())
    rows = [{"key": key, **assumption.model_dump()} for key, assumption in register]
    return made(AssumptionFacts, {"rows": rows})


FACTS = (facts,)
