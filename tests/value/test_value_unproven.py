"""A list stands on an order that was tested right; else there are headings, and a sentence says why."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
import value_fixtures as f

from akb.models.types import Evidence, ModelRun, Prediction
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.targeting.attention import contact_months
from akb.value.targeting.lists.withheld import withheld_lists

BOOK = f.portfolio(200)
CHANCE = replace(f.PROVEN, auc=0.52, auc_ci=(0.48, 0.56))
FEW = replace(f.PROVEN, positives=49.0)
UNTESTED = Evidence(calibration=f.CALIBRATED)


def shown(evidence: Evidence | None, *prefixes: str, run: ModelRun | None = None) -> ModelRun:
    """A run whose predictions that start so showed this, with their gates open as they were."""
    run = f.models(BOOK) if run is None else run
    changed = (replace(made, evidence=evidence) if made.key.startswith(prefixes) else made for made in run.predictions)
    return replace(run, predictions=tuple(changed))


def with_former(chances: list[float], evidence: Evidence | None) -> ModelRun:
    """A run with a chance for former customers to come back."""
    here = set(f.present(BOOK)["customer"])
    gone = sorted(set(BOOK.customers["customer"].to_list()) - here)
    former = pl.DataFrame(
        {"customer": gone, "winback_12m": [chances[place % len(chances)] for place in range(len(gone))]},
        schema={"customer": pl.UInt32, "winback_12m": pl.Float32},
    )
    run = f.models(BOOK)
    made = Prediction("winback_12m", "fitted", gate="pass", evidence=evidence, horizon_months=12)
    return replace(run, winback=former, predictions=(*run.predictions, made))


@pytest.mark.parametrize("evidence", [CHANCE, FEW, UNTESTED, None])
@pytest.mark.parametrize("gate", ["pass", "none"])
def test_top_defend_is_not_delivered_on_an_unproven_order(evidence: Evidence | None, gate: str) -> None:
    run = shown(evidence, "churn", run=f.with_gate(f.models(BOOK), gate, "churn"))
    made = run_value(BOOK, run, f.SETTINGS)
    listed = made.lists["top_defend"]
    assert listed.is_empty()
    assert "churn_12m" in listed.columns  # the headings stay
    assert made.lists["next_best_action"].filter(pl.col("action") == "defend").is_empty()
    finding = next(each for each in made.findings if each.code == "AKB-V015")
    assert "Top Defend" in finding.sentence()
    assert "beter dan toeval" not in finding.sentence()
    lines = made.case.cohort.lines if made.case else []
    assert sum(line.base for line in lines if line.key == "relation") == 0


def test_on_a_proven_order_it_is_delivered() -> None:
    made = run_value(BOOK, f.models(BOOK), f.SETTINGS)
    assert made.lists["top_defend"].height > 0
    assert "AKB-V015" not in {each.code for each in made.findings}


def test_where_too_few_left_preventably_the_order_of_everyone_who_left_speaks() -> None:
    base = InForce(BOOK, shown(FEW, "churn_preventable"), f.SETTINGS)
    assert base.churn_shown.order == "proven"
    base = InForce(BOOK, shown(CHANCE, "churn_preventable"), f.SETTINGS)
    assert base.churn_shown.order == "unproven"  # tested on enough, and it was chance


def test_next_best_policies_need_one_order_that_was_proven() -> None:
    run = shown(CHANCE, "next_policy")
    assert run_value(BOOK, run, f.SETTINGS).lists["next_best_policy"].is_empty()
    one = tuple(
        replace(each, evidence=f.PROVEN) if each.key == "next_policy_auto_12m" else each for each in run.predictions
    )
    assert not run_value(BOOK, replace(run, predictions=one), f.SETTINGS).lists["next_best_policy"].is_empty()


@pytest.mark.parametrize(
    ("chances", "evidence", "listed"),
    [
        ([0.0107], f.PROVEN, False),  # everybody the same: nobody comes first
        ([0.01, 0.03], f.PROVEN, True),
        ([0.01, 0.03], CHANCE, False),
        ([0.01, 0.03], None, False),
    ],
)
def test_win_back_lists_nobody_where_nobody_stands_out(
    chances: list[float], evidence: Evidence | None, listed: bool
) -> None:
    run = with_former(chances, evidence)
    assert (run_value(BOOK, run, f.SETTINGS).lists["winback"].height > 0) == listed
    assert ("winback" in withheld_lists(InForce(BOOK, run, f.SETTINGS))) != listed


def test_flat_departures_move_no_month_of_contact() -> None:
    """The fixture's hazards are constant in time but for a ripple: renewals alone decide the month."""
    run = f.models(BOOK)
    ripple = pl.when(pl.col("month") == 7).then(pl.col("alive").pow(1.02)).otherwise(pl.col("alive"))
    flat = replace(run, survival=run.survival.with_columns(alive=ripple))
    none = replace(run, survival=run.survival.clear())
    months = [contact_months(InForce(BOOK, each, f.SETTINGS)).tolist() for each in (flat, none)]
    assert months[0] == months[1]
    steep = pl.when(pl.col("month") >= 7).then(pl.col("alive") * 0.6).otherwise(pl.col("alive"))
    peaked = replace(run, survival=run.survival.with_columns(alive=steep))
    assert contact_months(InForce(BOOK, peaked, f.SETTINGS)).tolist() != months[0]
