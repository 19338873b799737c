"""Scores that cohere: with what is announced, and churn, lapses, branches and counts together."""

from __future__ import annotations

from akb.models.coherence.scores import (
    HEADLINE,
    CoherentEvidence,
    branches_of,
    coherent_evidence,
    coherent_scores,
)

__all__ = ["HEADLINE", "CoherentEvidence", "branches_of", "coherent_evidence", "coherent_scores"]
