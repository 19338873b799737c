"""Fits that need little: the columns of the groups that speak of the matter, and fewer rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from akb.config import Models
    from akb.features.types import Matrix
    from akb.models.temporal import Problem

ROWS, TREES = 24_000, 120  # at most: no list and no euro rests on these fits
SERVICE = (
    "holdings",
    "tenure",
    "lifestage",
    "claims",
    "contacts",
    "payments",
    "branches",
    "premium",
    "season",
)
"""Groups that speak of what a customer asks of the office and of what he has there."""

BEHAVIOUR = ("holdings", "tenure", "claims", "contacts", "payments")


def lean(
    problem: Problem, matrix: Matrix, groups: tuple[str, ...], own: tuple[str, ...] = ()
) -> Problem:
    """Return the problem with the columns of some groups (and `own`); all where the matrix has
    none.
    """
    names = {feature.name for feature in matrix.features if feature.group in groups}
    return problem.only((*names, *own)) if names else problem


def frugal(settings: Models) -> Models:
    """Return the settings with fewer rows and trees."""
    return settings.model_copy(
        update={"target_rows": min(settings.target_rows, ROWS), "trees": min(settings.trees, TREES)}
    )
