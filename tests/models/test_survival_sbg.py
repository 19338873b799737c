"""sBG against the published examples, and against a cohort with known chances."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from akb.models.churn.sbg import Sbg, fit, fit_cohort

GOLDEN = {entry["id"]: entry for entry in json.loads((Path(__file__).parents[1] / "golden.json").read_text("utf-8"))}
PUBLISHED = Sbg(0.668, 3.806)


@pytest.mark.parametrize("name", ["B4_sbg_highend", "B4_sbg_regular"])
def test_golden_seven_years_of_retention(name: str) -> None:
    golden = GOLDEN[name]
    found = fit_cohort(golden["in"]["surv"])
    assert found.alpha == pytest.approx(golden["out"]["alpha"], abs=golden["tol"])
    assert found.beta == pytest.approx(golden["out"]["beta"], abs=golden["tol"])
    ahead = golden["out"].get("jaar8_12", [])
    assert found.survival(np.arange(8, 8 + len(ahead))) == pytest.approx(ahead, abs=golden["tol"])


def test_golden_cohort_of_a_thousand() -> None:
    golden = GOLDEN["B4_sbg_intro"]
    found = fit_cohort(golden["in"]["cohort"])
    assert found.alpha == pytest.approx(golden["out"]["alpha"], abs=golden["tol"])
    assert found.beta == pytest.approx(golden["out"]["beta"], abs=golden["tol"])


def test_golden_residual_lifetime_at_three_moments_of_payment() -> None:
    golden = GOLDEN["B4_derl_highend_10pct_after7"]
    told = {"before_renewal": "voor_volgende_prolongatie", "with_current": "lopend_jaar_mee",
            "without_current": "zonder_lopend_jaar"}  # fmt: skip
    for timing, key in told.items():
        assert PUBLISHED.derl(0.10, 7, timing) == pytest.approx(golden["out"][key], abs=golden["tol"])  # type: ignore[arg-type]


def test_the_residual_lifetime_is_the_discounted_sum_of_survival() -> None:
    t = np.arange(8, 4000)
    summed = (PUBLISHED.survival(t) / PUBLISHED.survival(7) / 1.1 ** (t - 8)).sum()
    assert PUBLISHED.derl(0.10, 7) == pytest.approx(summed, rel=1e-9)


def test_it_finds_the_chances_of_a_simulated_book_that_was_seen_late() -> None:
    rng = np.random.default_rng(4)
    chance = rng.beta(0.9, 6.0, 60_000)
    period = rng.geometric(chance)
    since = rng.integers(0, 8, len(period))  # seen from this period on, if still there
    at_risk, left = np.zeros(12), np.zeros(12)
    for t in range(12):
        there = (period > t) & (since <= t)
        at_risk[t], left[t] = there.sum(), (there & (period == t + 1)).sum()
    found = fit(at_risk, left)
    assert found.hazard(np.arange(1.0, 13)) == pytest.approx(Sbg(0.9, 6.0).hazard(np.arange(1.0, 13)), rel=0.06)


def test_survival_is_the_product_of_the_hazards_and_loyalty_grows() -> None:
    t = np.arange(1.0, 30)
    assert PUBLISHED.survival(t) == pytest.approx(np.cumprod(1 - PUBLISHED.hazard(t)), rel=1e-9)
    years = PUBLISHED.expected_periods(np.array([0.0, 5.0, 15.0]), 20)
    assert (np.diff(years) > 0).all() and years.max() < 20


def test_a_book_in_which_nobody_left_has_no_model() -> None:
    with pytest.raises(ValueError, match="left"):
        fit([100, 100], [0, 0])
