from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.value import run_value
from akb.value.case.case import widening
from akb.value.case.ledger import cohort_years, first_year, ledger, over_years
from akb.value.types import Line

CHEAP = {"contact__minutes": 2.0, "contact__offer_minutes": 1.0}


@pytest.fixture(scope="module")
def made():
    return f.portfolio(600)


def _case(made, run=None, **assumptions):
    result = run_value(made, run or f.models(made), f.settings(**{**CHEAP, **assumptions}))
    return result, result.case


def _line(case, key: str) -> Line:
    return next(line for line in (*case.benefits, *case.costs) if line.key == key)


def test_the_lists_add_up_to_the_ledger_to_the_cent(made) -> None:
    result, case = _case(made)
    called = result.lists["top_defend"].filter("contact")
    offers = result.lists["next_best_policy"].filter("contact")
    assert _line(case, "retention").base == called["yearly_cents"].sum() > 0
    assert _line(case, "cross_sell").base == offers["extra_cents"].sum() > 0
    assert case.net[1] == sum(line.base for line in case.benefits) - sum(line.base for line in case.costs)


def test_every_call_can_be_worked_out_again_by_hand(made) -> None:
    """Rescue x chance x margin, and uplift x survival x chance x margin: to the cent, for hundreds of customers."""
    result, case = _case(made)
    run = f.models(made)
    year = run.survival.filter(pl.col("month") == 12).select("customer", stays="alive")
    kept = result.lists["top_defend"].filter("contact").join(year, on="customer")
    by_hand = 0.2 * kept["churn_preventable_12m"] * (kept["commission"] - kept["cost"])
    assert kept.height > 100
    assert np.allclose(kept["yearly"], by_hand, atol=0.0101)
    assert (by_hand * (0.5 + kept["stays"] + kept["stays"] ** 2) > 55 * 2 / 60).all()
    cost = dict(result.components.select("customer", "service_cost_cents").iter_rows())
    assert all(round(100 * euros) == cost[who] for who, euros in kept.select("customer", "cost").iter_rows())
    sold = result.lists["next_best_policy"].filter("contact").join(year, on="customer")
    margin = sold["commission"] - case.facts["policy_cost"] / 100
    assert sold.height > 100
    assert np.allclose(sold["extra"], 0.25 * sold["stays"] * sold["probability"] * margin, atol=0.0101)
    assert round(100 * kept["yearly"].sum()) + round(100 * sold["extra"].sum()) == sum(
        line.base for line in case.benefits
    )


def test_one_call_less_or_more_never_earns_more_within_the_payback_years(made) -> None:
    result, case = _case(made)
    called = result.lists["top_defend"].filter("contact")["customer"]
    rest = result.lists["next_best_policy"].filter(~pl.col("control") & ~pl.col("contact"))
    year = f.models(made).survival.filter(pl.col("month") == 12).select("customer", "alive")
    left = rest.filter(~pl.col("customer").is_in(called.to_list())).join(year, on="customer")
    assert (left["extra"].fill_null(0) * (0.5 + left["alive"] + left["alive"] ** 2) <= 55 * 2 / 60 + 0.02).all()
    assert case.facts["round_3"] > case.facts["round_cost"]
    for years in (1.0, 2.0, 5.0):
        other, case = _case(made, value__payback_years=years)
        counts = [found.lists["top_defend"]["contact"].sum() for found in (result, other)]
        assert counts == sorted(counts, reverse=years < 3)
        assert counts[0] != counts[1]


def test_what_calls_pay_when_is_nested(made) -> None:
    _, case = _case(made)
    counts = [case.facts[f"calls_pay_{name}_count"] for name in ("1", "3", "life")]
    assert counts == sorted(counts)
    assert case.facts["calls_pay_payback_count"] == case.facts["calls_pay_3_count"] == case.facts["contacts_used_count"]
    assert counts[2] <= case.facts["customers_callable_count"]


