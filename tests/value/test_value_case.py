from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
import value_fixtures as f

from akb.value import run_value
from akb.value.case import widening
from akb.value.ledger import cohort_years, first_year, ledger, over_years
from akb.value.types import Line

CHEAP = {"contact__minutes": 2.0, "contact__offer_minutes": 1.0}


@pytest.fixture(scope="module")
def made():
    return f.portfolio(600)


def _case(made, run=None, **assumptions):
    result = run_value(made, run or f.models(made), f.settings(**CHEAP, **assumptions))
    return result, result.case


def _line(case, key: str) -> Line:
    return next(line for line in (*case.benefits, *case.costs) if line.key == key)


def test_the_lists_add_up_to_the_ledger_to_the_cent(made) -> None:
    result, case = _case(made)
    called = result.lists["top_defend"].filter(~pl.col("control"))
    offers = result.lists["next_best_policy"].filter("contact")
    assert _line(case, "retention").base == called["yearly_cents"].sum() > 0
    assert _line(case, "cross_sell").base == offers["extra_cents"].sum() > 0
    assert case.net[1] == sum(line.base for line in case.benefits) - sum(line.base for line in case.costs)


def test_customers_add_up_to_the_total(made) -> None:
    result, _ = _case(made)
    parts = result.components
    held = f.present(made)
    assert (
        parts["commission_cents"].sum() == held["commission_cents"].sum() == result.figures["portfolio"]["commission"]
    )
    for table in ("by_branch", "by_kind", "by_office", "by_age", "density"):
        assert sum(row["commission"] for row in result.figures["portfolio"][table]) == held["commission_cents"].sum()


def test_hours_are_paid_for_every_call(made) -> None:
    result, case = _case(made)
    calls = result.lists["top_defend"].filter(~pl.col("control")).height
    offers = result.lists["next_best_policy"].filter("contact")
    own = offers["own_call"].sum()
    minutes = 2 * (calls + own) + 1 * (offers.height - own)
    assert _line(case, "hours").base == round(5500 * minutes / 60)
    assert _line(case, "licence").base == 100 * f.present(made)["customer"].n_unique()
    assert case.facts["contacts_used_count"] == calls + own


def test_natural_churn_is_never_saved(made) -> None:
    run = f.models(made)
    natural = run.survival.with_columns(
        natural=1 - pl.col("alive"), insurer=pl.lit(0.0), preventable=pl.lit(0.0)
    )  # everybody leaves as often, nobody preventably
    result, case = _case(made, replace(run, survival=natural))
    assert result.lists["top_defend"].is_empty()
    assert _line(case, "retention").base == 0
    assert (result.components["stake_cents"] == 0).all()


def test_purchases_that_come_anyway_do_not_count(made) -> None:
    _, none = _case(made, cross_sell__uplift=0.0)
    assert _line(none, "cross_sell").base == 0
    result, case = _case(made)
    assert case.facts["cross_sell_untreated"] > _line(case, "cross_sell").base > 0
    offers = result.lists["next_best_policy"].filter("contact")
    assert (offers["extra_cents"] <= 25 * offers["expected_commission"] + 1).all()  # uplift 25 %, in cents


def test_rescue_scales_retention_and_nothing_else(made) -> None:
    _, base = _case(made)
    retention = _line(base, "retention")
    assert retention.low == pytest.approx(retention.base / 2, abs=1)
    assert retention.high == pytest.approx(retention.base * 1.5, abs=1)
    _, zero = _case(made, retention__rescue=0.0)
    assert _line(zero, "retention").base == 0
    assert zero.facts["contacts_retention_count"] == 0


def test_a_failed_gate_contributes_no_euro(made) -> None:
    run = f.with_gate(f.models(made), "fail", "churn")
    result, case = _case(made, run)
    assert [line.key for line in case.benefits] == ["cross_sell"]
    listed = result.lists["top_defend"]
    assert listed["expected_saving"].null_count() == listed.height > 0  # the order stays
    assert case.facts["contacts_retention_count"] == 0
    assert "AKB-V004" in {finding.code for finding in result.findings}
    one = f.with_gate(f.models(made), "fail", "churn_preventable")
    assert [line.key for line in _case(made, one)[1].benefits] == ["cross_sell"]


