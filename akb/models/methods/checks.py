"""What stands out over all predictions: not provable, too good to be honest, off level."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from akb.core.findings import Finding
from akb.core.gates import FEW_EVENTS
from akb.core.wording.phrases import Rounded, Translated
from akb.models.types import Evidence, Prediction

if TYPE_CHECKING:
    from akb.features.types import Matrix

TOO_GOOD = 0.93  # AUC over a year above which a leak is likelier than a good model
LEFT = 0.4  # of the errors of what was so at T already: honest margins leave more than half


def too_good(proof: Evidence) -> bool:
    """Return whether a rank over a year is better than honest ones are.

    Where the outcome mostly stands at T (what a customer has decides his margin), what was so there
    ranks well without any model. A leak shows then as taking away most of the errors that this
    baseline makes.
    """
    if proof.auc is None or proof.auc <= TOO_GOOD or proof.tested < FEW_EVENTS:
        return False
    persisted = proof.last_year.auc if proof.last_year is not None else None
    return persisted is None or 1 - proof.auc < LEFT * (1 - persisted)


def taught_by(matrix: Matrix) -> list[Finding]:
    """Return the finding that not everybody teaches, where that is so."""
    if matrix.panel is None:
        return []
    return [Finding("AKB-M006", "tip", int(matrix.panel.sum()))]


def checks(predictions: Iterable[Prediction], names: dict[str, Translated]) -> list[Finding]:
    """Return the findings over all predictions: not provable, too good, off level."""
    seen = [each for each in predictions if each.status in ("fitted", "baseline")]
    found = []
    unproven = [each for each in seen if each.gate == "none"]
    if unproven:
        found.append(Finding("AKB-M001", "tip", len(unproven), len(unproven) / len(seen)))
    for each in seen:
        proof = each.evidence
        if (
            proof is None
            or proof.auc is None
            or (each.horizon_months or 0) < 12
            or each.gate == "none"
        ):
            continue  # over a month or two a renewal calendar may rank this well without a leak
        if too_good(proof):
            params = {"name": names.get(each.key, each.key), "auc": Rounded(proof.auc, 2)}
            found.append(Finding("AKB-M002", "issue", params=params))
    failed = [each for each in seen if each.gate == "fail" and each.grade == "indicative"]
    if failed:
        found.append(Finding("AKB-M003", "tip", len(failed), len(failed) / len(seen)))
    return found
