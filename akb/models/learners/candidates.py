"""The rivals for one prediction, simplest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.models.learners.boosting import fit_boosting
from akb.models.learners.logistic import fit_logistic
from akb.models.learners.own import own_fitters
from akb.models.learners.rule import Rate, fit_rule

if TYPE_CHECKING:
    from akb.config import Models
    from akb.models.learners.sample import Fitter, Model, Objective, Sample

STEP = 0.18  # with 2/9 of the trees: ranks like half of the trees at .08 (expected AUC within .001)
SIMPLEST_FIRST = ("rate", "rule", "logistic", "boosting")


def fitters(
    objective: Objective, settings: Models, trees: int, step: float = STEP
) -> dict[str, Fitter]:
    """Return the rivals by name, simplest first; the client's own last."""

    def boosting(sample: Sample) -> Model:
        return fit_boosting(
            sample.x,
            sample.label,
            weight=sample.weight,
            init_score=sample.offset,
            names=sample.names,
            objective=objective,
            seed=settings.seed,
            jobs=1,
            trees=trees,
            categorical=sample.categorical,
            monotone=sample.monotone,
            learning_rate=step,
        )

    return {
        "rate": lambda sample: Rate(objective),
        "rule": lambda sample: fit_rule(sample, objective),
        "logistic": lambda sample: fit_logistic(sample, objective, seed=settings.seed),
        "boosting": boosting,
        **own_fitters(settings.candidates, objective),
    }
