"""Annex: the numbers that nobody measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.core.typed import made
from akb.core.wording.text import texts
from akb.report.typed import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Assumption
    from akb.config.contacts import ContactType
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
    ladder = context.bundle.settings.ladder()
    rows = []
    for key, assumption in register:
        row = {"key": key, **assumption.model_dump()}
        if context.language != "nl":
            row |= worded(key, assumption, context.language, ladder)
        rows.append(row)
    return made(AssumptionFacts, {"rows": rows})


def worded(
    key: str, assumption: Assumption, language: str, ladder: Mapping[str, ContactType]
) -> dict[str, str]:
    """Return label, note, unit and evidence of an assumption in another language than the
    register's; what the client wrote himself stays as it is.
    """
    words = texts("assumptions", language)
    room, _, name = key.partition(".")
    unit = words["unit"].get(assumption.unit, assumption.unit)
    if room != "contacts":
        label = words["label"].get(key, assumption.label)
        return {"label": label, "note": words["note"].get(key, assumption.note), "unit": unit}
    kind, _, number = name.rpartition(".")
    contact, said = ladder.get(kind), texts("contacts", language)
    shown = (contact.label_en or contact.label) if contact else kind
    evidence = words["evidence"].get(kind, "") if assumption.source != "measured" else None
    return {
        "label": said["label"][number].format(label=shown),
        "note": said["note"][number],
        "unit": said["unit"][assumption.kind],
        "evidence": evidence if evidence and assumption.evidence else assumption.evidence,
    }


FACTS = (facts,)
