"""Ways to learn from rows: the base rate, one rule, a spline regression, boosted trees."""

from __future__ import annotations

from akb.models.learners.boosting import Boosted, fit_boosting, without_rows
from akb.models.learners.candidates import SIMPLEST_FIRST, STEP, fitters
from akb.models.learners.link import from_link, to_link
from akb.models.learners.logistic import Logistic, Spline, fit_logistic
from akb.models.learners.rule import SCAN_ROWS, Rate, Rule, fit_rule, scan, screened
from akb.models.learners.sample import Fitter, Model, Objective, Sample

__all__ = [
    "SCAN_ROWS",
    "SIMPLEST_FIRST",
    "STEP",
    "Boosted",
    "Fitter",
    "Logistic",
    "Model",
    "Objective",
    "Rate",
    "Rule",
    "Sample",
    "Spline",
    "fit_boosting",
    "fit_logistic",
    "fit_rule",
    "fitters",
    "from_link",
    "scan",
    "screened",
    "to_link",
    "without_rows",
]
