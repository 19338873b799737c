"""The other worked examples of the sources, and the profit measures. What a source leaves out, the test says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution

from akb.value import formulas
from akb.value.case.profit import empc, profit_curve
from akb.value.case.trial import detectable, per_arm

TESTS = Path(__file__).parents[1]
GOLDEN = {entry["id"]: entry for entry in json.loads((TESTS / "golden.json").read_text("utf-8"))}


def _told(name: str) -> tuple[dict, dict, float]:  # type: ignore[type-arg]
    entry = GOLDEN[name]
    return entry["in"], entry["out"], entry.get("tol", 1e-9)


def test_every_entry_has_a_test() -> None:
    told = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    assert [name for name in GOLDEN if name not in told] == []


@pytest.mark.parametrize("name", ["D7_mail_voor", "D8_mail_na"])
def test_d7_d8_mailing(name: str) -> None:
    # The profit is "over ten years", undiscounted; the letters are free.
    given, out, _ = _told(name)
    contracts, profit = formulas.campaign(given["n"], given["conv"], given["winst"])
    assert (contracts, profit) == (out["contracten"], out["winst"])
    assert out["getoond"] == f"{profit / 1e6:.1f} mln".replace(".", ",")


def test_d9_difference_of_both() -> None:
    # 50,000 letters fewer are no saving in the source.
    both = [GOLDEN[name]["in"] for name in ("D7_mail_voor", "D8_mail_na")]
    before, after = (formulas.campaign(one["n"], one["conv"], one["winst"])[1] for one in both)
    assert after - before == GOLDEN["D9_mail_extra"]["out"]


def test_d10_inbound() -> None:
    # The same 3,500 per contract is now "over twenty years"; from the rounded 1,8 the year would be 21,6 million.
    given, out, _ = _told("D10_inbound")
    chances, _ = formulas.campaign(given["n"], given["interessant"], 0)
    contracts, month = formulas.campaign(chances, given["conv"], given["winst"])
    assert (chances, contracts, month, 12 * month) == (
        out["kansen"], out["contracten"], out["per_maand"], out["per_jaar"],
    )  # fmt: skip


def test_d5_value_of_churn() -> None:
    given, out, _ = _told("D5_roi")
    assert formulas.value_of_churn(given["klanten"], given["churn"], given["waarde"]) == pytest.approx(out["verlies"])


def test_d11_relative_and_points() -> None:
    given, out, tol = _told("D11_machine")
    assert -formulas.change(given["voor"], given["na"]) == pytest.approx(out["relatief"], abs=tol)
    assert given["voor"] - given["na"] == pytest.approx(out["punten"], abs=tol)


def test_d12_cost_behind_a_claimed_roi() -> None:
    # The source names neither the customers nor the cost: for 100 customers it would have to be this.
    given, out, tol = _told("D12_machine_cost_from_roi")
    benefits = formulas.value_of_churn(given["n"], given["punten"], given["waarde"])
    assert formulas.cost_from_roi(benefits, given["roi_pct"] / 100) == pytest.approx(out, abs=tol)
    assert formulas.roi(benefits, out) == pytest.approx(given["roi_pct"] / 100)


@pytest.mark.parametrize("name", ["D13_saas_clv", "D14_saas_churn", "D15_saas_upsell"])
def test_d13_to_d15_changes(name: str) -> None:
    given, out, tol = _told(name)
    assert formulas.change(given["voor"], given["na"]) == pytest.approx(out, abs=tol)


def test_d16_the_source_contradicts_itself() -> None:
    # Churn fell so far that a constant margin gives 80,000, not the 59,400 claimed: margin, horizon or rate differ too.
    given, out, tol = _told("D16_saas_inconsistent")
    before, after = given["churn_voor"], given["churn_na"]
    steady = formulas.value_at_constant_margin(given["clv"], before, after)
    assert steady == pytest.approx(out["clv_constante_marge"])
    claimed = GOLDEN["D13_saas_clv"]["in"]["na"]
    assert formulas.change(steady, claimed) == pytest.approx(out["marge_daling"], abs=tol)
    gain = GOLDEN["D13_saas_clv"]["out"]
    assert formulas.implied_horizon(gain, before, after) == pytest.approx(out["horizon_maanden"], abs=tol)
    assert formulas.implied_discount(gain, before, after) == pytest.approx(out["disconto_per_maand"], abs=1e-5)
    with pytest.raises(ValueError, match="sign"):
        formulas.implied_horizon(0.7, before, after)  # even for ever: 68 %


def test_d19_customers_per_adviser() -> None:
    given, out, tol = _told("D19_advisers")
    assert formulas.change(given["nu"], given["straks"]) == pytest.approx(out["groei"], abs=tol)
    for years in (5, 6):  # the source does not say from which year
        assert formulas.yearly_growth(given["nu"], given["straks"], years) == pytest.approx(
            out[f"cagr{years}"], abs=tol
        )
    now, later = given["adviseurs"] * given["nu"], given["adviseurs"] * given["straks"]
    assert (now, later, now / given["straks"]) == (
        out["klanten_nu"],
        out["klanten_straks"],
        out["adviseurs_voor_49000"],
    )


def test_c6_horizons_nest() -> None:
    given, out, tol = _told("C6_horizons")
    chances = formulas.horizon_chances(given["churn_jaar"], [1, 3, 6, 12])
    assert chances == pytest.approx(list(out.values()), abs=tol)
    assert chances == sorted(chances)


def test_c7_censoring_says_too_much() -> None:
    given, out, tol = _told("C7_competing")
    counted, censored = formulas.competing_risk(given["totaal"], given["natuurlijk_aandeel"], given["jaren"])
    assert counted == pytest.approx(out["cif"], abs=tol)
    assert censored == pytest.approx(out["een_min_km"], abs=tol)


@pytest.mark.parametrize("name", ["C_ab_9_36", "C_ab_9_10", "C_ab_27_36"])
def test_pilot_sizes(name: str) -> None:
    given, out, tol = _told(name)
    assert per_arm(given["p0"], given["rel"], given["alpha"], given["power"]) == pytest.approx(out, abs=tol)


def test_b2_empc() -> None:
    given, out, tol = _told("B2_empc_doc")
    settings = {name: given[name] for name in ("alpha", "beta", "clv", "incentive", "contact")}
    assert empc(given["y"], given["s"], **settings) == pytest.approx(out, abs=tol)


def test_empc_is_the_integral_that_it_says() -> None:
    rng = np.random.default_rng(4)
    y, s = rng.integers(0, 2, 60), rng.random(60)
    s = np.where(y == 1, s + 0.2, s)
    order = np.argsort(-s)
    true, false = (np.concatenate([[0], np.cumsum(flags[order]) / flags.sum()]) for flags in (y, 1 - y))
    prior = y.mean()

    def best(gamma: float) -> float:
        profit = 200 * (gamma * 0.95 - 0.005) * prior * true - 200 * 0.055 * (1 - prior) * false
        return float(profit.max() * beta_distribution.pdf(gamma, 6, 14))

    assert empc(y, s) == pytest.approx(quad(best, 0, 1, limit=500)[0], abs=1e-4)
    assert empc(y, s) >= empc(y, rng.random(60)) - 1e-9


def test_profit_with_everyones_own_value() -> None:
    earned = 0.2 * np.array([1, 0, 1, 0]) * np.array([1000.0, 10.0, 50.0, 10.0])  # rescue x left x value
    by_value = profit_curve([0.9, 0.1, 0.5, 0.0], earned, 25)
    assert by_value.profit.tolist() == pytest.approx([0, 175, 160, 135, 110])
    assert by_value.best == 1
    assert profit_curve([0.1, 0.9, 0.5, 0.0], earned, 25).best == 3
    assert profit_curve([0.1, 0.9], [0, 0], 25).best == 0


def test_what_a_pilot_of_the_sources_can_show() -> None:
    """With 250 customers per arm only a fall of two thirds shows at a base of 9 %, one of 38 % at a base of 27 %."""
    assert [round(detectable(before, 250) or 0.0, 2) for before in (0.09, 0.27)] == [0.66, 0.38]
    assert detectable(0.5, 3) is None
