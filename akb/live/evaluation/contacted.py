"""What the contacts of a run did: who was on the list against who was withheld by lot, by intention
to treat.

Our own definitions, each with its n and interval: *effectiviteit* is the part of the policies lost
without contact that was not lost; *efficiency* the policies kept per hundred customers on the list;
*impact* the commission a year that was kept by all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError
from akb.live.experiment.assignment import CONTROL
from akb.live.experiment.candidates import candidates
from akb.live.experiment.effect import intention_to_treat
from akb.live.experiment.outcomes import outcomes
from akb.live.experiment.registration import closing_day

if TYPE_CHECKING:
    from datetime import date

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.live.evaluation.stored_run import PastRun
    from akb.live.experiment.effect import Measured

MONTHS = 12
OUTCOMES = ("relations", "policies", "euros")


def effect_of_contact(
    run: PastRun,
    portfolio: Portfolio,
    settings: Settings,
    as_of: date,
    arms: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Return ``status`` and, where it is ``measured``, the arms, the effects and the three figures.

    Of whom `arms` (customer, ``arm``) tells, of experiments that ran on the run's day, the arm says
    whether he was withheld: his list may have been made before he was drawn.

    Other statuses: ``open`` with the day on which the window closes, ``unavailable`` with a
    ``reason``: ``no_list``, ``no_control`` (too few withheld by lot)."""
    days = settings.time.gap_days + settings.time.registration_lag_days
    closes = closing_day(run.as_of, MONTHS, days)
    if closes > as_of:
        return {"status": "open", "closes": closes.isoformat()}
    try:
        listed = _in_arms(candidates(run), arms).with_columns(joined=pl.lit(run.as_of, pl.Date))
    except AkbError:
        return {"status": "unavailable", "reason": "no_list"}
    found = outcomes(portfolio, listed, MONTHS, settings)
    table = pl.concat([listed, found.drop("customer", "joined")], how="horizontal")
    followed = table.filter(pl.col("relations").is_not_null())
    try:
        measured = {name: _measured(followed, name) for name in OUTCOMES}
    except ValueError:
        return {"status": "unavailable", "reason": "no_control"}
    return {
        "status": "measured",
        "arms": [_arm(table, withheld=withheld) for withheld in (False, True)],
        "effects": {name: _row(each) for name, each in measured.items()},
        "figures": figures(measured["policies"], measured["euros"]),
    }


def _in_arms(listed: pl.DataFrame, arms: pl.DataFrame | None) -> pl.DataFrame:
    if arms is None:
        return listed
    drawn = arms.select("customer", drawn=pl.col("arm") == CONTROL)
    return (
        listed.join(drawn, on="customer", how="left", maintain_order="left")
        .with_columns(withheld=pl.coalesce("drawn", "withheld"))
        .drop("drawn")
    )


def figures(policies: Measured, euros: Measured) -> dict[str, dict[str, Any]]:
    """Return effectiviteit, efficiency and impact."""
    low, high = policies.interval
    euro_low, euro_high = euros.interval
    n = policies.treated_customers
    prevented = policies.prevented_interval()
    common = {"treated": n, "control": policies.control_customers}
    return {
        "effectiviteit": {
            "value": policies.prevented,
            "interval": None if prevented is None else list(prevented),
            "distinguishable": policies.distinguishable,
            **common,
        },
        "efficiency": {
            "value": -100 * policies.difference,
            "interval": [-100 * high, -100 * low],
            "distinguishable": policies.distinguishable,
            **common,
        },
        "impact": {
            "value": -n * euros.difference,
            "interval": [-n * euro_high, -n * euro_low],
            "distinguishable": euros.distinguishable,
            **common,
        },
    }


def _measured(followed: pl.DataFrame, outcome: str) -> Measured:
    return intention_to_treat(
        followed[outcome].fill_null(0.0).to_numpy(),
        (~followed["withheld"]).to_numpy(),
        followed[f"forecast_{outcome}"].fill_null(float("nan")).to_numpy(),
        cluster=followed["customer"].to_numpy(),
        stratum=followed["office"].fill_null("").to_numpy(),
    )


def _arm(table: pl.DataFrame, *, withheld: bool) -> dict[str, Any]:
    own = table.filter(pl.col("withheld") == withheld)
    followed = own.filter(pl.col("relations").is_not_null())
    known = followed["contacted"].count()
    return {
        "arm": "control" if withheld else "treated",
        "listed": own.height,
        "followed": followed.height,
        "contacted": followed["contacted"].mean() if known else None,
    }


def _row(measured: Measured) -> dict[str, Any]:
    low, high = measured.interval
    return {
        "control": measured.control,
        "difference": measured.difference,
        "interval": [low, high],
        "distinguishable": measured.distinguishable,
    }
