"""The ways to predict, one module per kind: importing this package registers them
(`akb.models.method.METHODS`).
"""

from __future__ import annotations

from akb.models.method import METHODS
from akb.models.methods import (
    behaviour,
    churn,
    descriptions,
    families,
    questions,
    single,
    unmade,
    winback,
)

__all__ = [
    "METHODS",
    "behaviour",
    "churn",
    "descriptions",
    "families",
    "questions",
    "single",
    "unmade",
    "winback",
]
