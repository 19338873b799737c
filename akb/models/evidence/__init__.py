"""What a prediction showed on later data, and how far a reader may lean on it."""

from __future__ import annotations

from akb.models.evidence.determinants import Probe, determinants_of, some_rows
from akb.models.evidence.evidence import binary_evidence, count_evidence, persistence_baseline
from akb.models.evidence.explain import MOST, contributions_of, importance_of, reasons, shares_of
from akb.models.evidence.grading import STRONG_EVENTS, gate, grade, holm, significant
from akb.models.evidence.intervals import (
    BETWEEN_YEAR,
    Z90,
    Z95,
    auc_with_interval,
    gain_p,
    paired_difference,
)
from akb.models.evidence.metrics import losses, top, weighted_auc
from akb.models.evidence.segments import AGES, Parts, People, with_events

__all__ = [
    "AGES",
    "BETWEEN_YEAR",
    "MOST",
    "STRONG_EVENTS",
    "Z90",
    "Z95",
    "Parts",
    "People",
    "Probe",
    "auc_with_interval",
    "binary_evidence",
    "contributions_of",
    "count_evidence",
    "determinants_of",
    "gain_p",
    "gate",
    "grade",
    "holm",
    "importance_of",
    "losses",
    "paired_difference",
    "persistence_baseline",
    "reasons",
    "shares_of",
    "significant",
    "some_rows",
    "top",
    "weighted_auc",
    "with_events",
]
