"""Churn: one landmark hazard, its causes, what is announced, and the lifetime that follows."""

from __future__ import annotations

from akb.models.churn.announced import AnnouncedLapses, announced_lags, announced_lapses
from akb.models.churn.causes import CauseModel, Causes, CauseTrees, Multinomial, Shares
from akb.models.churn.competing import aalen_johansen
from akb.models.churn.composed import announced_later, churn_scores, compose, highest
from akb.models.churn.evaluation import LIFETIME, evaluate_churn
from akb.models.churn.fit import ChurnResult, fit_churn
from akb.models.churn.hazard import Hazard, stay
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.splits import CHURN, churn_splits
from akb.models.churn.survival import (
    Continuation,
    ages,
    fit_lifetime,
    survival_frame,
    tenures,
)
from akb.models.churn.target import PART, fit_selected

__all__ = [
    "CHURN",
    "LAGS",
    "LIFETIME",
    "PART",
    "AnnouncedLapses",
    "CauseModel",
    "CauseTrees",
    "Causes",
    "ChurnResult",
    "Continuation",
    "Hazard",
    "Landmarks",
    "Multinomial",
    "Shares",
    "aalen_johansen",
    "ages",
    "announced_lags",
    "announced_lapses",
    "announced_later",
    "churn_scores",
    "churn_splits",
    "compose",
    "evaluate_churn",
    "fit_churn",
    "fit_lifetime",
    "fit_selected",
    "highest",
    "stay",
    "survival_frame",
    "tenures",
]
