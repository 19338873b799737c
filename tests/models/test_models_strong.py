"""Strong is proven: a gain on the test date that holds among all that was asked, and two dates that chose nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from akb.models.evidence.grading import holm, significant
from akb.models.evidence.intervals import gain_p
from akb.models.evidence.metrics import losses
from akb.models.temporal.selection import Competition, best_simpler
from akb.models.temporal.splits import months_to_evaluate, temporal_splits
from akb.models.types import Candidate, DateResult, Evidence, Prediction

DAYS = tuple(date(2024 - back, 1, 1) for back in range(3))


def made(key: str, p: float | None, grade: str = "strong") -> Prediction:
    return Prediction(key, "fitted", grade=grade, gain_p=p)  # type: ignore[arg-type]


def test_a_gain_that_does_not_hold_among_all_is_no_longer_strong() -> None:
    found = holm([made("a", 0.001), made("b", 0.04), made("c", 0.03, "usable"), made("d", None, "indicative")])
    assert [each.grade for each in found] == ["strong", "usable", "usable", "indicative"]
    assert holm([made("b", 0.04)])[0].grade == "strong"  # alone it was


def test_holm_steps_down_and_stops_at_the_first_that_fails() -> None:
    """Of three .0166 and .0249 pass, at .05/3 and .05/2, and .051 does not; one that fails takes the next along."""
    assert [each.grade for each in holm(made(k, p) for k, p in zip("abc", (0.0166, 0.0249, 0.051), strict=True))] == [
        "strong", "strong", "usable",
    ]  # fmt: skip
    assert [each.grade for each in holm(made(k, p) for k, p in zip("abc", (0.0166, 0.026, 0.049), strict=True))] == [
        "strong", "usable", "usable",
    ]  # fmt: skip


def test_who_was_asked_for_no_gain_is_not_strong() -> None:
    assert holm([made("a", None)])[0].grade == "usable"
    assert not significant(None)
    assert significant(0.0499)
    assert not significant(0.05)


def test_of_many_predictions_without_any_gain_hardly_one_is_strong() -> None:
    rng = np.random.default_rng(3)
    hits = [
        any(each.grade == "strong" for each in holm(made(f"k{n}", float(p)) for n, p in enumerate(rng.random(40))))
        for _ in range(400)
    ]
    assert np.mean(hits) < 0.08  # one at a time it would be .87


def test_a_gain_is_paired_per_customer() -> None:
    rng = np.random.default_rng(1)
    chance = rng.uniform(0.02, 0.4, 3000)
    label = (rng.random(3000) < chance).astype(float)
    mine, flat = losses("binary", label, chance), losses("binary", label, np.full(3000, chance.mean()))
    who = np.arange(3000)
    assert gain_p(mine, flat, who) < 1e-6
    assert gain_p(flat, mine, who) == 1.0  # a loss is no gain
    again = [np.repeat(each, 10) for each in (mine, flat, who)]  # the same customers ten times prove no more
    assert gain_p(*again) == pytest.approx(gain_p(mine, flat, who), rel=0.05)


def test_the_rival_is_the_best_simpler_one_where_the_winner_was_chosen() -> None:
    table = tuple(
        Candidate(name, loss, 0.0, 0.0, won=name == "boosting")
        for name, loss in (("rate", 0.4), ("rule", 0.31), ("logistic", 0.33), ("boosting", 0.3))
    )
    assert best_simpler(Competition("boosting", table, gain_significant=True)) == "rule"
    assert best_simpler(Competition("rule", table, gain_significant=True)) == "rate"
    assert best_simpler(Competition("rate", table, gain_significant=True)) is None


def test_the_date_that_chose_is_no_date_that_proves() -> None:
    both = Evidence(by_date=tuple(DateResult(day, 900, 90.0, 0.7) for day in DAYS))
    assert both.test_dates == 3
    assert replace(both, choice_date=DAYS[1]).test_dates == 2
    assert replace(both, by_date=both.by_date[:2], choice_date=DAYS[1]).test_dates == 1


@pytest.mark.parametrize("years", [3, 4, 5, 6])
def test_the_earlier_date_is_closed_where_the_choice_looks_from(years: int) -> None:
    grid = [date(2026 - years + month // 12, month % 12 + 1, 1) for month in range(12 * years)]
    roles = temporal_splits(grid, date(2026, 1, 1), 12, 31, 31)
    if roles.earlier is None:
        assert years < 5
    else:
        assert roles.validation is not None
        assert roles.earlier.day == max(roles.validation.train)
        assert max(roles.earlier.train) < roles.earlier.day < roles.validation.day


def test_one_month_ahead_needs_no_thirty_months() -> None:
    assert [months_to_evaluate(months) for months in (1, 3, 12)] == [8, 12, 30]
