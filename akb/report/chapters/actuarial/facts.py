"""Annex: the actuary's review of lapse. The whole tables stand in ``actuarial/``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from akb.report.typed import Facts
from akb.value.types import BranchExperience, LapseReview

if TYPE_CHECKING:
    from akb.report.context import Context


@dataclass(frozen=True)
class NamedExperience(BranchExperience):
    """What happened in a branch, by its name."""

    name: str


@dataclass(frozen=True)
class NamedReview(LapseReview):
    """The review, branches by their name."""

    branches: tuple[NamedExperience, ...]


@dataclass(frozen=True)
class ActuarialFacts(Facts):
    """Actual against expected lapse; None where not one whole year of ends was recorded."""

    KEY: ClassVar[str] = "actuarial"

    review: NamedReview | None


def facts(context: Context) -> ActuarialFacts:
    """Return the review of the run."""
    value = context.bundle.value
    found = value.actuarial if value else None
    if found is None:
        return ActuarialFacts(None)
    branches = tuple(
        NamedExperience(**vars(row), name=context.branch_name(row.branch))
        for row in found.figures.branches
    )
    return ActuarialFacts(NamedReview(**{**vars(found.figures), "branches": branches}))


FACTS = (facts,)
