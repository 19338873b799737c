"""What may be learned and judged when: splits in time, selection, levels, evaluation on later
data.
"""

from __future__ import annotations

from akb.models.temporal.answer import Answer, with_dates
from akb.models.temporal.calibrated import CHUNK, CalibratedModel, fit_calibrated
from akb.models.temporal.holdout import RENEWAL, Grouper, grouper
from akb.models.temporal.level import level_factor, shift_for, year_on_year
from akb.models.temporal.probe import probe_of
from akb.models.temporal.problem import (
    BRANCH,
    EPOCH,
    Problem,
    branch_problem,
    customer_problem,
    day_number,
    happened_within,
)
from akb.models.temporal.replay import Evaluation, choose_refit_evaluate
from akb.models.temporal.selection import (
    ENOUGH_FOR_SPLINES,
    Competition,
    Contest,
    Selection,
    compare_candidates,
    compete,
    default_learner,
)
from akb.models.temporal.splits import (
    Split,
    TemporalSplits,
    closes_on,
    months_to_evaluate,
    temporal_splits,
)
from akb.models.temporal.target import FittedTarget, evaluate_target, fit_target

__all__ = [
    "BRANCH",
    "CHUNK",
    "ENOUGH_FOR_SPLINES",
    "EPOCH",
    "RENEWAL",
    "Answer",
    "CalibratedModel",
    "Competition",
    "Contest",
    "Evaluation",
    "FittedTarget",
    "Grouper",
    "Problem",
    "Selection",
    "Split",
    "TemporalSplits",
    "branch_problem",
    "choose_refit_evaluate",
    "closes_on",
    "compare_candidates",
    "compete",
    "customer_problem",
    "day_number",
    "default_learner",
    "evaluate_target",
    "fit_calibrated",
    "fit_target",
    "grouper",
    "happened_within",
    "level_factor",
    "months_to_evaluate",
    "probe_of",
    "shift_for",
    "temporal_splits",
    "with_dates",
    "year_on_year",
]
