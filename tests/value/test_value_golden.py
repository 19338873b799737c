"""The worked examples of the sources, through public functions. Where a source contradicts itself, the test says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.value import formulas
from akb.value.case.claims import rule_of_thumb
from akb.value.in_force import band_labels

GOLDEN = {entry["id"]: entry for entry in json.loads((Path(__file__).parents[1] / "golden.json").read_text("utf-8"))}


@pytest.mark.parametrize("case", ["D1_churn_low", "D1_churn_high", "D1_range_min", "D1_range_max"])
def test_d1_saving_as_share_of_turnover(case: str) -> None:
    # The source says "3 % of turnover"; its own ranges give 2 to 4 %.
    given = GOLDEN[case]["in"]
    share = formulas.saving_share(given["royement"], given["natuurlijk"], given["reddingskans"])
    assert share == pytest.approx(GOLDEN[case]["out"], abs=GOLDEN[case]["tol"])


def test_d1_needs_years_to_reach_its_run_rate() -> None:
    # The source counts 3 % as if it were there from the first day; spread over the year it starts at 1.5 %.
    entry = GOLDEN["D1_ramp_pct_of_base_turnover"]
    ramp = formulas.saving_ramp(entry["in"]["churn_voor"], entry["in"]["churn_na"], entry["in"]["years"])
    assert [100 * share for share in ramp] == pytest.approx(entry["out"], abs=entry["tol"])


@pytest.mark.parametrize("case", ["D4_xsell_seed", "D4_xsell_mid", "D4_xsell_high"])
def test_d4_cross_sell_rule(case: str) -> None:
    # The source gives only the low end of its own ranges, and this flow exists without any action.
    given = GOLDEN[case]["in"]
    flow = formulas.cross_sell_rule(given["klanten"], given["p"], given["aandeel"], given["provisie"])
    assert flow == pytest.approx(GOLDEN[case]["out"], abs=GOLDEN[case]["tol"])


def test_d5_roi() -> None:
    # The source calls revenue a return and leaves contact cost out; the arithmetic is right.
    given, out = GOLDEN["D5_roi"]["in"], GOLDEN["D5_roi"]["out"]
    loss = given["klanten"] * given["churn"] * given["waarde"]
    saving = loss * given["reductie"]
    assert (loss, saving) == pytest.approx((out["verlies"], out["besparing"]))
    assert 100 * formulas.roi(saving, given["kosten"]) == pytest.approx(out["roi_pct"], abs=1e-6)


def test_d20_price() -> None:
    given, out = GOLDEN["D20_price"]["in"], GOLDEN["D20_price"]["out"]
    assert formulas.system_cost(given["klanten"], given["per_klant"], given["eda"]) == out["jaar1"]
    assert formulas.system_cost(given["klanten"], given["per_klant"], given["eda"], years=3) == out["drie_jaar"]


def test_d20_and_the_rules_are_the_shipped_assumptions() -> None:
    assumed = f.SETTINGS.assumed()
    assert assumed["price.per_customer"].value == GOLDEN["D20_price"]["in"]["per_klant"]
    assert assumed["price.eda"].value == GOLDEN["D20_price"]["in"]["eda"]
    made = f.portfolio()
    held = f.present(made)
    turnover, customers = held["commission_cents"].sum(), held["customer"].n_unique()
    rule = rule_of_thumb(customers, turnover, assumed)
    assert rule.retention == round(0.03 * held["commission_cents"].sum())
    assert rule.cross_sell == 600 * held["customer"].n_unique()  # € 60.000 per 10,000 customers


def test_d24_the_list_turns_the_order_around() -> None:
    # 65 / 0.27 is € 241: the source's CLV of € 5.500 can only be a value if she stays, not a churn-weighted one.
    entry = GOLDEN["D24_rank"]
    names = list(entry["in"])
    commission = [entry["in"][name]["provisie"] for name in names]
    risk = [formulas.expected_saving(1.0, entry["in"][name]["churn"], entry["in"][name]["clv"], 0.0) for name in names]
    assert dict(zip(names, risk, strict=True)) == pytest.approx(entry["out"]["risicowaarde"])
    assert [names[place] for place in formulas.rank_by(commission)] == entry["out"]["volgorde_provisie"]
    assert [names[place] for place in formulas.rank_by(risk)] == entry["out"]["volgorde_top_defend"]


def test_d25_by_expected_commission_another_branch_comes_first() -> None:
    # The source sorts by chance; by chance x commission another branch comes first.
    entry = GOLDEN["D25_nbp"]
    middle = {name: (low + high) / 2 for name, (low, high, _) in entry["in"].items()}
    expected = {name: middle[name] * euros for name, (_, _, euros) in entry["in"].items()}
    assert expected == pytest.approx(entry["out"]["mid"])
    names = list(entry["in"])
    assert names[formulas.rank_by(list(middle.values()))[0]] == entry["out"]["eerste_op_kans"]
    assert names[formulas.rank_by(list(expected.values()))[0]] == entry["out"]["eerste_op_waarde"]
    assert band_labels("chance", list(middle.values())) == ["> 50 %", "25–50 %", "10–25 %"]


def test_d25_as_the_room_ranks_it() -> None:
    entry = GOLDEN["D25_nbp"]
    made = f.portfolio(60, branches=("avp", "rechtsbijstand", "opstal", "inboedel"))
    euros = {name.lower(): cents for name, (_, _, cents) in entry["in"].items()}
    cents = pl.col("branch").replace_strict(euros, default=10, return_dtype=pl.Int64) * 100
    from dataclasses import replace

    made = replace(made, policies=made.policies.with_columns(commission_cents=cents))
    run = f.models(made)
    chance = {name.lower(): (low + high) / 2 for name, (low, high, _) in entry["in"].items()}
    customer = int(run.scores["customer"][0])
    purchase = pl.DataFrame(
        {"customer": [customer] * 3, "branch": list(chance), "probability": list(chance.values())},
        schema_overrides={"customer": pl.UInt32},
    )
    from akb.value import run_value

    result = run_value(made, replace(run, branch_purchase=purchase), f.SETTINGS)
    best = result.scores.filter(pl.col("customer") == customer).row(0, named=True)
    assert best["next_best_policy"] == entry["out"]["eerste_op_waarde"].lower()
    total = sum(entry["out"]["mid"].values())
    assert best["cross_sell_commission_12m"] == pytest.approx(total, abs=0.01)


def test_c13_threshold() -> None:
    given = GOLDEN["C13_threshold"]["in"]
    assert formulas.profit_threshold(given["s"], given["V"], given["c"]) == pytest.approx(
        GOLDEN["C13_threshold"]["out"]
    )
    assert formulas.profit_threshold(0.3, 500, 25) == pytest.approx(1 / 6)
    assert formulas.profit_threshold(0.2, 0, 25) == float("inf")
    edge = GOLDEN["C13_threshold"]["out"]
    assert formulas.expected_saving(given["s"], edge, given["V"], given["c"]) == pytest.approx(0)


def test_stress_case_of_the_sources() -> None:
    given, out = GOLDEN["STRESS_seed"]["in"], GOLDEN["STRESS_seed"]["out"]
    churn_only = formulas.roi(given["churn_besparing"], given["kosten"])
    both = formulas.roi(given["churn_besparing"] + given["xsell"], given["kosten"])
    assert 100 * churn_only == pytest.approx(out["roi_churn_pct"])
    assert 100 * both == pytest.approx(out["roi_beide_pct"])


def test_stress_case_with_careful_assumptions() -> None:
    # The source halves only the churn line in year 1 (-40 %); the half-year rule on both lines gives -52 %.
    given, out = GOLDEN["STRESS_careful"]["in"], GOLDEN["STRESS_careful"]["out"]
    kept, sold, cost = given["churn_besparing"], given["xsell"], given["kosten"]
    assert 100 * formulas.roi(kept + sold, cost) == pytest.approx(out["roi_runrate_pct"])
    assert kept + sold - cost == 24_000 - 25_000
    half_churn = formulas.half_year([kept]) + sold
    assert 100 * formulas.roi(half_churn, cost) == pytest.approx(out["roi_halfjaar_pct"])
    assert 100 * formulas.roi(formulas.half_year([kept, sold]), cost) == pytest.approx(-52)


def test_roi_refuses_to_divide_by_nothing() -> None:
    with pytest.raises(ValueError, match="above zero"):
        formulas.roi(1, 0)


def test_the_formulas_agree_with_numpy_on_a_grid() -> None:
    grid = np.linspace(0.01, 0.5, 7)
    for lapse in grid:
        assert formulas.saving_ramp(lapse, lapse, 4) == pytest.approx([0] * 4)