def test_a_failed_branch_is_left_out_of_the_euros(made) -> None:
    run = f.with_gate(f.models(made), "fail", "next_policy_auto")
    result, _ = _case(made, run)
    full, _ = _case(made)
    autos = result.lists["next_best_policy"].filter(pl.col("branch") == "auto")
    assert autos["expected_commission"].null_count() == autos.height
    assert autos["extra_cents"].sum() == 0
    before, after = (r.scores["cross_sell_commission_12m"].cast(pl.Float64).sum() for r in (full, result))
    assert after < before
    all_fail = f.with_gate(f.models(made), "fail", "next_policy")
    _, case = _case(made, all_fail)
    assert [line.key for line in case.benefits] == ["retention"]
    assert case.facts["offers_in_talks_count"] == case.facts["contacts_offer_count"] == 0


def test_no_proven_level_at_all_means_no_case(made) -> None:
    for gate in ("fail", "none"):
        result, case = _case(made, f.models(made, gate=gate))
        assert case is None
        assert "businesscase" in result.figures["case_missing"]
        assert result.lists["top_defend"].height > 0
        assert "AKB-V004" in {finding.code for finding in result.findings}


def test_a_provisional_gate_widens_the_range(made) -> None:
    passed = _line(_case(made)[1], "retention")
    run = f.with_gate(f.models(made), "provisional", "churn", ci=(0.7, 1.4))
    wide = _line(_case(made, run)[1], "retention")
    assert wide.base == passed.base
    assert wide.low == pytest.approx(0.7 * passed.low, abs=1)
    assert wide.high == pytest.approx(1.4 * passed.high, abs=1)
    assert widening("provisional", (0.9, 0.95)) == (0.9, 1.0)
    assert widening("pass", (0.7, 1.4)) == (1.0, 1.0)


def test_without_reasons_the_assumed_share_widens_the_range() -> None:
    made = f.portfolio(600, reasons=False)
    _, case = _case(made)
    line = _line(case, "retention")
    assert line.low < line.base * 0.5 - 1
    assert line.high > line.base * 1.5 + 1


def test_year_one_counts_half_of_both_lines_and_the_analysis() -> None:
    benefits = [Line("a", 100, 200, 400, "assumed"), Line("b", 0, 100, 200, "assumed")]
    costs = [Line("c", 50, 60, 70, "assumed")]
    year = first_year(benefits, costs, 10)
    assert year == {"benefits": (50, 150, 300), "costs": (60, 70, 80), "net": (50 - 80, 150 - 70, 300 - 60)}
    net, ratios = ledger(benefits, costs)
    assert net == (100 - 70, 300 - 60, 600 - 50)
    assert ratios == pytest.approx((30 / 70, 4.0, 11.0))


def test_three_years_by_hand() -> None:
    assert cohort_years(1.0, 1) == 0.5
    assert cohort_years(1.0, 3) == 4.5
    assert cohort_years(0.0, 3) == 1.5
    assert cohort_years(0.8, 2) == pytest.approx(0.5 + 0.5 + 0.8)
    total = over_years([Line("a", 0, 100, 200, "assumed")], [Line("c", 5, 10, 15, "assumed")], 7, 1.0)
    assert total["benefits"] == (0, 450, 900)
    assert total["costs"] == (22, 37, 52)
    assert total["net"] == (-52, 413, 878)


def test_year_one_of_the_run_is_the_first_of_three(made) -> None:
    _, case = _case(made)
    assert case.year1["benefits"][1] == pytest.approx(sum(line.base for line in case.benefits) / 2, abs=1)
    assert 0.5 < case.facts["stay_share"] < 1
    assert case.three_years["benefits"][1] > 3 * case.year1["benefits"][1]
    assert case.year1["costs"][1] == sum(line.base for line in case.costs) + 250_000


def test_facts_explain_the_difference(made) -> None:
    result, case = _case(made)
    facts = case.facts
    assert facts["commission_saved_gross"] - facts["serve_cost_saved"] == _line(case, "retention").base
    assert facts["commission_at_risk_listed"] <= facts["commission_at_risk_preventable"] <= facts["turnover"]
    implied = facts["rescue_implied_by_rule_share"]
    assert implied * _line(case, "retention").base / 0.2 == pytest.approx(case.rule_of_thumb["retention"])
    assert facts["policy_lapse_share"] == result.figures["rates"]["policy_lapse"]
    counts = [facts[f"pays_at_rescue_{name}_count"] for name in ("low", "base", "high", "certain")]
    assert counts == sorted(counts)
    assert counts[1] == result.lists["top_defend"].filter(~pl.col("control")).height  # the hours do not bind here
    assert facts["leavers_listed_count"] < facts["leavers_preventable_count"] < facts["leavers_expected_count"]
