"""What an experiment showed, and what is believed of the effect from now on. Pure: a table in,
figures out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.config import MeasuredEffect
from akb.core.errors import AkbError
from akb.live.experiment.assignment import CONTROL, TREATED
from akb.live.experiment.effect import intention_to_treat, within_clusters
from akb.live.experiment.posterior import posterior, prior
from akb.live.experiment.uplift import uplift_needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Assumption
    from akb.live.experiment.effect import Measured
    from akb.live.experiment.posterior import Posterior
    from akb.live.experiment.registration import Registration

ANALYSED = ("relations", "policies", "euros", "apart")
FORECAST = {"apart": "policies"}
IN_REGISTER = {"relations": "effect_relation", "apart": "effect_policy"}
"""Outcome -> the number of the ladder that is a part of it that does not happen."""
_DIGITS = 4


def analysis(
    registration: Registration, table: pl.DataFrame, register: Mapping[str, Assumption]
) -> dict[str, Any]:
    """Return the whole result.

    Parameters
    ----------
    table
        The record with the outcomes of `akb.live.experiment.outcomes`; who cannot be followed has
        none.

    Raises
    ------
    AkbError
        If an arm holds too few to say anything.
    """
    followed = table.filter(pl.col("relations").is_not_null())
    try:
        found = {name: _measured(registration, followed, name) for name in ANALYSED}
    except ValueError as error:
        raise AkbError(f"nothing can be said of this experiment: {error}") from None
    primary = found[registration.outcome]
    beliefs = _beliefs(registration, found, register)
    return {
        "outcome": registration.outcome,
        "arms": [_arm(table, arm) for arm in (TREATED, CONTROL)],
        "clusters": primary.clusters,
        "degrees": round(primary.fit.degrees(_second(primary)), 1),
        "icc": _icc(registration, followed),
        "effects": {name: _row(each) for name, each in found.items()},
        "distinguishable": primary.distinguishable,
        "direction": _direction(primary),
        "register": beliefs,
        "uplift": _uplift(registration, primary, beliefs),
    }


def measured_effects(
    registration: Registration, result: Mapping[str, Any]
) -> dict[str, MeasuredEffect]:
    """Return what goes into the register, by the name of the assumption."""
    counted = {row["arm"]: row["followed"] for row in result["arms"]}
    evidence = (
        f"Experiment {registration.name}, {registration.started.isoformat()} tot en met "
        f"{registration.stop.isoformat()}: {counted[TREATED]} klanten met contact en "
        f"{counted[CONTROL]} zonder; de bandbreedte is het interval van 90 %."
    )
    return {
        name: MeasuredEffect(value=row["mean"], low=row["low"], high=row["high"], evidence=evidence)
        for name, row in result["register"].items()
    }


def _measured(registration: Registration, followed: pl.DataFrame, outcome: str) -> Measured:
    forecast = followed[f"forecast_{FORECAST.get(outcome, outcome)}"]
    return intention_to_treat(
        followed[outcome].fill_null(0.0).to_numpy(),
        (followed["arm"] == TREATED).to_numpy(),
        forecast.cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        cluster=followed["unit"].to_numpy(),
        stratum=followed["stratum"].fill_null("").to_numpy(),
    )


def _arm(table: pl.DataFrame, arm: str) -> dict[str, Any]:
    own = table.filter(pl.col("arm") == arm)
    followed = own.filter(pl.col("relations").is_not_null())
    contacted = followed["contacted"].mean() if followed["contacted"].count() else None
    return {
        "arm": arm,
        "assigned": own.height,
        "followed": followed.height,
        "contacted": contacted,
        "means": {name: followed[name].mean() for name in ANALYSED},
    }


def _row(measured: Measured) -> dict[str, Any]:
    low, high = measured.interval
    prevented = measured.prevented_interval()
    return {
        "control": measured.control,
        "difference": measured.difference,
        "low": low,
        "high": high,
        "distinguishable": measured.distinguishable,
        "prevented": measured.prevented,
        "prevented_interval": None if prevented is None else list(prevented),
    }


def _beliefs(
    registration: Registration, found: Mapping[str, Measured], register: Mapping[str, Assumption]
) -> dict[str, dict[str, Any]]:
    """Return name of the assumption -> what was believed and is now; where there is a range to
    learn in and something happened without contact.
    """
    out: dict[str, dict[str, Any]] = {}
    for outcome, field in IN_REGISTER.items():
        name = f"contacts.{registration.contact}.{field}"
        entry = register.get(name)
        if entry is None or entry.high <= entry.low or found[outcome].control <= 0:
            continue
        now, before = posterior(entry, found[outcome]), prior(entry)
        out[name] = {
            **_rounded(now),
            "before": {
                "value": entry.value,
                "mean": before.mean,
                "low": entry.low,
                "high": entry.high,
            },
        }
    return out


def _rounded(now: Posterior) -> dict[str, float]:
    low, mean, high = (round(each, _DIGITS) for each in (now.low, now.mean, now.high))
    return {"low": min(low, mean), "mean": mean, "high": max(high, mean)}


def _uplift(
    registration: Registration, primary: Measured, beliefs: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what an uplift model takes, by the effect that is believed in now where the outcome
    has one, else by the measured one.
    """
    field = IN_REGISTER.get(registration.outcome)
    belief = beliefs.get(f"contacts.{registration.contact}.{field}")
    effect = primary.difference if belief is None else -belief["mean"] * primary.control
    return uplift_needs(primary, effect, 1 - registration.control_share)


def _icc(registration: Registration, followed: pl.DataFrame) -> float | None:
    """Return how alike customers of one adviser are without contact, for the next plan."""
    quiet = followed.filter((pl.col("arm") == CONTROL) & pl.col("adviser").is_not_null())
    if quiet["adviser"].n_unique() < 2:
        return None
    return within_clusters(quiet[registration.outcome].to_numpy(), quiet["adviser"].to_numpy())


def _direction(measured: Measured) -> str:
    if not measured.distinguishable:
        return "none"
    return "less" if measured.difference < 0 else "more"


def _second(measured: Measured) -> Any:
    return np.eye(len(measured.fit.beta))[1]