def test_where_no_call_pays_the_case_says_from_where_one_would(made) -> None:
    result, case = _case(made, contact__minutes=600.0)
    assert result.lists["top_defend"].is_empty()
    assert case.facts["contacts_used_count"] == 0
    assert [line.base for line in case.benefits] == [0, 0]
    turn = case.facts["first_call_cost"]
    assert 0 < turn < case.facts["contact_cost"] == 55_000
    again, _ = _case(made, contact__minutes=600.0 * turn / 55_000 * 0.8)
    assert again.lists["top_defend"].height > 0


@pytest.mark.parametrize("key", ["next_policy_auto", "next_policy", "churn_12m", "churn_preventable", "churn"])
def test_what_failed_its_gate_brings_nothing_to_any_euro(made, key: str) -> None:
    """Break one prediction after another: no call, line, list or sum of euros may still use it."""
    run = f.with_gate(f.models(made), "fail", key)
    result, case = _case(made, run)
    lines = {line.key: line.base for line in case.benefits}
    defend, offers = result.lists["top_defend"], result.lists["next_best_policy"]
    todo = result.lists["next_best_action"].filter(~pl.col("control"))
    if key.startswith("churn"):
        assert "retention" not in lines
        assert defend["yearly"].null_count() == defend["expected_saving"].null_count() == defend.height
        assert case.facts["contacts_retention_count"] == case.facts["saved_expected_count"] == 0
        assert case.basis["retention"] is None
        assert todo.filter(pl.col("action") == "defend")["expected_euros"].null_count() == (
            todo.filter(pl.col("action") == "defend").height
        )
    else:
        broken = offers.filter(pl.lit(key == "next_policy") | (pl.col("branch") == key.removeprefix("next_policy_")))
        assert broken["extra"].null_count() == broken["expected_commission"].null_count() == broken.height
        assert not broken["contact"].any()
        assert broken["extra_cents"].sum() == 0
        sold = todo.filter((pl.col("action") == "cross_sell") & pl.col("expected_euros").is_not_null())
        assert not set(sold["branch"]) & set(broken["branch"])
        assert ("cross_sell" in lines) is (key != "next_policy")
        if key == "next_policy":
            assert case.basis["own_calls"] is None
            assert result.scores["cross_sell_commission_12m"].fill_null(0).sum() == 0
            assert (result.components["potential_cents"] == 0).all()  # no purchase in anybody's lifetime value
            assert case.facts["cross_sell_untreated"] == 0
    earned = sum(lines.values())
    assert case.net[1] == earned - sum(line.base for line in case.costs)


def test_a_provisional_branch_widens_its_own_line_only(made) -> None:
    _, plain = _case(made)
    _, wide = _case(made, f.with_gate(f.models(made), "provisional", "next_policy", ci=(0.6, 1.5)))
    assert _line(wide, "retention") == _line(plain, "retention")
    before, after = _line(plain, "cross_sell"), _line(wide, "cross_sell")
    assert after.base == before.base
    assert after.low == pytest.approx(0.6 * before.low, rel=0.01)
    assert after.high == pytest.approx(1.5 * before.high, rel=0.01)


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
    calls = result.lists["top_defend"].filter("contact").height
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
    assert counts[1] == result.lists["top_defend"].filter("contact").height  # the hours do not bind here
    assert facts["leavers_listed_count"] < facts["leavers_preventable_count"] < facts["leavers_expected_count"]


def test_who_gave_notice_is_not_among_those_to_keep(made) -> None:
    """Both counts and the commission beside them are of the same customers: those whose end is not known yet."""
    run = f.models(made)
    leavers = f.present(made)["customer"].unique().sort()[:40].to_list()
    ends = pl.when(pl.col("customer").is_in(leavers) & pl.col("end_date").is_null()).then(f.X + timedelta(days=40))
    gone = replace(made, policies=made.policies.with_columns(end_date=ends.otherwise(pl.col("end_date"))))
    before, after = (run_value(each, run, f.settings(**CHEAP)).case.facts for each in (made, gone))
    chance = run.survival.filter(pl.col("month") == 12, pl.col("customer").is_in(leavers))["preventable"].sum()
    assert before["leavers_preventable_count"] - after["leavers_preventable_count"] == pytest.approx(chance)
    assert after["commission_at_risk_preventable"] < before["commission_at_risk_preventable"]
