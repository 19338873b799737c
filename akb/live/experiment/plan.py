"""The story of ``akb experiment plan``: what a run's advice asks, and the smallest trial that
answers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError
from akb.live.evaluation.stored_run import stored_run
from akb.live.experiment.candidates import candidates
from akb.live.experiment.sizes import (
    ICC,
    QUESTIONS,
    Randomised,
    break_even_share,
    designs,
    size,
    smallest,
)
from akb.value.case.sensitivity import Draws
from akb.value.case.trial import smallest_trial

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "akb.experiment_plan/1"


def plan_of_rate(before: float, relative: float, randomised: Randomised) -> dict[str, Any]:
    """Return what telling two shares apart takes, without a run.

    Raises
    ------
    AkbError
        If there is nothing to tell apart.
    """
    if not 0 < before < 1 or not 0 < relative <= 1:
        raise AkbError(
            "a plan needs a chance between 0 and 1 and an effect above 0 and at most 1",
            "For instance --before 0.09 --effect 0.36.",
        )
    return {
        "schema": SCHEMA,
        "before": before,
        "effect": relative,
        "randomised": _randomised(randomised),
        "per_arm": size(before, relative, randomised),
    }


def plan(folder: Path, unit: str, cluster_size: float | None, icc: float | None) -> dict[str, Any]:
    """Return the trials that a finished run could hold.

    Parameters
    ----------
    unit
        ``customer`` or ``adviser``.
    cluster_size
        Customers on the list per adviser; None: counted on the run's own list.
    icc
        None: `sizes.ICC`, a guess.

    Raises
    ------
    AkbError
        If the run has no business case, or nobody to draw from.
    """
    from akb.rerun import recomputed_basis

    basis = recomputed_basis(folder)
    if basis is None or basis.trialled is None:
        raise AkbError(
            f"{folder} has no contacts of which a trial could show the effect",
            "Its report says what was missing.",
        )
    if unit == "adviser" and cluster_size is None:
        cluster_size = listed_per_adviser(folder)
    drawn = unit == "adviser"
    randomised = Randomised(
        unit,
        (cluster_size or 1.0) if drawn else 1.0,
        (ICC if icc is None else icc) if drawn else 0.0,
    )
    advice = json.loads((folder / "summary.json").read_text("utf-8"))["business_case"]["advice"]
    made = designs(basis, randomised)
    seed = stored_run(folder).settings.models.seed
    worth = smallest_trial(Draws(basis, seed), seed, randomised.design_effect)
    return {
        "schema": SCHEMA,
        "customers": basis.trialled.customers,
        "advice": {name: advice.get(name) for name in ("key", "next", "turning", "trial")},
        "break_even": break_even_share(basis),
        "randomised": _randomised(randomised),
        "icc_guessed": drawn and icc is None,
        "designs": [each.row() for each in made],
        "smallest": {
            "decision": None
            if worth is None
            else {
                **vars(worth.trial(basis.trialled)),
                "value": round(worth.value),
                "cost": round(worth.cost),
            },
            **{
                question: None if each is None else each.row()
                for question in QUESTIONS
                for each in (smallest(made, question),)
            },
        },
    }


def listed_per_adviser(folder: Path) -> float:
    """Return how many customers an adviser has on the run's list of personal contacts, on average.

    Raises
    ------
    AkbError
        If the list names no adviser.
    """
    run = stored_run(folder)
    ladder = run.settings.ladder()
    personal = [key for key, contact in ladder.items() if contact.pool != "automatic"]
    found = candidates(run).filter(
        pl.col("adviser").is_not_null() & pl.col("contact").is_in(personal)
    )
    if found.is_empty():
        raise AkbError(
            "the export names no adviser, so advisers cannot be drawn", "Draw customers instead."
        )
    return found.height / found["adviser"].n_unique()


def _randomised(randomised: Randomised) -> dict[str, Any]:
    return {
        "unit": randomised.unit,
        "cluster_size": randomised.cluster_size,
        "icc": randomised.icc,
        "design_effect": randomised.design_effect,
    }
